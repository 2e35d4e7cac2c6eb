"""Round trips: measured, smoothed, turned into time-outs. Knows no baud rate and no message."""

from __future__ import annotations

FIRST_GUESSES_S = (0.05, 0.1, 0.2, 0.3)
"""Short and soon not longer: a late answer still counts, and on a bad link the first word must not wait for seconds."""
FIRST_WIRE_BYTES = 250
"""Inspect and its answer, which a slow line needs time for."""
LEAST_MARGIN_S = 0.003
BACK_OFF_DOUBLINGS = 2
"""Requests are small and one at a time: they congest nothing, and where half of the packets are lost most repeats are
for loss. Doubled at every second repeat up to this."""
LONGEST_S = 1.0
LONGEST_EVER_S = 5.0


class RoundTrip:
    """Smoothed round trip and its variation (Jacobson and Karels 1988, as in RFC 6298), in seconds.

    `stall_s` is the longest time for which one frame may keep the device from answering; it is added to every time-out.
    """

    def __init__(self, rate: float | None = None) -> None:
        self._first_wire_s = FIRST_WIRE_BYTES / rate if rate else 0.0
        self.smoothed_s: float | None = None
        self.variation_s = 0.0
        self.stall_s = 0.0

    def sample(self, seconds: float) -> None:
        """One request answered after `seconds`, counted from its last byte on the line."""
        seconds = max(seconds, 0.0)
        if self.smoothed_s is None:
            self.smoothed_s = seconds
            # Half of the first sample (RFC 6298) would triple the first time-out; a radio link varies by milliseconds.
            self.variation_s = seconds / 8
            return
        self.variation_s += (abs(seconds - self.smoothed_s) - self.variation_s) / 4
        self.smoothed_s += (seconds - self.smoothed_s) / 8

    def estimate_s(self) -> float:
        """The smoothed round trip, or the last of the first guesses."""
        return FIRST_GUESSES_S[-1] + self._first_wire_s if self.smoothed_s is None else self.smoothed_s

    def timeout_s(self, repeats: int = 0) -> float:
        """How long to wait for an answer that was asked for `repeats` times before."""
        if self.smoothed_s is None:
            return FIRST_GUESSES_S[min(repeats, len(FIRST_GUESSES_S) - 1)] + self._first_wire_s
        first = self.smoothed_s + max(4 * self.variation_s, LEAST_MARGIN_S) + self.stall_s
        patience = 2.0 ** min(repeats // 2, BACK_OFF_DOUBLINGS)
        return min(first * patience, max(LONGEST_S, min(first, LONGEST_EVER_S)))
