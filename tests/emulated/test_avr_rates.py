"""Loaders built for other clocks and line rates (`tools/build_firmware --define`), on emulated chips of that clock."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from otaflash.bench.link import offerable
from otaflash.engine import Push
from otaflash.wire.frames import encode, on_stream
from otaflash.wire.messages import Enter
from tests.emulated.avr import ATMEGA328P, ROOT, Avr, AvrBoard
from tests.emulated.avr_host import ask, blink, shape
from tests.emulated.board import drive

RATES = [(16, 9600), (16, 38400), (16, 57600), (16, 250_000), (16, 500_000), (8, 9600), (8, 57600), (8, 250_000)]
Build = Callable[[int, int], Avr]


def build(folder: Path, mhz: int, baud: int) -> subprocess.CompletedProcess[str]:
    numbers = ["--define", f"F_CPU={mhz * 1_000_000}", "--define", f"BAUD={baud}"]
    command = [sys.executable, str(ROOT / "tools" / "build_firmware"), "atmega328p", *numbers, "--out", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A chip of that clock in MHz with the loader for that rate, on a line of that rate."""

    def make(mhz: int, baud: int) -> Avr:
        folder = tmp_path_factory.mktemp(f"loader-{mhz}-{baud}")
        done = build(folder, mhz, baud)
        assert done.returncode == 0, done.stderr
        return replace(ATMEGA328P, loader=folder / "atmega328p.hex", hz=mhz * 1_000_000, baud=baud)

    return make


def with_program(chip: Avr) -> AvrBoard:
    """As from the programmer, with the example program."""
    board = AvrBoard(chip)
    board.off()
    old = blink("1.0.0").span
    board.flash[: len(old)] = old
    board.on()
    return board


@pytest.mark.parametrize(("mhz", "baud"), RATES)
def test_a_loader_for_any_rate_hears_garbage_and_half_frames_and_then_takes_a_push(
    built: Build, mhz: int, baud: int
) -> None:
    board = with_program(built(mhz, baud))
    board.run(10_000)
    half = on_stream(encode(Enter(bytes(8)), 1, 1))[:9]
    board.send(random.Random(baud).randbytes(300) + half)
    board.run(310 * 10_000_000 // baud)
    assert board.lost == 0
    image = blink("1.1.0")
    drive(board, Push(shape(board), 1, confirm=False), offerable(image), until=lambda: board.runs_application)
    assert bytes(board.flash[: len(image.span)]) == image.span
    assert board.lost == 0


@pytest.mark.parametrize(("mhz", "baud", "said"), [
    (8, 115_200, "F_CPU does not divide to BAUD within 2.4 %"),
    (16, 230_400, "F_CPU does not divide to BAUD within 2.4 %"),
    (16, 4_000_000, "more than an eighth of F_CPU"),
    (16, 300, "too slow for F_CPU"),
    (20, 57_600, "F_CPU must be 16 MHz divided by a power of two"),
])  # fmt: skip
def test_a_rate_or_a_clock_that_the_chip_has_not_is_refused_when_it_is_built(
    tmp_path: Path, mhz: int, baud: int, said: str
) -> None:
    done = build(tmp_path, mhz, baud)
    assert done.returncode == 1
    assert said in done.stderr
    assert not list(tmp_path.glob("*.hex"))


def test_a_loader_for_another_rate_than_the_line_hears_and_says_noise(built: Build) -> None:
    board = AvrBoard(replace(built(16, 57600), baud=115_200))
    assert ask(board, limit_s=1).result is None


@pytest.mark.parametrize("mhz", [8, 16])
def test_the_entry_window_and_the_wait_for_a_host_are_counted_by_the_clock_of_the_chip(built: Build, mhz: int) -> None:
    board = with_program(built(mhz, 38_400))
    uid = bytes(0xA0 + at for at in range(0x0E, 0x16))
    board.run(950_000)
    assert not board.runs_application, "the window of a second is open"
    board.send(on_stream(encode(Enter(uid), 7, 7)))
    board.run(14_900_000)
    assert not board.runs_application, "a host has spoken, 15 s ago at most"
    board.run(900_000)
    assert board.runs_application
    board.off()
    board.on()
    board.run(950_000)
    assert not board.runs_application
    board.run(900_000)
    assert board.runs_application, "the window, a check of the image's CRC"


def test_a_loader_at_half_the_clock_says_that_it_takes_longer(built: Build) -> None:
    slow, fast = ask(AvrBoard(built(8, 57_600))).result, ask(AvrBoard()).result
    assert slow is not None
    assert fast is not None
    assert slow.info.stall_ms > fast.info.stall_ms
