"""Boards of the API's tests: simulated, and one whose line can be held in the middle of a push."""

from __future__ import annotations

import time
from pathlib import Path

from otaflash.transport.simlink import SimLink, open_sim

ROOT = Path(__file__).resolve().parents[2]
BLINK = ROOT / "firmware/app/blink/blink-1.1.0.hex"
URL = "sim:atmega328p?rate=57600&delay=30ms&seed=7"


class HeldLink:
    """A simulated link that stands still, in virtual time, once so many bytes were written, until it is freed."""

    def __init__(self, url: str = URL, *, hold_after_bytes: int | None = None) -> None:
        self.sim: SimLink = open_sim(url)
        self.name = self.sim.name
        self.rate_bytes_per_s = self.sim.rate_bytes_per_s
        self.stream = self.sim.stream
        self.reconnects = self.sim.reconnects
        self.patience_s = 10.0
        self.queue_writes = self.sim.queue_writes
        self.hold_after_bytes = hold_after_bytes
        self.written_bytes = 0
        self.closed = False

    @property
    def frame_bytes(self) -> int:
        return self.sim.frame_bytes

    @property
    def connections(self) -> int:
        return self.sim.connections

    def now(self) -> float:
        return self.sim.now()

    def read(self, deadline: float) -> bytes:
        if self.hold_after_bytes is not None and self.written_bytes >= self.hold_after_bytes:
            time.sleep(0.001)
            return b""
        return self.sim.read(deadline)

    def write(self, data: bytes) -> None:
        self.written_bytes += len(data)
        self.sim.write(data)

    def close(self) -> None:
        self.closed = True
        self.sim.close()

    @property
    def flash(self) -> bytes:
        """What the board holds, looked at from outside."""
        assert self.sim.board is not None
        return bytes(self.sim.board.flash)

    @property
    def operations(self) -> int:
        """Flash operations in this boot."""
        assert self.sim.board is not None
        return self.sim.board.operations
