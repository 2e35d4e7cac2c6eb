"""The line: garbage, halves, floods, small frames, and what the board says of itself in parts."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otaflash.sim.native import BoardEvent
from otaflash.wire import frames
from otaflash.wire import messages as m
from tests.firmware.bench import ANY, CHUNKS, OTHER_UID, SMALL, STALLS, Bench, board_running, make_image, on_trial

OLD = make_image(1, 5)
NEW = make_image(2, 6)
NARROW = replace(SMALL, frame_bytes=20)


@given(garbage=st.binary(max_size=400))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_after_garbage_and_a_zero_the_next_frame_is_understood(garbage: bytes) -> None:
    bench = board_running(OLD)
    operations = bench.board.operations
    bench.send(garbage + b"\0")
    assert bench.info().image_crc == OLD.crc
    assert bench.board.operations == operations


def test_half_a_frame_costs_at_most_the_frame_after_it() -> None:
    bench = board_running(OLD)
    whole = bench.wire(m.Inspect(200, 0, ANY))
    for cut in range(1, len(whole)):
        assert bench.send(whole[:cut]) == []
        bench.send(bench.wire(m.Inspect(200, 0, ANY)))
        assert bench.info().image_crc == OLD.crc


def test_zeros_between_frames_mean_nothing() -> None:
    bench = board_running(OLD)
    heard = bench.send(bytes(50) + bench.wire(m.Inspect(200, 0, ANY)) + bytes(50))
    assert len(heard) == 1


def test_every_flipped_bit_of_a_frame_is_found() -> None:
    bench = board_running(OLD)
    bench.accept(NEW)
    frame = bytearray(frames.encode(m.BlockReport(0, NEW.block(0, 2)), bench.session, 9))
    for bit in range(8 * len(frame)):
        frame[bit // 8] ^= 1 << bit % 8
        assert bench.send(frames.on_stream(bytes(frame))) == []
        frame[bit // 8] ^= 1 << bit % 8
    assert len(bench.missing()) == NEW.places


def test_a_frame_that_goes_on_behind_a_right_crc_is_dropped_whole() -> None:
    bench = board_running(OLD)
    bench.accept(NEW)
    longest = frames.encode(m.BlockReport(0, bytes(SMALL.frame_bytes - 10)), bench.session, 9)
    assert len(longest) == SMALL.frame_bytes
    assert len(bench.send(frames.on_stream(longest))) == 1
    for more in (1, 2, 250, 300, 1000, 65536):
        assert bench.send(frames.on_stream(longest + b"x" * more)) == []
    assert bench.info().image_crc == OLD.crc


def test_a_flood_of_requests_is_answered_or_lost_and_does_no_harm() -> None:
    bench = board_running(OLD)
    bench.accept(NEW)
    operations = bench.board.operations
    chance = random.Random(3)
    requests: list[m.Message] = [
        m.Inspect(200, 0, ANY),
        m.Report(0),
        m.Apply(),
        m.Confirm(1),
        m.Revert(1),
        m.Survey(0, NEW.table),
        m.Offer(0, NEW.manifest.pack()),
        m.Enter(OTHER_UID),
    ]
    flood = b"".join(bench.wire(chance.choice(requests)) for _ in range(300))
    heard = bench.send(flood, wait=30.0)
    assert len(heard) > 50
    assert bench.board.operations == operations
    assert bench.give(NEW).state == m.TransferState.VERIFIED


def test_requests_back_to_back_in_one_burst_are_all_answered_in_order() -> None:
    bench = board_running(OLD)
    heard = bench.send(b"".join(bench.wire(m.Confirm(OLD.crc)) for _ in range(10)))
    assert [frame.serial for frame in heard] == list(range(bench.serial - 9, bench.serial + 1))


def test_the_board_never_speaks_unasked() -> None:
    bench = Bench(SMALL)
    bench.run(100.0)
    assert bench.board.sent() == []


@pytest.mark.parametrize("room", [20, 21, 37, 64, 100, 208])
def test_the_info_record_is_the_same_in_parts_of_any_length(room: int) -> None:
    bench = board_running(OLD)
    whole = bench.info()
    assert bench.info(room) == whole
    for offset in (0, 1, 50, 87, 88, 200, 255):
        for _, data in _frames_of(bench, m.Inspect(room, offset, ANY)):
            assert len(data) <= room


def test_an_inspect_past_the_end_of_the_record_gets_none_of_what_lies_behind_it() -> None:
    bench = board_running(OLD)
    for offset in (m.Info.BYTES, m.Info.BYTES + 1, 200, 255):
        reply = bench.ask(m.Inspect(200, offset, ANY), m.InspectReply)
        assert (reply.total, reply.part) == (m.Info.BYTES, b"")


def _frames_of(bench: Bench, message: m.Message) -> list[tuple[m.Message, bytes]]:
    return [
        (frame.message, frames.encode(frame.message, frame.session, frame.serial))
        for frame in bench.send(bench.wire(message))
    ]


def test_a_reply_is_never_longer_than_the_host_said() -> None:
    bench = board_running(OLD)
    bench.accept(NEW)
    for place in range(0, NEW.places, 2):
        bench.block(NEW, place)
    for room, most in ((0, 20), (5, 20), (20, 20), (33, 33), (208, 208), (1000, 208)):
        bench.ask(m.Inspect(room, 0, ANY), m.InspectReply)
        requests = (m.Inspect(room, 0, ANY), m.Report(0), m.Survey(0, NEW.table), m.Offer(0, b""), m.Confirm(0))
        for request in requests:
            for _, data in _frames_of(bench, request):
                assert len(data) <= most


@pytest.mark.parametrize("frame_bytes", [20, 40, 77])
def test_a_reply_is_never_longer_than_what_the_board_takes_itself(frame_bytes: int) -> None:
    of = replace(SMALL, frame_bytes=frame_bytes)
    image = make_image(2, 6, of=of)
    bench = board_running(make_image(1, 5, of=of))
    bench.accept(image)
    for place in range(0, image.places, 2):
        bench.block(image, place)
    for request in (m.Report(0), m.Inspect(1056, 0, ANY), m.Report(0)):
        ((_, data),) = _frames_of(bench, request)
        assert len(data) <= frame_bytes


def test_until_a_host_says_more_a_reply_has_at_most_100_bytes() -> None:
    bench = board_running(OLD)
    bench.accept(NEW)
    for place in range(0, NEW.places, 2):
        bench.block(NEW, place)
    ((_, data),) = _frames_of(bench, m.Report(0))
    assert len(data) <= 100


def test_what_a_survey_asks_beyond_the_image_does_not_agree() -> None:
    bench = board_running(OLD)
    bench.stage(NEW)
    assert bench.ask(m.Survey(4, NEW.table[16:] + bytes(8)), m.SurveyReply).agree == b"\x03"
    assert bench.ask(m.Survey(0xFFFF, bytes(8)), m.SurveyReply).agree == b"\x00"


def test_a_survey_is_answered_for_eight_pages_at_most() -> None:
    image = make_image(3, 13, single=True)
    bench = board_running(OLD)
    bench.stage(image)
    assert bench.ask(m.Survey(2, image.table[8:]), m.SurveyReply).agree == b"\xff"
    assert bench.ask(m.Survey(10, image.table[40:]), m.SurveyReply).agree == b"\x07"


def test_a_whole_update_works_with_frames_of_20_bytes() -> None:
    old, new = make_image(1, 5, of=NARROW), make_image(2, 6, of=NARROW)
    bench = board_running(old)
    assert bench.info().frame_bytes == 20
    bench.accept(new, part_bytes=10)
    assert bench.give(new, step=1).state == m.TransferState.VERIFIED
    assert bench.apply() is BoardEvent.JUMPED
    bench.start_app()
    assert bench.info().image_crc == new.crc
    assert bench.confirm(new) == m.Reason.OK
    bench.enter_from_app()
    assert bench.runs(new)
    assert bench.info().boot_state == m.BootState.IDLE


def test_resume_works_with_frames_of_20_bytes() -> None:
    old, new = make_image(1, 5, of=NARROW), make_image(2, 6, of=NARROW)
    bench = board_running(old)
    bench.accept(new, part_bytes=10)
    bench.give(new, [(at, 1) for at in range(40)])
    bench.power_on()
    bench.enter()
    bench.accept(new, part_bytes=10)
    agree = [agrees for page in range(0, 6, 2) for agrees in bench.survey(new, page, 2)]
    assert agree == [True, True, False, False, False, False]
    assert bench.give(new, [(at, 1) for at in bench.missing()]).state == m.TransferState.VERIFIED


def test_parts_of_an_offer_may_be_lost_doubled_and_late() -> None:
    bench = board_running(OLD)
    manifest = NEW.manifest.pack()
    chance = random.Random(11)
    next_place = 0
    for _ in range(400):
        at = chance.choice([0, next_place, next_place, max(0, next_place - 16), next_place + 16])
        next_place = bench.ask(m.Offer(at, manifest[at : at + 16]), m.OfferReply).next
        if next_place == m.Manifest.BYTES:
            break
    assert next_place == m.Manifest.BYTES
    assert bench.give(NEW).state == m.TransferState.VERIFIED


@pytest.mark.parametrize("of", [SMALL, CHUNKS, STALLS], ids=["small", "chunks", "stalls"])
def test_the_info_says_what_the_board_is(of: object) -> None:
    assert isinstance(of, type(SMALL))
    info = board_running(make_image(1, 5, of=of)).info()
    for name in ("page_bytes", "block_bytes", "slot_pages", "frame_bytes", "window_bytes", "stall_ms", "slot_base"):
        assert getattr(info, name) == getattr(of, name)
    assert (info.trials_max, info.single_pages, info.encodings, info.schemes) == (3, 13, 1, 1)
    assert (info.protocol_min, info.protocol_max, info.mode, info.boot_state) == (1, 1, 0, m.BootState.IDLE)


def test_the_info_of_a_trial_names_the_way_back_and_the_boots_used() -> None:
    bench = on_trial(OLD, NEW)
    info = bench.info()
    assert (info.image_crc, info.way_back_crc, info.trials_used) == (NEW.crc, OLD.crc, 1)
    assert (info.mode, info.boot_state, info.version) == (m.Mode.APPLICATION, m.BootState.TRIAL, NEW.manifest.version)


def test_the_info_of_an_empty_board_has_no_image() -> None:
    info = Bench(SMALL).info()
    assert (info.boot_state, info.image_bytes, info.image_crc, info.image_pages) == (m.BootState.NO_IMAGE, 0, 0, 0)
