"""Brings manifest and signature to the device, in as many parts as frames need. Knows no block."""

from __future__ import annotations

from otaflash.engine.channel import Channel, Heard
from otaflash.wire.messages import Offer, OfferReply

FRAME_OVERHEAD = 10
PARTS_AT_ONCE = 8
"""Of a stream; a message link has its own measure of what may be unanswered."""
COPIES = 2
"""An offer of one part is sent twice where a round trip is long, or after a loss: what follows depends on it."""
LONG_ROUND_TRIP_S = 0.15
TRIES_BEFORE_BACK_OFF = 4


class Offering:
    """Sends the parts from `next` on without waiting, then waits for the answer to the last; a gap shows at once,
    as the device answers every part with the byte that it expects."""

    def __init__(self, channel: Channel, offer: bytes, frame_bytes: int, window_bytes: int) -> None:
        """`window_bytes`: the most wire bytes that may be unanswered; 0: no limit."""
        self.accepted_by: int | None = None
        """The transmission that was answered with acceptance."""
        self._channel = channel
        shape = channel.shape
        most = PARTS_AT_ONCE if shape.stream else shape.unanswered_most()
        room = max(window_bytes // frame_bytes, 1) if window_bytes else most
        self._most_at_once = self._at_once = min(most, room)
        self._offer = offer
        self.resized(frame_bytes)
        self._cursor = 0
        self._expected = 0
        self._parts_out = 0
        self._last: int | None = None
        self._newest = -1
        self._due = 0.0
        self._rounds = 0
        self._offsets: dict[int, int] = {}
        """Of each part sent, by transmission."""

    def resized(self, frame_bytes: int) -> None:
        """The largest frame that may be sent, from now on."""
        self._part_bytes = max(frame_bytes - FRAME_OVERHEAD, 1)

    def due(self, now: float) -> bool:
        """True if a part should go now."""
        if self.accepted_by is not None:
            return False
        if self._may_go_on():
            return True
        if now < self._due - 1e-9:
            return False
        self._restart(self._expected)
        if not self._channel.shape.stream:
            self._at_once = 1  # what is late rather than lost must not be heaped up behind itself
        return True

    def _may_go_on(self) -> bool:
        return self._cursor < len(self._offer) and self._parts_out < self._at_once

    def _restart(self, at: int) -> None:
        self._cursor = at
        self._parts_out = 0

    def again(self) -> None:
        """What was sent and not answered is lost."""
        if self.accepted_by is None:
            self._at_once = self._most_at_once
            self._restart(self._expected)

    @property
    def all_out(self) -> bool:
        """True if every part has been sent: what follows may then be taken."""
        return self.accepted_by is not None or self._cursor >= len(self._offer)

    def deadline(self) -> float | None:
        if self.accepted_by is not None:
            return None
        return 0.0 if self._may_go_on() else self._due

    def send(self, now: float) -> None:
        """Sends the next part of the offer; `now` in seconds."""
        part = self._offer[self._cursor : self._cursor + self._part_bytes]
        self._last = self._channel.send(Offer(self._cursor, part), now)
        self._offsets[self._last] = self._cursor
        self._cursor += len(part)
        self._parts_out += 1
        twice = self._rounds > 0 or self._channel.rtt.estimate_s() > LONG_ROUND_TRIP_S
        twice &= self._channel.shape.stream
        if twice and len(part) == len(self._offer) and self._parts_out < COPIES:
            self._cursor = 0
        if not self._may_go_on():
            timeout_s = self._channel.rtt.timeout_s(max(self._rounds - TRIES_BEFORE_BACK_OFF, 0))
            self._due = self._channel.sent_at(self._last) + timeout_s
            self._rounds += 1

    def shown_missing(self, sequence: int) -> None:
        """The device knows no session, at a request sent after the whole offer: the offer was lost."""
        if self.accepted_by is None and self._last is not None and sequence > self._last and not self._may_go_on():
            self._due = 0.0

    def shown_accepted(self, sequence: int) -> None:
        """A report in this session shows the acceptance, even if its answer was lost."""
        if self.accepted_by is None:
            self.accepted_by = sequence

    def heard(self, heard: Heard, reply: OfferReply, now: float) -> bool:
        """Takes an answer with reason ok; True if the offer is accepted by it."""
        if reply.next >= len(self._offer):
            self.shown_accepted(heard.sequence)
            return True
        if heard.sequence > self._newest:
            self._newest = heard.sequence
            self._at_once = self._most_at_once
            self._due = max(self._due, now + self._channel.rtt.timeout_s())  # the parts behind it are on their way
            # The part that it expects came, and was not taken: it counts in the session of an earlier host.
            foreign = self._offsets.get(heard.sequence) == reply.next
            self._expected = 0 if foreign else reply.next
            if foreign:
                self._restart(0)
            elif heard.sequence == self._last and not (self._cursor == reply.next and self._may_go_on()):
                self._restart(reply.next)
        return False
