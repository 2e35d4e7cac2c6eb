"""A link whose reader can be stopped from another thread. Knows no message."""

from __future__ import annotations

import threading
from collections.abc import Callable

from otaflash.session import interrupted
from otaflash.transport.link import Link

SLICE_S = 0.05
"""How long a read may take before it looks whether it shall stop."""


class StoppableLink:
    """A `Link` (otaflash.transport.link) over another one; `stop` ends whatever reads or writes, or will next."""

    def __init__(self, link: Link, on_data: Callable[[bytes], None] = lambda data: None) -> None:
        """`on_data` gets a copy of whatever is read."""
        self.inner = link
        self._on_data = on_data
        self.name = link.name
        self.rate_bytes_per_s = link.rate_bytes_per_s
        self.stream = link.stream
        self.reconnects = link.reconnects
        self.patience_s = link.patience_s
        self._stopped = threading.Event()

    def stop(self) -> None:
        """The read or write under way, or the next one, raises OtaflashError: interrupted. From any thread."""
        self._stopped.set()

    def go_on(self) -> None:
        """Takes `stop` back."""
        self._stopped.clear()

    @property
    def queue_writes(self) -> int | None:
        return self.inner.queue_writes

    @property
    def frame_bytes(self) -> int:
        return self.inner.frame_bytes

    @property
    def connections(self) -> int:
        return self.inner.connections

    def now(self) -> float:
        return self.inner.now()

    def read(self, deadline: float) -> bytes:
        """As the link's own, in slices. Raises OtaflashError: interrupted, and LinkError."""
        before = self.connections, self.frame_bytes
        while True:
            self._look()
            data = self.inner.read(min(deadline, self.now() + SLICE_S))
            if data:
                self._on_data(data)
            if data or self.now() >= deadline or (self.connections, self.frame_bytes) != before:
                return data

    def write(self, data: bytes) -> None:
        """As the link's own. Raises OtaflashError: interrupted, and LinkError."""
        self._look()
        self.inner.write(data)

    def close(self) -> None:
        self.inner.close()

    def _look(self) -> None:
        if self._stopped.is_set():
            raise interrupted()
