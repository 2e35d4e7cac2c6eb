"""The sweep of power cuts: what it sees on the real core, and that it does see what goes wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.errors import ImageError, LinkError, UsageError
from otaflash.sim.native import RuleBroken
from otaflash.testing import BoardLost, Cut, Link, make_board, profile
from otaflash.testing.board import Board
from tests.testing.boards import NEW, OLD, RADIO, old_board


def swept(board: Board, **options: object) -> list[Cut]:
    return list(board.every_cut(NEW, version="2.0.0", **options))  # type: ignore[arg-type]


def test_every_cut_leaves_the_old_or_the_new_program() -> None:
    cuts = swept(old_board())
    assert [cut.runs for cut in cuts] == sorted((cut.runs for cut in cuts), reverse=True)
    assert {cut.runs for cut in cuts} == {"old", "new"}
    assert len(cuts) == 2 * cuts[0].operations
    assert all(cut.board.power.cuts == 1 for cut in cuts)


def test_after_every_cut_the_host_comes_back_and_gets_through() -> None:
    for cut in old_board(link=RADIO).every_cut(NEW, version="2.0.0", how=("torn",), every=3):
        assert cut.board.push(NEW, version="2.0.0").running_version == "2.0.0"
        assert cut.board.runs(NEW)


@pytest.mark.parametrize("name", ["nrf51822", "stm32f103"])
def test_other_boards_are_swept_as_well(name: str) -> None:
    cuts = swept(old_board(board=name), how=("torn",), every=2)
    assert {cut.runs for cut in cuts} == {"old", "new"}


def test_a_program_that_hangs_is_reverted_through_every_cut() -> None:
    board = old_board()
    board.application.hangs()
    assert {cut.runs for cut in swept(board, every=2)} == {"old"}


def test_a_cut_board_may_be_cut_again() -> None:
    for cut in old_board().every_cut(NEW, version="2.0.0", how=("torn",), every=4):
        cut.board.power.cut_at_operation(5)
        cut.board.push(NEW, version="2.0.0")
        assert cut.board.runs(NEW)


def test_an_update_without_a_way_back_is_found_to_have_none() -> None:
    with pytest.raises(BoardLost, match="neither the old nor the new program") as lost:
        swept(old_board(), single_slot=True)
    assert not lost.value.board.runs(OLD)
    assert "only=" in str(lost.value)


def test_the_cut_that_a_lost_board_names_loses_it_again() -> None:
    with pytest.raises(BoardLost) as lost:
        swept(old_board(), single_slot=True)
    operation = int(str(lost.value).rpartition("only=")[2].rstrip(")"))
    how = "before" if "'before'" in str(lost.value) else "torn"
    with pytest.raises(BoardLost) as again:
        swept(old_board(), single_slot=True, how=(how,), only=operation)
    assert str(again.value) == str(lost.value)
    assert again.value.board.flash == lost.value.board.flash


def test_what_a_test_expects_further_fails_at_its_cut() -> None:
    def only_the_new_one_will_do() -> None:
        for cut in old_board().every_cut(NEW, version="2.0.0"):
            assert cut.runs == "new", cut.operation

    with pytest.raises(AssertionError, match="0"):
        only_the_new_one_will_do()


def test_a_sweep_leaves_the_board_that_it_starts_from_as_it_was() -> None:
    board = old_board()
    before = board.flash, board.now_s
    swept(board, every=10)
    assert (board.flash, board.now_s) == before


def test_a_sweep_is_the_same_each_time() -> None:
    first, second = (
        [(cut.operation, cut.runs, cut.board.flash, cut.board.now_s) for cut in swept(old_board(3, RADIO), every=5)]
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("wrong", [{"how": ("sideways",)}, {"how": ()}, {"every": 0}, {"only": -1}, {"only": 9999}])
def test_a_sweep_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError) as failed:
        swept(old_board(), **wrong)
    assert failed.value.reason == "bad-cut"


def test_a_sweep_of_an_update_that_writes_nothing_is_refused() -> None:
    board = old_board()
    board.push(NEW, version="2.0.0")
    with pytest.raises(UsageError) as failed:
        swept(board)
    assert failed.value.reason == "nothing-to-cut"


def test_a_sweep_over_a_dead_link_is_refused() -> None:
    with pytest.raises(LinkError):
        swept(old_board(link=Link(loss=1.0)))


def test_a_sweep_of_an_update_that_is_refused_says_why() -> None:
    with pytest.raises(ImageError) as failed:
        list(old_board().every_cut(bytes(20_000), version="2.0.0"))
    assert failed.value.reason == "image-too-large"


def test_a_broken_rule_of_the_flash_ends_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuleBroken("a unit programmed twice")

    board = old_board()
    monkeypatch.setattr(Board, "push_over", broken)
    with pytest.raises(RuleBroken):
        swept(board)


def test_a_board_with_a_long_entry_window_is_given_its_time() -> None:
    slow = replace(profile("atmega328p"), name="slow", entry_window_ms=4000)
    board = make_board(slow, image=OLD, version="1.0.0")
    assert board.runs(OLD)
    assert {cut.runs for cut in swept(board, every=20)} == {"old", "new"}
