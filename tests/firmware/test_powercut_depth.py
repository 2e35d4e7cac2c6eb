"""The real core under cuts of power: every cut of every boot of a history, and two in a row on small geometries."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.bench.explorer.search import Case, Search, Tally
from otaflash.bench.powercut import board_of
from otaflash.sim.profiles import PROFILES

DEPTH_1 = [
    ("atmega328p", (2, 2)),
    ("atmega1284p", (1, 2)),
    ("nrf51822", (1, 1)),
    ("nrf52832", (1, 1)),
    ("stm32f103", (1, 1)),
    ("tiny1", (1, 1, 1)),
    ("tiny2", (2, 2, 2)),
    ("tiny3", (3, 3, 2)),
    ("small", (2, 2, 2)),
]
DEPTH_2 = [
    ("tiny1", (1, 1)),
    ("small", (2, 2)),
    ("small", (1, 2)),
    ("small", (2, 1)),
    ("tiny2", (2, 2)),
    ("tiny3", (3, 3)),
]


def explored(board: str, pages: tuple[int, ...], depth: int) -> Tally:
    return Search(Case(board_of(board), pages, depth), seed=1).run()


@pytest.mark.slow
def test_two_cuts_give_an_image_of_three_boots_at_most_three_more() -> None:
    board = replace(board_of("tiny1"), trials=3)
    tally = Search(Case(board, (1, 1), 2), seed=1).run()
    assert tally.violations == []
    assert tally.exhaustive


def named(cell: object) -> str | None:
    return cell if isinstance(cell, str) else "-".join(map(str, cell)) if isinstance(cell, tuple) else None


def test_every_profile_is_explored() -> None:
    assert set(PROFILES) <= {board for board, _ in DEPTH_1}


@pytest.mark.slow
@pytest.mark.parametrize(("board", "pages"), DEPTH_1, ids=named)
def test_one_cut_anywhere_leaves_a_whole_approved_image_and_the_way_back(board: str, pages: tuple[int, ...]) -> None:
    tally = explored(board, pages, 1)
    assert tally.violations == []
    assert tally.exhaustive
    assert tally.weak_jumps == 0
    assert tally.max_erases_clean <= 2
    assert tally.scenarios > 3000


@pytest.mark.slow
@pytest.mark.parametrize(("board", "pages"), DEPTH_2, ids=named)
def test_two_cuts_anywhere_leave_a_whole_approved_image_and_the_way_back(board: str, pages: tuple[int, ...]) -> None:
    tally = explored(board, pages, 2)
    assert tally.violations == []
    assert tally.exhaustive
    assert tally.weak_jumps == 0
    assert tally.max_erases_clean <= 2
    assert tally.scenarios > 30_000
