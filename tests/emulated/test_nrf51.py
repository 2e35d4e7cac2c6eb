"""The loader for the nRF51822, the very binary, on an emulated chip: updates, trials, power cuts and noise."""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from otaflash.bench.link import offerable
from otaflash.engine import LinkShape, Operation, PhaseChanged, Progress, Push, Request
from otaflash.image.build import Image
from otaflash.sim.profiles import NRF51822
from otaflash.wire.messages import BootState
from tests.emulated.board import CutKind, drive, run_until
from tests.emulated.m0 import ANSWERING, STAGING, application, to_binary
from tests.emulated.nrf51 import SLOT_BASE, UID, Nrf51

ROOT = Path(__file__).resolve().parents[2]
SHAPE = LinkShape(NRF51822.baud / 10)
OLD, NEW = b"m0 1.0.0\r\n", b"m0 2.0.0\r\n"
BOOT_US = 3_000_000
"""Recovery, the entry window of a second, and the application's first words."""
SWAP_US = 6_000_000


@dataclass(frozen=True, slots=True)
class Programs:
    loader: bytes
    old: Image
    new: Image
    answering: Image
    """3.0.0, with the library in it"""
    staging: Image
    """4.0.0, takes updates while it runs, and keeps itself"""
    staging_next: Image
    """5.0.0, the same"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    folder = tmp_path_factory.mktemp("nrf51")
    subprocess.run([str(ROOT / "tools" / "build_firmware"), "--out", str(folder), "nrf51"], check=True)
    return Programs(
        to_binary(folder / "nrf51.elf"),
        application(folder, "1.0.0", 2900),
        application(folder, "2.0.0", 3900),
        application(folder, "3.0.0", 12000, ANSWERING),
        application(folder, "4.0.0", 13000, STAGING),
        application(folder, "5.0.0", 14000, STAGING),
    )


@pytest.fixture
def board(programs: Programs) -> Nrf51:
    """With loader and old application, as from a programmer, and power."""
    return fresh(programs)


def fresh(programs: Programs, seed: int = 1) -> Nrf51:
    board = Nrf51(programs.loader, seed)
    board.flash[SLOT_BASE : SLOT_BASE + len(programs.old.span)] = programs.old.span
    board.on()
    return board


def slot(board: Nrf51, image: Image) -> bytes:
    return bytes(board.flash[SLOT_BASE : SLOT_BASE + len(image.span)])


def ask(board: Nrf51, operation: Operation = Operation.INFO) -> BootState:
    result = drive(board, Request(SHAPE, 7, operation), micros=20_000_000)
    assert result is not None
    assert result.info.uid == UID
    return BootState(result.info.boot_state)


def power_cycle(board: Nrf51) -> None:
    board.off()
    board.run(1000)
    board.on()


def stage(board: Nrf51, image: Image) -> None:
    """A push whose host goes away once the new image runs on trial: nothing is confirmed."""
    drive(board, Push(SHAPE, 9, confirm=False), offerable(image), until=lambda: board.watchdog_runs)


def test_a_fresh_chip_with_a_loader_alone_answers(programs: Programs) -> None:
    board = Nrf51(programs.loader)
    board.on()
    result = drive(board, Request(SHAPE, 7, Operation.INFO), micros=5_000_000)
    assert result is not None
    info = result.info
    assert info.board.rstrip(b"\0") == NRF51822.name.encode()
    assert info.uid == UID
    assert (info.slot_base, info.slot_pages, info.page_bytes) == (SLOT_BASE, NRF51822.slot_pages, NRF51822.page_bytes)
    assert (info.block_bytes, info.frame_bytes, info.stall_ms, info.window_bytes, info.trials_max) == (
        NRF51822.block_bytes,
        NRF51822.frame_bytes,
        NRF51822.stall_ms,
        NRF51822.window_bytes,
        NRF51822.trials,
    )
    assert info.boot_state == BootState.NO_IMAGE


def test_the_application_of_the_programmer_starts_after_the_entry_window(board: Nrf51) -> None:
    run_until(board, OLD, BOOT_US)
    assert board.micros > NRF51822.entry_window_ms * 1000
    assert board.runs_application
    assert not board.watchdog_runs


def test_a_push_makes_the_new_application_run_and_speak_and_confirm_keeps_it(board: Nrf51, programs: Programs) -> None:
    stage(board, programs.new)
    run_until(board, NEW, 1_000_000)
    assert slot(board, programs.new) == programs.new.span
    power_cycle(board)
    assert ask(board) is BootState.TRIAL
    assert ask(board, Operation.CONFIRM) is BootState.IDLE
    for _ in range(NRF51822.trials + 1):
        power_cycle(board)
        run_until(board, NEW, BOOT_US)
        assert not board.watchdog_runs, "a confirmed image runs without the watchdog of a trial"


def test_a_whole_push_of_an_application_that_answers_and_the_next_from_within_it(
    board: Nrf51, programs: Programs
) -> None:
    result = drive(board, Push(SHAPE, 9), offerable(programs.answering))
    assert result is not None
    assert result.running_version == "3.0.0"
    assert result.info.boot_state == BootState.IDLE
    power_cycle(board)
    run_until(board, b"m0 3.0.0\r\n", BOOT_US)
    assert board.runs_application
    stage(board, programs.new)
    assert board.resets[-1] == "soft", "the application has asked for its loader"
    run_until(board, NEW, 1_000_000)
    run_until(board, b"m0 3.0.0\r\n", 60_000_000)


class Listened(Nrf51):
    """Notes what the chip says in each phase of a push."""

    def __init__(self, loader: bytes) -> None:
        super().__init__(loader)
        self.phase = ""
        self.heard: dict[str, bytes] = {}

    def recv(self) -> bytes:
        said = super().recv()
        self.heard[self.phase] = self.heard.get(self.phase, b"") + said
        return said

    def note(self, event: object) -> None:
        if isinstance(event, PhaseChanged):
            self.phase = event.name


def test_an_update_is_taken_while_the_application_prints_and_keeps_itself(programs: Programs) -> None:
    old, new = b"m0 4.0.0\r\n", b"m0 5.0.0\r\n"
    board = Listened(programs.loader)
    board.flash[SLOT_BASE : SLOT_BASE + len(programs.staging.span)] = programs.staging.span
    board.on()
    run_until(board, old, BOOT_US)
    result = drive(board, Push(SHAPE, 9, confirm=False), offerable(programs.staging_next), on_event=board.note)
    assert result is not None
    assert "enter" not in board.heard
    assert board.resets[1:] == ["soft"], "down for the swap alone"
    assert board.heard["transfer"].count(old) >= 1.5 * dict(result.phases)["transfer"], (
        "two lines a second, but for erases"
    )
    run_until(board, new, BOOT_US)
    board.run(2_000_000)
    assert ask(board) is BootState.IDLE
    for _ in range(NRF51822.trials + 1):
        power_cycle(board)
        run_until(board, new, BOOT_US)


def ask_after_power(board: Nrf51) -> BootState:
    power_cycle(board)
    return ask(board)


def test_a_trial_that_nobody_confirms_is_reverted_after_three_boots(board: Nrf51, programs: Programs) -> None:
    stage(board, programs.new)
    said = run_until(board, OLD, 60_000_000)
    assert NEW in said
    assert board.resets.count("watchdog") == NRF51822.trials
    assert slot(board, programs.old) == programs.old.span
    power_cycle(board)
    run_until(board, OLD, BOOT_US)
    assert ask_after_power(board) is BootState.IDLE


def test_a_trial_counts_boots_by_power_too(board: Nrf51, programs: Programs) -> None:
    stage(board, programs.new)
    for _ in range(NRF51822.trials - 1):
        power_cycle(board)
        run_until(board, NEW, BOOT_US)
    power_cycle(board)
    run_until(board, OLD, BOOT_US + SWAP_US)
    assert slot(board, programs.old) == programs.old.span


def test_a_revert_is_ordered_in_a_trial(board: Nrf51, programs: Programs) -> None:
    stage(board, programs.new)
    power_cycle(board)
    assert ask(board, Operation.REVERT) is BootState.IDLE
    assert slot(board, programs.old) == programs.old.span


@pytest.mark.parametrize("seed", range(12))
def test_a_power_cut_at_any_flash_operation_leaves_an_approved_image_running(programs: Programs, seed: int) -> None:
    draws = random.Random(seed)
    board = fresh(programs, seed)
    kinds: tuple[CutKind, ...] = ("before", "torn", "after")
    staged = False

    def cut_once(event: object) -> None:
        """In the swap: everything is staged, and what follows are more than 1,500 operations."""
        nonlocal staged
        if not staged and isinstance(event, Progress) and event.done_bytes == event.total_bytes:
            staged = True
            board.cut(draws.randrange(1, 1500), draws.choice(kinds))

    drive(board, Push(SHAPE, 9), offerable(programs.new), on_event=cut_once, until=lambda: board.watchdog_runs)
    assert staged
    assert board.is_off, "the cut came too late"
    for _ in range(2):
        power_cycle(board)
        board.cut(draws.randrange(1, 2000), draws.choice(kinds))
        board.run(1_000_000)
    power_cycle(board)
    said = run_until(board, b"m0 ", BOOT_US + SWAP_US) + run_until(board, b"\n", 100_000)
    image = programs.new if NEW in said else programs.old
    assert OLD in said or NEW in said
    assert slot(board, image) == image.span
    power_cycle(board)
    run_until(board, b"m0 ", BOOT_US + SWAP_US)


def test_noise_on_the_line_does_no_harm(board: Nrf51, programs: Programs) -> None:
    board.send(random.Random(5).randbytes(6000))
    board.run(600_000)
    assert ask(board) is BootState.IDLE
    assert slot(board, programs.old) == programs.old.span
    run_until(board, OLD, 20_000_000)


def test_no_byte_is_lost_while_the_loader_computes(board: Nrf51, programs: Programs) -> None:
    """The FIFO holds half a millisecond, the CRC of a frame takes six: the interrupt must take what comes."""
    board.run(300_000)
    phases: list[str] = []

    def note(event: object) -> None:
        if isinstance(event, PhaseChanged):
            phases.append(event.name)

    drive(board, Push(SHAPE, 9), offerable(programs.new), on_event=note, until=lambda: "apply" in phases)
    assert "apply" in phases
    assert board.uart.lost == board.lost_in_flash
    assert board.lost_in_flash < 100, "the host is silent while pages are erased, but for a first frame"


def test_only_words_of_the_record_are_written_more_than_twice(board: Nrf51, programs: Programs) -> None:
    """The chip allows two writes of a word between erases; README.md of the port states this limit."""
    stage(board, programs.new)
    run_until(board, OLD, 60_000_000)
    for _ in range(3):
        power_cycle(board)
        board.run(1_500_000)
    records = SLOT_BASE + (2 * NRF51822.slot_pages + 1) * NRF51822.page_bytes
    often = {address for address, times in board.writes.items() if times > 2}
    assert often
    assert min(often) >= records
    assert max(board.writes[address] for address in often) < 10


@pytest.mark.parametrize("kind", [None, "before", "torn", "after"])
def test_a_word_of_the_emulated_flash_only_loses_bits_also_where_the_power_goes(kind: CutKind | None) -> None:
    """By a program that enables writing and stores one word: LDR, MOVS, STR, LDR, LDR, STR, B."""
    at, before, value = 0x1000, 0xFFFF00FF, 0x12345678
    code = bytes.fromhex("0348 0121 0160 0348 0349 0160 fee7 00bf")
    constants = b"".join(word.to_bytes(4, "little") for word in (0x4001E504, at, value))
    vectors = b"".join(word.to_bytes(4, "little") for word in (0x20004000, 0xC1)) + bytes(0xC0 - 8)
    board = Nrf51(vectors + code + constants)
    board.flash[at : at + 4] = before.to_bytes(4, "little")
    board.on()
    if kind is not None:
        board.cut(1, kind)
    board.run(1000)
    assert board.is_off == (kind is not None)
    word = int.from_bytes(bytes(board.flash[at : at + 4]), "little")
    assert word & before == word, "no bit rises"
    assert word | before & value == word, "none falls that was not to"
    untorn = {None: before & value, "before": before, "after": before & value}
    assert word == untorn.get(kind, word)
    assert (kind == "torn") == (word not in untorn.values())
