"""What the name of a serial port means: devices, `usb:` names, URLs. Text only; opens nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from otaflash.errors import TargetError, UsageError

DEFAULT_BAUD = 115200
NETWORK = ("socket://", "rfc2217://")
USB = "usb:"

_PYSERIAL = ("alt", "cp2110", "hwgrep", "loop", "rfc2217", "socket", "spy")
"""The kinds of URL that pyserial knows."""
_USB = re.compile(r"usb:([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::(.+))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A serial port that the system knows of."""

    device: str
    """What --port takes."""
    description: str
    usb: str
    """``usb:VID:PID:SERIAL``, or "" for a port that is no USB device."""


def choose_usb(name: str, known: Sequence[SerialPort]) -> SerialPort:
    """The port of ``usb:VID:PID[:SERIAL]``, in upper or lower case; a serial number is compared whole, and may have
    colons in it. Raises TargetError unless exactly one fits; UsageError for the form."""
    form = _USB.fullmatch(name)
    if form is None:
        raise UsageError(
            "port-bad-usb",
            f"{name} is no USB port",
            remedy="Write usb:VID:PID or usb:VID:PID:SERIAL, as in usb:0403:6001.",
        )
    matching = [found for found in known if found.usb and _fits(form, found.usb)]
    if len(matching) == 1:
        return matching[0]
    if not matching:
        present = listed([found for found in known if found.usb]) or "none"
        raise TargetError("port-missing", f"no serial port is {name}", remedy=f"USB ports present: {present}.")
    told_apart = len({found.usb for found in matching}) == len(matching)
    raise TargetError(
        "port-ambiguous",
        f"{len(matching)} ports are {name}: {listed(matching)}",
        remedy="Name one, with its serial number." if told_apart else "Name one by its device.",
    )


def listed(ports: Sequence[SerialPort]) -> str:
    """USB ports for a message: ``usb:0403:6001:A1 (/dev/ttyUSB0), ...``."""
    return ", ".join(f"{found.usb} ({found.device})" for found in ports)


def split_baud(port: str, baud: int | None) -> tuple[str, int]:
    """The name without its ``?baud=``, which wins over `baud`. Raises UsageError."""
    if port.startswith((*NETWORK, "loop://")):  # their queries belong to pyserial
        return port, baud or DEFAULT_BAUD
    name, _, query = port.partition("?")
    if query:
        key, _, value = query.partition("=")
        if key != "baud" or not (value.isascii() and value.isdigit()) or int(value) == 0:
            raise UsageError(
                "port-bad-value", f"{port}: not understood behind the ?", remedy="Only ?baud=NUMBER may stand there."
            )
        baud = int(value)
    return name, baud or DEFAULT_BAUD


def check_url(url: str) -> None:
    """pyserial would tell of these mistakes in Python's words. Raises UsageError."""
    scheme, slashes, _ = url.partition("://")
    if slashes and scheme not in _PYSERIAL:
        raise UsageError(
            "port-bad-url", f"{url}: {scheme}:// is no kind of port", remedy="Write socket://HOST:PORT, or a device."
        )
    if url.startswith(NETWORK) and not _has_host_and_port(url):
        text = f"{url} does not name a host and a port"
        raise UsageError("port-bad-url", text, remedy=f"Write {scheme}://HOST:PORT, as in {scheme}://192.168.1.5:4000.")


def _fits(form: re.Match[str], usb: str) -> bool:
    wanted = [part.lower() for part in form.groups() if part is not None]
    return [part.lower() for part in usb.split(":", 3)[1:]][: len(wanted)] == wanted


def _has_host_and_port(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port is not None
    except ValueError:  # a port that is no number, or above 65535
        return False
