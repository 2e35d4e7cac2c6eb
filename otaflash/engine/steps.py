"""What a step of an exchange is, and what the steps of one exchange share. Knows no order of steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from otaflash.engine.channel import Channel, Heard
from otaflash.engine.events import Event


class Step(Protocol):
    """One thing that is waited for. It sends what is due when polled and calls its continuation when it is through."""

    awaited: str
    """What to name when nothing comes, after "waiting for"."""

    def poll(self, now: float) -> None:
        """Sends what is due at `now`."""
        ...

    def heard(self, heard: Heard, now: float) -> None:
        """Takes a reply; may call the continuation."""
        ...

    def deadline(self) -> float | None:
        """When to be polled at the latest; None: only a reply helps."""
        ...

    def again(self, now: float) -> None:
        """Nothing that was sent will be answered any more: asks again when polled next."""
        ...


@dataclass(slots=True)
class Clockwork:
    """Times and sums of one push, in seconds of the link's clock."""

    began_at: float | None = None
    held_at: float | None = None
    verified_at: float | None = None
    down_at: float | None = None
    up_at: float | None = None
    retransmitted: int = 0
    spares: int = 0
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds spent in each phase so far, in the order in which they began first."""
    phase: str = ""
    phase_at: float = 0.0
    held_most: int = 0
    """Blocks: the most that a report ever showed to be held."""

    def enter(self, phase: str, now: float) -> None:
        """The phase before ends now."""
        if self.phase:
            self.phases[self.phase] = self.phases.get(self.phase, 0.0) + now - self.phase_at
        self.phase, self.phase_at = phase, now


@dataclass(slots=True)
class Shared:
    """What all steps of one exchange work with."""

    channel: Channel
    events: list[Event] = field(default_factory=list)
    clockwork: Clockwork = field(default_factory=Clockwork)
