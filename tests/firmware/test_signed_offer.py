"""What a board with a key takes and what it refuses, by messages, flash and time: each bit of an offer counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.image.scheme_lms import signature_bytes
from otaflash.sim.native import BoardEvent, Cut
from otaflash.wire import messages as m
from tests.firmware.bench import SMALL, Bench, Image, make_image
from tests.firmware.signing import MANIFEST, SignedBench, key, keyed, offer_of, prepared, public

OLD = make_image(1, 5)
NEW = make_image(2, 6)
OTHER = make_image(3, 6)

# Where the parts of a signature begin, of LMS n24 W4 (RFC 8554, section 5.4).
LEAF_TYPE, TREE_TYPE, PATH = 4, 4 + 4 + 24 * 52, 4 + 4 + 24 * 52 + 4


def reason_of(bench: SignedBench, offer: bytes) -> str:
    """To an offer in a session of its own; a refusal leaves flash as it was."""
    before = bench.board.operations
    reason = m.Reason(bench.send_offer(offer).reason).name.lower()
    assert reason == "ok" or bench.board.operations == before
    return reason


def flipped(offer: bytes, at: int, mask: int = 1) -> bytes:
    return offer[:at] + bytes([offer[at] ^ mask]) + offer[at + 1 :]


def test_a_signed_image_is_taken_swapped_in_and_confirmed() -> None:
    bench = keyed(OLD)
    assert bench.send_offer(offer_of(NEW)).next == len(offer_of(NEW))
    assert bench.give(NEW).state == m.TransferState.VERIFIED
    assert bench.apply() is BoardEvent.JUMPED
    bench.start_app()
    assert bench.confirm(NEW) == m.Reason.OK
    assert bench.runs(NEW)


def test_the_board_says_which_scheme_it_takes() -> None:
    assert keyed(OLD).info().schemes == 1 << m.Scheme.LMS
    assert Bench(SMALL, OLD).info().schemes == 1 << m.Scheme.NONE


def test_every_byte_of_manifest_and_signature_counts() -> None:
    """One bit of each byte, another one each time: refused, and flash untouched, in 1,508 of 1,508 places."""
    bench = keyed(OLD)
    offer = offer_of(NEW)
    refused = 0
    for at in range(len(offer)):
        refused += reason_of(bench, flipped(offer, at, 1 << at % 8)) != "ok"
    assert refused == len(offer) == MANIFEST + signature_bytes(5)
    assert reason_of(bench, offer) == "ok"


def test_an_unsigned_image_is_refused_by_a_board_with_a_key() -> None:
    assert reason_of(keyed(OLD), NEW.manifest.pack()) == "unknown_scheme"


def test_a_signed_image_is_refused_by_a_board_that_takes_unsigned_ones() -> None:
    bench = SignedBench(OLD, page=b"")
    assert reason_of(bench, offer_of(NEW)) == "unknown_scheme"


def test_the_signature_of_another_key_or_of_another_image_is_refused() -> None:
    bench = keyed(OLD)
    assert reason_of(bench, offer_of(NEW, number=1)) == "bad_signature"
    moved = prepared(NEW, key()).pack() + offer_of(OTHER)[MANIFEST:]
    assert reason_of(bench, moved) == "bad_signature"


@pytest.mark.parametrize("index", [0, 1, 2, 15, 16, 30, 31])
def test_each_leaf_of_the_tree_signs(index: int) -> None:
    assert reason_of(keyed(OLD), offer_of(NEW, index=index)) == "ok"


@pytest.mark.parametrize("more", [32, 64, 1 << 31])
def test_a_leaf_number_past_the_last_is_refused_though_its_low_bits_are_right(more: int) -> None:
    offer = offer_of(NEW, index=3)
    number = (3 + more).to_bytes(4, "big")
    assert reason_of(keyed(OLD), offer[:MANIFEST] + number + offer[MANIFEST + 4 :]) == "bad_signature"


@pytest.mark.parametrize("at", [LEAF_TYPE + 3, TREE_TYPE + 3])
def test_another_set_of_parameters_than_the_key_s_is_refused(at: int) -> None:
    for value in (0, 6, 8, 9, 12, 255):
        offer = offer_of(NEW)
        changed = offer[: MANIFEST + at] + bytes([value]) + offer[MANIFEST + at + 1 :]
        assert reason_of(keyed(OLD), changed) == "bad_signature"


@pytest.mark.parametrize("change", [-24, -1, 1, 24, 120])
def test_a_signature_of_another_length_is_refused_at_the_manifest(change: int) -> None:
    manifest = prepared(NEW, key())
    wrong = replace(manifest, signature_bytes=manifest.signature_bytes + change)
    signature = offer_of(NEW)[MANIFEST:].ljust(wrong.signature_bytes, b"\0")[: wrong.signature_bytes]
    assert reason_of(keyed(OLD), wrong.pack() + signature) == "bad_signature"


def page_with(at: int, value: int) -> bytes:
    page = bytearray(public(key()).page())
    page[at] = value
    return bytes(page)


@pytest.mark.parametrize("at", [4 + 3, 4 + 7, 12, 27, 28, 51])
def test_with_another_key_in_its_page_nothing_of_this_one_is_taken(at: int) -> None:
    wrong = page_with(at, public(key()).page()[at] ^ 1)
    assert reason_of(keyed(OLD, wrong), offer_of(NEW)) == "bad_signature"


@pytest.mark.parametrize("part_bytes", [1, 7, 24, 100, 198])
def test_the_signature_comes_in_parts_of_any_size(part_bytes: int) -> None:
    bench = keyed(OLD)
    offer = offer_of(NEW)
    assert bench.send_offer(offer, part_bytes).next == len(offer)


def test_parts_that_come_twice_late_or_ahead_change_nothing() -> None:
    bench = keyed(OLD)
    offer = offer_of(NEW)
    places = list(range(0, len(offer), 100))
    for number, at in enumerate(places):
        ahead = places[min(number + 2, len(places) - 1)]
        for place in (ahead, at, at, 0, max(at - 100, 0)):
            if place <= at or place == ahead != at:
                reply = bench.ask(m.Offer(place, offer[place : place + 100]), m.OfferReply)
                assert reply.reason == m.Reason.OK
    assert reply.next == len(offer)
    assert bench.give(NEW).state == m.TransferState.VERIFIED


def test_blocks_before_the_last_part_are_dropped() -> None:
    bench = keyed(OLD)
    offer = offer_of(NEW)
    before = bench.board.operations
    bench.session += 1
    for at in range(0, len(offer) - 100, 100):
        bench.ask(m.Offer(at, offer[at : at + 100]), m.OfferReply)
        bench.block(NEW, 0, 16)
    assert bench.refusal(m.Report(0)) == "no_session"
    assert bench.refusal(m.Apply()) == "no_session"
    assert bench.board.operations == before


def test_a_stranger_s_offer_in_a_transfer_cannot_take_it_over() -> None:
    """The stranger ends the session, and no more: nothing is staged for what was not verified, and the host resumes."""
    bench = keyed(OLD)
    bench.send_offer(offer_of(NEW))
    bench.give(NEW, [(0, 16), (16, 16), (32, 7)])
    before = bench.board.operations
    own = bench.session
    assert reason_of(bench, flipped(offer_of(OTHER), 700)) == "bad_signature"
    bench.block(OTHER, 48, 16)
    bench.block(NEW, 48, 16, session=own)
    assert bench.board.operations == before
    bench.send_offer(offer_of(NEW, index=1))
    assert bench.survey(NEW, 0, 2) == [True, True]
    assert bench.give(NEW).state == m.TransferState.VERIFIED


def test_the_same_manifest_with_a_wrong_signature_does_not_revive_the_map() -> None:
    bench = keyed(OLD)
    bench.send_offer(offer_of(NEW))
    bench.give(NEW, [(0, 16)])
    assert reason_of(bench, flipped(offer_of(NEW), len(offer_of(NEW)) - 1)) == "bad_signature"
    assert bench.refusal(m.Report(0)) == "no_session"


def test_the_same_offer_in_a_new_session_keeps_what_is_in_flash() -> None:
    bench = keyed(OLD)
    bench.send_offer(offer_of(NEW))
    bench.give(NEW, [(0, 16), (16, 16)])
    bench.send_offer(offer_of(NEW, index=1))
    assert bench.missing() == list(range(32, NEW.places))


@pytest.mark.parametrize("how", [Cut.BEFORE, Cut.TORN, Cut.AFTER])
def test_power_that_goes_as_the_offer_is_accepted_costs_nothing_but_the_offer(how: Cut) -> None:
    bench = keyed(OLD)
    bench.board.plan_cut(bench.board.operations, how)
    offer = offer_of(NEW)
    bench.session += 1
    for at in range(0, len(offer), 100):
        bench.say(m.Offer(at, offer[at : at + 100]))
    assert bench.event is BoardEvent.CUT
    bench.power_on(2)
    bench.enter()
    assert bench.runs(OLD)
    bench.send_offer(offer_of(NEW, index=1))
    assert bench.give(NEW).state == m.TransferState.VERIFIED


def test_after_a_restart_in_the_middle_the_offer_begins_anew() -> None:
    bench = keyed(OLD)
    offer = offer_of(NEW)
    bench.session += 1
    for at in range(0, 1000, 100):
        bench.ask(m.Offer(at, offer[at : at + 100]), m.OfferReply)
    bench.power_on()
    bench.enter()
    reply = bench.ask(m.Offer(1000, offer[1000:1100]), m.OfferReply)
    assert (reply.reason, reply.next, reply.limit) == (m.Reason.OK, 0, 0)
    assert reason_of(bench, offer) == "ok"


# --- the counter ------------------------------------------------------------------------------------------


LOW, HIGH = make_image(4, 5, counter=3), make_image(5, 5, counter=7)


def confirmed(bench: SignedBench, image: Image, index: int) -> None:
    bench.send_offer(offer_of(image, index=index))
    bench.give(image)
    assert bench.apply() is BoardEvent.JUMPED
    bench.start_app()
    assert bench.confirm(image) == m.Reason.OK
    bench.enter_from_app()


def test_a_signed_image_of_a_lower_counter_is_refused_though_the_signature_is_right() -> None:
    bench = keyed(HIGH)
    assert reason_of(bench, offer_of(LOW)) == "counter_too_low"


def test_a_replayed_image_is_refused_once_a_higher_counter_was_confirmed() -> None:
    bench = keyed(OLD)
    replayed = offer_of(LOW, index=0)
    confirmed(bench, LOW, 0)
    confirmed(bench, HIGH, 1)
    assert bench.info().counter == 7
    assert reason_of(bench, replayed) == "counter_too_low"


def test_before_a_confirmation_the_way_back_stays_and_the_old_image_may_be_offered_again() -> None:
    bench = keyed(LOW)
    bench.send_offer(offer_of(HIGH))
    bench.give(HIGH)
    assert bench.apply() is BoardEvent.JUMPED
    bench.start_app()
    assert bench.info().counter == 3
    assert bench.revert(HIGH) == m.Reason.OK
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(LOW)
    bench.start_app()
    bench.enter_from_app()
    assert reason_of(bench, offer_of(make_image(6, 5, counter=3))) == "ok"


def test_the_counter_is_raised_at_a_boot_if_a_cut_came_between_the_confirmation_and_its_answer() -> None:
    """The counter is part of the record that confirms: there is no moment with one and without the other."""
    bench = keyed(LOW)
    bench.send_offer(offer_of(HIGH))
    bench.give(HIGH)
    assert bench.apply() is BoardEvent.JUMPED
    bench.start_app()
    first = bench.board.operations
    for operation in range(4):
        bench.board.plan_cut(first + operation, Cut.AFTER)
        bench.say(m.Confirm(HIGH.crc))
        if bench.event is not BoardEvent.CUT:
            break
        bench.power_on()
        bench.enter()
        info = bench.info()
        assert (info.boot_state == m.BootState.IDLE) == (info.counter == 7), operation
        first = bench.board.operations
