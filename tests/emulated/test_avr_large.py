"""The ATmega328P's loader for large programs, which take the place of both slots: cuts of power, and what then runs."""

from __future__ import annotations

import random

import pytest

from otaflash.bench.link import offerable, slot_of
from otaflash.engine import Push
from otaflash.image.build import Image, build_image
from otaflash.image.data import Firmware, Segment
from otaflash.image.hexfile import read_hex
from otaflash.sim import profiles
from otaflash.wire.messages import BootState, Version
from tests.emulated.avr import ATMEGA328P_LARGE, AvrBoard, place
from tests.emulated.avr_host import ask, shape
from tests.emulated.board import CutKind, drive

KNOWN = profiles.ATMEGA328P_LARGE
SLOT = slot_of(KNOWN)
STAYS = bytes((0xFF, 0xCF))


def image(major: int, pages: int) -> Image:
    """One instruction that jumps to itself (RJMP .-2), and noise."""
    program = STAYS + random.Random(major).randbytes(pages * SLOT.page_bytes - 32 - len(STAYS))
    data = Firmware((Segment(0, program),), None)
    return build_image(data, SLOT, version=Version(major, 0, 0, 0), counter=1, single_slot=True)


OLD, NEW = image(1, 12), image(2, 20)
LARGEST = image(3, KNOWN.single_pages)


def board_with(old: Image) -> AvrBoard:
    """As from the programmer."""
    board = AvrBoard(ATMEGA328P_LARGE)
    board.off()
    board.flash[: len(old.span)] = old.span
    board.on()
    return board


def push(board: AvrBoard, new: Image) -> None:
    """Until the image runs or the power goes."""
    drive(board, Push(shape(board), 1, confirm=False), offerable(new), until=lambda: board.runs_application)


def test_the_loader_says_its_sizes_as_its_simulated_twin_has_them() -> None:
    info = ask(AvrBoard(ATMEGA328P_LARGE)).result
    assert info is not None
    assert info.info.board.rstrip(b"\0") == KNOWN.name.encode()
    assert (info.info.slot_pages, info.info.single_pages) == (KNOWN.slot_pages, KNOWN.single_pages)


def test_a_program_that_fills_both_slots_is_pushed_and_runs() -> None:
    board = board_with(OLD)
    push(board, LARGEST)
    assert board.runs_application
    assert bytes(board.flash).startswith(LARGEST.span)
    assert board.lost == 0
    loader = bytearray(b"\xff" * KNOWN.flash_bytes)
    place(loader, read_hex(ATMEGA328P_LARGE.loader))
    assert bytes(board.flash[board.loader_start :]) == bytes(loader[board.loader_start :])


def test_a_cut_before_the_record_says_that_there_is_nothing_to_start_leaves_the_old_program() -> None:
    board = board_with(OLD)
    board.cut(4, "torn")
    push(board, NEW)
    assert board.is_off
    board.on()
    board.run(2_000_000)
    assert board.runs_application
    assert bytes(board.flash).startswith(OLD.span)


@pytest.mark.parametrize("kind", ["before", "torn", "after"])
@pytest.mark.parametrize("operation", [8, 20, 41])
def test_after_a_cut_in_the_middle_the_loader_waits_by_name_and_takes_the_next_push(
    operation: int, kind: CutKind
) -> None:
    board = board_with(OLD)
    board.cut(operation, kind)
    push(board, NEW)
    assert board.is_off
    board.on()
    for _ in range(25):
        board.run(100_000)
        assert not board.runs_application, "half an image"
    info = ask(board).result
    assert info is not None
    assert info.info.boot_state == BootState.NO_IMAGE
    push(board, NEW)
    assert board.runs_application
    assert bytes(board.flash).startswith(NEW.span)
    board.off()
    board.on()
    board.run(2_000_000)
    assert board.runs_application, "and at the next boot"
