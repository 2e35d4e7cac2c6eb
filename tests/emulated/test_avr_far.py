"""An AVR of more than 64 KiB: an image whose copy lies on both sides of the border that 16 bits of address have."""

from __future__ import annotations

import random

from otaflash.bench.link import offerable
from otaflash.engine import Push
from otaflash.image.build import Image
from tests.emulated.avr import ATMEGA1284P, AvrBoard
from tests.emulated.avr_host import shape
from tests.emulated.board import drive
from tests.emulated.chips import atmega1284p

BORDER = 0x10000


def started(board: AvrBoard, image: Image) -> bytes:
    """Pushes `image`, which nobody confirms, and runs the board into it; what the flash then holds."""
    drive(board, Push(shape(board), 1, confirm=False), offerable(image), until=lambda: board.runs_application)
    assert board.runs_application
    return bytes(board.flash)


def test_a_full_slot_is_staged_across_64_kib_and_swapped() -> None:
    chip = atmega1284p()
    slot = chip.slot
    image = chip.image(3, slot.pages)
    board = AvrBoard(ATMEGA1284P)
    board.off()
    old = chip.image(1, slot.pages - 1).span
    board.flash[: len(old)] = old
    board.on()
    flash = started(board, image)
    second = slot.pages * slot.page_bytes
    assert flash.startswith(image.span)
    assert second < BORDER < second + len(old), "the way back lies on both sides of the border"
    assert flash.startswith(old, second)
    assert board.lost == 0


def test_nothing_is_written_where_only_the_low_bits_of_an_address_would_lead() -> None:
    board, chip = AvrBoard(ATMEGA1284P), atmega1284p()
    board.off()
    noise = random.Random(64).randbytes(0x4000)
    untouched = chip.slot.pages * chip.slot.page_bytes - len(noise)
    board.flash[untouched : untouched + len(noise)] = noise  # 64 KiB below the record and the end of the secondary slot
    board.on()
    started(board, chip.new)
    assert bytes(board.flash[untouched : untouched + len(noise)]) == noise
