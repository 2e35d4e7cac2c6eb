"""How a board comes into its loader before it is asked: what --enter may say. Text and data only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from otaflash.errors import UsageError

PULSE_S = 0.1
"""How long a reset line is held: a capacitor of 100 nF against 10 kilohms is through in a few milliseconds."""
POWER_S = 30.0
"""How long a board is asked for that somebody has to switch on."""
SECONDS_MOST = 3600.0


@dataclass(frozen=True, slots=True)
class LineStep:
    """A line of the serial port is asserted (its pin at a TTL adapter is low then) or released."""

    line: str
    """``dtr`` or ``rts``."""
    asserted: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of the serial port, one step after the other; a number is a pause in seconds."""

    steps: tuple[LineStep | float, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """Bytes for the application that runs."""

    data: bytes


@dataclass(frozen=True, slots=True)
class RemotePin:
    """A pin of the XBee at the board, pulled low by the XBee at this computer."""

    address: int
    """64 bits, as printed under the XBee (SH and SL)."""
    pin: int
    """0 to 12: DIO0 to DIO12."""


@dataclass(frozen=True, slots=True)
class PowerUp:
    """Somebody switches the board on; until then it is asked for."""

    seconds: float


Entry = Lines | Command | RemotePin | PowerUp

FORMS = "dtr, rts, lines:dtr=0,100ms,dtr=1, text:reboot\\r\\n, xbee:ADDRESS[:D3], power[:30s] and none"
_LINE = re.compile(r"(dtr|rts)=([01])")
_TIME = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s)")
_XBEE = re.compile(r"([0-9a-f]{16})(?::d(\d|1[0-2]))?")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)?", re.DOTALL)
_ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "e": b"\x1b", "\\": b"\\"}


def parse_entry(text: str) -> Entry | None:
    """Reads what may stand behind --enter; None for ``none``. Raises UsageError.

    ``dtr`` and ``rts`` release the line, assert it for 100 ms and release it again: a reset both where the line pulls
    the reset itself and where a capacitor lies between.
    """
    kind, colon, rest = text.partition(":")
    match kind.lower(), bool(colon):
        case "none", False:
            return None
        case ("dtr" | "rts") as line, False:
            return Lines((LineStep(line, False), PULSE_S, LineStep(line, True), PULSE_S, LineStep(line, False)))
        case "lines", True:
            return Lines(tuple(_step(text, step) for step in rest.split(",")))
        case "text", True if rest:
            return Command(_unescaped(text, rest))
        case "xbee", True:
            return _remote_pin(text, rest)
        case "power", _:
            return PowerUp(_seconds(text, rest) if colon else POWER_S)
    raise _bad(text, "is no way into the loader")


def _step(text: str, step: str) -> LineStep | float:
    line = _LINE.fullmatch(step.strip().lower())
    return LineStep(line[1], line[2] == "1") if line else _seconds(text, step)


def _seconds(text: str, step: str) -> float:
    found = _TIME.fullmatch(step.strip().lower())
    seconds = 0.0 if found is None else float(found[1]) / (1000 if found[2] == "ms" else 1)
    if not 0 < seconds <= SECONDS_MOST:
        raise _bad(text, f"has {step!r} in it, which is no line and no time")
    return seconds


def _unescaped(text: str, command: str) -> bytes:
    parts, at = [], 0
    for escape in _ESCAPE.finditer(command):
        code = escape[1] or ""
        if code not in _ESCAPES and len(code) != 3:
            raise _bad(text, f"has the escape {escape[0]!r} in it, which is none")
        parts += [command[at : escape.start()].encode(), _ESCAPES.get(code) or bytes([int(code[1:], 16)])]
        at = escape.end()
    return b"".join(parts) + command[at:].encode()


def _remote_pin(text: str, rest: str) -> RemotePin:
    found = _XBEE.fullmatch(rest.lower())
    if found is None:
        raise _bad(text, "names no XBee: its address has 16 hexadecimal digits, a pin is one of D0 to D12")
    return RemotePin(int(found[1], 16), int(found[2] or 3))


def _bad(text: str, what: str) -> UsageError:
    return UsageError("enter-malformed", f"{text!r} {what}", remedy=f"Known are {FORMS}.")
