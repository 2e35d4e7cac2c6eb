"""A set of places kept as sorted runs: 30,000 blocks cost a few integers. Knows only numbers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Runs:
    """Disjoint, sorted, half-open runs of integers; touching runs are merged."""

    __slots__ = ("_starts", "_stops")

    def __init__(self, runs: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []
        for start, stop in runs:
            self.add(start, stop)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(list(zip(self._starts, self._stops, strict=True)))

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Runs) and self._starts == other._starts and self._stops == other._stops

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Runs({list(self)})"

    def count(self) -> int:
        """How many integers are in the set."""
        return sum(self._stops) - sum(self._starts)

    def first(self) -> tuple[int, int] | None:
        """The lowest run, or None."""
        return (self._starts[0], self._stops[0]) if self._starts else None

    def last_stop(self) -> int:
        """One past the highest integer; 0 when empty."""
        return self._stops[-1] if self._stops else 0

    def add(self, start: int, stop: int) -> None:
        """Takes `start` up to but not including `stop` in; joins what touches."""
        if start >= stop:
            return
        low = bisect_left(self._stops, start)
        high = bisect_right(self._starts, stop)
        if low < high:
            start = min(start, self._starts[low])
            stop = max(stop, self._stops[high - 1])
        self._starts[low:high] = [start]
        self._stops[low:high] = [stop]

    def remove(self, start: int, stop: int) -> None:
        """Takes `start` up to but not including `stop` out; splits what it cuts through."""
        if start >= stop:
            return
        low = bisect_right(self._stops, start)
        high = bisect_left(self._starts, stop)
        if low >= high:
            return
        before, after = self._starts[low], self._stops[high - 1]
        starts, stops = [], []
        if before < start:
            starts.append(before)
            stops.append(start)
        if stop < after:
            starts.append(stop)
            stops.append(after)
        self._starts[low:high] = starts
        self._stops[low:high] = stops

    def overlaps(self, start: int, stop: int) -> bool:
        """True if any of start..stop-1 is in the set."""
        at = bisect_right(self._stops, start)
        return at < len(self._starts) and self._starts[at] < stop

    def within(self, start: int, stop: int) -> list[tuple[int, int]]:
        """The parts of start..stop-1 that are in the set."""
        low = bisect_right(self._stops, start)
        high = bisect_left(self._starts, stop)
        pairs = zip(self._starts[low:high], self._stops[low:high], strict=True)
        return [(max(first, start), min(last, stop)) for first, last in pairs]

    def copy(self) -> Runs:
        """A set of its own with the same numbers."""
        twin = Runs()
        twin._starts = self._starts.copy()
        twin._stops = self._stops.copy()
        return twin
