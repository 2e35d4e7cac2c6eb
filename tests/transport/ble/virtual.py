"""An asyncio loop in virtual time: nothing sleeps, and what happens follows from what was planned, in order."""

from __future__ import annotations

import asyncio
from typing import Any

STEPS_MOST = 300_000
"""Turns of one loop: more is a test that does not get on, and is better a failure than a hang."""

ROUNDING_S = 1e-6


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` jumps to the next timer whenever nothing is ready to run."""

    _ready: Any
    _scheduled: Any

    def __init__(self) -> None:
        super().__init__()
        self.set_exception_handler(lambda *_: None)
        self._virtual_s = 0.0
        self._steps = 0

    def time(self) -> float:
        return self._virtual_s

    def _run_once(self) -> None:
        self._steps += 1
        assert self._steps < STEPS_MOST, "virtual time does not get on"
        while self._scheduled and self._scheduled[0]._cancelled:
            self._scheduled_cancelled_popped()
        if not self._ready:
            assert self._scheduled, "everything waits, and nothing is planned: in real time this would be a hang"
        if self._scheduled and (not self._ready or self._scheduled[0]._when <= self._virtual_s + ROUNDING_S):
            # asyncio fires a timer a little early; then its time must have come, or it is planned again for ever.
            self._virtual_s = max(self._virtual_s, self._scheduled[0]._when)
        super()._run_once()  # type: ignore[misc]  # private, and the only place where the loop waits

    def _scheduled_cancelled_popped(self) -> None:
        import heapq  # noqa: PLC0415

        handle = heapq.heappop(self._scheduled)
        handle._scheduled = False
        self._timer_cancelled_count = max(0, getattr(self, "_timer_cancelled_count", 0) - 1)
