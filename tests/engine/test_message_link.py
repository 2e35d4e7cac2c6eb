"""Engines over a message link: what is unanswered, frames that change their size, connections that come back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.engine import Done, Failed, LinkShape, NeedBundle, Operation, Push, Request
from otaflash.engine.sizing import FrameSizes
from otaflash.wire import decode, encode
from otaflash.wire.messages import (
    Block,
    BlockReport,
    Gap,
    Info,
    Inspect,
    Message,
    OfferReply,
    Reboot,
    Report,
    ReportReply,
    TransferState,
)
from tests.engine.peer import bundle, info, inspect_reply

SHAPE = LinkShape(None, stream=False, frame_bytes=244)
MAC = replace(SHAPE, queue_writes=16)
PAGES = 200
PLACES = PAGES * 16
ROUND_TRIP_S = 0.03


class Wire:
    """The engine's link, by hand: what was sent is kept until the test answers it."""

    def __init__(self, engine: Push | Request) -> None:
        self.engine = engine
        self.now = 0.0
        engine.wake(self.now)
        self.sent: list[tuple[int, int, Message]] = []
        self.collect()

    def collect(self) -> list[Message]:
        """What was sent since the last call."""
        new = [decode(frame) for frame in self.engine.bytes_to_send(self.now)]
        self.sent += [(frame.session, frame.serial, frame.message) for frame in new]
        return [frame.message for frame in new]

    def answer(self, reply: Message, to: int = -1) -> list[Message]:
        """Answers what was sent (the last by default) and returns what the engine sends then."""
        session, serial, _ = self.sent[to]
        self.now += ROUND_TRIP_S
        if isinstance(reply, ReportReply):
            reply = replace(reply, last_serial=serial)
        self.engine.receive(encode(reply, session, serial), self.now)
        return self.collect()

    def wait(self, seconds: float) -> list[Message]:
        stop = self.now + seconds
        while (due := self.engine.next_deadline()) is not None and due <= stop:
            self.now = max(self.now, due)
            self.engine.wake(self.now)
            self.collect()
        self.now = stop
        return [message for _, _, message in self.sent]

    def index(self, kind: type[Message]) -> int:
        """Where the last message of that kind stands in what was sent."""
        return max(at for at, (_, _, message) in enumerate(self.sent) if type(message) is kind)


def staging(shape: LinkShape = SHAPE, **record: object) -> Wire:
    """A push whose offer has just been accepted."""
    made = bundle(PAGES)
    wire = Wire(Push(shape, 7, resume=False))
    wire.answer(inspect_reply(Inspect(244, 0, bytes(8)), info(slot_pages=PAGES, frame_bytes=1056, **record)))
    assert any(isinstance(event, NeedBundle) for event in wire.engine.events())
    assert isinstance(wire.engine, Push)
    wire.engine.use_bundle(made, wire.now)
    wire.collect()
    wire.answer(OfferReply(0, 128, PLACES), 1)
    return wire


def blocks(messages: list[Message]) -> list[Message]:
    return [message for message in messages if isinstance(message, Block | BlockReport)]


def held_up_to(place: int) -> ReportReply:
    return ReportReply(0, TransferState.RECEIVING, PLACES, 0, 0, (Gap(place, PLACES - place),))


@pytest.mark.parametrize(("shape", "most"), [(MAC, 16), (SHAPE, 33), (replace(MAC, queue_writes=4), 4)])
def test_no_more_writes_are_unanswered_than_the_host_surely_holds(shape: LinkShape, most: int) -> None:
    wire = staging(shape)
    assert len(blocks(wire.wait(0.0))) == most
    assert len(wire.sent) <= 2 + most


