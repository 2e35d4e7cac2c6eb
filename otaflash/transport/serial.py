"""Serial ports by pyserial, which is imported here only, and late. Carries bytes and knows no message."""

from __future__ import annotations

import errno
import os
import re
import select
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from otaflash.errors import LinkError, TargetError, UsageError

if TYPE_CHECKING:
    import serial

DEFAULT_BAUD = 115200
WRITE_TIMEOUT_S = 10.0
"""A write that makes no progress for so long ends the link."""

_POLL_S = 0.01
_READ_BYTES = 4096
_NETWORK = ("socket://", "rfc2217://")
_PYSERIAL = ("alt", "cp2110", "hwgrep", "loop", "rfc2217", "socket", "spy")
"""The kinds of URL that pyserial knows."""
_GROUP_USES = stat.S_IRGRP | stat.S_IWGRP
_USB = re.compile(r"usb:([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::(.+))?")


@dataclass(frozen=True, slots=True)
class SerialPort:
    """A serial port that the system knows of."""

    device: str
    """What --port takes."""
    description: str
    usb: str
    """``usb:VID:PID:SERIAL``, or "" for a port that is no USB device."""


class SerialLink:
    """A `Link` (otaflash.transport.link) over pyserial; times are those of the monotonic clock."""

    stream = True
    frame_bytes = 1056
    connections = 1
    queue_writes = None

    def __init__(self, name: str, port: serial.SerialBase, rate_bytes_per_s: float | None) -> None:
        self.name = name
        self.rate_bytes_per_s = rate_bytes_per_s
        self._port: Any = port
        self._fileno = _fileno(port)

    def now(self) -> float:
        return time.monotonic()

    def read(self, deadline: float) -> bytes:
        """What is there as soon as any byte is; b"" at the deadline. Raises LinkError when the port is gone."""
        with self._lost_link():
            if self._fileno is not None:
                return self._read_selected(self._fileno, deadline)
            return self._read_polled(deadline)

    def write(self, data: bytes) -> None:
        """Blocks until the system has room. Raises LinkError when the port is gone or takes nothing for 10 s."""
        with self._lost_link():
            self._port.write(data)

    def close(self) -> None:
        """May be called twice."""
        with suppress(OSError):  # a port that was pulled out is closed, which is what was asked
            self._port.close()

    def _read_selected(self, fileno: int, deadline: float) -> bytes:
        """pyserial's own time-out is set once to 0: changing it reconfigures the port each time."""
        ready, _, _ = select.select([fileno], [], [], max(0.0, deadline - self.now()))
        return bytes(self._port.read(_READ_BYTES)) if ready else b""

    def _read_polled(self, deadline: float) -> bytes:
        """For ports that select cannot wait for (Windows, rfc2217://, loop://)."""
        while (waiting := self._port.in_waiting) or self.now() < deadline:
            # Waits _POLL_S at most. A dead rfc2217:// connection reads as nothing once, and then raises.
            data = bytes(self._port.read(max(1, waiting)))
            if data:
                return data
        return b""

    @contextmanager
    def _lost_link(self) -> Iterator[None]:
        import serial  # noqa: PLC0415

        try:
            yield
        except serial.SerialTimeoutException as error:
            raise LinkError(
                "link-blocked",
                f"{self.name} has taken no byte for {WRITE_TIMEOUT_S:.0f} s",
                remedy="Check the other end: it must read, and flow control must be off.",
            ) from error
        except (OSError, TypeError, AttributeError, ValueError) as error:
            # pyserial answers I/O on a port that was closed or pulled out with any of these.
            raise LinkError(
                "link-lost", f"{self.name} is gone ({_cause(error)})", remedy="Connect it again and repeat the command."
            ) from error


