"""The engine against a device that says anything: bytes, right frames with anything in them, and what a model of one
would say. The model alone decides whether the image runs; the engine must never say Done where it does not.
"""

from __future__ import annotations

from dataclasses import replace

from otaflash.engine import Done, Event, Failed, NeedBundle, Operation, Push, Request
from otaflash.errors import OtaflashError
from otaflash.wire import FrameReader, decode, encode, on_stream
from otaflash.wire.crc import with_crc
from otaflash.wire.frames import Frame
from otaflash.wire.messages import (
    Apply,
    ApplyReply,
    Block,
    BootState,
    Confirm,
    ConfirmReply,
    Inspect,
    Message,
    OfferReply,
    ReportReply,
    Survey,
    SurveyReply,
)
from tests.engine.peer import NEW_CRC, REPLIES, SHAPE, bundle, info, inspect_reply, new_info

STEPS_MAX = 1500
"""Calls of the engine; each lets at least its own deadline pass, and a push ends 180 s after nothing got further."""
SECONDS_MAX = 3600.0
"""Of the engine's clock: what a device can keep a push busy with, in the longest."""


class Drawn:
    """Bytes from the front; none are left once it says zero."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def bytes(self, count: int) -> bytes:
        return bytes(self.byte() for _ in range(count))

    @property
    def empty(self) -> bool:
        return self._at >= len(self._data)


class Device:
    """The state that Inspect shows, moved by what an honest device moves it by; drawn bytes then twist what is said."""

    def __init__(self, drawn: Drawn) -> None:
        self._drawn = drawn
        self.state = "old"
        """``old``, ``trial`` or ``new``: what runs."""
        self.shown_new = False
        """Inspect said, in right bytes, that the new image runs."""

    def answer(self, request: Message) -> Message | None:
        if isinstance(request, Inspect):
            shown = {
                "old": info(mode=self._drawn.byte() & 1),
                "trial": new_info(boot_state=BootState.TRIAL, mode=1),
                "new": new_info(mode=1),
            }[self.state]
            return inspect_reply(request, shown)
        if isinstance(request, Apply):
            self.state = "trial" if self.state == "old" else self.state
            return ApplyReply(0, 10)
        if isinstance(request, Confirm) and request.image_crc == NEW_CRC and self.state != "old":
            self.state = "new"
            return ConfirmReply(0)
        if isinstance(request, Survey):
            return SurveyReply(0, request.page, b"\xff" * (len(request.digests) // 4))
        if isinstance(request, Block):
            return None
        return REPLIES.get(type(request).__name__)

    def twisted(self, whole: bytes) -> bytes:
        """What comes back for one frame of the host: any bytes, or what a device says, at times a little wrong."""
        frame = decode(whole)
        match self._drawn.byte() % 12:
            case 1:
                return b""
            case 2:
                return self._drawn.bytes(self._drawn.byte() % 64)
            case 3:
                return self._raw(frame.kind | 0x80, frame.session, frame.serial)
            case 4:
                return self._raw(self._drawn.byte() | 0x80, frame.session, frame.serial)
            case how:
                return self._said(frame, how)

    def _said(self, frame: Frame, how: int) -> bytes:
        said = self.answer(frame.message)
        if said is None:
            return b""
        if isinstance(said, ReportReply):
            said = replace(said, last_serial=frame.serial)
        if how == 5:
            said = self._other(said)
        self.shown_new |= isinstance(frame.message, Inspect) and self.state != "old"
        wire = on_stream(encode(said, frame.session, frame.serial))
        if how == 6:
            return wire + wire
        if how == 7:
            at = self._drawn.byte() % len(wire)
            return wire[:at] + self._drawn.bytes(1) + wire[at + 1 :]
        return wire

    def _raw(self, kind: int, session: int, serial: int) -> bytes:
        """A right frame with any body; never one that says, by chance, that the new image runs."""
        if kind == 0x81:
            kind = 0x82
        body = self._drawn.bytes(self._drawn.byte() % 40)
        return on_stream(with_crc(bytes([kind, session & 0xFF, session >> 8, serial]) + body))

    def _other(self, said: Message) -> Message:
        """The same kind of reply with other numbers."""
        number, state = self._drawn.byte(), self._drawn.byte()
        match said:
            case OfferReply():
                return OfferReply(number % 22, 128 * (state & 1), state)
            case ReportReply():
                return ReportReply(number, state % 8 | (state & 0x80), number, state, 0, ())
            case ApplyReply():
                return ApplyReply(number % 22, 256 * state)
            case ConfirmReply():
                return ConfirmReply(number % 22)
            case SurveyReply():
                return SurveyReply(number % 22, state, bytes([number]))
            case _:
                return said


def drive(engine: Push | Request, device: Device) -> Event | None:
    """Until the engine ends, or a limit that it must not reach."""
    now, reader = 0.0, FrameReader()
    for _ in range(STEPS_MAX):
        for event in engine.events():
            if isinstance(event, NeedBundle) and isinstance(engine, Push):
                engine.use_bundle(bundle(), now)
            if isinstance(event, Done | Failed):
                return event
        heard = b"".join(device.twisted(whole) for frame in engine.bytes_to_send(now) for whole in reader.feed(frame))
        if heard:
            now += 0.01
            engine.receive(heard, now)
            continue
        due = engine.next_deadline()
        assert due is not None, "an engine that is not over has a deadline"
        now = max(now, due)
        engine.wake(now)
        assert now < SECONDS_MAX, "the engine does not come to an end"
    return None


def engine(data: bytes) -> None:
    """Done only where the device showed the new image; every failure has a name; an end in bounded time."""
    drawn = Drawn(data)
    kind = drawn.byte() % 8
    device = Device(drawn)
    if kind == 7:
        device.state = "trial"
        request = Request(SHAPE, 7, list(Operation)[drawn.byte() % len(Operation)])
        end = drive(request, device)
    else:
        end = drive(Push(SHAPE, 7, resume=(None, True, False)[kind % 3], confirm=kind < 5), device)
        assert not isinstance(end, Done) or device.shown_new, "Done, and nothing showed the new image"
    if isinstance(end, Failed):
        assert isinstance(end.error, OtaflashError)
        assert end.error.reason
        assert end.error.remedy
