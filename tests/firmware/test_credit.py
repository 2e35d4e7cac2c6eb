"""Credit where an erase stalls CPU and receiver: a host that keeps to it loses no byte, another harms nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.sim.native import BoardEvent
from otaflash.sim.profiles import profile
from otaflash.wire import messages as m
from tests.firmware.bench import SMALL, STALLS, Bench, Image, board_running, make_image

OLD = make_image(1, 5, of=STALLS)
NEW = make_image(2, 6, of=STALLS)


def ask_beyond(bench: Bench, image: Image, place: int) -> int:
    """The one block that a host without credit may send, alone and with a question; the new limit."""
    return bench.ask(m.BlockReport(place, image.block(place)), m.ReportReply).limit


def opened(bench: Bench, image: Image) -> int:
    """Offers, and asks for the first credit."""
    assert bench.offer(image).limit == 0
    return ask_beyond(bench, image, 0)


def send_all_credit(bench: Bench, image: Image, start: int, limit: int) -> int:
    """One report's worth of blocks back to back, the last with the question; the new limit."""
    *most, (at, count) = [(at, min(12, limit - at)) for at in range(start, limit, 12)]
    words = b"".join(bench.wire(m.Block(place, image.block(place, blocks))) for place, blocks in most)
    heard = bench.send(words + bench.wire(m.BlockReport(at, image.block(at, count))))
    assert len(heard) == 1
    reply = heard[0].message
    assert isinstance(reply, m.ReportReply)
    assert reply.gaps == () or reply.gaps[0].place >= limit
    return reply.limit


@pytest.mark.parametrize("ahead", [1, 2, 3, 8])
def test_a_host_that_keeps_to_the_credit_loses_no_byte(ahead: int) -> None:
    of = replace(STALLS, erase_ahead=ahead, stall_ms=20)
    image = make_image(2, 6, of=of)
    bench = board_running(make_image(1, 5, of=of))
    limit = opened(bench, image)
    assert limit == 16 * min(ahead, 6)
    start = 0
    while start < image.places:
        start, limit = limit, send_all_credit(bench, image, start, limit)
    bench.work()
    assert bench.report().state == m.TransferState.VERIFIED
    assert bench.board.bytes_lost == 0
    assert max(bench.board.erases[STALLS.slot_pages : 2 * STALLS.slot_pages + 1]) == 1


def test_on_the_geometry_of_an_nrf51_too() -> None:
    of = profile("nrf51822")
    image = make_image(2, 20, of=of)
    bench = board_running(make_image(1, 5, of=of))
    limit = opened(bench, image)
    assert limit == 8 * 64
    start = 0
    while start < image.places:
        for at in range(start, limit - 62, 62):
            bench.block(image, at, 62)
        last = image.block(limit - 62, 62)
        start, limit = limit, bench.ask(m.BlockReport(limit - 62, last), m.ReportReply).limit
    bench.work()
    assert bench.report().state == m.TransferState.VERIFIED
    assert bench.board.bytes_lost == 0
    assert bench.apply() is BoardEvent.JUMPED
    assert bench.runs(image)


def test_credit_is_not_raised_before_all_of_it_is_used() -> None:
    bench = board_running(OLD)
    limit = opened(bench, NEW)
    bench.block(NEW, 0, 16)
    erases = list(bench.board.erases)
    assert ask_beyond(bench, NEW, 16) == limit
    assert list(bench.board.erases) == erases


def test_a_lost_report_is_asked_for_again_and_erases_nothing_twice() -> None:
    bench = board_running(OLD)
    limit = opened(bench, NEW)
    bench.block(NEW, 0, 16)
    raised = bench.ask(m.BlockReport(16, NEW.block(16, 16)), m.ReportReply).limit
    assert raised == 2 * limit
    erases = list(bench.board.erases)
    assert bench.report().limit == raised
    assert ask_beyond(bench, NEW, 16) == raised
    assert list(bench.board.erases) == erases


def test_only_a_block_makes_the_device_erase() -> None:
    """Whoever looks must not cost a page that a survey would find."""
    bench = board_running(OLD)
    bench.accept(NEW)

    def look() -> None:
        assert bench.offer(NEW).limit == 0
        assert bench.report().limit == 0
        assert bench.survey(NEW, 0, 3) == [False] * 3
        assert bench.report().limit == 0

    assert bench.untouched_by(look)


def test_after_a_survey_the_pages_that_were_right_are_still_there_whoever_asks_for_a_report() -> None:
    bench = board_running(OLD)
    start, limit = 0, opened(bench, NEW)
    while start < NEW.places:
        start, limit = limit, send_all_credit(bench, NEW, start, limit)
    bench.power_on()
    bench.enter()
    bench.accept(NEW)
    assert bench.survey(NEW, 0, 1) == [True]
    assert bench.report().limit == 16
    assert bench.survey(NEW, 1) == [True] * 5
    bench.work()
    assert bench.report().state == m.TransferState.VERIFIED


def test_a_page_that_a_survey_voids_is_given_credit_by_a_block() -> None:
    bench = board_running(OLD)
    opened(bench, NEW)
    assert bench.say(m.Block(0, bytes(8))) is None  # held already: the first write wins
    bench.block(NEW, 1, 15)
    assert bench.say(m.Block(16, bytes(8))) is None
    assert bench.ask(m.BlockReport(17, NEW.block(17, 15)), m.ReportReply).limit == 4 * 16
    assert bench.survey(NEW, 0, 2) == [True, False]
    assert bench.report().limit == 16
    assert ask_beyond(bench, NEW, 16) == 5 * 16  # the void page and one more; those between are blank


def test_blocks_beyond_the_credit_are_taken_or_lost_but_never_misplaced() -> None:
    bench = board_running(OLD)
    bench.accept(NEW)
    words = b"".join(bench.wire(m.Block(at, NEW.block(at, 16))) for at in range(0, NEW.places, 16))
    bench.send(words)
    for _ in range(40):
        report = bench.report()
        if not report.gaps:
            break
        gap = report.gaps[0]
        bench.block(NEW, gap.place, min(gap.count, 16))
    bench.work()
    assert bench.report().state == m.TransferState.VERIFIED


def test_pages_that_a_survey_found_right_count_as_erased() -> None:
    bench = board_running(OLD)
    start, limit = 0, opened(bench, NEW)
    while start < 4 * 16:
        start, limit = limit, send_all_credit(bench, NEW, start, limit)
    bench.power_on()
    bench.enter()
    bench.accept(NEW)
    agree = bench.survey(NEW)
    assert agree[2:4] == [True, True]
    assert bench.report().limit == 4 * 16
    start, limit = 4 * 16, ask_beyond(bench, NEW, 4 * 16)
    assert limit == NEW.places
    send_all_credit(bench, NEW, start, limit)
    bench.work()
    assert bench.report().state == m.TransferState.VERIFIED


def test_where_erases_do_not_stall_all_may_be_sent_at_once() -> None:
    bench = board_running(make_image(1, 5))
    image = make_image(2, 6)
    assert bench.offer(image).limit == image.places
    words = [bench.wire(m.Block(at, image.block(at, 16))) for at in range(0, image.places, 16)]
    bench.send(b"".join(words))
    assert bench.report().state == m.TransferState.VERIFIED
    assert bench.board.bytes_lost == 0
    assert SMALL.erase_stalls == 0
