"""The board around the real core: power, clock, restart, hang, and the price of work."""

import math
import threading
from dataclasses import fields, replace

import pytest

from otaflash.sim import native
from otaflash.sim.native import BoardEvent, Cut, NativeBoard, PortCall, RuleBroken, Stuck, Weak, Wear
from otaflash.sim.profiles import PROFILES, Profile, profile

TINY = profile("tiny2")


def powered(kind: Profile = TINY, seed: int = 1) -> NativeBoard:
    board = NativeBoard(kind, seed)
    board.power_on()
    return board


@pytest.mark.parametrize("name", PROFILES)
def test_a_blank_board_of_every_profile_waits_for_a_host_and_touches_no_flash(name: str) -> None:
    board = powered(profile(name))
    assert board.run(10.0) is BoardEvent.IDLE
    assert board.operations == 0
    assert board.wake_s == math.inf
    assert board.sent() == []


def test_an_idle_board_lets_time_pass_to_the_end_of_the_run() -> None:
    board = powered()
    board.run(10.0)
    assert board.run(10.0) is BoardEvent.IDLE
    assert board.now_s == 10.0
    assert board.run() is BoardEvent.IDLE
    assert board.now_s == 10.0, "a run without end does not push the clock to the end of time"


def test_time_never_goes_back() -> None:
    board = powered()
    board.now_s = 5.0
    board.now_s = 1.0
    assert board.now_s == 5.0


def test_the_clock_that_the_core_reads_counts_from_reset_and_wraps_at_16_bits() -> None:
    board = powered()
    board.now_s = 3.0
    board.reset()
    assert board.call_port(PortCall.MILLIS)[1] == 0
    board.now_s = 3.0 + 65.535
    assert board.call_port(PortCall.MILLIS)[1] == 65535
    board.now_s = 3.0 + 65.536
    assert board.call_port(PortCall.MILLIS)[1] == 0
    board.now_s = 3.0 + 2 * 65.536 + 0.007
    assert board.call_port(PortCall.MILLIS)[1] == 7


def test_work_is_charged_to_the_clock_as_the_profile_says() -> None:
    board = powered()
    costs = [
        (lambda: board.call_port(PortCall.ERASE, 0), TINY.erase_page_ns),
        (
            lambda: board.call_port(PortCall.PROGRAM, 0, 0, b"\0\0\xff\xff\0\0"),
            TINY.program_chunk_ns + 2 * TINY.program_unit_ns,
        ),
        (lambda: board.call_port(PortCall.READ, 0, 0, count=100), 100 * TINY.read_byte_ns),
        (lambda: board.call_port(PortCall.CRC, count=50), 50 * TINY.crc_byte_ns),
        (lambda: board.call_port(PortCall.SHA, count=3), 3 * TINY.sha_block_ns),
    ]
    for work, cost_ns in costs:
        before = board.now_s
        work()
        assert board.now_s - before == pytest.approx(cost_ns / 1e9, abs=1e-9)


def test_a_request_survives_a_restart_and_a_reset_but_not_a_loss_of_power() -> None:
    board = powered()
    assert board.call_port(PortCall.RESTART, data=b"\1")[0] is BoardEvent.RESTARTED
    board.reset()
    assert board.call_port(PortCall.REQUEST)[1] == 1
    assert board.call_port(PortCall.REQUEST)[1] == 0
    board.call_port(PortCall.RESTART, data=b"\1")
    board.power_on()
    assert board.call_port(PortCall.REQUEST)[1] == 0


def test_a_request_is_part_of_the_saved_state_until_power_comes_anew() -> None:
    board = powered()
    board.call_port(PortCall.RESTART, data=b"\1")
    state = board.save()
    board.power_on()
    assert board.save() != state
    board.load(state)
    assert board.call_port(PortCall.REQUEST)[1] == 1
    board.load(state)
    board.power_on()
    assert board.call_port(PortCall.REQUEST)[1] == 0


@pytest.mark.parametrize("trial", [False, True])
def test_a_jump_leaves_the_loader_and_says_whether_on_trial(trial: bool) -> None:
    board = powered()
    assert board.call_port(PortCall.JUMP, data=bytes([trial]))[0] is BoardEvent.JUMPED
    assert board.jump_trial is trial
    assert board.run(1.0) is BoardEvent.JUMPED, "nothing runs until the image starts its library"
    assert board.wake_s == math.inf
    board.app_start()
    assert board.run(board.now_s + 1.0) is BoardEvent.IDLE


