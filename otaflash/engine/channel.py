"""Frames out with serials, replies in with what they answer: the one file of the engine that touches bytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from otaflash.engine.pacing import Pacer
from otaflash.engine.rtt import RoundTrip
from otaflash.engine.sizing import PACKET_BYTES
from otaflash.wire import FrameReader, WireError, decode, encode, on_stream
from otaflash.wire.messages import FRAME_GREATEST, Inspect, Message

SERIALS = 256
UNANSWERED_LEAST = 16
UNANSWERED_BYTES = 8192
UNANSWERED_MOST = 64
"""Writes of a message link that no answer has overtaken: an accepted write is no sign that it went out, and what waits
in a host's queue is lost when the connection breaks. So many bytes bridge a program's own delays on the fastest air."""


@dataclass(frozen=True, slots=True)
class LinkShape:
    """What an engine must know of its link: the fields of ``transport.Link`` that matter to it."""

    rate_bytes_per_s: float | None
    stream: bool = True
    frame_bytes: int = FRAME_GREATEST
    queue_writes: int | None = None
    reconnects: bool = False
    """The link looks for a lost board by itself, which may take longer than silence may last elsewhere."""
    patience_s: float = 10.0
    """How long the device may be silent before its first word."""

    def pacing_rate(self) -> float | None:
        """What frames are spaced to, in bytes per second; a message link is held back by what is unanswered."""
        return self.rate_bytes_per_s if self.stream else None

    def unanswered_most(self) -> int:
        """How many writes of a message link may be unanswered."""
        wanted = min(max(UNANSWERED_BYTES // self.frame_bytes, UNANSWERED_LEAST), UNANSWERED_MOST)
        return wanted if self.queue_writes is None else max(min(wanted, self.queue_writes), 1)

    def reply_bytes(self) -> int:
        """The longest reply to ask for: one radio packet on a stream, whose COBS byte and zero come on top."""
        return PACKET_BYTES - 2 if self.stream else self.frame_bytes


def with_lead(wire: bytes) -> bytes:
    """The frame with one zero of its padding in front, if it has any.

    A frame of several packets that loses the last of them loses its end too, and would take the next one along.
    """
    return b"\0" + wire[:-1] if wire.endswith(b"\0\0") else wire


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply. `sequence` counts the host's transmissions from 0, without wrapping."""

    sequence: int
    message: Message
    round_trip_s: float


class Channel:
    """One host's side of one link. Replies of another session, and echoes, are dropped and counted."""

    def __init__(self, shape: LinkShape, session: int) -> None:
        self.shape = shape
        self.session = session
        self.pacer = Pacer(shape.pacing_rate())
        self.rtt = RoundTrip(shape.pacing_rate())
        self.wire_bytes_down = 0
        self.wire_bytes_up = 0
        self.heard_at: float | None = None
        self.echoes = 0
        self.aligned = False
        """True while blocks stream: every frame then fills whole radio packets, lest the next ones straddle two."""
        self.next_sequence = 0
        self._begun = 0
        self._reader = FrameReader(stream=shape.stream)
        self._sent_at: deque[float] = deque(maxlen=SERIALS)
        self._session_began = 0
        self._outgoing: list[bytes] = []
        self._answered = 0
        """One more than the latest transmission answered: a link that keeps order has sent all before it."""

    def new_session(self) -> None:
        """What was said before is not answered to this session. Sessions are 1 to 65535."""
        self.session = self.session % 0xFFFF + 1
        self._session_began = self.next_sequence

    def send(self, message: Message, now: float) -> int:
        """Queues a frame; returns its sequence number."""
        frame = self.encoded(message)
        if not self.shape.stream:
            return self.put(frame, now)
        wire = on_stream(frame)
        if self.aligned:
            wire = with_lead(wire + bytes(-(self._in_packet(now) + len(wire)) % PACKET_BYTES))
        return self.put(wire, now)

    def _in_packet(self, now: float) -> int:
        """Bytes of the radio packet under way; none once the line fell idle: then it is sent off."""
        return 0 if self.pacer.idle_at() < now else self._begun

    def encoded(self, message: Message) -> bytes:
        """The frame that `send` would make, for callers that must see how long it gets on the wire."""
        return encode(message, self.session, self.next_sequence % SERIALS)

    def put(self, wire: bytes, now: float) -> int:
        """Queues the bytes of a frame made by `encoded`; returns its sequence number."""
        self._begun = (self._in_packet(now) + len(wire)) % PACKET_BYTES
        self._outgoing.append(wire)
        self.wire_bytes_down += len(wire)
        self._sent_at.append(self.pacer.sent(len(wire), now))
        self.next_sequence += 1
        return self.next_sequence - 1

    def may_write(self) -> bool:
        """False while a message link has as many writes unanswered as it may. Requests are few and exempt."""
        return self.shape.stream or self.next_sequence - self._answered < self.shape.unanswered_most()

    def resized(self, frame_bytes: int, now: float) -> None:
        """Writes take another size from now on. The device must know, if its replies no longer fit."""
        shorter = frame_bytes < self.shape.reply_bytes()
        self.shape = replace(self.shape, frame_bytes=frame_bytes)
        if shorter and self.next_sequence:
            self.send(Inspect(self.shape.reply_bytes(), 0, bytes(8)), now)

    def reconnected(self) -> None:
        """Nothing sent before will be answered; a frame that broke off must not take the next one along."""
        self._answered = self.next_sequence
        if self.shape.stream:
            self._reader.feed(b"\0")
            self._outgoing.append(b"\0")

    def take_outgoing(self) -> list[bytes]:
        """The frames to send now, in order; each is given once."""
        frames, self._outgoing = self._outgoing, []
        return frames

    def receive(self, data: bytes, now: float) -> list[Heard]:
        """The replies that `data` completes, in order."""
        self.wire_bytes_up += len(data)
        heard = []
        for frame in self._reader.feed(data):
            reply = self._reply(frame, now)
            if reply is not None:
                heard.append(reply)
        return heard

    def _reply(self, frame: bytes, now: float) -> Heard | None:
        try:
            decoded = decode(frame)
        except WireError:
            return None
        if not decoded.is_reply:
            self.echoes += 1
            return None
        if decoded.session != self.session:
            return None
        newest = self.next_sequence - 1
        sequence = newest - (newest - decoded.serial) % SERIALS
        if sequence < self._session_began:
            return None
        self.heard_at = now
        self._answered = max(self._answered, sequence + 1)
        return Heard(sequence, decoded.message, now - self.sent_at(sequence))

    def sent_at(self, sequence: int) -> float:
        """When the last byte of a transmission left on the line; of one that is too old, the oldest known."""
        behind = self.next_sequence - sequence
        return self._sent_at[-min(max(behind, 1), len(self._sent_at))]

    def sequence_of(self, serial: int, answered: int) -> int:
        """The transmission with that serial that is nearest to `answered`, as a report names it."""
        return answered + (serial - answered + SERIALS // 2) % SERIALS - SERIALS // 2

    def damaged(self) -> int:
        """Frames that came and were none."""
        return self._reader.damaged
