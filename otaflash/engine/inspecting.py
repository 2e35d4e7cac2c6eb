"""Asks a device who it is, in as many parts as its record takes. Knows no update."""

from __future__ import annotations

from collections.abc import Callable

from otaflash.engine import failures
from otaflash.engine.asking import Asking
from otaflash.engine.channel import Channel, Heard
from otaflash.engine.sizing import BLOCK_OVERHEAD
from otaflash.errors import OtaflashError
from otaflash.wire.messages import FRAME_LEAST, PROTOCOL_VERSION, Info, Inspect, InspectReply

ANY = bytes(8)
FIRST_S = 1.0
"""The first Inspect is repeated before its answer can be there: up to so long, it is the round trip all the same."""
REPEAT_S = 0.4
"""However long answers took: a loader that comes back listens for a second or less, and must be asked within that."""


class Inspecting:
    """Calls `on_info` with the record; what is believed about the running image comes from here alone.

    A record that came in several parts is read again until two agree: the device may have restarted between parts."""

    def __init__(
        self,
        channel: Channel,
        on_info: Callable[[Info, float], None],
        on_error: Callable[[OtaflashError], None],
        *,
        target: bytes = ANY,
        not_before: float = 0.0,
        awaited: str = "an answer to Inspect",
    ) -> None:
        self.awaited = awaited
        self._channel = channel
        self._on_info = on_info
        self._on_error = on_error
        self._target = target
        self._parts: dict[int, bytes] = {}
        self._previous: bytes | None = None
        self._asked: dict[int, Asking] = {}
        """What is not answered yet, by offset."""
        self._ask(0).again_at(not_before)

    def _ask(self, offset: int) -> Asking:
        asking = Asking(
            self._channel,
            lambda: Inspect(self._channel.shape.reply_bytes(), offset, self._target),
            repeat_s=REPEAT_S,
        )
        self._asked[offset] = asking
        return asking

    def poll(self, now: float) -> None:
        for asking in self._due_ones():
            asking.poll(now)

    def deadline(self) -> float:
        return min(asking.deadline() for asking in self._due_ones())

    def _due_ones(self) -> list[Asking]:
        """All are asked for at once; of those that stay unanswered only one at a time is asked for again."""
        asked = list(self._asked.values())
        return asked[:1] + [asking for asking in asked[1:] if not asking.times]

    def again(self, now: float) -> None:
        """Over a new connection the device may be another program, so nothing that it said before counts."""
        self._previous = None
        self._read(now)

    def heard(self, heard: Heard, now: float) -> None:
        reply = heard.message
        if not isinstance(reply, InspectReply) or reply.offset not in self._asked:
            return
        asking = self._asked[reply.offset]
        if not asking.answers(heard):
            return
        rtt = self._channel.rtt
        if asking.answers_newest(heard) or (rtt.smoothed_s is None and heard.round_trip_s < FIRST_S):
            rtt.sample(heard.round_trip_s)
        if not reply.part:
            return
        del self._asked[reply.offset]
        for other in self._asked.values():
            other.wait_on(now)
        self._parts[reply.offset] = reply.part
        if reply.offset == 0:
            for offset in range(len(reply.part), reply.total, len(reply.part)):
                self._ask(offset)
        if not self._asked:
            self._look_at_record(reply.total, now)
        self.poll(now)

    def _look_at_record(self, total: int, now: float) -> None:
        """Every part asked for is here."""
        record = b""
        while len(record) < total and len(record) in self._parts:
            record += self._parts[len(record)]
        if len(record) < total:
            self._ask(len(record))
        elif len(self._parts) > 1 and record != self._previous:
            self._previous = record
            self._read(now)
        else:
            self._finish(record, now)

    def _read(self, now: float) -> None:
        """Reads the record from its beginning."""
        self._parts.clear()
        self._asked.clear()
        self._ask(0).again_at(now)

    def _finish(self, record: bytes, now: float) -> None:
        lowest, highest = (record[0], record[1]) if len(record) > 1 else (0, 0)
        if not lowest <= PROTOCOL_VERSION <= highest:
            self._on_error(failures.protocol(lowest, highest))
        elif len(record) < Info.BYTES:
            self._on_error(failures.bad_info(f"its record has {len(record)} bytes, {Info.BYTES} are the least"))
        else:
            self._checked(Info.unpack(record), now)

    def _checked(self, info: Info, now: float) -> None:
        block, page = info.block_bytes, info.page_bytes
        if not block or not page or page % block or info.frame_bytes < max(FRAME_LEAST, block + BLOCK_OVERHEAD):
            self._on_error(failures.bad_info(f"pages of {page}, blocks of {block}, frames of {info.frame_bytes} bytes"))
            return
        self._channel.rtt.stall_s = info.stall_ms / 1000
        self._on_info(info, now)
