"""Every rule of the flash, broken on purpose through the port, as a wrong core would."""

import pytest

from otaflash.sim.native import BoardEvent, NativeBoard, PortCall, RuleBroken, Wear
from otaflash.sim.profiles import profile

PAGE = 128
RECORD = 5  # first record page of tiny2: 2 + 3 slot pages before it


@pytest.fixture
def board() -> NativeBoard:
    made = NativeBoard(profile("tiny2"), seed=1)
    made.power_on()
    return made


def program(board: NativeBoard, page: int, offset: int, data: bytes) -> BoardEvent:
    return board.call_port(PortCall.PROGRAM, page, offset, data)[0]


def test_a_program_puts_its_bytes_into_erased_flash(board: NativeBoard) -> None:
    assert program(board, 1, 4, b"\x12\x34") is BoardEvent.IDLE
    assert board.read_span(1, 1)[:8] == b"\xff\xff\xff\xff\x12\x34\xff\xff"
    assert board.call_port(PortCall.READ, 1, 3, count=4)[2] == b"\xff\x12\x34\xff"


def test_an_erase_makes_all_bits_one_and_counts(board: NativeBoard) -> None:
    program(board, 1, 0, b"\0\0")
    board.call_port(PortCall.ERASE, 1)
    assert board.read_span(1, 1) == b"\xff" * PAGE
    assert list(board.erases) == [0, 1, 0, 0, 0, 0, 0]


def test_units_of_all_ones_are_left_alone_and_cost_no_operation(board: NativeBoard) -> None:
    program(board, 0, 0, b"\xff\xff\x00\x01\xff\xff")
    program(board, 0, 0, b"\xff" * 64)
    assert board.operations == 1
    assert program(board, 0, 0, b"\x55\x55") is BoardEvent.IDLE, "the first unit is still erased"


@pytest.mark.parametrize("again", [b"\x00\x00", b"\x0f\x0f", b"\xf0\xf0"])
def test_programming_a_data_unit_twice_breaks_a_rule_whatever_the_bits(board: NativeBoard, again: bytes) -> None:
    program(board, 0, 0, b"\x0f\x0f")
    with pytest.raises(RuleBroken, match="not erased: page 0, offset 0"):
        program(board, 0, 0, again)


def test_programming_a_data_unit_after_a_torn_program_breaks_a_rule(board: NativeBoard) -> None:
    board.plan_cut(0, 2)
    program(board, 0, 0, b"\0\0")
    board.power_on()
    with pytest.raises(RuleBroken, match="not erased"):
        program(board, 0, 0, b"\0\0")


def test_a_record_may_be_programmed_again_with_the_same_bits_or_fewer(board: NativeBoard) -> None:
    program(board, RECORD, 0, b"\xf0\xf0")
    assert program(board, RECORD, 0, b"\xf0\xf0") is BoardEvent.IDLE
    assert program(board, RECORD, 0, b"\x00\x30") is BoardEvent.IDLE
    assert board.read_span(RECORD, 1)[:2] == b"\x00\x30"


def test_a_record_bit_that_would_have_to_rise_breaks_a_rule(board: NativeBoard) -> None:
    program(board, RECORD, 0, b"\xf0\xf0")
    with pytest.raises(RuleBroken, match="rise: page 5, offset 1"):
        program(board, RECORD, 0, b"\xf0\xf1")


@pytest.mark.parametrize(
    ("call", "page", "access", "rule"),
    [
        (PortCall.READ, 8, (0, 1), "read outside the flash"),
        (PortCall.READ, 0, (120, 9), "across the end of a page"),
        (PortCall.READ, 0, (65535, 1), "across the end of a page"),
        (PortCall.ERASE, 7, (0, 0), "erase outside the flash"),
        (PortCall.PROGRAM, 7, (0, 2), "program outside the flash"),
        (PortCall.PROGRAM, 0, (126, 4), "across the end of a page"),
        (PortCall.PROGRAM, 0, (1, 2), "unaligned offset"),
        (PortCall.PROGRAM, 0, (0, 3), "unaligned count"),
        (PortCall.PROGRAM, RECORD, (1, 2), "unaligned offset"),
        (PortCall.PROGRAM, 0, (0, 66), "larger than a chunk"),
    ],
)
def test_an_access_out_of_bounds_breaks_a_rule(
    board: NativeBoard, call: PortCall, page: int, access: tuple[int, int], rule: str
) -> None:
    offset, count = access
    with pytest.raises(RuleBroken, match=rule) as caught:
        board.call_port(call, page, offset, count=count)
    assert caught.value.rule == board.rule
    assert f"page {page}" in board.rule


def test_a_mark_smaller_than_the_write_unit_is_aligned_by_its_own_size() -> None:
    board = NativeBoard(profile("atmega328p"), seed=1)
    board.power_on()
    record = 2 * board.profile.slot_pages + 1
    assert program(board, record, 49, b"\0") is BoardEvent.IDLE
    with pytest.raises(RuleBroken, match="unaligned offset"):
        program(board, record - 1, 49, b"\0")


def test_a_board_that_broke_a_rule_stands_still_until_power_comes_anew(board: NativeBoard) -> None:
    for _ in range(2):
        with pytest.raises(RuleBroken):
            board.call_port(PortCall.ERASE, 99)
    with pytest.raises(RuleBroken, match="page 99"):
        board.run(1.0)
    board.power_on()
    assert board.rule == ""
    assert board.call_port(PortCall.ERASE, 0)[0] is BoardEvent.IDLE


def test_a_page_whose_erase_fails_says_so_and_keeps_its_content(board: NativeBoard) -> None:
    program(board, 0, 0, b"\0\0")
    board.wear_out(0, Wear.ERASE_FAILS)
    assert board.call_port(PortCall.ERASE, 0)[:2] == (BoardEvent.IDLE, 1)
    assert board.read_span(0, 1)[:2] == b"\0\0"


def test_a_stuck_page_loses_a_byte_of_each_program_without_a_word(board: NativeBoard) -> None:
    board.wear_out(0, Wear.STUCK_ONES)
    assert board.call_port(PortCall.PROGRAM, 0, 0, b"\x01\x02")[:2] == (BoardEvent.IDLE, 0)
    assert board.read_span(0, 1)[:2] == b"\xff\x02"


def test_a_read_error_shows_once(board: NativeBoard) -> None:
    board.plan_read_error(1, 2, 0x81)
    assert board.call_port(PortCall.READ, 1, 0, count=2)[2] == b"\xff\xff"
    assert board.call_port(PortCall.READ, 1, 0, count=4)[2] == b"\xff\xff\x7e\xff"
    assert board.call_port(PortCall.READ, 1, 0, count=4)[2] == b"\xff\xff\xff\xff"
