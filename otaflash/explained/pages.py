"""Reads the pages. Knows how a page is built, not what it says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Final

from otaflash.errors import ExitCode, Fault, ImageError, LinkError, TargetError, UsageError

_KINDS: Final[dict[str, tuple[ExitCode, Fault]]] = {
    "image": (ImageError.CODE, ImageError.FAULT),
    "target": (TargetError.CODE, TargetError.FAULT),
    "link": (LinkError.CODE, LinkError.FAULT),
    "usage": (UsageError.CODE, UsageError.FAULT),
    "board": (ExitCode.IMAGE_REFUSED, Fault.DEVICE),
    "otaflash": (ExitCode.INTERNAL, Fault.OURS),
}
"""Each file of pages, and what holds for its errors unless a page says otherwise."""


@dataclass(frozen=True, slots=True)
class Page:
    """What is to be known of one error."""

    reason: str
    """The identifier that the error carries, in kebab-case."""
    codes: tuple[ExitCode, ...]
    """What a command that fails so ends with; several where the same happens to files of different use."""
    faults: tuple[Fault, ...]
    means: str
    """What has happened, and what state that leaves board and files in."""
    causes: tuple[str, ...]
    """What usually leads there, the most likely first."""
    remedies: tuple[str, ...]
    """What to do, in this order."""


@cache
def all_pages() -> dict[str, Page]:
    """Every page by its reason, in the order of the reasons."""
    found = {page.reason: page for kind in _KINDS for page in _read(kind)}
    return dict(sorted(found.items()))


def near(word: str) -> list[str]:
    """Up to three reasons that `word` may stand for: spelled almost so, or with that word in them."""
    known = list(all_pages())
    word = word.strip().lower().replace("_", "-")
    close = get_close_matches(word, known, n=3, cutoff=0.6)
    inside = [reason for reason in known if word and word in reason]
    return list(dict.fromkeys([*close, *inside]))[:3]


def _read(kind: str) -> Iterable[Page]:
    import tomllib  # noqa: PLC0415  only those who ask for a page pay for it

    text = (files("otaflash.explained") / f"{kind}.toml").read_text(encoding="utf-8")
    code, fault = _KINDS[kind]
    for reason, said in tomllib.loads(text).items():
        yield Page(
            reason=reason,
            codes=tuple(ExitCode(number) for number in said.get("code", [code])),
            faults=tuple(Fault(name) for name in said.get("fault", [fault])),
            means=said["means"],
            causes=tuple(said["causes"]),
            remedies=tuple(said["do"]),
        )
