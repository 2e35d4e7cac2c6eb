"""Virtual time: a heap of calls to make. Knows no board and no radio."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Timer:
    """One call that is planned; `cancel` it if it shall not be made."""

    __slots__ = ("_call", "at_s")

    def __init__(self, at_s: float, call: Callable[[], None]) -> None:
        self.at_s = at_s
        self._call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """The call will not be made. May come twice."""
        self._call = None

    @property
    def pending(self) -> bool:
        """Whether the call is still to be made."""
        return self._call is not None

    def fire(self) -> bool:
        """Makes the call, once; False if it was cancelled or made before."""
        call, self._call = self._call, None
        if call is None:
            return False
        call()
        return True


class Clock:
    """Time in seconds from 0. Calls planned for one instant are made in the order in which they were planned."""

    __slots__ = ("_heap", "_order", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def at(self, time_s: float, call: Callable[[], None]) -> Timer:
        """Plans a call; a time that has passed means now, after what is planned for now already."""
        timer = Timer(max(time_s, self.now), call)
        heapq.heappush(self._heap, (timer.at_s, next(self._order), timer))
        return timer

    def next_time(self) -> float | None:
        """When the next call is due; None: nothing is planned."""
        while self._heap and not self._heap[0][2].pending:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def step(self) -> bool:
        """Makes the next call and moves to its time; False: nothing is planned."""
        while self._heap:
            time_s, _, timer = heapq.heappop(self._heap)
            if timer.pending:
                self.now = time_s
                return timer.fire()
        return False

    def run_until(self, time_s: float) -> None:
        """Makes every call due up to `time_s`, that instant included, and ends there."""
        while (due := self.next_time()) is not None and due <= time_s:
            self.step()
        self.now = max(self.now, time_s)
