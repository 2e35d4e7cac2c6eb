"""Order-free staging: whatever order, copies and cuts blocks come in, the image is staged once and whole."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otaflash.sim.profiles import Profile
from otaflash.wire import frames
from otaflash.wire import messages as m
from tests.firmware.bench import CHUNKS, SMALL, STAGINGS, Bench, Image, board_running, make_image

OLD = make_image(1, 5)
NEW = make_image(2, 6)


def staged(bench: Bench, image: Image) -> bool:
    size = bench.profile.page_bytes
    at = bench.staged_page * size
    return bytes(bench.board.flash[at : at + len(image.span)]) == image.span


def erases_of_secondary(bench: Bench) -> list[int]:
    slot = bench.profile.slot_pages
    return list(bench.board.erases[slot : 2 * slot + 1])


def open_offer(of: Profile, image: Image) -> Bench:
    bench = board_running(make_image(1, 5, of=of))
    bench.accept(image)
    return bench


@pytest.mark.parametrize("of", STAGINGS.values(), ids=list(STAGINGS))
@given(data=st.data())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_any_order_of_runs_of_any_length_ends_in_the_image(of: Profile, data: st.DataObject) -> None:
    image = make_image(2, 6, of=of)
    bench = open_offer(of, image)
    runs = data.draw(st.lists(st.tuples(st.integers(0, image.places - 1), st.integers(1, 24)), max_size=40))
    for place, count in runs:
        bench.block(image, place, min(count, image.places - place))
    missing = bench.missing()
    held = {place + i for place, count in runs for i in range(min(count, image.places - place))}
    assert missing == [place for place in range(image.places) if place not in held]
    for place in data.draw(st.permutations(missing)):
        bench.block(image, place)
    bench.work()
    assert bench.report().state == m.TransferState.VERIFIED
    assert staged(bench, image)
    assert max(erases_of_secondary(bench)) == 1


def test_places_beyond_255_have_pages_of_their_own() -> None:
    of = replace(SMALL, flash_bytes=16384, slot_pages=40)
    image = make_image(2, 40, of=of)
    bench = open_offer(of, image)
    runs = [(place, 8) for place in range(0, image.places, 8)]
    random.Random(5).shuffle(runs)
    assert bench.give(image, runs).state == m.TransferState.VERIFIED
    assert staged(bench, image)
    assert max(erases_of_secondary(bench)) == 1


@pytest.mark.parametrize("of", STAGINGS.values(), ids=list(STAGINGS))
def test_single_blocks_in_random_order_with_copies_erase_each_page_once(of: Profile) -> None:
    image = make_image(2, 6, of=of)
    places = list(range(image.places)) * 2
    random.Random(5).shuffle(places)
    bench = open_offer(of, image)
    assert bench.give(image, [(place, 1) for place in places]).state == m.TransferState.VERIFIED
    assert staged(bench, image)
    assert erases_of_secondary(bench) == [0, 1, 1, 1, 1, 1, 1]


def test_a_frame_across_pages_fills_both() -> None:
    bench = open_offer(SMALL, NEW)
    bench.block(NEW, 8, 24)
    bench.block(NEW, 0, 8)
    assert bench.missing() == list(range(32, NEW.places))
    size = SMALL.page_bytes
    at = bench.staged_page * size
    assert bytes(bench.board.flash[at : at + 2 * size]) == NEW.span[: 2 * size]


def test_a_page_in_four_passes_is_erased_once() -> None:
    image = make_image(2, 6, of=CHUNKS)
    bench = open_offer(CHUNKS, image)
    for place in (0, 4, 8, 12):
        bench.block(image, place, 4)
    assert bench.missing() == list(range(16, image.places))
    assert erases_of_secondary(bench)[1] == 1


def test_chunks_half_full_are_combined_by_what_comes_later() -> None:
    image = make_image(2, 6, of=CHUNKS)
    bench = open_offer(CHUNKS, image)
    for page in range(6):
        for first in (0, 2, 1, 3):
            for chunk in (0, 8, 4, 12):
                bench.block(image, 16 * page + chunk + first)
    bench.work()
    assert bench.report().state == m.TransferState.VERIFIED
    assert erases_of_secondary(bench) == [0, 1, 1, 1, 1, 1, 1]


def test_the_last_short_run_ends_at_the_image() -> None:
    bench = open_offer(SMALL, NEW)
    runs = [(at, min(24, NEW.places - at)) for at in range(0, NEW.places, 24)]
    odd = [(0, 7), *[(at, min(11, NEW.places - at)) for at in range(7, NEW.places, 11)]]
    assert bench.give(NEW, runs).state == m.TransferState.VERIFIED
    again = open_offer(SMALL, NEW)
    assert again.give(NEW, odd).state == m.TransferState.VERIFIED


def test_a_run_that_leaves_the_image_is_dropped_whole() -> None:
    bench = open_offer(SMALL, NEW)
    assert bench.say(m.Block(NEW.places - 2, bytes(24))) is None
    assert bench.missing() == list(range(NEW.places))


def test_an_image_of_one_page_is_staged() -> None:
    image = make_image(9, 1)
    bench = open_offer(SMALL, image)
    assert bench.give(image).state == m.TransferState.VERIFIED
    assert staged(bench, image)


def test_a_page_of_all_ones_is_held_like_any_other() -> None:
    image = make_image(9, 4, padding=2 * 128 + 40)
    bench = open_offer(SMALL, image)
    assert bench.give(image).state == m.TransferState.VERIFIED
    assert staged(bench, image)


def test_a_stale_secondary_slot_does_not_shine_through_a_page_of_all_ones() -> None:
    bench = Bench(SMALL, OLD)
    start = SMALL.slot_pages * SMALL.page_bytes
    for at in range(start, start + 7 * SMALL.page_bytes):
        bench.board.flash[at] = 0x55
    bench.enter()
    image = make_image(9, 4, padding=2 * 128 + 40)
    bench.accept(image)
    assert bench.give(image).state == m.TransferState.VERIFIED
    assert staged(bench, image)


def test_a_frame_of_exactly_frame_bytes_is_taken_and_one_more_is_not() -> None:
    tight = replace(SMALL, frame_bytes=4 + 2 + 64 + 4)
    image = make_image(2, 6, of=tight)
    bench = open_offer(tight, image)
    exact = bench.wire(m.Block(0, image.block(0, 8)))
    bench.send(exact)
    assert bench.missing() == list(range(8, image.places))
    longer = frames.encode(m.Block(8, image.block(8, 8) + b"x"), bench.session, 99)
    assert len(longer) == tight.frame_bytes + 1
    assert bench.send(frames.on_stream(longer)) == []
    far_longer = frames.encode(m.BlockReport(8, image.block(8, 80)), bench.session, 100)
    assert bench.send(frames.on_stream(far_longer)) == []
    assert bench.missing() == list(range(8, image.places))
    bench.block(image, 8, 8)
    assert bench.missing() == list(range(16, image.places))


def test_the_serial_of_the_last_block_is_reported() -> None:
    bench = open_offer(SMALL, NEW)
    bench.block(NEW, 0, 4)
    serial = bench.serial
    assert bench.report().last_serial == serial
    assert bench.report().last_serial == serial


def test_reports_cut_short_say_so_and_the_next_goes_on() -> None:
    bench = open_offer(SMALL, NEW)
    bench.ask(m.Inspect(20, 0, bytes(8)), m.InspectReply)
    for place in range(0, NEW.places, 2):
        bench.block(NEW, place)
    report = bench.report()
    assert report.state == m.TransferState.RECEIVING | m.REPORT_MORE
    assert report.gaps == (m.Gap(1, 1),)
    assert bench.missing() == list(range(1, NEW.places, 2))


def test_a_report_from_a_place_on_leaves_out_what_is_before_it() -> None:
    bench = open_offer(SMALL, NEW)
    bench.block(NEW, 10, 4)
    assert bench.report(5).gaps == (m.Gap(5, 5), m.Gap(14, NEW.places - 14))
    assert bench.report(14).gaps == (m.Gap(14, NEW.places - 14),)
    assert bench.report(NEW.places).gaps == ()
    assert bench.report(0xFFFF).gaps == ()


def test_another_offer_begins_with_an_empty_map() -> None:
    other = make_image(3, 4)
    bench = open_offer(SMALL, NEW)
    bench.block(NEW, 0, 16)
    bench.session += 1
    bench.accept(other)
    assert bench.missing() == list(range(other.places))
    assert bench.give(other).state == m.TransferState.VERIFIED


def test_a_session_taken_over_with_another_offer_keeps_the_old_host_out() -> None:
    bench = open_offer(SMALL, NEW)
    old_session = bench.session
    bench.session += 1
    bench.accept(make_image(3, 4))
    bench.block(NEW, 0, 16, session=old_session)
    assert len(bench.missing()) == 64
    assert bench.refusal(m.Report(0), old_session) == "no_session"


def test_a_later_part_of_an_offer_whose_first_was_lost_is_no_accepted_offer() -> None:
    bench = open_offer(SMALL, NEW)
    part = m.Offer(64, NEW.manifest.pack()[64:])
    reply = bench.ask(part, m.OfferReply, session=bench.session + 1)
    assert (reply.reason, reply.next, reply.limit) == (m.Reason.OK, 0, 0)
    reply = bench.ask(part, m.OfferReply)
    assert (reply.reason, reply.next, reply.limit) == (m.Reason.OK, m.Manifest.BYTES, NEW.places)


def test_a_half_filled_chunk_survives_a_new_session_with_the_same_offer() -> None:
    bench = open_offer(SMALL, NEW)
    bench.block(NEW, 3, 5)
    bench.session += 1
    bench.accept(NEW)
    assert bench.missing() == [0, 1, 2, *range(8, NEW.places)]
    assert bench.give(NEW).state == m.TransferState.VERIFIED
    assert staged(bench, NEW)


def test_an_offer_that_is_refused_does_not_even_write_what_waited_in_ram() -> None:
    bench = open_offer(SMALL, NEW)
    bench.block(NEW, 3, 5)
    before = bytes(bench.board.flash)
    bench.session += 1
    assert bench.offer(replace(NEW.manifest, board=bytes(16))).reason == m.Reason.WRONG_BOARD
    assert bytes(bench.board.flash) == before
    bench.session += 1
    bench.accept(NEW)
    assert bench.missing() == list(range(NEW.places))
    assert bench.give(NEW).state == m.TransferState.VERIFIED
    assert staged(bench, NEW)


def test_the_digest_is_made_while_blocks_come_in() -> None:
    slow = replace(SMALL, sha_block_ns=2_000_000)
    image = make_image(2, 6, of=slow)
    bench = open_offer(slow, image)
    bench.block(image, 16, 16)
    bench.run(0.1)
    assert bench.report().hashed == 0
    bench.block(image, 0, 16)
    bench.run(0.1)
    assert bench.report().hashed == 2


@pytest.mark.parametrize(("meanwhile", "hashed"), [(0, 2), (1, 5)])
def test_blocks_in_order_are_digested_while_their_page_is_programmed(meanwhile: int, hashed: int) -> None:
    """An erase and a program of 10 ms each, a block of SHA-256 of 9 ms: two fit, also of a page before."""
    of = replace(
        SMALL,
        erase_page_ns=10_000_000,
        program_chunk_ns=10_000_000,
        sha_block_ns=9_000_000,
        meanwhile=meanwhile,
        stall_ms=100,
        swap_page_ms=100,
    )
    image = make_image(2, 6, of=of)
    bench = open_offer(of, image)
    bench.block(image, 16, 16)
    began = bench.board.now_s
    for page in (0, 2, 3, 4):
        bench.send(bench.wire(m.Block(page * 16, image.block(page * 16, 16))), wait=0.0)
    bench.run(began + 0.12 - bench.board.now_s)
    assert bench.report().hashed == hashed


def test_apply_waits_for_the_digest() -> None:
    slow = replace(SMALL, sha_block_ns=100_000_000)
    image = make_image(2, 6, of=slow)
    bench = open_offer(slow, image)
    for place in range(0, image.places, 16):
        bench.send(bench.wire(m.Block(place, image.block(place, 16))), wait=0.0)
    (report,) = bench.send(bench.wire(m.Report(0)), wait=0.2)
    assert isinstance(report.message, m.ReportReply)
    assert report.message.state == m.TransferState.VERIFYING
    assert report.message.gaps == ()
    (reply,) = bench.send(bench.wire(m.Apply()), wait=0.2)
    assert isinstance(reply.message, m.ApplyReply)
    assert reply.message.reason == m.Reason.NOT_VERIFIED
    bench.work()
    assert bench.report().state == m.TransferState.VERIFIED
