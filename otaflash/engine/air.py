"""Finds out by experiment whether the radio is slower than its UART, and paces to it. Knows no message.

A transparent radio drops what does not fit its buffer, so a sender at the UART's rate loses most of its frames: that
looks like a bad link, and is none. A lower rate tells the two apart; short trains of
frames at higher ones find the best.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from otaflash.engine.loss import LossEstimate
from otaflash.engine.pacing import Pacer
from otaflash.engine.rtt import RoundTrip
from otaflash.engine.sizing import MULTIPLES
from otaflash.engine.transfer import Verdict

EPOCH_FRAMES = 20
TRIAL_FRAMES = 4
STEADY_FRAMES = 24
TRAIN_FRAMES = 4
"""A higher rate is tried with so many frames; what follows goes at the rate that works until the verdict is there."""
TRAIN_LOSS = 0.4
"""One lost frame of a train says nothing."""
GUESS_FRAMES = 4
"""So many lost ones at the least bear out that the line's rate is too high."""
TRIAL_PARTS = (0.76, 0.38, 0.19, 0.095, 0.0475)
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
SETTLING_FRAMES = 2
"""After a change of the rate the radio's buffer may still be full."""
SETBACKS_MAX = 2
TOLERATED_LOSS = 0.1
STEADY_LOSS = 0.2
LINK_LOSS_MOST = 0.3
PROOF_RATE = 0.88
PROOF_WINDOW_S = 0.1
PROOF_LASTS_S = 3.0
FIRST_REST_S = 1.0
SEARCH_STEP = 1 / 3
"""Of the way from what works to what fails: a train that fails costs more than one too many that works."""
SEARCH_ENDS = 0.06
LOOK_UP_EVERY_S = 10.0


class _Mode(Enum):
    FULL = auto()
    TRIAL = auto()
    SEARCH = auto()