def open_serial(port: str, *, baud: int | None = None, assert_lines: bool = False) -> SerialLink:
    """Opens a device path, a COM name, ``usb:VID:PID[:SERIAL]``, or a pyserial URL (socket://, rfc2217://, loop://).

    ``?baud=`` behind a device or usb: name wins over `baud` (default 115200). DTR and RTS stay released unless
    `assert_lines`, since on many boards they pull the reset (where the driver raises them on opening, that cannot be
    helped). Raises UsageError, and TargetError: port-missing, port-busy, port-permission, port-ambiguous,
    port-unreachable, port-failed.
    """
    name, baud = _split_baud(port, baud)
    url = find_usb(name) if name.startswith("usb:") else name
    _check_url(url)
    opened = _open(url, port, baud, assert_lines)
    network = url.startswith(_NETWORK[0])
    return SerialLink(port, opened, None if network else baud / 10)


def find_serial_ports() -> list[SerialPort]:
    """All serial ports that the system lists, by device name."""
    from serial.tools import list_ports  # noqa: PLC0415

    return sorted((_described(info) for info in list_ports.comports()), key=lambda found: found.device)


def find_usb(name: str) -> str:
    """The device of ``usb:VID:PID[:SERIAL]``. Raises TargetError unless exactly one fits; UsageError for the form."""
    form = _USB.fullmatch(name)
    if form is None:
        raise UsageError(
            "port-bad-usb",
            f"{name} is no USB port",
            remedy="Write usb:VID:PID or usb:VID:PID:SERIAL, as in usb:0403:6001.",
        )
    wanted = ":".join(part for part in ("usb", form[1].lower(), form[2].lower(), form[3]) if part)
    known = find_serial_ports()
    matching = [found for found in known if f"{found.usb}:".startswith(f"{wanted}:")]
    if len(matching) == 1:
        return matching[0].device
    if not matching:
        present = ", ".join(f"{found.usb} ({found.device})" for found in known if found.usb) or "none"
        raise TargetError("port-missing", f"no serial port is {name}", remedy=f"USB ports present: {present}.")
    listed = ", ".join(f"{found.usb} ({found.device})" for found in matching)
    raise TargetError(
        "port-ambiguous", f"{len(matching)} ports are {name}: {listed}", remedy="Name one, with its serial number."
    )


# --- opening --------------------------------------------------------------------------------------------------


def _split_baud(port: str, baud: int | None) -> tuple[str, int]:
    if port.startswith((*_NETWORK, "loop://")):  # their queries belong to pyserial
        return port, baud or DEFAULT_BAUD
    name, _, query = port.partition("?")
    if query:
        key, _, value = query.partition("=")
        if key != "baud" or not value.isdigit() or int(value) == 0:
            raise UsageError(
                "port-bad-value", f"{port}: not understood behind the ?", remedy="Only ?baud=NUMBER may stand there."
            )
        baud = int(value)
    return name, baud or DEFAULT_BAUD


def _check_url(url: str) -> None:
    """pyserial would tell of these mistakes in Python's words."""
    scheme, slashes, _ = url.partition("://")
    if slashes and scheme not in _PYSERIAL:
        raise UsageError(
            "port-bad-url", f"{url}: {scheme}:// is no kind of port", remedy="Write socket://HOST:PORT, or a device."
        )
    if url.startswith(_NETWORK) and not _has_host_and_port(url):
        text = f"{url} does not name a host and a port"
        raise UsageError("port-bad-url", text, remedy=f"Write {scheme}://HOST:PORT, as in {scheme}://192.168.1.5:4000.")


