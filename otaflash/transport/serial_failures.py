"""Why a serial port could not be opened, or went away: the system's errors in our own words. Knows no library."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable

from otaflash.errors import LinkError, TargetError
from otaflash.system import group_of, holders_of, joins_at_next_login
from otaflash.transport.serial_names import NETWORK

WRITE_TIMEOUT_S = 10.0
"""A port that takes no byte for so long ends the link."""

_NO_DATA = "device reports readiness to read but returned no data"
"""pyserial's words for a device that was pulled out, or whose bytes another program took."""


def not_opened(name: str, device: str, error: Exception, present: Callable[[], str]) -> TargetError:
    """By errno where pyserial keeps it, otherwise (Windows, sockets) by the name in its text. `name`: as the user
    wrote it; `present` lists the ports that there are."""
    number, text = getattr(error, "errno", None), str(error)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or "FileNotFoundError" in text:
        return TargetError("port-missing", f"there is no port {name}", remedy=f"Check the name. {present()}.")
    if number in (errno.EBUSY, errno.EAGAIN) or "PermissionError" in text:  # the latter: how Windows says busy
        return _busy(name, device)
    if number in (errno.EACCES, errno.EPERM):
        return _permission(name, device)
    if device.startswith(NETWORK):
        return TargetError(
            "port-unreachable", f"{name} does not answer ({_cause(error)})", remedy=_network_remedy(error)
        )
    if number in (errno.ENOTTY, errno.EISDIR) or os.strerror(errno.ENOTTY) in text:
        return TargetError("port-failed", f"{name} is no serial port", remedy=f"Name a serial port. {present()}.")
    return TargetError(
        "port-failed", f"{name} cannot be opened ({_cause(error)})", remedy="Check the name and the cable."
    )


def lost(name: str, error: Exception) -> LinkError:
    """The port went away in the middle."""
    return LinkError(
        "link-lost", f"{name} is gone ({_cause(error)})", remedy="Connect it again and repeat the command."
    )


def blocked(name: str) -> LinkError:
    """The port takes nothing."""
    return LinkError(
        "link-blocked",
        f"{name} has taken no byte for {WRITE_TIMEOUT_S:.0f} s",
        remedy="Check the other end: it must read, and flow control must be off.",
    )


def _busy(name: str, device: str) -> TargetError:
    holders = " and ".join(holders_of(device))
    if holders:
        return TargetError("port-busy", f"{name} is in use by {holders}", remedy="End that program, then try again.")
    return TargetError("port-busy", f"{name} is in use by another program", remedy="Close the program that holds it.")


def _permission(name: str, device: str) -> TargetError:
    group = group_of(device)
    if group is None:
        return TargetError(
            "port-permission",
            f"{name} may not be opened by you, and no group is allowed to",
            remedy="Ask who administers this machine.",
        )
    text = f"{name} may only be opened by members of the group {group}"
    if joins_at_next_login(group):
        return TargetError("port-permission", text, remedy="You became one after you logged in: log in again.")
    return TargetError("port-permission", text, remedy=f"Run: sudo usermod -aG {group} $USER, then log in again.")


def _network_remedy(error: Exception) -> str:
    if "RFC2217" in str(error):
        return "The server there speaks no RFC 2217: try socket:// instead of rfc2217://."
    return "Start the server, or check host and port."


def _cause(error: Exception) -> str:
    """What the system said, without what pyserial put before it."""
    text = (getattr(error, "strerror", None) or str(error)).rstrip(".")
    if text.startswith(_NO_DATA):
        return "it was unplugged, or another program reads from it"
    if "RFC2217" in text:
        return "what is there did not take up RFC 2217"
    said = re.search(r"\(\d+, '(.*)'\)$", text)  # termios.error, and what pyserial makes of it
    return said.group(1) if said else re.sub(r".*\[Errno -?\d+\] ", "", text)