def test_an_answer_lets_as_many_more_go_as_it_shows_to_be_out() -> None:
    wire = staging(MAC)
    ask = next(at for at, (_, _, message) in enumerate(wire.sent) if isinstance(message, BlockReport) and at > 2)
    held = wire.sent[ask][2]
    assert isinstance(held, BlockReport)
    more = blocks(wire.answer(held_up_to(held.place + len(held.data) // 8), ask))
    assert len(more) == ask - 1


def test_reports_are_asked_for_before_the_queue_can_run_dry() -> None:
    wire = staging(MAC)
    asking = [isinstance(message, BlockReport) for message in blocks(wire.wait(0.0))]
    assert len(asking) == 16
    assert all(any(asking[at : at + 6]) for at in range(10))


def test_the_window_of_the_device_holds_back_on_a_message_link_too() -> None:
    wire = staging(window_bytes=1000)
    assert sum(len(message.pack()) + 8 for message in blocks(wire.wait(0.0))) <= 1000


def test_no_frame_is_longer_than_a_write_takes() -> None:
    for frame_bytes in (20, 23, 61, 182, 244, 495, 509, 512):
        wire = staging(replace(SHAPE, frame_bytes=frame_bytes))
        assert max(len(message.pack()) + 8 for _, _, message in wire.sent) <= frame_bytes


@pytest.mark.parametrize(
    ("frame_bytes", "length"), [(20, 18), (182, 178), (244, 242), (300, 242), (495, 490), (512, 490)]
)
def test_frames_fill_whole_packets_of_the_air(frame_bytes: int, length: int) -> None:
    assert FrameSizes(8, frame_bytes, stream=False).sizes[0].wire_bytes == length


def test_a_block_that_fits_no_write_is_named() -> None:
    wire = Wire(Push(replace(SHAPE, frame_bytes=20), 7))
    for _ in range(2):
        read_record(wire, info(block_bytes=16, frame_bytes=1056).pack())
    events = wire.engine.events()
    assert any(isinstance(event, NeedBundle) for event in events)
    assert isinstance(wire.engine, Push)
    wire.engine.use_bundle(bundle(PAGES), wire.now)
    failed = [event for event in wire.engine.events() if isinstance(event, Failed)]
    assert [event.error.reason for event in failed] == ["frames-too-small"]  # type: ignore[attr-defined]


def asked(wire: Wire, offset: int) -> int:
    """Where the last Inspect for that offset stands in what was sent."""
    return max(
        at for at, (_, _, message) in enumerate(wire.sent) if isinstance(message, Inspect) and message.offset == offset
    )


def test_the_parts_of_a_record_are_asked_for_at_once() -> None:
    wire = Wire(Request(replace(SHAPE, frame_bytes=20), 7, Operation.INFO))
    record = info().pack()
    rest = wire.answer(inspect_reply(Inspect(20, 0, bytes(8)), record))
    assert [message.offset for message in rest if isinstance(message, Inspect)] == list(range(10, len(record), 10))


def read_record(wire: Wire, record: bytes) -> None:
    """Answers what is asked for of the record, in parts of a frame of 20 bytes."""
    for offset in range(0, Info.BYTES, 10):
        wire.answer(inspect_reply(Inspect(20, offset, bytes(8)), record), asked(wire, offset))


def infos(wire: Wire) -> list[Info]:
    return [event.result.info for event in wire.engine.events() if isinstance(event, Done)]


def test_a_record_in_parts_counts_when_it_reads_the_same_twice() -> None:
    wire = Wire(Request(replace(SHAPE, frame_bytes=20), 7, Operation.INFO))
    for counter in (1, 2):
        read_record(wire, info(counter=counter).pack())
        assert infos(wire) == []
    read_record(wire, info(counter=2).pack())
    assert [read.counter for read in infos(wire)] == [2]


def test_what_was_read_before_a_connection_broke_counts_no_more() -> None:
    wire = Wire(Request(replace(SHAPE, frame_bytes=20), 7, Operation.INFO))
    read_record(wire, info(counter=1).pack())
    wire.engine.reconnected(wire.now)
    wire.collect()
    read_record(wire, info(counter=1).pack())
    assert infos(wire) == []
    read_record(wire, info(counter=1).pack())
    assert [read.counter for read in infos(wire)] == [1]


def test_parts_that_stay_unanswered_are_asked_for_again_one_at_a_time() -> None:
    wire = Wire(Request(replace(SHAPE, frame_bytes=20), 7, Operation.INFO))
    wire.answer(inspect_reply(Inspect(20, 0, bytes(8)), info().pack()))
    before = len(wire.sent)
    again = wire.wait(0.5)[before:]
    assert again
    assert {message.offset for message in again if isinstance(message, Inspect)} == {10}


def test_an_offer_that_stays_unanswered_is_probed_with_one_part() -> None:
    wire = Wire(Push(replace(SHAPE, frame_bytes=20), 7, resume=False))
    for _ in range(2):
        read_record(wire, info(slot_pages=PAGES, frame_bytes=1056).pack())
    assert isinstance(wire.engine, Push)
    wire.engine.use_bundle(bundle(PAGES), wire.now)
    offered = len(wire.collect())
    assert offered >= 13
    before = len(wire.sent)
    wire.wait(1.0)
    again = [type(message).__name__ for _, _, message in wire.sent[before:]]
    assert again
    assert len(again) < 6


def test_a_connection_that_is_back_asks_for_a_report_at_once_and_sends_no_block_before_it() -> None:
    wire = staging()
    wire.wait(0.1)
    wire.now += 2.0
    wire.engine.reconnected(wire.now)
    said = wire.collect()
    assert [type(message) for message in said] == [Report]
    assert blocks(wire.wait(0.02)[-1:]) == []
    first = blocks(wire.answer(held_up_to(290), wire.index(Report)))[0]
    assert isinstance(first, Block | BlockReport)
    assert first.place == 290


def test_what_a_broken_connection_took_along_is_not_held_against_the_new_one() -> None:
    wire = staging(MAC)
    assert len(blocks(wire.wait(0.0))) == 16
    wire.engine.reconnected(wire.now)
    wire.collect()
    assert len(blocks(wire.answer(held_up_to(0), wire.index(Report)))) == 16


def test_a_question_is_put_again_at_once_over_a_new_connection() -> None:
    wire = Wire(Request(SHAPE, 7, Operation.INFO))
    wire.wait(2.0)
    before = len(wire.sent)
    wire.engine.reconnected(wire.now)
    assert len(wire.collect()) == 1
    assert isinstance(wire.sent[before][2], Inspect)


def test_an_order_is_not_given_twice_because_the_connection_broke() -> None:
    wire = Wire(Request(SHAPE, 7, Operation.REBOOT))
    orders = wire.answer(inspect_reply(Inspect(244, 0, bytes(8)), info()))
    assert [type(message) for message in orders] == [Reboot]
    wire.engine.reconnected(wire.now)
    wire.wait(0.3)
    assert sum(isinstance(message, Reboot) for _, _, message in wire.sent) == 1
    assert isinstance(wire.sent[-1][2], Inspect)


def test_over_a_stream_a_frame_that_broke_off_is_ended_first() -> None:
    engine = Request(LinkShape(None), 7, Operation.INFO)
    engine.wake(0.0)
    engine.bytes_to_send(0.0)
    engine.reconnected(1.0)
    assert engine.bytes_to_send(1.0)[0] == b"\0"


def test_frames_grow_when_the_link_says_so() -> None:
    wire = staging(replace(SHAPE, frame_bytes=20))
    assert {len(message.data) for message in blocks(wire.wait(0.0))} == {8}  # type: ignore[union-attr]
    wire.engine.resized(244, wire.now)
    more = blocks(wire.answer(held_up_to(60), wire.index(BlockReport)))
    assert {len(message.data) for message in more} == {232}  # type: ignore[union-attr]


def test_when_frames_shrink_the_device_is_told_and_blocks_fit_again() -> None:
    wire = staging()
    wire.engine.resized(100, wire.now)
    said = wire.collect()
    assert [message for message in said if isinstance(message, Inspect)] == [Inspect(100, 0, bytes(8))]
    more = blocks(wire.answer(held_up_to(29 * 33), wire.index(BlockReport)))
    assert more
    assert max(len(message.pack()) + 8 for message in more) <= 100


def test_nothing_is_sent_twice_at_the_tail_of_a_link_that_loses_nothing_by_chance() -> None:
    wire = staging(MAC)
    total = PLACES
    wire.answer(held_up_to(total - 29), wire.index(BlockReport))
    before = len(wire.sent)
    wire.wait(0.02)
    assert blocks([message for _, _, message in wire.sent[before:]]) == []


def test_no_pace_is_kept_on_a_message_link_whatever_its_ceiling_is() -> None:
    wire = staging(replace(SHAPE, rate_bytes_per_s=10.0))
    assert len(blocks(wire.wait(0.0))) == 33
