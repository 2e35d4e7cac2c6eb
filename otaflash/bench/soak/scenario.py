"""What happens in one run of the soak, as plain data that goes to JSON and back. Draws and runs nothing."""

from __future__ import annotations

import json
import types
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from otaflash.errors import UsageError
from otaflash.sim.profiles import PROFILES, Profile
from otaflash.sim.radio import Way

FACTORY = 0
"""Number of the image that the board leaves the factory with."""

PLAIN_WAY = Way()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BoardSpec:
    """A profile by name, and what is different about this board: fields of `Profile`."""

    base: str
    changes: tuple[tuple[str, int], ...] = ()

    def profile(self) -> Profile:
        """The board at its own line rate. Raises KeyError, TypeError for a name that is not known."""
        return replace(PROFILES[self.base], **dict(self.changes))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """One image of `count` program bytes; its number is its place in the scenario, its version that number."""

    count: int
    seed: int = 0
    like: int = -1
    """number of an earlier image that it shares its bytes with, but for one stretch; -1: none"""
    counter: int = 5
    single_slot: bool = False
    unfit: str = ""
    """why the board must refuse it: board, geometry, large, counter, single; "": it need not"""
    app: str = "good"
    confirm_after_s: float | None = None
    app_after_s: float = 0.1
    """when it crashes, restarts, falls silent or asks for the loader"""


@dataclass(frozen=True, slots=True)
class Kill:
    """The host dies `after_s` after it first entered `phase` ("": began), and another begins `pause_s` later."""

    phase: str
    after_s: float
    pause_s: float = 0.5


@dataclass(frozen=True, slots=True)
class HostSpec:
    """One who gives orders: push, confirm, revert, info or reboot. After each kill the same order is given again."""

    order: str = "push"
    image: int = -1
    confirm: bool = True
    resume: bool | None = None
    begins_s: float = 0.0
    knows_rate: bool = True
    kills: tuple[Kill, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the device `after_s` after the first host of the round first enters `phase` ("": at the round).

    reset: the CPU alone. cut: power goes, between two flash operations. operation: power goes at flash operation
    `operation` from then on, `how` as in board.h; `again` are the operations (and how) at which it goes in the boots
    that follow. read: the next read of byte `operation` of the flash has bit `how` wrong.
    """

    kind: str
    phase: str = ""
    after_s: float = 0.0
    operation: int = 0
    how: int = 2
    off_s: float = 0.5
    again: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """Orders at about one time, faults meanwhile, and a rest behind them."""

    hosts: tuple[HostSpec, ...]
    faults: tuple[Fault, ...] = ()
    rest_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """All that a run follows from. Image 0 is the factory's; the last is pushed at the end, when all faults are off."""

    seed: int
    board: BoardSpec
    images: tuple[ImageSpec, ...]
    rounds: tuple[Round, ...] = ()
    down: Way = PLAIN_WAY
    up: Way = PLAIN_WAY
    weak: int = 2
    """how torn cells read: the numbers of board.h"""
    worn_page: int = -1
    """page of the secondary slot that takes nothing any more; -1: none"""
    worn_how: int = 1
    cycle_at_end: bool = False
    """the last push begins with a power-up, not with the board as it was left"""
    revert_at_end: bool = True
    """what is on trial then is reverted, else confirmed"""


def to_json(scenario: Scenario) -> str:
    """The scenario in one line; fields that have their default are left out."""
    return json.dumps(_short(scenario), separators=(",", ":"))


def from_json(text: str) -> Scenario:
    """What `to_json` wrote. Raises UsageError."""
    try:
        return _built(Scenario, json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise bad_scenario(error) from error


def bad_scenario(error: Exception) -> UsageError:
    """The text is no scenario, or its parts do not fit each other."""
    return UsageError(
        "bad-scenario",
        f"this is no scenario of the soak ({type(error).__name__}: {error})",
        remedy="Give the text that a failure prints, in quotes.",
    )


def _short(made: Any) -> dict[str, Any]:
    default = {each.name: each.default for each in fields(made)}
    given = {name: getattr(made, name) for name in default if getattr(made, name) != default[name]}
    return {name: _plain(value) for name, value in given.items()}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return _short(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _built(kind: type[T], given: dict[str, Any]) -> T:
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value) for name, value in given.items()})


def _value(hint: Any, value: Any) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        return _built(hint, value)
    if get_origin(hint) is tuple:
        kinds = get_args(hint)
        each = [kinds[0]] * len(value) if kinds[-1] is Ellipsis else kinds
        return tuple(_value(kind, item) for kind, item in zip(each, value, strict=True))
    plain = get_args(hint) if get_origin(hint) in (types.UnionType,) else (hint,)
    wanted = {float: (float, int)}
    if not any(isinstance(value, wanted.get(kind, kind)) for kind in plain):
        raise TypeError(f"{value!r} is no {hint}")
    return value