def _has_host_and_port(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port is not None
    except ValueError:  # a port that is no number, or above 65535
        return False


def _open(url: str, name: str, baud: int, assert_lines: bool) -> serial.SerialBase:
    import serial  # noqa: PLC0415

    try:
        port = serial.serial_for_url(url, do_not_open=True, baudrate=baud)
        _prepare(port, assert_lines)
        port.open()
    except serial.SerialException as error:
        raise _explained(name, url, error) from error
    except (OSError, ValueError) as error:
        raise _failed(name, error) from error
    return port


def _prepare(port: Any, assert_lines: bool) -> None:
    """Before opening: afterwards it would be too late for DTR and RTS."""
    import serial  # noqa: PLC0415

    port.dtr = port.rts = assert_lines
    port.timeout = _POLL_S
    if type(port) is serial.Serial:
        port.write_timeout = WRITE_TIMEOUT_S  # rfc2217:// refuses one
        port.exclusive = True
    if hasattr(os, "openpty") and _selectable(port):
        port.timeout = 0


def _selectable(port: Any) -> bool:
    """Whether select can wait for it: POSIX devices and sockets have a file number, the others raise."""
    import serial  # noqa: PLC0415

    return type(port) is serial.Serial or type(port).__module__.endswith("protocol_socket")


def _fileno(port: Any) -> int | None:
    if not (hasattr(os, "openpty") and _selectable(port)):
        return None
    number: int = port.fileno()
    return number


# --- explaining -----------------------------------------------------------------------------------------------


def _explained(name: str, url: str, error: Exception) -> TargetError:
    """By errno where pyserial keeps it, otherwise (Windows, sockets) by the name in its text."""
    number, text = getattr(error, "errno", None), str(error)
    if number == errno.ENOENT or "FileNotFoundError" in text:
        return TargetError(
            "port-missing",
            f"there is no port {name}",
            remedy=f"Check the name. {_present()}.",
        )
    if number in (errno.EBUSY, errno.EAGAIN) or "PermissionError" in text:  # the latter: how Windows says busy
        return TargetError(
            "port-busy", f"{name} is in use by another program", remedy="Close the program that holds it."
        )
    if number in (errno.EACCES, errno.EPERM):
        return _permission(name, url)
    if url.startswith(_NETWORK):
        return TargetError(
            "port-unreachable",
            f"{name} does not answer ({_cause(error)})",
            remedy="Start the server, or check host and port.",
        )
    if number in (errno.ENOTTY, errno.EISDIR) or os.strerror(errno.ENOTTY) in text:
        return TargetError("port-failed", f"{name} is no serial port", remedy=f"Name a serial port. {_present()}.")
    return _failed(name, error)


def _permission(name: str, url: str) -> TargetError:
    group = _group_of(url)
    if group is None:
        return TargetError(
            "port-permission",
            f"{name} may not be opened by you, and no group is allowed to",
            remedy="Ask who administers this machine.",
        )
    return TargetError(
        "port-permission",
        f"{name} may only be opened by members of the group {group}",
        remedy=f"Run: sudo usermod -aG {group} $USER, then log in again.",
    )


def _group_of(path: str) -> str | None:
    """The group whose members may read and write it, if there is one."""
    try:
        import grp  # noqa: PLC0415  # there is none on Windows

        found = os.stat(path)
        open_to_group = found.st_mode & _GROUP_USES == _GROUP_USES
        return grp.getgrgid(found.st_gid).gr_name if open_to_group else None
    except (ImportError, OSError, KeyError):
        return None


def _failed(name: str, error: Exception) -> TargetError:
    return TargetError(
        "port-failed", f"{name} cannot be opened ({_cause(error)})", remedy="Check the name and the cable."
    )


def _cause(error: Exception) -> str:
    """What the system said, without what pyserial put before it."""
    text = (getattr(error, "strerror", None) or str(error)).rstrip(".")
    return re.sub(r".*\[Errno -?\d+\] ", "", text)


def _present() -> str:
    return f"Ports present: {', '.join(found.device for found in find_serial_ports()) or 'none'}"


def _described(info: Any) -> SerialPort:
    usb = ""
    if info.vid is not None and info.pid is not None:
        usb = f"usb:{info.vid:04x}:{info.pid:04x}" + (f":{info.serial_number}" if info.serial_number else "")
    return SerialPort(info.device, info.description or "", usb)
