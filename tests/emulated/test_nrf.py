"""What only boards with an nRF51822 or an nRF52832 have, with m0 on the very loader: a program that answers by the
loader's own core, interrupts handed over, a watchdog that outlives resets, words that may be written twice."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from otaflash.bench.link import offerable
from otaflash.engine import LinkShape, Operation, PhaseChanged, Push, Request
from otaflash.image.build import Image
from otaflash.image.hexfile import read_hex
from otaflash.sim.profiles import Profile
from otaflash.wire.messages import BootState
from tests.emulated.board import drive, run_until
from tests.emulated.m0 import ANSWERING, ROOT, STAGING, application
from tests.emulated.nrf import NRF51, NRF52, UID, Nrf, Soc

SHAPE = LinkShape(11520.0)
OLD, NEW = b"m0 1.0.0\r\n", b"m0 2.0.0\r\n"
BOOT_US = 3_000_000
"""Recovery, the entry window of a second, and the application's first words."""
PORTS = {"nrf51": NRF51, "nrf52": NRF52}
BLOCK_WRITES_MOST = 181
"""The nRF52832's, of a block of 512 bytes between two erases."""


@dataclass(frozen=True, slots=True)
class Programs:
    soc: Soc
    loader: bytes
    old: Image
    new: Image
    answering: Image
    """3.0.0, with the library in it"""
    staging: Image
    """4.0.0, takes updates while it runs, and keeps itself"""
    staging_next: Image
    """5.0.0, the same"""

    @property
    def profile(self) -> Profile:
        return self.soc.profile

    @property
    def records(self) -> int:
        """Address of the first record unit."""
        return self.profile.slot_base + (2 * self.profile.slot_pages + 1) * self.profile.page_bytes


@pytest.fixture(scope="module", params=PORTS)
def programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Programs:
    soc, folder = PORTS[request.param], tmp_path_factory.mktemp(request.param)
    (loader,) = read_hex(ROOT / "firmware" / "ports" / request.param / f"{request.param}.hex").segments
    known = soc.profile
    return Programs(
        soc,
        loader.data,
        application(folder, "1.0.0", 2900, known=known),
        application(folder, "2.0.0", 3900, known=known),
        application(folder, "3.0.0", 12000, ANSWERING, known),
        application(folder, "4.0.0", 13000, STAGING, known),
        application(folder, "5.0.0", 14000, STAGING, known),
    )


@pytest.fixture
def board(programs: Programs) -> Nrf:
    """With loader and old application, as from a programmer, and power."""
    made = Nrf(programs.soc, programs.loader)
    base = programs.profile.slot_base
    made.flash[base : base + len(programs.old.span)] = programs.old.span
    made.on()
    return made


def ask(board: Nrf, operation: Operation = Operation.INFO) -> BootState:
    result = drive(board, Request(SHAPE, 7, operation), micros=20_000_000)
    assert result is not None
    assert result.info.uid == UID
    return BootState(result.info.boot_state)


def power_cycle(board: Nrf) -> None:
    board.off()
    board.run(1000)
    board.on()


def stage(board: Nrf, image: Image) -> None:
    """A push whose host goes away once the new image runs on trial: nothing is confirmed."""
    drive(board, Push(SHAPE, 9, confirm=False), offerable(image), until=lambda: board.watchdog_runs)


def test_a_push_makes_the_new_application_speak_and_confirm_keeps_it(board: Nrf, programs: Programs) -> None:
    run_until(board, OLD, BOOT_US)
    assert not board.watchdog_runs
    power_cycle(board)
    stage(board, programs.new)
    run_until(board, NEW, 1_000_000)
    power_cycle(board)
    assert ask(board) is BootState.TRIAL
    assert ask(board, Operation.CONFIRM) is BootState.IDLE
    power_cycle(board)
    run_until(board, NEW, BOOT_US)
    assert not board.watchdog_runs, "a confirmed image runs without the watchdog of a trial"


def test_a_whole_push_of_an_application_that_answers_and_the_next_from_within_it(
    board: Nrf, programs: Programs
) -> None:
    """It takes the UART's interrupt: over the vectors of its own that the loader has handed over to."""
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


class Listened(Nrf):
    """Notes what the chip says in each phase of a push."""

    def __init__(self, soc: Soc, loader: bytes) -> None:
        super().__init__(soc, loader)
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
    board = Listened(programs.soc, programs.loader)
    base = programs.profile.slot_base
    board.flash[base : base + len(programs.staging.span)] = programs.staging.span
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
    for _ in range(programs.profile.trials + 1):
        power_cycle(board)
        run_until(board, new, BOOT_US)


def test_the_watchdog_of_a_trial_resets_it_and_does_not_fire_in_the_swap_back(board: Nrf, programs: Programs) -> None:
    stage(board, programs.new)
    said = run_until(board, OLD, 60_000_000)
    assert NEW in said
    assert board.resets.count("watchdog") == programs.profile.trials


def test_only_words_of_the_record_are_written_more_than_twice(board: Nrf, programs: Programs) -> None:
    """The chips allow two writes of a word between erases; README.md of the ports state this limit."""
    stage(board, programs.new)
    run_until(board, OLD, 60_000_000)
    for _ in range(3):
        power_cycle(board)
        board.run(1_500_000)
    often = {address for address, times in board.cells.writes.items() if times > 2}
    assert often
    assert min(often) >= programs.records
    assert max(board.cells.writes[address] for address in often) < 10
    assert max(board.cells.block_writes.values()) <= BLOCK_WRITES_MOST
