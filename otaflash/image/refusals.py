"""How the readers of text and binary formats refuse a file that is damaged. Knows no format."""

from __future__ import annotations

from typing import Final, NoReturn

from otaflash.errors import ImageError

NEW_FILE: Final = "The file is damaged or incomplete: build or download it again."
"""The remedy."""


def refuse_at_line(reason: str, number: int, text: str) -> NoReturn:
    """Raises ImageError: `reason`, for what is wrong with line `number`, the first being 1."""
    raise ImageError(reason, f"line {number}: {text}", remedy=NEW_FILE)
