"""Versions as people write them: major.minor.patch, and +build where there is a build number. Knows no record."""

from __future__ import annotations

import re

from otaflash.wire.errors import WireError, WireFault

_FORM = re.compile(r"(\d{1,20})\.(\d{1,20})\.(\d{1,20})(?:\+(\d{1,20}))?", re.ASCII)
_GREATEST = (0xFF, 0xFF, 0xFFFF, 0xFFFF_FFFF)


def version_text(major: int, minor: int, patch: int, build: int) -> str:
    """``1.2.3``, or ``1.2.3+4`` with a build number."""
    return f"{major}.{minor}.{patch}" + (f"+{build}" if build else "")


def version_numbers(text: str) -> tuple[int, int, int, int]:
    """major, minor (0 to 255), patch (0 to 65535), build (32 bits; 0: none). Raises WireError."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise WireError(WireFault.VALUE, f"a version is major.minor.patch or major.minor.patch+build, not {text!r}")
    major, minor, patch, build = (int(part or 0) for part in found.groups())
    if any(number > most for number, most in zip((major, minor, patch, build), _GREATEST, strict=True)):
        raise WireError(WireFault.VALUE, f"{text!r}: a version goes up to 255.255.65535+4294967295")
    return major, minor, patch, build
