"""What a simulated board can do besides losing power: EEPROM, half pages, worn and stuck cells, wrong reads, resets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.sim.native import BoardEvent, Cells, Cut, NativeBoard, PortCall, RuleBroken, Weak, Wear
from otaflash.sim.profiles import profile

PROFILE = profile("tiny2")
PAGE = PROFILE.page_bytes
RECORD = 5


def powered(**other: int) -> NativeBoard:
    board = NativeBoard(replace(PROFILE, **other), seed=1)
    board.power_on()
    return board


def read(board: NativeBoard, page: int, offset: int = 0, count: int = PAGE) -> bytes:
    return board.call_port(PortCall.READ, page, offset, count=count)[2]


def program(board: NativeBoard, page: int, data: bytes, offset: int = 0) -> None:
    board.call_port(PortCall.PROGRAM, page, offset, data)


def test_a_record_in_eeprom_is_erased_a_byte_at_a_time() -> None:
    board = powered(record_cells=Cells.EEPROM)
    program(board, RECORD, bytes(8))
    assert board.operations == 4  # a unit of two bytes each
    board.plan_cut(4 + 3, Cut.AFTER)
    assert board.call_port(PortCall.ERASE, RECORD)[0] is BoardEvent.CUT
    board.power_on()
    assert read(board, RECORD, 0, 8) == b"\xff" * 4 + bytes(4)
    assert board.erases[RECORD] == 1


def test_slots_beside_an_eeprom_are_erased_as_pages() -> None:
    board = powered(record_cells=Cells.EEPROM)
    board.call_port(PortCall.ERASE, 0)
    assert board.operations == 1


def test_half_words_are_programmed_again_only_to_zero() -> None:
    board = powered(record_cells=Cells.TO_ZERO)
    program(board, RECORD, b"\x12\x34")
    program(board, RECORD, b"\x00\x00")
    assert read(board, RECORD, 0, 2) == b"\x00\x00"
    program(board, RECORD, b"\x12\x34", offset=2)
    with pytest.raises(RuleBroken, match="not to zero"):
        program(board, RECORD, b"\x12\x34", offset=2)


def test_a_half_erased_page_reads_the_same_at_every_boot_and_is_neither_old_nor_blank() -> None:
    board = powered()
    program(board, 0, bytes(64))
    board.plan_cut(1, Cut.HALF)
    board.call_port(PortCall.ERASE, 0)
    board.power_on(Weak.OLD)
    there = read(board, 0, 0, 64)
    board.power_on(Weak.NEW)
    assert read(board, 0, 0, 64) == there
    assert there not in (bytes(64), b"\xff" * 64)


def test_a_page_wears_out_after_so_many_erases() -> None:
    board = powered()
    board.wear_out(0, Wear.ERASE_FAILS, after=2)
    results = [board.call_port(PortCall.ERASE, 0)[1] for _ in range(4)]
    assert results == [0, 0, 1, 1]


def test_a_stuck_bit_reads_the_same_whatever_is_done_to_it() -> None:
    board = powered()
    board.stick(RECORD, 1, 0x11, 0x10)
    assert read(board, RECORD, 0, 2) == b"\xff\xfe"
    program(board, RECORD, b"\x00\x00")
    assert read(board, RECORD, 0, 2) == b"\x00\x10"


def test_one_read_of_many_gets_one_bit_wrong() -> None:
    board = powered()
    first = board.reads
    board.plan_wrong_read(first + 1, 8 * 2 + 3)
    right, wrong, again = (read(board, 0, 0, 4) for _ in range(3))
    assert right == again
    assert bytes(a ^ b for a, b in zip(right, wrong, strict=True)) == b"\0\0\x08\0"
    assert board.reads == first + 3


def test_a_planned_reset_keeps_the_power_and_happens_once() -> None:
    board = powered()
    board.plan_reset(0, Cut.TORN)
    assert board.call_port(PortCall.ERASE, 0)[0] is BoardEvent.RESTARTED
    assert board.call_port(PortCall.ERASE, 0)[0] is BoardEvent.IDLE
    assert read(board, 0) == b"\xff" * PAGE


def test_the_clock_wraps_where_a_chip_would_wrap() -> None:
    board = powered()
    board.set_millis(65535)
    before = board.call_port(PortCall.MILLIS)[1]
    board.now_s += 0.002
    assert (before, board.call_port(PortCall.MILLIS)[1]) == (65535, 1)
