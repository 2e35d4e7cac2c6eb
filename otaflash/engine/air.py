"""Finds out whether the radio is slower than its UART, and at what rate frames get through. Knows no message."""

from __future__ import annotations

from otaflash.engine.loss import LossEstimate
from otaflash.engine.pacing import Pacer
from otaflash.engine.rtt import RoundTrip
from otaflash.engine.transfer import Verdict


class AirWatch:
    """Judges the rate from what reports show."""

    def __init__(self, pacer: Pacer, rtt: RoundTrip) -> None:
        self._pacer = pacer
        self._rtt = rtt

    def report(self, verdict: Verdict, loss: LossEstimate, now: float) -> None:
        """One report's verdict, at its arrival."""
