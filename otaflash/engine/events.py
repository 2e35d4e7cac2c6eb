"""What an engine tells its caller. Frozen data; knows no printing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from otaflash.errors import OtaflashError
from otaflash.wire.messages import Info


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """A step begins: ``inspect``, ``enter``, ``transfer``, ``verify``, ``apply``, ``start``, ``confirm``."""

    name: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Counted from acknowledged bytes only. `loss` is 0 to 1, of the packets so far; `eta_s` None while unknown."""

    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    loss: float
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class WarningEvent:
    """Something that the user may want to know; `id` is stable, in kebab-case."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The device has not said a word, and somebody may still have to switch it on: so many seconds are left."""

    left_s: int


@dataclass(frozen=True, slots=True)
class NeedBundle:
    """The device is known: build the bundle for it and call ``use_bundle``."""

    info: Info


@dataclass(frozen=True, slots=True)
class Result:
    """The numbers of a push (DESIGN: the host tool). Times in seconds. Of a request only info and wire bytes count.

    `transfer_seconds` runs from the first Inspect to the report that every block is held; `goodput_ratio` is
    image_bytes / transfer_seconds / line rate, None where the rate is not known. `retransmitted_blocks` did not arrive
    or seemed not to; `spare_blocks` were sent twice ahead of that, at the end of the image, while the line had nothing
    else to do.
    """

    info: Info
    running_version: str
    image_bytes: int = 0
    wire_bytes_down: int = 0
    wire_bytes_up: int = 0
    seconds: float = 0.0
    transfer_seconds: float = 0.0
    verify_seconds: float = 0.0
    downtime_seconds: float = 0.0
    line_rate_bytes_per_s: float | None = None
    goodput_ratio: float | None = None
    retransmitted_blocks: int = 0
    already_running: bool = False
    spare_blocks: int = 0
    phases: tuple[tuple[str, float], ...] = ()
    """Seconds by phase, in the order in which they began first; of a push only."""


@dataclass(frozen=True, slots=True)
class Done:
    """The operation has ended well; no event follows."""

    result: Result


@dataclass(frozen=True, slots=True)
class Failed:
    """The operation has ended; no event follows. Whoever drives the engine raises `error`."""

    error: OtaflashError


Event = PhaseChanged | Progress | WarningEvent | Waiting | NeedBundle | Done | Failed


class Engine(Protocol):
    """Sans-IO: bytes and the time in; bytes, events and a deadline out. Times are seconds of the link's clock."""

    def receive(self, data: bytes, now: float) -> None:
        """Takes what the link has brought; `now` in seconds of the link's clock, here and everywhere."""
        ...

    def bytes_to_send(self, now: float) -> list[bytes]:
        """The writes that are due, in order; each is given once."""
        ...

    def resized(self, frame_bytes: int, now: float) -> None:
        """From now on a write takes frames of this size (`transport.Link.frame_bytes`)."""
        ...

    def reconnected(self, now: float) -> None:
        """The link lost its connection and has it back: what was under way is lost, and is asked for again at once."""
        ...

    def next_deadline(self) -> float | None:
        """When `wake` is to be called at the latest; None: nothing is waited for."""
        ...

    def wake(self, now: float) -> None:
        """Time has passed: does what is due."""
        ...

    def events(self) -> list[Event]:
        """What has happened since the last call, in order."""
        ...
