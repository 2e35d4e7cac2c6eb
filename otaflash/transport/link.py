"""What a link is: bytes and a clock. Knows no message. Serial, sim and BLE links all have this shape."""

from __future__ import annotations

from typing import Protocol


class Link(Protocol):
    """A way to one device (or to the one channel that several share).

    Times are seconds of the link's own clock: the monotonic clock for real links, virtual time for simulated ones.

    A link that stands on a connection (BLE) may lose it and get it back: finding the device again is the link's own
    work, done while its caller reads. Its caller sees silence meanwhile: `read` waits for its deadline, `write` drops
    what it gets. When the connection is back (subscribed, the size of its frames known), `connections` has grown by
    one, and the `read` under way returns b"" at once, so that the caller need not wait for a timer to ask again.
    Nothing that was under way before is delivered after that. A link that gives up raises LinkError.
    """

    name: str
    """What the user would type after --port."""

    rate_bytes_per_s: float | None
    """Of a stream: what its slowest line carries (baud / 10 for a UART, also for one behind a BLE module); frames are
    paced to it. Of a message link: the most that its values can carry, for figures only: nothing is paced to it.
    None: not known (sockets, real radios)."""

    stream: bool
    """True: a byte stream, frames are COBS-encoded. False: each write is one frame, and each read gives the
    value of one notification, or nothing."""

    reconnects: bool
    """True: it stands on a connection that it looks for again when it is lost (BLE)."""

    patience_s: float
    """How many seconds the device may be silent before its first word: 10, or what somebody needs to switch it on."""

    @property
    def queue_writes(self) -> int | None:
        """Of a message link: how many writes the host surely holds that are not on the air yet; what is beyond may be
        lost without a word. 16 where that is not known (macOS); None: it holds any number, or makes `write` wait."""
        ...

    @property
    def frame_bytes(self) -> int:
        """Largest frame that one write may carry now; for a stream the protocol's greatest. Of a message link 20 to
        512; it may change at any `read` (the MTU of Windows rises late; a new connection may have another)."""
        ...

    @property
    def connections(self) -> int:
        """How often the link has come up: 1 from its opening on, more after connections that were lost and are back."""
        ...

    def now(self) -> float:
        """Seconds of the link's clock."""
        ...

    def read(self, deadline: float) -> bytes:
        """Waits until bytes are here, the deadline passes (then b""), or `connections` or `frame_bytes` has changed
        (then b"" too, unless bytes are here). Raises LinkError when the link is gone for good."""
        ...

    def write(self, data: bytes) -> None:
        """Queues bytes to be sent; may block until there is room. Raises LinkError when the link is gone for good."""
        ...

    def close(self) -> None:
        """Lets the way to the device go. May come twice."""
        ...


PATIENCE_S = 10.0
"""`Link.patience_s` where nobody states more."""


def pause(link: Link, seconds: float) -> None:
    """Lets time pass on the link; what comes meanwhile is dropped. Raises LinkError."""
    until = link.now() + seconds
    while link.now() < until:
        link.read(until)


def is_simulated(port: str) -> bool:
    """True for the name of a board that lives in this process, runs no program, and has virtual time."""
    return port.startswith("sim:")
