"""The shipped loader of the ATmega328P, as it is flashed, on an emulated chip: its example program and its line."""

from __future__ import annotations

from tests.emulated.avr import AvrBoard
from tests.emulated.avr_host import BYTES_PER_S, blink, full_slot, push

OLD = blink("1.0.0")


def factory_board(seed: int = 1) -> AvrBoard:
    """A board with loader and old image, as from a programmer."""
    board = AvrBoard(seed=seed)
    board.off()
    board.flash[: len(OLD.span)] = OLD.span
    board.on()
    return board


def runs_application(board: AvrBoard, limit_ms: int = 4000) -> bool:
    """Lets the chip run until its program counter is in the slot."""
    for _ in range(limit_ms):
        board.run(1000)
        if board.runs_application:
            return True
    return False


def test_the_example_program_of_the_programmer_speaks_after_the_entry_window() -> None:
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
    assert image.image_bytes / seconds > 0.78 * BYTES_PER_S, f"{image.image_bytes / seconds:.0f} B/s"
