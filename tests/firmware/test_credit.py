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


def send_all_credit(bench: Bench, image: Image, start: int, limit: int) -> int:
    """One report's worth of blocks back to back, then the question; the new limit."""
    last = [(at, min(12, limit - at)) for at in range(start, limit, 12)]
    words = b"".join(bench.wire(m.Block(at, image.block(at, count))) for at, count in last)
    heard = bench.send(words + bench.wire(m.Report(0)))
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
    limit = bench.offer(image).limit
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
    limit = bench.offer(image).limit
    assert limit == 8 * 64
    start = 0
    while start < image.places:
        for at in range(start, limit, 62):
            bench.block(image, at, min(62, limit - at))
        start, limit = limit, bench.report().limit
    bench.work()
    assert bench.report().state == m.TransferState.VERIFIED
    assert bench.board.bytes_lost == 0
    assert bench.apply() is BoardEvent.JUMPED
    assert bench.runs(image)


def test_credit_is_not_raised_before_all_of_it_is_used() -> None:
    bench = board_running(OLD)
    limit = bench.offer(NEW).limit
    bench.block(NEW, 0, 16)
    erases = list(bench.board.erases)
    assert bench.report().limit == limit
    assert list(bench.board.erases) == erases


def test_a_lost_report_is_asked_for_again_and_erases_nothing_twice() -> None:
    bench = board_running(OLD)
    limit = bench.offer(NEW).limit
    bench.block(NEW, 0, 16)
    bench.block(NEW, 16, 16)
    raised = bench.report().limit
    assert raised == 2 * limit
    erases = list(bench.board.erases)
    assert bench.report().limit == raised
    assert list(bench.board.erases) == erases


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
    limit = bench.offer(NEW).limit
    start = 0
    while start < 4 * 16:
        start, limit = limit, send_all_credit(bench, NEW, start, limit)
    bench.power_on()
    bench.enter()
    bench.accept(NEW)
    agree = bench.survey(NEW)
    assert agree[2:4] == [True, True]
    for _ in range(4):
        for gap in bench.report().gaps:
            for at in range(gap.place, min(gap.place + gap.count, bench.report().limit), 16):
                bench.block(NEW, at, 16)
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
