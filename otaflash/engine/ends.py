"""How staging begins and how it ends. Knows nothing of what lies between."""

from __future__ import annotations

from enum import Enum, auto


class Resume(Enum):
    """What is thought to be staged already."""

    NO = auto()
    PROBE = auto()
    """Not known: ask about the first page along with the offer."""
    SURVEY = auto()
    """Likely: ask about every page before sending blocks."""
    REPAIR = auto()
    """All blocks are held and the digest is wrong: ask about every page, whatever the answers are."""


class Outcome(Enum):
    """How staging ends."""

    HELD = auto()
    """Every block is held."""
    LOST = auto()
    """The device restarted, or left for the application: inspect."""
    FLASH_FAILED = auto()
