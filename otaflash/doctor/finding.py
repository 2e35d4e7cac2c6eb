"""What a check comes to. Knows no check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It may get in the way, or something is not there that not everyone needs."""
    PROBLEM = "problem"
    """Something will fail until it is mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: what was looked at, and how it is."""

    check: str
    """Name of the check, in kebab-case; several findings may have one."""
    state: State
    text: str
    remedy: str | None = None
    """One sentence; None where nothing is to be done."""
    paste: str | None = None
    """Lines for a terminal or a file, which the remedy speaks of."""


def ok(check: str, text: str) -> Finding:
    """Nothing is wrong there."""
    return Finding(check, State.OK, text)


def warning(check: str, text: str, remedy: str, paste: str | None = None) -> Finding:
    """It may get in the way."""
    return Finding(check, State.WARNING, text, remedy, paste)


def problem(check: str, text: str, remedy: str, paste: str | None = None) -> Finding:
    """Something will fail."""
    return Finding(check, State.PROBLEM, text, remedy, paste)
