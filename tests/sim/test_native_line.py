"""The line of a simulated board: when bytes are heard, when they are lost, when they leave."""

from dataclasses import replace

import pytest

from otaflash.sim.native import NativeBoard, PortCall
from otaflash.sim.profiles import Profile, profile

TINY = replace(profile("tiny2"), baud=10_000, byte_ns=0, swap_page_ms=50)
BYTE_S = 0.001
DEAF = replace(TINY, rx_in_erase=0, erase_stalls=1, erase_page_ns=5_000_000)
"""An erase takes five bytes' time, and hears none of them."""


def powered(kind: Profile = TINY) -> NativeBoard:
    board = NativeBoard(kind, seed=3)
    board.power_on()
    return board


def taken(board: NativeBoard) -> bytes:
    data = bytearray()
    while (byte := board.call_port(PortCall.RECEIVE)[1]) >= 0:
        data.append(byte)
    return bytes(data)


def erase(board: NativeBoard) -> None:
    board.call_port(PortCall.ERASE, 0)


def test_a_byte_is_heard_when_its_time_has_come_and_not_before() -> None:
    board = powered()
    assert board.receive(1.0, b"ab") == 2
    assert taken(board) == b""
    board.now_s = 1.0
    assert taken(board) == b"a"
    board.now_s = 1.0 + BYTE_S
    assert taken(board) == b"b"


def test_a_byte_costs_the_cpu_its_time() -> None:
    board = powered(replace(TINY, byte_ns=4000))
    board.receive(0.0, b"abc")
    board.now_s = 1.0
    taken(board)
    assert board.now_s == pytest.approx(1.000012)


def test_bytes_beyond_the_ring_are_lost_and_counted() -> None:
    board = powered(replace(TINY, rx_ring_bytes=4))
    board.now_s = 1.0
    assert board.receive(0.5, b"abcdefg") == 4
    assert taken(board) == b"abcd"
    assert board.bytes_lost == 3


def test_bytes_still_to_come_overrun_the_ring_only_if_nobody_takes_them_in_time() -> None:
    board = powered(replace(TINY, rx_ring_bytes=4))
    assert board.receive(1.0, b"abcdefgh") == 8
    board.now_s = 1.0 + 3 * BYTE_S
    assert taken(board) == b"abcd"
    board.now_s = 2.0
    assert taken(board) == b"efgh"
    assert board.bytes_lost == 0


def test_a_receiver_that_hears_during_an_erase_keeps_what_came() -> None:
    board = powered(replace(DEAF, rx_in_erase=1))
    board.receive(0.001, b"abc")
    erase(board)
    assert taken(board) == b"abc"


def test_a_receiver_that_is_deaf_in_an_erase_loses_only_what_came_in_it() -> None:
    board = powered(DEAF)
    board.receive(0.0, b"abcdefgh")
    assert taken(board) == b"a"
    board.now_s = 0.0015
    erase(board)  # until 6.5 ms: the bytes of 2 to 6 ms are lost, that of 1 ms is in the ring
    board.now_s = 1.0
    assert taken(board) == b"bh"
    assert board.bytes_lost == 5


def test_bytes_told_of_after_the_board_ran_ahead_are_lost_where_it_was_deaf() -> None:
    board = powered(DEAF)
    board.now_s = 1.0
    erase(board)
    board.now_s = 2.0
    erase(board)
    assert board.receive(0.9, b"a") == 1
    assert board.receive(1.002, b"b") == 0
    assert board.receive(1.5, b"c") == 1
    assert board.receive(2.004, b"de") == 1
    assert taken(board) == b"ace"


def test_a_receiver_that_is_deaf_in_programming_is_not_deaf_in_an_erase() -> None:
    board = powered(replace(TINY, rx_in_program=0, program_chunk_ns=2_000_000))
    board.receive(0.0005, b"ab")
    board.call_port(PortCall.PROGRAM, 0, 0, b"\0\0")
    assert taken(board) == b""
    board.receive(board.now_s, b"c")
    erase(board)
    assert taken(board) == b"c"


def test_sent_bytes_follow_each_other_at_the_rate_of_the_line() -> None:
    board = powered()
    board.now_s = 1.0
    board.call_port(PortCall.SEND, data=b"ab")
    board.call_port(PortCall.SEND, data=b"c")
    board.now_s = 2.0
    board.call_port(PortCall.SEND, data=b"d")
    assert board.sent() == [(1.0, b"abc"), (2.0, b"d")]
    assert board.sent() == []


def test_the_cpu_waits_only_for_what_its_send_buffer_does_not_hold() -> None:
    board = powered()
    board.call_port(PortCall.SEND, data=bytes(64))
    assert board.now_s == 0.0
    board.call_port(PortCall.SEND, data=bytes(10))
    assert board.now_s == pytest.approx(10 * BYTE_S)
    assert board.sent() == [(0.0, bytes(74))]


def test_last_words_leave_before_a_restart() -> None:
    board = powered()
    board.call_port(PortCall.SEND, data=b"bye")
    board.call_port(PortCall.RESTART, data=b"\1")
    assert board.now_s == pytest.approx(3 * BYTE_S)
    assert board.sent() == [(0.0, b"bye")]


def test_a_reset_and_a_cut_silence_what_has_not_begun_to_leave() -> None:
    for end in (NativeBoard.reset, NativeBoard.power_on):
        board = powered()
        board.call_port(PortCall.SEND, data=b"abcdef")
        board.now_s = 0.0025
        end(board)
        assert board.sent() == [(0.0, b"abc")]


def test_a_long_history_of_the_line_is_kept_in_order() -> None:
    board = powered(replace(TINY, baud=1_000_000))
    heard = bytearray()
    sent = bytes(i % 251 for i in range(3000))
    for start in range(0, 3000, 300):
        board.receive(start * 1e-5, sent[start : start + 300])
        board.now_s = (start + 200) * 1e-5
        heard += taken(board)
    board.now_s = 1.0
    assert bytes(heard + taken(board)) == sent
