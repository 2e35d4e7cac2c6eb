"""How much may be unreported on a stream whose rate is not known, a TCP bridge or a pty. Knows no message.

What is written there waits in queues that nobody sees. A host that fills them has to wait for all of it before anything
else of its own is heard, and so has the host that comes after it, when a push was refused or killed.
"""

from __future__ import annotations

import math

FIRST_BYTES = 4096
"""Bytes before any report: at 9,600 baud they take 4.3 s, less than a silence that ends a push."""

QUEUE_S = 2.0
"""So much of what the link delivers may be on its way: more than a round trip over a poor radio."""

MEASURED_S = 0.5


class Backlog:
    """Begins small, grows by what is shown to be delivered, up to `QUEUE_S` of the rate measured."""

    def __init__(self, now: float) -> None:
        self.bytes = FIRST_BYTES
        """What may be unreported."""
        self._most: float = math.inf
        self._since = now
        self._delivered = 0

    def delivered(self, count: int, now: float) -> None:
        """A report shows that `count` more bytes have arrived."""
        self._delivered += count
        elapsed = now - self._since
        if elapsed >= MEASURED_S:
            self._most = max(FIRST_BYTES, QUEUE_S * self._delivered / elapsed)
            self._since, self._delivered = now, 0
        self.bytes = int(min(self.bytes + count, self._most))
