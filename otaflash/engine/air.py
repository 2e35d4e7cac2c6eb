"""Finds out by experiment whether the radio is slower than its UART, and paces to it. Knows no message.

A transparent radio drops what does not fit its buffer, so a sender at the UART's rate loses most of its frames: that
looks like a bad link, and is none. A lower rate tells the two apart; a search finds the best one.
"""

from __future__ import annotations

from enum import Enum, auto

from otaflash.engine.loss import LossEstimate
from otaflash.engine.pacing import Pacer
from otaflash.engine.rtt import RoundTrip
from otaflash.engine.sizing import MULTIPLES
from otaflash.engine.transfer import Verdict

EPOCH_FRAMES = 20
SEARCH_FRAMES = 12
TRIAL_PARTS = (0.75, 0.375)
"""Of the line's rate, tried one after the other."""
PLAIN_LOST = 12
"""So many lost frames need no more of the epoch."""
SUSPECT_LOSS = 0.5
"""In two epochs on end, or in three where something was once delivered at the line's rate."""
PLAIN_LOSS = 0.8
"""Enough in one epoch."""
FALLS_TO = 0.4
"""The loss must fall to this part of what it was for the slower rate to be kept."""
PACED_PACKETS = 2
SETTLING_FRAMES = 3
"""After a change of the rate the radio's buffer may still be full."""
SETBACKS_MAX = 2
TOLERATED_LOSS = 0.1
PROOF_RATE = 0.88
PROOF_WINDOW_S = 0.1
PROOF_LASTS_S = 3.0
FIRST_REST_S = 1.0
SEARCH_ENDS = 0.03
LOOK_UP_EVERY_S = 10.0


class _Mode(Enum):
    FULL = auto()
    TRIAL = auto()
    SEARCH = auto()


class AirWatch:
    """Judges the rate from what reports show, and sets the pacer's. Does nothing where the line's rate is not known."""

    def __init__(self, pacer: Pacer, rtt: RoundTrip, loss: LossEstimate) -> None:
        self._pacer = pacer
        self._rtt = rtt
        self._loss = loss
        self._mode = _Mode.FULL
        self._lost = self._seen = 0
        self._next_sequence = self._counts_from = 0
        self._loss_before = 0.0
        self._tolerated = 0.0
        self._works = 0.0
        self._fails = 0.0
        self._suspicion = 0
        self._setbacks = 0
        self._steady_since: float | None = None
        self._rest_s = FIRST_REST_S
        self._rest_until = 0.0
        self._window_began: float | None = None
        self._window_bytes = 0
        self._proven_until = 0.0

    def report(self, verdict: Verdict, next_sequence: int, now: float) -> None:
        """One report's verdict, at its arrival; `next_sequence` is what the host sends next."""
        line = self._pacer.line_rate
        if line is None or not verdict.fates:
            return
        self._next_sequence = next_sequence
        self._look_for_proof(verdict, line, now)
        counted = [arrived for sequence, arrived in verdict.fates if sequence >= self._counts_from]
        self._seen += len(counted)
        self._lost += counted.count(False)
        epoch = EPOCH_FRAMES if self._mode is _Mode.FULL else SEARCH_FRAMES
        if self._seen >= epoch or self._lost >= PLAIN_LOST:
            loss = self._lost / self._seen
            self._seen = self._lost = 0
            self._judge(loss, line, now)

    def frame_packets(self) -> int:
        """The longest frame, in packets: what is paced must not overrun the radio's buffer of two packets by itself."""
        return MULTIPLES[-1] if self._mode is _Mode.FULL else PACED_PACKETS

    def _look_for_proof(self, verdict: Verdict, line: float, now: float) -> None:
        """What was once delivered at the line's rate came through an air that is as fast."""
        if self._window_began is None:
            self._window_began = now
            return
        self._window_bytes += verdict.delivered_bytes
        elapsed = now - self._window_began
        if elapsed >= PROOF_WINDOW_S:
            if self._window_bytes >= PROOF_RATE * line * elapsed:
                self._proven_until = now + PROOF_LASTS_S
            self._window_began, self._window_bytes = now, 0

    def _judge(self, loss: float, line: float, now: float) -> None:
        match self._mode:
            case _Mode.FULL:
                self._judge_full(loss, line, now)
            case _Mode.TRIAL:
                self._judge_trial(loss, line, now)
            case _Mode.SEARCH:
                self._judge_search(loss, line, now)

    def _judge_full(self, loss: float, line: float, now: float) -> None:
        proven = now < self._proven_until
        self._suspicion = self._suspicion + 1 if loss > SUSPECT_LOSS else 0
        plain = loss > PLAIN_LOSS and not proven
        if (plain or self._suspicion >= 2 + proven) and now >= self._rest_until:
            self._suspicion = 0
            self._mode = _Mode.TRIAL
            self._loss_before = loss
            self._setbacks = 0
            self._works, self._fails = 0.0, line
            self._set(line * TRIAL_PARTS[0])

    def _judge_trial(self, loss: float, line: float, now: float) -> None:
        if loss > max(FALLS_TO * self._loss_before, TOLERATED_LOSS):
            rate = self._pacer.rate or line
            if rate > line * TRIAL_PARTS[-1]:
                self._fails = rate
                self._set(line * TRIAL_PARTS[-1])
            else:
                self._give_up_search(line, now)
            return
        self._mode = _Mode.SEARCH
        self._tolerated = loss + TOLERATED_LOSS
        self._loss.forget()
        self._judge_search(loss, line, now)

    def _give_up_search(self, line: float, now: float) -> None:
        """The loss is the link's own: pacing does not help."""
        self._mode = _Mode.FULL
        self._rest_until = now + self._rest_s
        self._rest_s *= 2
        self._set(line)

    def _judge_search(self, loss: float, line: float, now: float) -> None:
        rate = self._pacer.rate or line
        if loss > self._tolerated:
            self._step_back(rate, line, now)
            return
        self._setbacks = 0
        self._works = max(self._works, rate)
        if self._fails - self._works > SEARCH_ENDS * line:
            self._steady_since = None
            self._set((self._works + self._fails) / 2)
        elif self._steady_since is None:
            self._steady_since = now
        elif now - self._steady_since > LOOK_UP_EVERY_S:
            self._steady_since = None
            self._fails = min(self._fails * (1 + 2 * SEARCH_ENDS), line)

    def _step_back(self, rate: float, line: float, now: float) -> None:
        self._setbacks += rate <= self._works
        if self._setbacks > SETBACKS_MAX:
            self._give_up_search(line, now)
            return
        if rate <= self._works:
            self._works = rate * (1 - 2 * SEARCH_ENDS)
        self._fails = rate
        self._set(self._works)

    def _set(self, rate: float) -> None:
        """What was sent at the old rate does not count."""
        self._pacer.rate = rate
        self._counts_from = self._next_sequence + SETTLING_FRAMES
        self._seen = self._lost = 0