@dataclass(slots=True)
class _Train:
    """Frames start..stop-1, sent at `rate`."""

    rate: float
    start: int
    stop: int
    seen: int = 0
    lost: int = 0


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
        self._blamed = 0.0
        """The loss for which the rate was lowered last; 0 when that was judged."""
        self._works = 0.0
        self._fails = 0.0
        self._train: _Train | None = None
        self._guessed = False
        """The trial began without a verdict on the line's rate."""
        self._told = False
        self._suspicion = 0
        self._setbacks = 0
        self._steady_since: float | None = None
        self._rest_s = FIRST_REST_S
        self._rest_until = 0.0
        self._window_began: float | None = None
        self._window_bytes = 0
        self._proven_until = 0.0

    @property
    def may_guess(self) -> bool:
        """True as long as `overdue` would change anything."""
        return self._mode is _Mode.FULL and not self._told and self._pacer.line_rate is not None

    def overdue(self, next_sequence: int) -> None:
        """The first report of all is late: careful at once, as a verdict would come a round trip later."""
        line = self._pacer.line_rate
        if line is not None and self._mode is _Mode.FULL:
            self._next_sequence = next_sequence
            self._guessed = self._told = True
            self._begin_trial(1.0, line)

    def sent(self, next_sequence: int) -> None:
        """A frame went out: behind a train the rate falls back to what works."""
        if self._train is not None and next_sequence >= self._train.stop:
            self._pacer.rate = self._works

    def report(self, verdict: Verdict, next_sequence: int, now: float) -> None:
        """One report's verdict, at its arrival; `next_sequence` is what the host sends next."""
        line = self._pacer.line_rate
        if line is None or not verdict.fates:
            return
        self._next_sequence = next_sequence
        self._look_for_proof(verdict, line, now)
        if self._guessed and self._guess_was_wrong(verdict):
            self._leave(line)
            return
        if self._train is not None:
            self._look_at_train(self._train, verdict, line, now)
        counted = [arrived for sequence, arrived in verdict.fates if sequence >= self._counts_from]
        self._seen += len(counted)
        self._lost += counted.count(False)
        plain = self._lost >= PLAIN_LOST and self._mode is _Mode.FULL
        if plain or self._seen >= _EPOCHS[self._mode]:
            loss = self._lost / self._seen
            self._seen = self._lost = 0
            self._judge(loss, line, now)

    @property
    def paced(self) -> bool:
        """True while the pace is not the line's."""
        return self._mode is not _Mode.FULL

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

    def _guess_was_wrong(self, verdict: Verdict) -> bool:
        """True if something sent at the line's rate came through after all, or too little was. One verdict decides."""
        before = [arrived for sequence, arrived in verdict.fates if sequence < self._counts_from - SETTLING_FRAMES]
        self._guessed = not before
        return bool(before) and before.count(False) <= max(PLAIN_LOSS * len(before), GUESS_FRAMES - 1)

    def _judge(self, loss: float, line: float, now: float) -> None:
        match self._mode:
            case _Mode.FULL:
                self._judge_full(loss, line, now)
            case _Mode.TRIAL:
                self._judge_trial(loss, line, now)
            case _Mode.SEARCH:
                self._judge_steady(loss, line, now)

    def _judge_full(self, loss: float, line: float, now: float) -> None:
        proven = now < self._proven_until
        self._suspicion = self._suspicion + 1 if loss > SUSPECT_LOSS else 0
        plain = loss > PLAIN_LOSS and not proven
        if (plain or self._suspicion >= 2 + proven) and now >= self._rest_until:
            self._begin_trial(loss, line)

    def _begin_trial(self, loss: float, line: float) -> None:
        self._suspicion = self._setbacks = 0
        self._mode = _Mode.TRIAL
        self._loss_before = loss
        self._works, self._fails = 0.0, line
        self._set(line * TRIAL_PARTS[0])

    def _judge_trial(self, loss: float, line: float, now: float) -> None:
        rate = self._pacer.rate or line
        if loss > max(FALLS_TO * self._loss_before, TOLERATED_LOSS):
            slower = [line * part for part in TRIAL_PARTS if line * part < 0.99 * rate]
            if slower:
                self._fails = rate
                self._set(slower[0])
            else:
                self._give_up(line, now)
            return
        self._mode = _Mode.SEARCH
        self._works = rate
        self._tolerated = loss + STEADY_LOSS
        self._loss.forget()
        self._search(line, now)

    def _give_up(self, line: float, now: float) -> None:
        """The loss is the link's own: pacing does not help."""
        self._rest_until = now + self._rest_s
        self._rest_s *= 2
        self._leave(line)

    def _leave(self, line: float) -> None:
        self._mode = _Mode.FULL
        self._train = None
        self._guessed = False
        self._set(line)

    # --- the search between what works and what fails

    def _search(self, line: float, now: float) -> None:
        """Sends the next train, or keeps what works; where nothing failed, the line's own rate is as good."""
        self._train = None
        self._set(self._works)
        if self._fails - self._works > SEARCH_ENDS * line:
            self._steady_since = None
            rate = self._works + SEARCH_STEP * (self._fails - self._works)
            self._train = _Train(rate, self._next_sequence, self._next_sequence + TRAIN_FRAMES)
            self._counts_from = self._train.stop + SETTLING_FRAMES
            self._pacer.rate = rate
        elif self._fails >= line:
            self._give_up(line, now)
        elif self._steady_since is None:
            self._steady_since = now

    def _look_at_train(self, train: _Train, verdict: Verdict, line: float, now: float) -> None:
        fates = [arrived for sequence, arrived in verdict.fates if train.start <= sequence < train.stop]
        train.seen += len(fates)
        train.lost += fates.count(False)
        if train.seen < TRAIN_FRAMES and all(sequence < train.stop for sequence, _ in verdict.fates):
            return
        if train.lost > max(self._tolerated, TRAIN_LOSS) * train.seen:
            self._fails = train.rate
        else:
            self._works = train.rate
        self._search(line, now)

    def _judge_steady(self, loss: float, line: float, now: float) -> None:
        if 0 < self._blamed < SUSPECT_LOSS and loss > SUSPECT_LOSS * self._blamed:
            if loss > LINK_LOSS_MOST:
                self._give_up(line, now)
                return
            self._tolerated = max(loss, self._blamed) + STEADY_LOSS  # going slower did not help
            self._works = self._fails
            self._fails = line
            self._blamed = 0.0
            self._set(self._works)
            return
        self._blamed = 0.0
        if loss > self._tolerated:
            self._step_back(loss, line, now)
            return
        self._setbacks = 0
        if self._train is None and self._steady_since is not None and now - self._steady_since > LOOK_UP_EVERY_S:
            self._fails = min(self._fails * (1 + 2 * SEARCH_ENDS), line)
            self._search(line, now)

    def _step_back(self, loss: float, line: float, now: float) -> None:
        self._blamed = loss
        self._setbacks += 1
        if self._setbacks > SETBACKS_MAX:
            self._give_up(line, now)
            return
        self._fails = self._works
        self._works *= 1 - (SEARCH_ENDS if loss < SUSPECT_LOSS else 2 * SEARCH_ENDS)
        self._train = None
        self._set(self._works)

    def _set(self, rate: float) -> None:
        """What was sent at the old rate does not count."""
        self._pacer.rate = rate
        self._counts_from = self._next_sequence + SETTLING_FRAMES
        self._seen = self._lost = 0


_EPOCHS = {_Mode.FULL: EPOCH_FRAMES, _Mode.TRIAL: TRIAL_FRAMES, _Mode.SEARCH: STEADY_FRAMES}
