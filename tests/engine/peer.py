"""A scripted device: it answers as it was told, request by request, and holds no flash and no state of a bootloader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

from otaflash.engine import Done, Event, Failed, LinkShape, NeedBundle, Offerable, Push, Request
from otaflash.wire import FrameReader, decode, encode, on_stream
from otaflash.wire.messages import (
    BootState,
    ConfirmReply,
    EnterReply,
    Info,
    Inspect,
    InspectReply,
    Message,
    OfferReply,
    RebootReply,
    ReportReply,
    RevertReply,
    Survey,
    SurveyReply,
    TransferState,
)

RATE = 11520.0
SHAPE = LinkShape(RATE)
PAGE, BLOCK = 128, 8
OLD_CRC, NEW_CRC = 0x01D, 0x2E3
VERSION = bytes([2, 0, 0, 0, 0, 0, 0, 0])
DELAY_S = 0.01

Answer = Message | bytes | None
"""A message is sent as the reply, bytes as they are; None: silence."""


def info(**changes: object) -> Info:
    """The record of a small board in its loader, whose old image runs; `changes` by field name."""
    given: dict[str, object] = {field.name: 0 for field in fields(Info)}
    given.update(
        protocol_min=1, protocol_max=1, boot_state=BootState.IDLE, board=b"tiny".ljust(16, b"\0"), uid=b"device-1",
        page_bytes=PAGE, block_bytes=BLOCK, slot_pages=32, frame_bytes=208, encodings=1, schemes=1,
        image_bytes=100, image_crc=OLD_CRC, version=bytes(8), trials_max=3,
    )  # fmt: skip
    given.update(changes)
    return Info(**given)  # type: ignore[arg-type]


def bundle(pages: int = 3) -> Offerable:
    """An image of that many pages; its digests are not looked at here."""
    span = bytes(range(1, 129)) * pages
    return Offerable(bytes(128), span, bytes(4 * pages), len(span) - 32, NEW_CRC, PAGE, VERSION)


def new_info(**changes: object) -> Info:
    """The record of the same board with the bundle's image in place."""
    image = bundle()
    return info(image_bytes=image.image_bytes, image_crc=NEW_CRC, version=VERSION, **changes)


def inspect_reply(request: Inspect, record: Info | bytes) -> InspectReply:
    body = record if isinstance(record, bytes) else record.pack()
    return InspectReply(len(body), request.offset, body[request.offset : request.offset + request.frame_bytes - 10])


HELD = ReportReply(0, TransferState.VERIFIED, 48, 0, 0, ())
REPLIES: dict[str, Message] = {
    "Offer": OfferReply(0, 128, 48),
    "Report": HELD,
    "BlockReport": HELD,
    "Enter": EnterReply(0),
    "Confirm": ConfirmReply(0),
    "Revert": RevertReply(0),
    "Reboot": RebootReply(0),
}
"""What a device says that has no objection."""


class Peer:
    """`answer` gets each request and says what comes back, `DELAY_S` later."""

    def __init__(self, engine: Push | Request, answer: Callable[[Message], Answer]) -> None:
        self.engine = engine
        self.answer = answer
        self.heard: list[Message] = []
        self.sessions: list[int] = []
        """Of each message heard."""
        self.events: list[Event] = []
        self.now = 0.0
        self._reader = FrameReader()
        self._flying: list[tuple[float, bytes]] = []

    def names(self) -> list[str]:
        return [type(message).__name__ for message in self.heard]

    def run(self, limit_s: float = 200.0, use: Offerable | None = None) -> Event | None:
        """Until the engine ends; its last event, or None at the limit."""
        while self.now < limit_s:
            while events := self.engine.events():
                end = self._take(events, use)
                if end is not None:
                    return end
            self._send()
            self._step(limit_s)
        return None

    def _take(self, events: list[Event], use: Offerable | None) -> Event | None:
        for event in events:
            self.events.append(event)
            if isinstance(event, NeedBundle) and isinstance(self.engine, Push):
                self.engine.use_bundle(use or bundle(), self.now)
            if isinstance(event, Done | Failed):
                return event
        return None

    def _send(self) -> None:
        for frame in self.engine.bytes_to_send(self.now):
            for whole in self._reader.feed(frame):
                self._reply(whole)

    def _reply(self, whole: bytes) -> None:
        frame = decode(whole)
        self.heard.append(frame.message)
        self.sessions.append(frame.session)
        answer = self.answer(frame.message)
        if isinstance(answer, ReportReply):
            answer = replace(answer, last_serial=frame.serial)
        if answer is not None:
            raw = answer if isinstance(answer, bytes) else on_stream(encode(answer, frame.session, frame.serial))
            self._flying.append((self.now + DELAY_S, raw))

    def _step(self, limit_s: float) -> None:
        due = self.engine.next_deadline()
        arrival = self._flying[0][0] if self._flying else None
        times = [time for time in (due, arrival) if time is not None]
        self.now = max(self.now, min(times, default=limit_s))
        if arrival is not None and arrival <= self.now:
            self.engine.receive(self._flying.pop(0)[1], self.now)
        else:
            self.engine.wake(self.now)


def device(inspects: list[Info | bytes], **replies: Answer) -> Callable[[Message], Answer]:
    """Answers Inspects with `inspects` in turn (the last for ever), the rest with `replies` or what is usual."""

    def answer(request: Message) -> Answer:
        name = type(request).__name__
        if isinstance(request, Inspect):
            record = inspects.pop(0) if len(inspects) > 1 else inspects[0]
            return inspect_reply(request, record)
        if isinstance(request, Survey) and name not in replies:
            return SurveyReply(0, request.page, b"\xff" * (len(request.digests) // 4))
        return replies[name] if name in replies else REPLIES.get(name)

    return answer
