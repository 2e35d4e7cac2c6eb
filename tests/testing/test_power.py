"""The power switch of a board under test."""

from __future__ import annotations

import pytest

from otaflash.errors import UsageError
from otaflash.testing import OtaflashError
from otaflash.testing.switches import PHASES
from tests.testing.boards import NEW, OLD, old_board


@pytest.mark.parametrize("how", ["before", "torn", "after"])
@pytest.mark.parametrize("operation", [0, 7, 30])
def test_power_cut_at_an_operation_ends_in_the_new_program(operation: int, how: str) -> None:
    board = old_board()
    board.power.cut_at_operation(operation, how)
    assert board.push(NEW, version="2.0.0").running_version == "2.0.0"
    assert board.power.cuts == 1
    assert board.runs(NEW)


def test_a_cut_at_an_operation_counts_from_the_call() -> None:
    board = old_board()
    board.push(NEW, version="2.0.0")
    board.power.cut_at_operation(0)
    board.wait(60)
    assert board.power.cuts == 0
    board.push(OLD, version="1.0.0")
    assert board.power.cuts == 1


def test_a_second_cut_counts_from_the_return_of_power() -> None:
    board = old_board()
    for operation in (25, 3, 3):
        board.power.cut_at_operation(operation)
    board.push(NEW, version="2.0.0")
    assert board.power.cuts == 3
    assert board.runs(NEW)


@pytest.mark.parametrize("phase", PHASES)
def test_power_cut_during_a_phase_comes_once_and_is_survived(phase: str) -> None:
    board = old_board()
    board.power.cut_during(phase)
    board.push(NEW, version="2.0.0")
    assert board.power.cuts == 1
    assert board.runs(NEW)


def test_a_cut_during_the_swap_falls_into_the_swap() -> None:
    board = old_board()
    board.power.cut_during("swap")
    board.push(NEW, version="2.0.0")
    lines = [line.partition(" s  ")[2] for line in board.story]
    assert lines.index("phase apply") < lines.index("power went") < lines.index("done: 2.0.0 runs")


def test_power_that_is_off_stays_off_and_the_board_says_nothing() -> None:
    board = old_board()
    board.power.off()
    board.wait(100)
    assert not board.power.is_on
    assert not board.runs(OLD)
    with pytest.raises(OtaflashError) as failed:
        board.info()
    assert failed.value.reason == "no-answer"


def test_power_that_comes_back_brings_the_program_back() -> None:
    board = old_board()
    board.power.off()
    board.wait(5)
    board.power.on()
    assert board.info().in_loader
    board.wait(3)
    assert board.runs(OLD)


def test_a_cut_by_time_comes_at_that_time_and_lasts_a_second() -> None:
    board = old_board()
    board.power.cut_after(5.0)
    board.wait(5.5)
    assert not board.power.is_on
    board.wait(1.0)
    assert board.power.is_on


def test_a_cut_by_operation_still_comes_after_power_was_switched_off_and_on() -> None:
    board = old_board()
    board.power.cut_at_operation(20)
    board.power.off()
    board.power.on()
    board.push(NEW, version="2.0.0")
    assert board.power.cuts == 2
    board.check_ended()


def test_power_switched_off_during_a_cut_leaves_that_cut_done() -> None:
    board = old_board()
    board.push(NEW, version="2.0.0")
    board.power.cut_at_operation(0)
    board.reset()  # each boot programs the standing record again
    board.wait(0.2)
    assert not board.power.is_on
    board.power.off()
    board.wait(10)
    assert not board.power.is_on
    board.power.on()
    board.wait(5)
    assert (board.power.cuts, board.runs(NEW)) == (1, True)
    board.check_ended()


@pytest.mark.parametrize("plan", ["operation", "phase", "time"])
def test_a_cut_that_never_came_is_told_at_the_end(plan: str) -> None:
    board = old_board()
    if plan == "operation":
        board.power.cut_at_operation(100_000)
    elif plan == "phase":
        board.power.cut_during("swap")
    else:
        board.power.cut_after(1e6)
    with pytest.raises(UsageError, match="never was") as failed:
        board.check_ended()
    assert failed.value.reason == "cut-never-came"


def test_cuts_that_came_are_no_misuse() -> None:
    board = old_board()
    board.power.cut_at_operation(5)
    board.power.cut_after(0.0)
    board.power.cut_during("confirm")
    board.push(NEW, version="2.0.0")
    board.check_ended()
    assert board.power.cuts == 3


def test_a_cut_that_cannot_be_is_refused_with_what_can() -> None:
    power = old_board().power
    with pytest.raises(UsageError, match="sideways") as failed:
        power.cut_at_operation(1, "sideways")
    assert "before, torn, after" in failed.value.remedy
    with pytest.raises(UsageError, match="-1"):
        power.cut_at_operation(-1)
    with pytest.raises(UsageError, match="nan"):
        power.cut_after(float("nan"))
    with pytest.raises(UsageError, match="lunch") as failed:
        power.cut_during("lunch")
    assert failed.value.reason == "bad-cut"
    assert "transfer, swap, trial, confirm" in failed.value.remedy
