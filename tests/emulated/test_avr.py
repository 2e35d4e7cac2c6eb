"""The shipped loader of the ATmega328P, as it is flashed, on an emulated chip: a host, a push, cuts of power."""

from __future__ import annotations

import random

import pytest

from otaflash.engine import Operation
from otaflash.wire.messages import BootState
from tests.emulated.avr import AvrBoard
from tests.emulated.avr_host import BYTES_PER_S, SLOT, Outcome, ask, blink, full_slot, push
from tests.emulated.board import CutKind

OLD, NEW = blink("1.0.0"), blink("1.1.0")


def factory_board(seed: int = 1) -> AvrBoard:
    """A board with loader and old image, as from a programmer."""
    board = AvrBoard(seed=seed)
    board.off()
    board.flash[: len(OLD.span)] = OLD.span
    board.on()
    return board


def staged(board: AvrBoard) -> Outcome:
    """Runs a push until the loader begins to swap, with the swap's first operations done or the power gone."""
    return push(board, NEW, confirm=False, limit_s=1.55)


def holds(board: AvrBoard) -> bytes:
    return bytes(board.flash[: len(NEW.span)])


def runs_application(board: AvrBoard, limit_ms: int = 4000) -> bool:
    """Lets the chip run until its program counter is in the slot."""
    for _ in range(limit_ms):
        board.run(1000)
        if board.runs_application:
            return True
    return False


def test_the_loader_says_what_it_is() -> None:
    outcome = ask(AvrBoard())
    assert outcome.result is not None
    info = outcome.result.info
    assert info.board.rstrip(b"\0") == b"atmega328p"
    assert (info.page_bytes, info.slot_pages, info.slot_base) == (SLOT.page_bytes, SLOT.pages, SLOT.base)
    assert info.boot_state == BootState.NO_IMAGE
    assert info.uid == bytes(0xA0 + at for at in range(0x0E, 0x16))  # what the emulated signature row holds


def test_a_board_from_the_programmer_starts_its_image_after_the_entry_window() -> None:
    board = factory_board()
    board.run(900_000)
    assert not board.runs_application
    assert runs_application(board, 400)
    board.run(20_000)
    assert b"blink 1.0.0" in board.recv()


def test_no_byte_is_lost_while_a_full_slot_comes_at_line_rate() -> None:
    board = factory_board()
    image = full_slot()
    outcome = push(board, image, confirm=False, limit_s=3.0)
    times = dict(outcome.phases)
    seconds = times["verify"] - times["transfer"]
    assert board.lost == 0
    assert image.image_bytes / seconds > 0.45 * BYTES_PER_S, f"{image.image_bytes / seconds:.0f} B/s"


def test_a_pushed_image_boots_on_trial_and_is_kept_once_confirmed() -> None:
    board = factory_board()
    staged(board)
    assert runs_application(board)
    assert holds(board) == NEW.span
    board.run(100_000)
    assert b"blink 1.1.0" in board.recv()
    # It feeds no watchdog: the loader comes back, and a host finds it in its window.
    resets = board.resets
    while board.resets == resets:
        board.run(10_000)
    board.recv()
    confirmed = ask(board, Operation.CONFIRM)
    assert confirmed.result is not None
    assert confirmed.result.info.boot_state == BootState.IDLE
    board.off()
    board.on()
    assert runs_application(board)
    resets = board.resets
    board.run(3_000_000)
    assert board.runs_application
    assert board.resets == resets, "no watchdog runs once the image is confirmed"
    assert holds(board) == NEW.span


def test_an_image_that_is_not_confirmed_is_reverted_after_its_trials() -> None:
    board = factory_board()
    staged(board)
    starts = 0
    while starts < 10 and b"blink 1.0.0" not in board.recv():
        assert runs_application(board)
        starts += 1
        resets = board.resets
        for _ in range(30):
            if board.resets == resets:
                board.run(100_000)
    assert starts == 4, "three trials, then the old image"
    assert bytes(board.flash[: len(OLD.span)]) == OLD.span
    board.off()
    board.on()
    assert runs_application(board), "and again at the second boot after the revert"


@pytest.mark.parametrize("kind", ["before", "torn", "after"])
def test_a_cut_in_the_swap_ends_with_an_approved_image(kind: CutKind) -> None:
    draws = random.Random(f"avr/{kind}")
    image = factory_board()
    staged_flash = _before_the_swap(image)
    for _ in range(6):
        board = AvrBoard(seed=draws.randrange(1 << 30))
        board.off()
        board.flash[:] = staged_flash
        board.on()
        for _ in range(2):
            board.cut(draws.randrange(1, 121), kind)
            _run_out(board)
            if board.is_off:
                board.on()
        board.cut(None)
        assert runs_application(board)
        assert holds(board) == NEW.span or bytes(board.flash[: len(OLD.span)]) == OLD.span


def _before_the_swap(board: AvrBoard) -> bytes:
    """Flash at the moment when the swap is decided and a few of its pages are written."""
    outcome = push(board, NEW, confirm=False, limit_s=1.4)
    while not outcome.error and bytes(board.flash[:128]) == OLD.span[:128] and not board.runs_application:
        board.run(2_000)
    board.off()
    return bytes(board.flash)


def _run_out(board: AvrBoard) -> None:
    """Runs until the power goes or an image runs."""
    for _ in range(3000):
        board.run(1000)
        if board.is_off or board.runs_application:
            return


def test_garbage_on_the_line_neither_stops_nor_starts_anything() -> None:
    board = AvrBoard()
    board.run(100_000)
    operations = board.operations
    board.send(random.Random(5).randbytes(6000))
    board.run(700_000)
    board.recv()
    outcome = ask(board)
    assert outcome.result is not None
    assert board.operations == operations
    assert not board.runs_application
