"""What the application does after the loader has started it. Knows the board's few switches, no link."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, assert_never

NEW = "new"
"""Key for every image but the factory's."""


class Behaviour(Enum):
    """How an application behaves."""

    GOOD = "good"
    """runs the C application library: answers Inspect, Confirm, Revert, Enter and Reboot"""
    STAGES = "stages"
    """as good, and takes an update while it runs: down for the swap alone"""
    HANG = "hang"
    """feeds no watchdog: reset after `watchdog_s` on trial; otherwise nothing ever happens"""
    CRASH = "crash"
    """resets itself after `crash_after_s`, at every start"""
    SILENT = "silent"
    """runs, and answers nothing"""
    ENTER = "enter"
    """as good, and asks for the loader by itself after `enter_after_s`"""
    RESTART = "restart"
    """as good, and resets itself after `crash_after_s`, at every start"""
    FADE = "fade"
    """as good, and falls silent after `fade_after_s`; the watchdog of a trial then resets it after `watchdog_s`"""


@dataclass(frozen=True, slots=True)
class Application:
    """A behaviour with its times in seconds, counted from the jump."""

    behaviour: Behaviour = Behaviour.GOOD
    confirm_after_s: float | None = None
    """good and enter: when it confirms itself; None: it leaves that to the host."""
    watchdog_s: float = 2.0
    crash_after_s: float = 0.1
    enter_after_s: float = 5.0
    fade_after_s: float = 5.0
    says_every_s: float | None = None
    """How often it prints a line, on a link that carries text; None: never."""


@dataclass(frozen=True, slots=True)
class RunningImage:
    """What the trailer of the primary slot says; version as "major.minor.patch"."""

    version: str
    crc: int


@dataclass(frozen=True, slots=True)
class Applications:
    """Which image behaves how. Keys: a version ("2.0.0"), a CRC (int), or NEW; any other is `default`."""

    default: Application = field(default_factory=Application)
    by_image: Mapping[str | int, Application] = field(default_factory=dict)

    def behaviour_of(self, image: RunningImage | None, *, is_factory: bool) -> Application:
        """How `image` behaves: by its CRC, its version, or as NEW if it is not the factory's; else the default."""
        if image is None:
            return self.default
        keys: list[str | int] = [image.crc, image.version]
        if not is_factory:
            keys.append(NEW)
        return next((self.by_image[key] for key in keys if key in self.by_image), self.default)


class Stage(Protocol):
    """What an application may do to the board that it runs on. `later` calls die with the run that planned them."""

    @property
    def on_trial(self) -> bool:
        """Whether the image that runs is on trial."""
        ...

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Plans a call in `delay_s` seconds, unless the board restarts before."""
        ...

    def start_library(self, *, stages: bool = False) -> None:
        """The application library answers from now on; `stages`: and takes an update."""
        ...

    def confirm_itself(self) -> None:
        """The application calls the library's confirmation."""
        ...

    def enter_loader(self) -> None:
        """The application asks for its loader, and restarts."""
        ...

    def say(self, text: str) -> None:
        """The application prints a line."""
        ...

    def fall_silent(self) -> None:
        """Nothing is answered any more."""
        ...

    def reset(self) -> None:
        """A reset that keeps power, as by the watchdog."""
        ...


def start(application: Application, stage: Stage) -> None:
    """Begins what the application does; the rest follows from the calls that it plans."""
    _say(application, stage, 0)
    match application.behaviour:
        case Behaviour.GOOD:
            _start_library(application, stage)
        case Behaviour.STAGES:
            _start_library(application, stage, stages=True)
        case Behaviour.ENTER:
            _start_library(application, stage)
            stage.later(application.enter_after_s, stage.enter_loader)
        case Behaviour.RESTART:
            _start_library(application, stage)
            stage.later(application.crash_after_s, stage.reset)
        case Behaviour.FADE:
            _start_library(application, stage)
            stage.later(application.fade_after_s, lambda: _hang(application, stage))
        case Behaviour.HANG:
            _hang(application, stage)
        case Behaviour.CRASH:
            stage.later(application.crash_after_s, stage.reset)
        case Behaviour.SILENT:
            pass
        case _:
            assert_never(application.behaviour)


def _say(application: Application, stage: Stage, lines: int) -> None:
    if application.says_every_s is not None:
        stage.say(f"up {lines * application.says_every_s:g} s")
        stage.later(application.says_every_s, lambda: _say(application, stage, lines + 1))


def _hang(application: Application, stage: Stage) -> None:
    stage.fall_silent()
    if stage.on_trial:  # only then did the loader start the watchdog
        stage.later(application.watchdog_s, stage.reset)


def _start_library(application: Application, stage: Stage, *, stages: bool = False) -> None:
    stage.start_library(stages=stages)
    if application.confirm_after_s is not None:
        stage.later(application.confirm_after_s, stage.confirm_itself)
