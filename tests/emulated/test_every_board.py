"""One life, led by every board: the loaders that are shipped, on emulated chips, and the native core. Their programs do
nothing, for ever; what only one chip has is tested beside it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from otaflash.bench.link import offerable
from otaflash.engine import Event, LinkShape, Operation, PhaseChanged, Progress, Push, Request
from otaflash.image.build import Image
from otaflash.sim.profiles import PROFILES
from otaflash.wire.messages import BootState, Info
from tests.emulated.board import Board, drive
from tests.emulated.chips import CHIPS, Chip, native

BOOT_US = 6_000_000
"""Recovery, a whole swap and the entry window."""
WATCHDOG_US = 5_000_000
"""The longest that a port gives a trial, and some."""
LOOK_US = 1000
BOARDS: dict[str, Callable[[], Chip]] = {**CHIPS, "native": native}


@pytest.fixture(scope="module", params=BOARDS)
def chip(request: pytest.FixtureRequest) -> Chip:
    return BOARDS[request.param]()


@pytest.fixture
def board(chip: Chip) -> Board:
    """With loader and old image, as from a programmer, and power."""
    made = chip.make(1)
    made.flash[chip.slot.base : chip.slot.base + len(chip.old.span)] = chip.old.span
    made.on()
    return made


def shape(chip: Chip) -> LinkShape:
    return LinkShape(chip.baud / 10)


def ask(board: Board, chip: Chip, operation: Operation = Operation.INFO) -> Info:
    result = drive(board, Request(shape(chip), 7, operation), micros=20_000_000)
    assert result is not None
    return result.info


def power_again(board: Board) -> None:
    if not board.is_off:
        board.off()
    board.run(1000)
    board.on()


def wait(board: Board, until: Callable[[], bool], limit_us: int) -> bool:
    end = board.micros + limit_us
    while board.micros < end and not board.is_off:
        board.run(LOOK_US)
        if until():
            return True
    return False


def starts(board: Board) -> bool:
    return wait(board, lambda: board.runs_application, BOOT_US)


def holds(board: Board, chip: Chip, image: Image) -> bool:
    return bytes(board.flash[chip.slot.base : chip.slot.base + len(image.span)]) == image.span


def stage(board: Board, chip: Chip, image: Image) -> None:
    """A push whose host goes away once the new image runs on trial: nothing is confirmed."""
    engine = Push(shape(chip), 9, confirm=False)
    drive(board, engine, offerable(image), until=lambda: board.runs_application)
    assert board.runs_application


def test_the_loader_says_what_it_is_as_its_simulated_twin_does(chip: Chip) -> None:
    board = chip.make(1)
    board.on()
    info, twin = ask(board, chip), PROFILES[chip.slot.board]
    assert info.board.rstrip(b"\0") == twin.name.encode()
    assert (info.slot_base, info.slot_pages, info.page_bytes) == (twin.slot_base, twin.slot_pages, twin.page_bytes)
    assert (info.block_bytes, info.frame_bytes, info.trials_max) == (twin.block_bytes, twin.frame_bytes, twin.trials)
    assert info.stall_ms == twin.stall_ms
    assert any(info.uid)
    assert info.boot_state == BootState.NO_IMAGE


def test_the_image_of_the_programmer_starts_after_the_entry_window(board: Board, chip: Chip) -> None:
    window_us = PROFILES[chip.slot.board].entry_window_ms * 1000
    board.run(window_us * 9 // 10)
    assert not board.runs_application
    assert wait(board, lambda: board.runs_application, window_us * 3 // 10)


def test_a_pushed_image_runs_on_trial_and_is_kept_once_confirmed(board: Board, chip: Chip) -> None:
    stage(board, chip, chip.new)
    assert holds(board, chip, chip.new)
    assert wait(board, lambda: not board.runs_application, WATCHDOG_US), "it feeds no watchdog: the loader is back"
    assert ask(board, chip).boot_state == BootState.TRIAL
    assert ask(board, chip, Operation.CONFIRM).boot_state == BootState.IDLE
    for _ in range(PROFILES[chip.slot.board].trials + 1):
        power_again(board)
        assert starts(board)
    assert not wait(board, lambda: not board.runs_application, WATCHDOG_US), "no watchdog runs in a confirmed image"
    assert holds(board, chip, chip.new)


def test_an_image_that_nobody_confirms_is_reverted_after_its_trials(board: Board, chip: Chip) -> None:
    stage(board, chip, chip.new)
    trials = 1
    while holds(board, chip, chip.new):
        assert wait(board, lambda: not board.runs_application, WATCHDOG_US)
        assert starts(board)
        trials += 1
    assert trials - 1 == PROFILES[chip.slot.board].trials
    assert holds(board, chip, chip.old)
    power_again(board)
    assert starts(board), "and again at the second boot after the revert"
    assert holds(board, chip, chip.old)


def test_a_trial_counts_boots_by_power_too(board: Board, chip: Chip) -> None:
    stage(board, chip, chip.new)
    for _ in range(PROFILES[chip.slot.board].trials - 1):
        power_again(board)
        assert starts(board)
        assert holds(board, chip, chip.new)
    power_again(board)
    assert starts(board)
    assert holds(board, chip, chip.old)


def test_a_revert_is_ordered_in_a_trial(board: Board, chip: Chip) -> None:
    stage(board, chip, chip.new)
    power_again(board)
    assert ask(board, chip, Operation.REVERT).boot_state == BootState.IDLE
    assert holds(board, chip, chip.old)


def test_a_push_cut_in_the_transfer_is_resumed_by_the_next(board: Board, chip: Chip) -> None:
    image = chip.image(3, 6)
    held: list[int] = []

    def note(event: Event) -> None:
        if isinstance(event, Progress):
            held.append(event.done_bytes)

    def far() -> bool:
        return bool(held) and held[-1] > 0.7 * image.image_bytes

    drive(board, Push(shape(chip), 9, confirm=False), offerable(image), on_event=note, until=far)
    power_again(board)
    held.clear()
    engine = Push(shape(chip), 10, confirm=False)
    drive(board, engine, offerable(image), on_event=note, until=lambda: board.runs_application)
    assert holds(board, chip, image)
    assert sum(one < image.image_bytes // 2 for one in held) <= 1, "what was there did not travel again"


def test_noise_on_the_line_neither_stops_nor_starts_nor_writes_anything(board: Board, chip: Chip) -> None:
    before = bytes(board.flash)
    board.send(random.Random(5).randbytes(6000))
    board.run(700_000)
    board.recv()
    assert ask(board, chip).boot_state == BootState.IDLE
    assert bytes(board.flash) == before
    assert wait(board, lambda: board.runs_application, 20_000_000)


def test_no_byte_is_lost_while_an_image_comes_at_line_rate(board: Board, chip: Chip) -> None:
    """Pages are erased and programmed meanwhile, frames checked, the image digested."""
    board.run(100_000)
    phases: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, PhaseChanged):
            phases.append(event.name)

    image = chip.image(3, 6)
    drive(board, Push(shape(chip), 9), offerable(image), on_event=note, until=lambda: "apply" in phases)
    assert "apply" in phases
    assert board.lost == 0
