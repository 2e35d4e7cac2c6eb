"""Power cuts in erase and program, and how the bits that they leave undecided read afterwards."""

import pytest

from otaflash.sim.native import BoardEvent, Cut, NativeBoard, PortCall, RuleBroken, Weak
from otaflash.sim.profiles import profile

PAGE = 128
RECORD = 5


@pytest.fixture
def board() -> NativeBoard:
    made = NativeBoard(profile("tiny2"), seed=7)
    made.power_on()
    return made


def read(board: NativeBoard, page: int, count: int = PAGE) -> bytes:
    return board.call_port(PortCall.READ, page, 0, count=count)[2]


def program(board: NativeBoard, page: int, data: bytes) -> BoardEvent:
    return board.call_port(PortCall.PROGRAM, page, 0, data)[0]


def torn_program(board: NativeBoard, page: int, data: bytes, weak: Weak) -> None:
    board.plan_cut(board.operations, Cut.TORN)
    assert program(board, page, data) is BoardEvent.CUT
    board.power_on(weak)


def torn_erase(board: NativeBoard, page: int, weak: Weak) -> None:
    board.plan_cut(board.operations, Cut.TORN)
    assert board.call_port(PortCall.ERASE, page)[0] is BoardEvent.CUT
    board.power_on(weak)


def test_a_cut_before_an_operation_leaves_the_flash_as_it_was(board: NativeBoard) -> None:
    board.plan_cut(0, Cut.BEFORE)
    assert program(board, 0, b"\0\0") is BoardEvent.CUT
    assert board.read_span(0, 1) == b"\xff" * PAGE


def test_a_cut_after_an_operation_leaves_it_done(board: NativeBoard) -> None:
    program(board, 0, b"\0\0")
    board.plan_cut(1, Cut.AFTER)
    assert board.call_port(PortCall.ERASE, 0)[0] is BoardEvent.CUT
    assert board.read_span(0, 1) == b"\xff" * PAGE
    assert board.erases[0] == 1


def test_a_cut_falls_on_the_operation_that_was_named(board: NativeBoard) -> None:
    board.plan_cut(2, Cut.AFTER)
    assert program(board, 0, b"\0\0") is BoardEvent.IDLE
    assert program(board, 1, b"\0\0") is BoardEvent.IDLE
    assert board.call_port(PortCall.ERASE, 0)[0] is BoardEvent.CUT
    assert board.operations == 3


def test_a_board_without_power_does_nothing(board: NativeBoard) -> None:
    board.plan_cut(0, Cut.BEFORE)
    program(board, 0, b"\0\0")
    assert board.run(1.0) is BoardEvent.CUT
    assert program(board, 0, b"\0\0") is BoardEvent.CUT
    assert board.receive(0.0, b"abc") == 0
    assert board.wake_s == float("inf")


def test_power_on_forgets_a_cut_that_did_not_come(board: NativeBoard) -> None:
    board.plan_cut(0, Cut.BEFORE)
    board.power_on()
    assert program(board, 0, b"\0\0") is BoardEvent.IDLE


@pytest.mark.parametrize(("weak", "expected"), [(Weak.OLD, b"\xff\xff"), (Weak.NEW, b"\x0f\x00")])
def test_a_torn_program_reads_as_if_not_begun_or_as_if_done(board: NativeBoard, weak: Weak, expected: bytes) -> None:
    torn_program(board, 0, b"\x0f\x00", weak)
    assert read(board, 0, 2) == expected
    assert read(board, 0, 2) == expected


@pytest.mark.parametrize(("weak", "expected"), [(Weak.OLD, b"\x0f\x00"), (Weak.NEW, b"\xff\xff")])
def test_a_torn_erase_reads_as_if_not_begun_or_as_if_done(board: NativeBoard, weak: Weak, expected: bytes) -> None:
    program(board, 0, b"\x0f\x00")
    torn_erase(board, 0, weak)
    assert read(board, 0, 2) == expected
    assert read(board, 0)[2:] == b"\xff" * (PAGE - 2)


def test_random_weak_bits_read_the_same_within_a_boot_and_differ_between_boots(board: NativeBoard) -> None:
    torn_program(board, 0, bytes(64), Weak.RANDOM)
    first = read(board, 0)
    assert read(board, 0) == first
    assert first[:64] not in (bytes(64), b"\xff" * 64)
    assert first[64:] == b"\xff" * 64
    board.power_on(Weak.RANDOM)
    assert read(board, 0) != first


