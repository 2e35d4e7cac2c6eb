"""Which pages of the image the device already has: asks with digests, page by page, some to a frame. Knows no block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from otaflash.engine.asking import Asking
from otaflash.engine.channel import Channel, Heard
from otaflash.wire.messages import TABLE_DIGEST_BYTES, Reason, Survey, SurveyReply

FRAME_OVERHEAD = 10
FIRST_GUESS_S_PER_BYTE = 1e-4
"""A slow AVR's time for SHA-256; measured with the first answer."""
BYTES_AT_ONCE = 16_384
"""Of flash in one request: the device may be deaf while it digests them."""
PAGES_AT_ONCE = 8
"""A device answers for no more of them in one reply (PROTOCOL.md, section 5)."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Pages first..first+len(agrees)-1, and which agree. `sequence`: the transmission answered."""

    first: int
    agrees: tuple[bool, ...]
    sequence: int


class Surveying:
    """Goes over pages `first` to `stop`-1, one request at a time; `on_answer` gets each answer."""

    def __init__(
        self,
        channel: Channel,
        table: bytes,
        page_bytes: int,
        frame_bytes: int,
        on_answer: Callable[[Agreement], None],
    ) -> None:
        self.answered_at = 0
        self._channel = channel
        self._table = table
        self._page_bytes = page_bytes
        self.resized(frame_bytes)
        self._on_answer = on_answer
        self._s_per_byte = FIRST_GUESS_S_PER_BYTE
        self._next = self._stop = self._count = 0
        self._asking: Asking | None = None

    def resized(self, frame_bytes: int) -> None:
        """The largest frame that may be sent, from the next request on."""
        fitting = min((frame_bytes - FRAME_OVERHEAD) // TABLE_DIGEST_BYTES, BYTES_AT_ONCE // self._page_bytes)
        self._most = max(1, min(fitting, PAGES_AT_ONCE))

    def begin(self, first: int, stop: int) -> None:
        """Asks about the pages from `first` up to but not including `stop`."""
        self._next, self._stop = first, stop
        self._ask()

    def end(self) -> None:
        """Asks no more; a late answer is nobody's."""
        self._asking = None

    @property
    def active(self) -> bool:
        """Whether an answer is awaited."""
        return self._asking is not None

    @property
    def unanswered(self) -> int:
        """How often the present request was sent."""
        return 0 if self._asking is None else self._asking.times

    def _ask(self) -> None:
        first, count = self._next, min(self._most, self._stop - self._next)
        self._count = count
        if count <= 0:
            self._asking = None
            return
        digests = self._table[first * TABLE_DIGEST_BYTES : (first + count) * TABLE_DIGEST_BYTES]
        extra_s = count * self._page_bytes * self._s_per_byte
        self._asking = Asking(self._channel, lambda: Survey(first, digests), extra_s)

    def poll(self, now: float) -> None:
        if self._asking is not None:
            self._asking.poll(now)

    def deadline(self) -> float | None:
        return None if self._asking is None else self._asking.deadline()

    def again(self, now: float) -> None:
        if self._asking is not None:
            self._asking.again_at(now)

    def heard(self, heard: Heard, reply: SurveyReply) -> None:
        asking = self._asking
        if asking is None or not asking.answers(heard) or reply.page != self._next or reply.reason != Reason.OK:
            return
        if len(reply.agree) * 8 < self._count:
            return
        worked_s = max(heard.round_trip_s - self._channel.rtt.estimate_s(), 0.0)
        self._s_per_byte = 1.5 * worked_s / (self._count * self._page_bytes) + 1e-6
        bits = int.from_bytes(reply.agree, "little")
        answer = Agreement(self._next, tuple(bool(bits >> n & 1) for n in range(self._count)), heard.sequence)
        self._next += self._count
        self._ask()
        self._on_answer(answer)
