"""The library on the emulated ATmega328P: programs that call the shipped loader's own code, at its table."""

from __future__ import annotations

import random

import pytest

from otaflash.engine import Operation
from otaflash.image.build import Image
from otaflash.wire.messages import BootState, Info, Mode
from tests.emulated.avr_apps import Listened, example
from tests.emulated.avr_host import SLOT, Outcome, ask, push
from tests.emulated.board import CutKind

TRIALS = 3
UP_MS = 1300
"""The entry window of a second, and the program's start."""
SWAPPED_MS = 2500
SPEAKS = ("confirms", "never", "crashes", "stages")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    """Each example as 1.0.0, and as 2.0.0 under its name and "2"."""
    folder = tmp_path_factory.mktemp("apps")
    made = {name: example(folder, name) for name in SPEAKS}
    return made | {f"{name}2": example(folder, name, 2) for name in SPEAKS}


def info_of(board: Listened) -> Info:
    result = ask(board).result
    assert result is not None
    return result.info


def power_cycle(board: Listened, millis: int = UP_MS) -> None:
    board.off()
    board.on()
    board.pass_ms(millis)


def put_on_trial(board: Listened, image: Image) -> Outcome:
    """A host that goes away once the image runs: found in the entry window, or by the application that answers."""
    outcome = push(board, image, confirm=False, limit_s=8.0)
    assert bytes(board.flash[: len(image.span)]) == image.span
    return outcome


def holds(board: Listened, image: Image) -> bool:
    return bytes(board.flash[: len(image.span)]) == image.span


# --- deciding ---------------------------------------------------------------------------------------------


def test_a_program_keeps_itself_by_the_loaders_routine(programs: dict[str, Image]) -> None:
    board = Listened(programs["never"])
    put_on_trial(board, programs["confirms2"])
    board.pass_ms(SWAPPED_MS)
    assert board.lines(b"kept\r\n") == 1
    for _ in range(TRIALS + 1):
        power_cycle(board)
        assert board.runs_application
    assert holds(board, programs["confirms2"])
    board.off()
    board.on()
    info = info_of(board)  # the loader's answer, in its window
    assert (info.mode, info.boot_state) == (Mode.LOADER, BootState.IDLE)
    assert info.counter == 2, "the security counter has moved with the confirmation"


def test_a_program_that_is_not_on_trial_says_that_it_is_kept(programs: dict[str, Image]) -> None:
    board = Listened(programs["confirms"])
    board.pass_ms(UP_MS + 2000)
    assert board.lines(b"kept\r\n") == 1
    assert board.operations == 0, "and writes nothing"


def test_a_program_that_nobody_confirms_is_reverted_after_its_trials(programs: dict[str, Image]) -> None:
    board = Listened(programs["stages"])
    put_on_trial(board, programs["never2"])
    used = [info_of(board).trials_used]
    for _ in range(TRIALS - 1):
        power_cycle(board)
        used.append(info_of(board).trials_used)
    assert used == [1, 2, 3]
    power_cycle(board, UP_MS + SWAPPED_MS)
    assert holds(board, programs["stages"])
    assert info_of(board).boot_state == BootState.IDLE


def test_a_program_that_crashes_is_reverted_by_the_watchdog(programs: dict[str, Image]) -> None:
    board = Listened(programs["stages"])
    put_on_trial(board, programs["crashes2"])
    board.pass_ms(TRIALS * 4500 + SWAPPED_MS)
    assert board.resets >= TRIALS, "by the watchdog"
    assert board.lines(b"crashes 2.0.0\r\n") == 2 * TRIALS
    assert holds(board, programs["stages"])
    assert info_of(board).boot_state == BootState.IDLE


# --- answering --------------------------------------------------------------------------------------------


def test_a_scan_disturbs_no_program(programs: dict[str, Image]) -> None:
    board = Listened(programs["never"])
    board.pass_ms(UP_MS)
    resets = board.resets
    since = board.micros
    for _ in range(20):
        assert info_of(board).mode == Mode.APPLICATION
        board.pass_ms(100)
    assert board.resets == resets
    seconds = (board.micros - since) / 1e6
    assert abs(board.lines(b"never 1.0.0\r\n", since) - 2 * seconds) <= 1, "two lines a second"


def test_a_push_to_a_program_that_only_answers_enters_the_loader(programs: dict[str, Image]) -> None:
    board = Listened(programs["never"])
    board.pass_ms(UP_MS)
    outcome = push(board, programs["never2"])
    assert outcome.result is not None, outcome.error
    assert "enter" in dict(outcome.phases)
    assert (outcome.result.info.mode, outcome.result.info.boot_state) == (Mode.APPLICATION, BootState.IDLE)


