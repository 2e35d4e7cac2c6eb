"""Faults beyond cuts: half a page for good, a watchdog, a wrong read, a worn page, a stuck bit, a clock that wraps."""

from __future__ import annotations

import pytest

from otaflash.bench.explorer.cases import Case
from otaflash.bench.explorer.catalogue import Family, families
from otaflash.bench.explorer.geometries import board_of
from otaflash.bench.explorer.machine import Defect
from otaflash.bench.explorer.search import Search
from otaflash.sim.native import Wear

BOARD = board_of("tiny1")
RECORD = 3
"""First page of the record of that board."""


def family(faults: str) -> Family:
    return next(found for found in families("tiny1", 1) if found.faults == faults)


@pytest.mark.parametrize(
    ("faults", "scenarios"),
    [("cut+half", 15_000), ("reset", 5_000), ("read", 10_000), ("cut, clock wraps", 10_000)],
)
def test_no_other_fault_does_more_harm_than_a_cut(faults: str, scenarios: int) -> None:
    judged = 0
    for case in family(faults).cases:
        tally = Search(case, seed=1).run()
        assert tally.violations == []
        assert tally.exhaustive
        assert tally.trial_boots > 100
        judged += tally.scenarios
    assert judged > scenarios


def test_a_page_that_fails_leaves_the_image_that_runs_until_it_is_to_be_swapped_out() -> None:
    for case in family("cut, worn page").cases[::4]:  # each page and each way; all of them: bench powercut --board all
        assert Search(case, seed=1).run().violations == [], case.sizes


def test_a_stuck_bit_in_the_record_leaves_the_image_that_runs_until_it_is_to_be_swapped_out() -> None:
    for case in family("stuck record bit").cases[::3]:
        assert Search(case, seed=1).run().violations == [], case.sizes


def test_an_update_goes_through_with_one_bit_of_a_mark_stuck_at_one() -> None:
    seal = Defect("stuck", (RECORD, 48, 0x10, 0x10))
    tally = Search(Case(BOARD, (1, 1), 0, defect=seal), seed=1).run()
    assert tally.violations == []
    assert tally.trial_boots > 3


def test_a_worn_page_of_the_primary_slot_ends_in_the_loader_and_not_in_a_wrong_image() -> None:
    worn = Case(BOARD, (1, 1), 1, defect=Defect("worn", (0, Wear.ERASE_FAILS, 0)))
    tally = Search(worn, seed=1).run()
    assert tally.violations == []
    assert tally.trial_boots == 0
