"""When the next frame may go: at the line's rate, a few milliseconds ahead. Knows no message."""

from __future__ import annotations

AHEAD_S = 0.004
"""What may lie queued before the line: little, so that a repair goes out at once; enough for a scheduler's tick."""


class Pacer:
    """Spaces frames by their bytes. `rate` is in bytes per second; None: not known, the window holds back."""

    def __init__(self, rate: float | None) -> None:
        self.line_rate = rate
        self.rate = rate
        self.burst_frames = 1
        self._burst_left = 0
        self._ready_at = 0.0
        self._line_free_at = 0.0

    def sent(self, wire_bytes: int, now: float) -> float:
        """Notes a frame; returns when its last byte leaves on the line."""
        if self.rate is None or self.line_rate is None:
            return now
        self._ready_at = max(self._ready_at, now) + wire_bytes / self.rate
        self._line_free_at = max(self._line_free_at, now) + wire_bytes / self.line_rate
        self._burst_left = self._burst_left - 1 if self._burst_left else self.burst_frames - 1
        return self._line_free_at

    def open_at(self) -> float:
        """When the next frame may be handed to the line."""
        return (self._line_free_at if self._burst_left else self._ready_at) - AHEAD_S

    def may_send(self, now: float) -> bool:
        """Whether the pace lets a frame go at `now`, in seconds."""
        return self.rate is None or now >= self.open_at() - 1e-9

    def idle_at(self) -> float:
        """When the line has sent everything."""
        return self._line_free_at
