"""What the pushed program does, trial and confirmation, and what a board says and shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from otaflash.errors import ImageError
from otaflash.testing import Board, Link, OtaflashError, make_board
from tests.testing.boards import NEW, NEWEST, OLD, ROOT, old_board


@pytest.mark.parametrize("fault", ["hangs", "crashes"])
def test_a_program_that_fails_is_reverted(fault: str) -> None:
    board = old_board()
    getattr(board.application, fault)()
    with pytest.raises(OtaflashError) as failed:
        board.push(NEW, version="2.0.0")
    assert failed.value.reason == "not-confirmed"
    board.wait(30)
    assert board.runs(OLD)
    assert board.info().running_version == "1.0.0"


def test_a_program_without_the_library_is_no_success() -> None:
    board = old_board()
    board.application.is_silent()
    with pytest.raises(OtaflashError) as failed:
        board.push(NEW, version="2.0.0")
    assert failed.value.reason == "new-image-silent"


def test_the_switch_is_about_the_next_push_and_leaves_what_is_there() -> None:
    board = old_board()
    board.push(NEW, version="2.0.0")
    board.application.hangs()
    with pytest.raises(OtaflashError):
        board.push(NEWEST, version="3.0.0")
    board.wait(30)
    assert board.runs(NEW)
    assert board.info().running_version == "2.0.0"


def test_without_a_confirmation_the_trials_run_out() -> None:
    board = old_board()
    board.application.never_confirms()
    board.push(NEW, version="2.0.0", confirm=False)
    used = [board.info().trials_used]
    for _ in range(2):
        board.reset()
        board.wait(5)
        used.append(board.info().trials_used)
    assert used == sorted(set(used))
    assert board.runs(NEW)
    board.reset()
    board.wait(10)
    assert board.runs(OLD)


def test_what_is_confirmed_stays() -> None:
    board = old_board()
    board.push(NEW, version="2.0.0", confirm=False)
    assert board.info().on_trial
    board.confirm()
    for _ in range(5):
        board.reset()
        board.wait(5)
    assert board.runs(NEW)
    assert not board.info().on_trial


def test_what_is_reverted_is_gone() -> None:
    board = old_board()
    board.push(NEW, version="2.0.0", confirm=False)
    board.revert()
    board.wait(5)
    assert board.runs(OLD)
    with pytest.raises(OtaflashError) as failed:
        board.revert()
    assert failed.value.reason == "no-trial"


def test_a_program_confirms_itself_not_before_its_time() -> None:
    board = old_board()
    board.application.confirms_after(5.0)
    board.push(NEW, version="2.0.0", confirm=False)
    board.wait(3)
    assert board.info().on_trial
    board.wait(3)
    assert not board.info().on_trial


def test_a_lower_security_counter_is_refused_by_name() -> None:
    board = old_board()
    board.push(NEW, version="2.0.0", counter=5)
    assert board.info().security_counter == 5
    with pytest.raises(OtaflashError) as failed:
        board.push(OLD, version="1.0.0", counter=4)
    assert failed.value.reason == "counter-too-low"


def on_trial() -> Board:
    board = old_board()
    board.push(NEW, version="2.0.0", counter=5, confirm=False)
    return board


def confirmed() -> Board:
    board = on_trial()
    board.confirm()
    return board


REFUSED: list[tuple[Callable[[], Board], Callable[[Board], object], str]] = [
    (on_trial, lambda board: board.push(NEWEST, version="3.0.0"), "trial-pending"),
    (confirmed, lambda board: board.push(NEWEST, version="3.0.0", counter=4), "counter-too-low"),
    (confirmed, lambda board: board.push(bytes(20_000), version="3.0.0"), "image-too-large"),
    (confirmed, lambda board: board.revert(), "no-trial"),
]


@pytest.mark.parametrize(("made", "order", "reason"), REFUSED, ids=[reason for _, _, reason in REFUSED])
def test_an_order_that_is_refused_leaves_every_byte_of_flash(
    made: Callable[[], Board], order: Callable[[Board], object], reason: str
) -> None:
    board = made()
    before = board.flash
    with pytest.raises(OtaflashError) as failed:
        order(board)
    assert (failed.value.reason, board.flash == before) == (reason, True)


def test_the_same_push_again_sends_nothing() -> None:
    board = old_board()
    board.push(NEW, version="2.0.0")
    assert board.push(NEW, version="2.0.0").already_running


def test_a_board_runs_a_program_only_when_it_is_that_one_and_whole() -> None:
    board = old_board()
    assert board.runs(OLD)
    assert not board.runs(NEW)
    assert not board.runs(OLD + b"\xff")
    assert not board.runs(OLD[:-1])
    board.native.flash[10] ^= 1
    assert not board.runs(OLD)


def test_a_board_in_its_loader_runs_nothing_yet() -> None:
    board = old_board()
    board.reset()
    assert not board.runs(OLD)
    board.wait(3)
    assert board.runs(OLD)


def test_the_flash_is_all_of_it() -> None:
    board = old_board()
    assert len(board.flash) == board.profile.pages * board.profile.page_bytes
    assert board.flash[: len(OLD)] == OLD


def test_a_copy_goes_its_own_way() -> None:
    board = old_board()
    other = board.copy()
    other.push(NEW, version="2.0.0")
    assert other.runs(NEW)
    assert board.runs(OLD)
    assert other.native.uid == board.native.uid


def test_a_copy_has_the_link_of_that_moment() -> None:
    board = old_board()
    board.link = Link(loss=0.25)
    assert board.copy().link == board.link


def test_hex_files_and_bundles_are_programs_too(tmp_path: Path) -> None:
    blink = ROOT / "firmware" / "app" / "blink"
    board = make_board("atmega328p", image=blink / "blink-1.0.0.hex", version="1.0.0")
    assert board.runs(blink / "blink-1.0.0.hex")
    board.push(str(blink / "blink-1.1.0.hex"), version="1.1.0")
    assert board.runs(blink / "blink-1.1.0.hex")


def test_a_program_linked_for_another_place_is_refused_as_by_a_real_board() -> None:
    board = make_board("stm32f103")
    with pytest.raises(ImageError) as failed:
        board.push(ROOT / "firmware" / "app" / "blink" / "blink-1.1.0.hex", version="1.1.0")
    assert failed.value.reason == "image-outside-slot"