def test_random_weak_bits_are_drawn_anew_at_a_reset_that_keeps_power(board: NativeBoard) -> None:
    torn_program(board, 0, bytes(64), Weak.RANDOM)
    first = read(board, 0)
    board.reset()
    assert read(board, 0) != first


def test_flickering_bits_are_drawn_at_each_read_and_leave_the_others_alone(board: NativeBoard) -> None:
    torn_program(board, 0, b"\x0f" * 64, Weak.FLICKER)
    reads = {read(board, 0) for _ in range(4)}
    assert len(reads) == 4
    assert all(byte & 0x0F == 0x0F for data in reads for byte in data)


def test_weak_bits_outlive_power_cycles_until_a_whole_erase(board: NativeBoard) -> None:
    torn_program(board, 0, bytes(64), Weak.OLD)
    board.power_on(Weak.NEW)
    assert read(board, 0, 64) == bytes(64)
    board.call_port(PortCall.ERASE, 0)
    for weak in Weak:
        board.power_on(weak)
        assert read(board, 0) == b"\xff" * PAGE


def test_programming_weak_bits_again_makes_them_strong_zeros(board: NativeBoard) -> None:
    torn_program(board, RECORD, b"\x00\x0f", Weak.OLD)
    program(board, RECORD, b"\x00\x0f")
    for weak in Weak:
        board.power_on(weak)
        assert read(board, RECORD, 2) == b"\x00\x0f"


def test_weak_bits_that_are_not_programmed_again_stay_weak(board: NativeBoard) -> None:
    torn_program(board, RECORD, b"\x00\x00", Weak.OLD)
    program(board, RECORD, b"\xf0\xf0")
    assert read(board, RECORD, 2) == b"\xf0\xf0"
    board.power_on(Weak.NEW)
    assert read(board, RECORD, 2) == b"\x00\x00"


def test_a_strong_zero_cannot_be_undone_by_a_torn_program_over_it(board: NativeBoard) -> None:
    program(board, RECORD, b"\x0f\x0f")
    torn_program(board, RECORD, b"\x0f\x00", Weak.OLD)
    assert read(board, RECORD, 2) == b"\x0f\x0f"
    board.power_on(Weak.NEW)
    assert read(board, RECORD, 2) == b"\x0f\x00"


def test_a_second_torn_erase_over_weak_bits_still_reads_either_way(board: NativeBoard) -> None:
    torn_program(board, 0, b"\x00\x00", Weak.OLD)
    torn_erase(board, 0, Weak.NEW)
    assert read(board, 0) == b"\xff" * PAGE
    board.power_on(Weak.OLD)
    assert read(board, 0, 2) == b"\x00\x00"


def test_a_half_erased_page_is_not_erased_though_it_may_read_so(board: NativeBoard) -> None:
    program(board, 0, b"\x00\x00")
    torn_erase(board, 0, Weak.NEW)
    assert read(board, 0) == b"\xff" * PAGE
    with pytest.raises(RuleBroken, match="not erased"):
        program(board, 0, b"\x00\x00")


def test_a_torn_erase_wears_the_page(board: NativeBoard) -> None:
    torn_erase(board, 3, Weak.OLD)
    assert board.erases[3] == 1


def test_weak_bits_are_part_of_the_saved_state(board: NativeBoard) -> None:
    clean = board.save()
    torn_program(board, 0, b"\x00\x0f", Weak.NEW)
    torn = board.save()
    assert (len(clean), len(torn)) == (2 + 7 * PAGE, 2 + 14 * PAGE)
    other = NativeBoard(profile("tiny2"), seed=99)
    other.load(torn)
    other.power_on(Weak.NEW)
    assert read(other, 0, 2) == b"\x00\x0f"
    other.load(clean)
    other.power_on(Weak.NEW)
    assert read(other, 0, 2) == b"\xff\xff"
    assert other.save() == clean


@pytest.mark.parametrize("state", [b"", b"\0", b"\0\2", b"\0\0" + b"\xff" * 10, b"\0\1" + b"\xff" * 7 * PAGE])
def test_a_state_of_another_size_is_refused(board: NativeBoard, state: bytes) -> None:
    with pytest.raises(ValueError, match="geometry"):
        board.load(state)


def test_the_same_seed_after_a_load_draws_the_same_bits(board: NativeBoard) -> None:
    torn_program(board, 0, bytes(64), Weak.RANDOM)
    state = board.save()
    drawn = []
    for _ in range(2):
        board.power_on(Weak.RANDOM)
        board.load(state)
        board.reseed(5)
        board.power_on(Weak.RANDOM)
        drawn.append(read(board, 0))
    assert drawn[0] == drawn[1]
