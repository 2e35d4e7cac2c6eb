"""What a link is: bytes and a clock. Knows no message. Serial, sim (and later BLE) links all have this shape."""

from __future__ import annotations

from typing import Protocol


class Link(Protocol):
    """A way to one device (or to the one channel that several share).

    Times are seconds of the link's own clock: the monotonic clock for real links, virtual time for simulated ones.
    """

    name: str
    """What the user would type after --port."""

    rate_bytes_per_s: float | None
    """What the local line carries (baud / 10 for a UART); None: not known (sockets)."""

    stream: bool
    """True: a byte stream, frames are COBS-encoded. False: each write is one frame."""

    frame_bytes: int
    """Largest frame that one write may carry; for a stream the protocol's greatest."""

    def now(self) -> float: ...

    def read(self, deadline: float) -> bytes:
        """Waits until bytes are here or the deadline passes (then b""). Raises LinkError when the link is gone."""
        ...

    def write(self, data: bytes) -> None:
        """Queues bytes to be sent; may block until there is room. Raises LinkError when the link is gone."""
        ...

    def close(self) -> None: ...
