"""How long the loader waits, for whom, and that it always leaves for a whole image."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.sim.native import BoardEvent
from otaflash.wire import messages as m
from tests.firmware.bench import ANY, OTHER_UID, SMALL, UID, Bench, board_running, make_image

OLD = make_image(1, 5)
NEW = make_image(2, 6)
ENTRY_S = SMALL.entry_window_ms / 1000
STAY_S = SMALL.stay_ms / 1000


def leaves_after(bench: Bench, seconds: float) -> float:
    """How long until it jumps, at most `seconds`."""
    start = bench.board.now_s
    assert bench.run(seconds) is BoardEvent.JUMPED
    return bench.board.now_s - start


def test_an_undisturbed_board_starts_its_image_when_the_entry_window_ends() -> None:
    assert leaves_after(Bench(SMALL, OLD), 3.0) == pytest.approx(ENTRY_S, abs=0.05)


NO_CALL: list[m.Message] = [
    m.Inspect(200, 0, ANY),
    m.Enter(OTHER_UID),
    m.Confirm(1),
    m.Revert(1),
    m.Report(0),
    m.Abort(),
    m.Block(0, bytes(8)),
]


@pytest.mark.parametrize("message", NO_CALL, ids=lambda message: type(message).__name__)
def test_what_is_no_session_and_no_enter_does_not_keep_it(message: m.Message) -> None:
    bench = Bench(SMALL, OLD)
    while bench.board.now_s < ENTRY_S - 0.15:
        bench.say(message)
        bench.run(0.1)
    assert leaves_after(bench, 1.0) < 0.3


def test_a_scan_that_goes_on_does_not_keep_it_for_ever() -> None:
    bench = Bench(SMALL, OLD)
    for _ in range(100):
        bench.say(m.Inspect(200, 0, ANY))
        if bench.run(0.05) is BoardEvent.JUMPED:
            break
    assert bench.event is BoardEvent.JUMPED
    assert bench.board.now_s < ENTRY_S + 0.2


def test_enter_keeps_it_for_the_longer_window() -> None:
    bench = Bench(SMALL, OLD)
    bench.run(0.5)
    bench.enter()
    assert leaves_after(bench, 20.0) == pytest.approx(STAY_S, abs=0.05)


def test_a_part_of_an_offer_keeps_it_for_the_longer_window() -> None:
    bench = Bench(SMALL, OLD)
    bench.run(0.5)
    assert bench.ask(m.Offer(0, NEW.manifest.pack()[:16]), m.OfferReply).reason == m.Reason.OK
    assert leaves_after(bench, 20.0) == pytest.approx(STAY_S, abs=0.05)


def test_an_offer_that_is_refused_does_not_keep_it() -> None:
    bench = Bench(SMALL, OLD)
    bench.run(ENTRY_S - 0.5)
    refused = replace(NEW.manifest, board=b"another".ljust(16, b"\0"))
    assert bench.offer(refused).reason == m.Reason.WRONG_BOARD
    leaves_after(bench, 1.0)


def test_each_word_in_a_session_begins_the_longer_window_anew() -> None:
    bench = board_running(OLD)
    bench.accept(NEW)
    for act in (lambda: bench.block(NEW, 0, 16), bench.report, lambda: bench.survey(NEW)):
        assert bench.run(STAY_S - 1.0) is BoardEvent.IDLE
        act()
    assert leaves_after(bench, 20.0) == pytest.approx(STAY_S, abs=0.05)


@pytest.mark.parametrize("wraps", [1, 2])
def test_the_window_holds_over_the_wrap_of_the_millisecond_counter(wraps: int) -> None:
    bench = board_running(OLD)
    while bench.board.now_s < wraps * 65.536 - 10.0:
        bench.enter()
        assert bench.run(1.0) is BoardEvent.IDLE
    bench.enter()
    assert leaves_after(bench, 20.0) == pytest.approx(STAY_S, abs=0.05)
    assert bench.board.now_s > wraps * 65.536


def test_a_transfer_over_the_wrap_ends_well() -> None:
    bench = board_running(OLD)
    bench.accept(NEW)
    for place in range(0, NEW.places, 8):
        bench.run(12.0)
        bench.block(NEW, place, 8)
    bench.work()
    assert bench.board.now_s > 2 * 65.536
    assert bench.report().state == m.TransferState.VERIFIED
    assert bench.apply() is BoardEvent.JUMPED


def test_without_an_image_it_waits_for_ever_answering() -> None:
    bench = Bench(SMALL)
    for _ in range(30):
        assert bench.run(7.0) is BoardEvent.IDLE
        assert bench.info().boot_state == m.BootState.NO_IMAGE
    bench.accept(NEW)
    assert bench.run(40.0) is BoardEvent.IDLE
    assert bench.give(NEW).state == m.TransferState.VERIFIED


def test_a_session_that_falls_silent_leaves_for_the_old_image() -> None:
    bench = board_running(OLD)
    bench.accept(NEW)
    bench.block(NEW, 0, 16)
    assert leaves_after(bench, 20.0) == pytest.approx(STAY_S, abs=0.05)
    bench.start_app()
    assert bench.info().image_crc == OLD.crc


def test_enter_from_the_application_keeps_the_loader_and_a_second_boot_does_not() -> None:
    bench = Bench(SMALL, OLD)
    bench.boot()
    bench.start_app()
    bench.enter_from_app()
    assert leaves_after(bench, 20.0) == pytest.approx(STAY_S, abs=0.1)
    bench.power_on()
    assert leaves_after(bench, 3.0) == pytest.approx(ENTRY_S, abs=0.05)


def test_a_power_cut_after_enter_forgets_the_request() -> None:
    bench = Bench(SMALL, OLD)
    bench.boot()
    bench.start_app()
    assert bench.ask(m.Enter(UID), m.EnterReply).reason == m.Reason.OK
    bench.power_on()
    assert leaves_after(bench, 3.0) == pytest.approx(ENTRY_S, abs=0.05)


def test_the_application_goes_on_for_ever() -> None:
    bench = Bench(SMALL, OLD)
    bench.boot()
    bench.start_app()
    for _ in range(10):
        assert bench.run(20.0) is BoardEvent.IDLE
        assert bench.info().mode == m.Mode.APPLICATION