def test_the_application_cannot_confirm_an_image_that_is_not_on_trial() -> None:
    board = powered()
    assert board.app_confirm() is False, "the loader runs, not an application"
    board.call_port(PortCall.JUMP, data=b"\0")
    board.app_start()
    assert board.app_confirm() is False


def test_a_core_that_waits_for_ever_is_found_out() -> None:
    board = powered()
    with pytest.raises(Stuck):
        board.call_port(PortCall.SPIN)
    with pytest.raises(Stuck):
        board.run(1.0)
    board.power_on()
    assert board.run(board.now_s + 1.0) is BoardEvent.IDLE


def test_a_rule_that_the_core_breaks_is_raised_as_our_own_fault() -> None:
    board = powered()
    with pytest.raises(RuleBroken) as caught:
        board.call_port(PortCall.ERASE, 1000)
    assert caught.value.reason == "flash-rule-broken"
    assert "page 1000" in caught.value.text


def test_the_same_seed_gives_the_same_board() -> None:
    assert NativeBoard(TINY, 5).uid == NativeBoard(TINY, 5).uid != NativeBoard(TINY, 6).uid


def test_ram_is_garbage_at_power_on_so_that_a_core_that_trusts_it_fails_somewhere() -> None:
    for seed in range(50):
        board = powered(seed=seed)
        assert board.run(board.now_s + 0.5) is BoardEvent.IDLE
        assert board.operations == 0


def test_boards_do_not_share_a_thing() -> None:
    boards = [powered(profile(name), seed) for seed, name in enumerate(["tiny2", "atmega328p", "nrf52832"] * 3)]
    for number, board in enumerate(boards):
        board.call_port(PortCall.PROGRAM, 0, 0, bytes([number] * 4))
    for number, board in enumerate(boards):
        board.run(board.now_s + 0.01)
        assert board.read_span(0, 1)[:4] == bytes([number] * 4)


def test_boards_in_several_threads_do_not_disturb_each_other() -> None:
    failures: list[str] = []

    def use(seed: int) -> None:
        board = powered(profile(("tiny2", "tiny3")[seed % 2]), seed)
        for page in range(board.profile.pages):
            for _ in range(20):
                board.call_port(PortCall.ERASE, page)
        if list(board.erases) != [20] * board.profile.pages:
            failures.append(board.profile.name)

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_view_of_the_flash_outlives_its_board() -> None:
    view = powered().flash
    view[0] = 7
    assert view[0] == 7


def test_a_span_outside_the_flash_is_refused() -> None:
    board = powered()
    assert len(board.read_span(0, 7)) == 7 * 128
    with pytest.raises(ValueError, match="not all in the flash"):
        board.read_span(6, 2)


@pytest.mark.parametrize("uid", [b"", bytes(8), b"123456789"])
def test_a_unique_id_has_eight_bytes_and_is_never_all_zero(uid: bytes) -> None:
    with pytest.raises(ValueError, match="unique id"):
        NativeBoard(TINY, 1, uid=uid)


def test_a_profile_that_contradicts_itself_makes_no_board() -> None:
    with pytest.raises(ValueError, match="record"):
        NativeBoard(replace(TINY, slot_pages=40, flash_bytes=2**20), 1)


@pytest.mark.parametrize(
    ("ours", "prefix"), [(BoardEvent, ""), (Cut, "CUT_"), (Weak, "WEAK_"), (Wear, "WEAR_"), (PortCall, "CALL_")]
)
def test_the_numbers_of_the_enums_are_those_of_the_c_headers(ours: type[BoardEvent], prefix: str) -> None:
    for member in ours:
        assert member.value == getattr(native._lib, f"BOARD_{prefix}{member.name}")


def test_every_field_of_the_c_structs_has_its_value_in_the_profile() -> None:
    known = {field.name for field in fields(Profile)} | {"send_byte_ns", "board", "uid", "key"}
    for kind in ("ota_geometry", "board_costs"):
        assert {name for name, _ in native._ffi.typeof(f"struct {kind}").fields} <= known
