"""What both engines are made of: a step at a time, silence bounded, events drained. Knows no order of steps."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from otaflash.engine import failures
from otaflash.engine.channel import Channel, LinkShape
from otaflash.engine.events import Event, Failed, PhaseChanged, Waiting
from otaflash.engine.steps import Shared, Step
from otaflash.errors import OtaflashError
from otaflash.wire.messages import Info

SILENCE_S = 10.0
"""So long without a word, and it ends with what was awaited."""
SILENCE_WHILE_RECONNECTING_S = 30.0
"""After first contact, over a link that looks for a lost board by itself: a scan and several attempts to connect."""
STALLED_S = 180.0
"""Answers that lead nowhere: so long without one more block held, or a step taken for the first time, ends it."""


class Exchange(ABC):
    """Base of the engines: the calls of `events.Engine`, over one present step. Subclasses define `_first_step`."""

    def __init__(self, shape: LinkShape, session: int) -> None:
        self._channel = Channel(shape, session)
        self._shared = Shared(self._channel)
        self.info: Info | None = None
        """What the device said of itself last."""
        self._left_s: int | None = None
        self._step: Step | None = None
        self._began_at: float | None = None
        self._over = False
        self._patient_until = 0.0
        self._reached: tuple[int, int] | None = None
        self._advanced_at = 0.0
        self._phases: set[str] = set()

    # --- the calls of an engine

    def receive(self, data: bytes, now: float) -> None:
        self._begin(now)
        for heard in self._channel.receive(data, now):
            if self._step is not None and not self._over:
                self._step.heard(heard, now)
        self._pump(now)

    def wake(self, now: float) -> None:
        self._begin(now)
        self._pump(now)

    def resized(self, frame_bytes: int, now: float) -> None:
        self._begin(now)
        self._channel.resized(frame_bytes, now)
        self._pump(now)

    def reconnected(self, now: float) -> None:
        self._begin(now)
        self._channel.reconnected()
        if self._step is not None:
            self._step.again(now)
        self._pump(now)

    def bytes_to_send(self, now: float) -> list[bytes]:
        self._begin(now)
        return self._channel.take_outgoing()

    def next_deadline(self) -> float | None:
        if self._over:
            return None
        if self._began_at is None:
            return 0.0
        if self._step is None:
            return None
        due = self._step.deadline()
        give_up = min(self._silence_ends(), self._stall_ends())
        return give_up if due is None else min(due, give_up)

    def events(self) -> list[Event]:
        drained = self._shared.events.copy()
        self._shared.events.clear()
        return drained

    # --- for subclasses

    @abstractmethod
    def _first_step(self, now: float) -> None:
        """Begins, at the first call."""

    def _go(self, step: Step | None, phase: str, now: float) -> None:
        """Makes `step` the present one and lets it send."""
        self._step = step
        self._phases.add(phase)
        if phase != self._shared.clockwork.phase:
            self._shared.clockwork.enter(phase, now)
            self._shared.events.append(PhaseChanged(phase))
        if step is not None:
            step.poll(now)

    def _fail(self, error: OtaflashError) -> None:
        self._finish(Failed(error))

    def _finish(self, event: Event) -> None:
        if not self._over:
            self._over = True
            self._step = None
            self._shared.events.append(event)

    def _be_patient(self, until: float) -> None:
        """Silence before `until` does not count."""
        self._patient_until = max(self._patient_until, until)

    # --- inside

    def _begin(self, now: float) -> None:
        if self._began_at is None:
            self._began_at = now
            self._shared.clockwork.began_at = now
            self._first_step(now)

    def _pump(self, now: float) -> None:
        if self._over or self._step is None:
            return
        reached = (self._shared.clockwork.held_most, len(self._phases))
        if reached != self._reached:
            self._reached, self._advanced_at = reached, now
        if now >= self._stall_ends() - 1e-9:
            self._fail(failures.stalled(self._step.awaited, STALLED_S))
            return
        if now >= self._silence_ends() - 1e-9:
            self._give_up()
            return
        self._tell_waiting(now)
        self._step.poll(now)

    def _tell_waiting(self, now: float) -> None:
        """Each second while somebody may still have to switch the device on."""
        if self._channel.heard_at is None and self._channel.shape.patience_s > SILENCE_S:
            left_s = math.ceil(self._silence_ends() - now)
            if left_s != self._left_s:
                self._left_s = left_s
                self._shared.events.append(Waiting(left_s))

    def _stall_ends(self) -> float:
        return max(self._advanced_at, self._patient_until) + STALLED_S

    def _silence_ends(self) -> float:
        heard_at = self._channel.heard_at
        since = self._began_at if heard_at is None else heard_at
        return max(since or 0.0, self._patient_until) + self._silence_limit_s()

    def _silence_limit_s(self) -> float:
        if self._channel.heard_at is None:
            return self._channel.shape.patience_s
        return SILENCE_WHILE_RECONNECTING_S if self._channel.shape.reconnects else SILENCE_S

    def _give_up(self) -> None:
        awaited = self._step.awaited if self._step is not None else "an answer"
        contact = self._channel.heard_at is not None
        if not contact and self._channel.echoes:
            self._fail(failures.echoed(awaited))
        elif not contact and self._channel.wire_bytes_up:
            self._fail(failures.garbage(awaited, self._channel.wire_bytes_up))
        else:
            self._fail(failures.silent(awaited, self._silence_limit_s(), contact=contact))
