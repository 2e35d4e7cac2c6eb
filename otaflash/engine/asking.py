"""One request, repeated until it is answered. Knows the channel; decides nothing about the answer."""

from __future__ import annotations

import math
from collections.abc import Callable

from otaflash.engine.channel import Channel, Heard
from otaflash.wire.messages import Message


class Asking:
    """Sends `make()` when due, and again after each time-out with a longer one.

    `extra_s` is added to every time-out: what the device needs to do before it can answer. `repeat_s` bounds the
    time-outs behind the first.
    """

    def __init__(
        self, channel: Channel, make: Callable[[], Message], extra_s: float = 0.0, repeat_s: float = math.inf
    ) -> None:
        self._channel = channel
        self._make = make
        self._extra_s = extra_s
        self._repeat_s = repeat_s
        self._first: int | None = None
        self._newest = -1
        self._due: float | None = None
        self.times = 0

    def poll(self, now: float) -> None:
        """Sends if it is time to."""
        if self._due is not None and now < self._due - 1e-9:
            return
        sequence = self._channel.send(self._make(), now)
        self._newest = sequence
        if self._first is None:
            self._first = sequence
        # Counted from the end of the frame on the line, so that a slow line does not eat the patience.
        timeout_s = self._channel.rtt.timeout_s(self.times) + self._extra_s
        self._due = self._channel.sent_at(sequence) + (min(timeout_s, self._repeat_s) if self.times else timeout_s)
        self.times += 1

    def deadline(self) -> float:
        """When to poll again; in the past before the first time."""
        return 0.0 if self._due is None else self._due

    def answers(self, heard: Heard) -> bool:
        """True if the reply belongs to one of the requests sent here."""
        return self._first is not None and heard.sequence >= self._first

    def answers_newest(self, heard: Heard) -> bool:
        """True if nothing was repeated since: only then the round trip is the link's, not the device's silence."""
        return heard.sequence == self._newest

    def wait_on(self, now: float) -> None:
        """Others asked at the same time are being answered: this one's turn comes."""
        if self._due is not None:
            self._due = max(self._due, now + self._channel.rtt.timeout_s(self.times - 1) + self._extra_s)

    def again_at(self, when: float) -> None:
        """Asks again at `when`, with the patience of a first time."""
        self._due = when
        self.times = 0
