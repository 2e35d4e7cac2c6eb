"""Quantities as people write them in a URL: 30ms, 5%, 1e-4, 57600. Knows no link and no board."""

from __future__ import annotations

import math

from otaflash.errors import UsageError

COUNT_DIGITS_MAX = 20
"""64 bits; int() itself refuses some thousand digits with an error of its own."""

_TIME_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


def seconds(key: str, text: str) -> float:
    """Seconds of `30ms`, `2s`, `100us`; a bare 0 needs no unit. Raises UsageError."""
    for unit, scale in _TIME_UNITS.items():
        if text.endswith(unit):
            return _number(key, text, text.removesuffix(unit), "a time such as 30ms or 2s") * scale
    if text == "0":
        return 0.0
    raise _bad(key, text, "a time with its unit, such as 30ms or 2s")


def chance(key: str, text: str) -> float:
    """`5%` or `0.05`, from 0 to 1. Raises UsageError."""
    wanted = "a chance such as 5% or 0.05, at most 100%"
    value = _number(key, text, text.removesuffix("%"), wanted) / (100 if text.endswith("%") else 1)
    if value > 1:
        raise _bad(key, text, wanted)
    return value


def positive(key: str, text: str) -> float:
    """A number above 0, such as a rate in bits per second; `k` behind it stands for a thousand. Raises UsageError."""
    wanted = "a number above 0, such as 57600 or 78k"
    value = _number(key, text, text.removesuffix("k"), wanted) * (1000 if text.endswith("k") else 1)
    if not 0 < value < math.inf:
        raise _bad(key, text, wanted)
    return value


def count(key: str, text: str) -> int:
    """A whole number from 0 on. Raises UsageError."""
    if not (text.isascii() and text.isdigit() and len(text) <= COUNT_DIGITS_MAX):
        raise _bad(key, text[:COUNT_DIGITS_MAX], "a whole number from 0 on, of at most 20 digits")
    return int(text)


def parts(key: str, text: str, number: int, form: str) -> list[str]:
    """`text` cut at its slashes into that many parts; `form` says what it should look like. Raises UsageError."""
    found = text.split("/")
    if len(found) != number:
        raise _bad(key, text, form)
    return found


def _number(key: str, text: str, digits: str, wanted: str) -> float:
    try:
        value = float(digits)
    except ValueError:
        raise _bad(key, text, wanted) from None
    if not math.isfinite(value) or value < 0:
        raise _bad(key, text, wanted)
    return value


def _bad(key: str, text: str, wanted: str) -> UsageError:
    return UsageError("port-bad-value", f"{key}={text}: not {wanted}", remedy=f"Give {key} as {wanted}.")
