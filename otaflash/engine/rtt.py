"""Round trips: measured, smoothed, turned into time-outs. Knows no baud rate and no message."""

from __future__ import annotations

FIRST_GUESS_S = 1.0
LEAST_MARGIN_S = 0.003
LONGEST_S = 5.0


class RoundTrip:
    """Smoothed round trip and its variation (Jacobson and Karels 1988, as in RFC 6298), in seconds.

    `stall_s` is the longest time for which one frame may keep the device from answering; it is added to every time-out.
    """

    def __init__(self) -> None:
        self.smoothed_s: float | None = None
        self.variation_s = 0.0
        self.least_s = FIRST_GUESS_S
        self.stall_s = 0.0

    def sample(self, seconds: float) -> None:
        """One request answered after `seconds`, counted from its last byte on the line."""
        seconds = max(seconds, 0.0)
        if self.smoothed_s is None:
            self.smoothed_s = seconds
            # Half of the first sample (RFC 6298) would triple the first time-out; a radio link varies by milliseconds.
            self.variation_s = seconds / 8
            self.least_s = seconds
            return
        self.variation_s += (abs(seconds - self.smoothed_s) - self.variation_s) / 4
        self.smoothed_s += (seconds - self.smoothed_s) / 8
        self.least_s = min(self.least_s, seconds)

    def estimate_s(self) -> float:
        """The smoothed round trip, or the first guess."""
        return FIRST_GUESS_S if self.smoothed_s is None else self.smoothed_s

    def timeout_s(self, repeats: int = 0) -> float:
        """How long to wait for an answer that was asked for `repeats` times before."""
        if self.smoothed_s is None:
            first = FIRST_GUESS_S
        else:
            first = self.smoothed_s + max(4 * self.variation_s, LEAST_MARGIN_S) + self.stall_s
        return float(min(first * 2 ** min(repeats, 6), max(LONGEST_S, first)))