def test_confirm_and_revert_are_orders_to_the_program(programs: dict[str, Image]) -> None:
    board = Listened(programs["stages"])
    put_on_trial(board, programs["never2"])
    reverted = ask(board, Operation.REVERT)
    assert reverted.result is not None
    assert holds(board, programs["stages"])
    board.pass_ms(UP_MS)
    put_on_trial(board, programs["never2"])
    confirmed = ask(board, Operation.CONFIRM)
    assert confirmed.result is not None
    assert confirmed.result.info.boot_state == BootState.IDLE


def test_without_a_loader_that_it_knows_a_program_runs_and_answers_nothing(programs: dict[str, Image]) -> None:
    """Another loader's bytes, or none, where the table would be."""
    board = Listened(programs["stages"])
    board.off()
    board.flash[0x7FF0:0x8000] = b"\xff" * 16
    board.on()
    board.pass_ms(UP_MS)
    assert ask(board, limit_s=2.0).result is None
    board.pass_ms(2000)
    assert board.lines(b"stages 1.0.0\r\n") > 3


# --- staging ----------------------------------------------------------------------------------------------


def test_an_update_is_taken_while_the_program_prints_and_keeps_itself(programs: dict[str, Image]) -> None:
    board = Listened(programs["stages"])
    board.pass_ms(UP_MS)
    big = programs["stages2"]
    outcome = push(board, big, confirm=False)
    times = dict(outcome.phases)
    assert "enter" not in times
    staged = (times["transfer"], times["start"])
    said = b"".join(text for at, text in board.heard if staged[0] <= at / 1e6 <= staged[1]).count(b"stages 1.0.0\r\n")
    assert abs(said - 2 * (staged[1] - staged[0])) <= 1, "two lines a second, as before"
    assert outcome.result is not None
    assert outcome.result.info.boot_state == BootState.TRIAL
    board.pass_ms(SWAPPED_MS)
    assert board.lines(b"stages 2.0.0\r\n") > 3
    info = info_of(board)
    assert (info.mode, info.boot_state) == (Mode.STAGING, BootState.IDLE)


def test_hardly_a_block_is_sent_twice_to_a_program_that_is_deaf_while_it_writes(programs: dict[str, Image]) -> None:
    """For 4.5 ms in every erase and write; the host is silent then, but for what it sends without credit."""
    board = Listened(programs["stages"])
    board.pass_ms(UP_MS)
    outcome = push(board, programs["stages2"], confirm=False)
    assert outcome.result is not None
    assert board.lost > 0
    assert outcome.result.retransmitted_blocks * SLOT.page_bytes // 16 < len(programs["stages2"].span) // 5


# --- power ------------------------------------------------------------------------------------------------


def operations_of_an_update(programs: dict[str, Image]) -> int:
    """Flash operations from the offer to the program on trial, of staging and of the loader's swap."""
    board = Listened(programs["stages"])
    board.pass_ms(UP_MS)
    push(board, programs["never2"], confirm=False)
    return board.operations


def test_power_gone_anywhere_in_an_update_leaves_a_program_running(programs: dict[str, Image]) -> None:
    """Every eighth operation of staging, decision and swap, and another cut in what follows."""
    draws = random.Random(8)
    kinds: tuple[CutKind, ...] = ("before", "torn", "after")
    ended: set[str] = set()
    for operation in range(draws.randrange(1, 8), operations_of_an_update(programs), 8):
        kind = kinds[operation % len(kinds)]
        board = Listened(programs["stages"], seed=operation)
        board.pass_ms(UP_MS)
        board.cut(operation, kind)
        push(board, programs["never2"], confirm=False, limit_s=8.0)
        assert board.is_off, operation
        board.on()
        board.cut(draws.randrange(1, 60), kind)
        board.pass_ms(UP_MS)
        power_cycle(board, UP_MS + SWAPPED_MS)
        ended.add(verdict(board, programs))
    assert ended == {"old", "new"}


def verdict(board: Listened, programs: dict[str, Image]) -> str:
    """Which program runs: what it says of itself, whole in the slot, with its way back."""
    info = info_of(board)
    name = "new" if info.version[0] == 2 else "old"
    image = programs["never2" if name == "new" else "stages"]
    assert holds(board, image)
    assert info.image_crc == image.image_crc
    if info.boot_state == BootState.TRIAL:
        way_back = SLOT.pages * SLOT.page_bytes
        assert bytes(board.flash[way_back:]).startswith(programs["stages"].span)
    return name
