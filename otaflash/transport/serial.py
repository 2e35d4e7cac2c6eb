"""Serial ports by pyserial, which is imported here only, and late. Carries bytes and knows no message."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from otaflash import system
from otaflash.transport.link import PATIENCE_S
from otaflash.transport.serial_failures import WRITE_TIMEOUT_S, blocked, lost, not_opened
from otaflash.transport.serial_names import NETWORK, USB, SerialPort, check_url, choose_usb, split_baud

if TYPE_CHECKING:
    import serial

_POLL_S = 0.01
_READ_BYTES = 4096


class SerialLink:
    """A `Link` (otaflash.transport.link) over pyserial; times are those of the monotonic clock."""

    stream = True
    reconnects = False
    patience_s = PATIENCE_S
    frame_bytes = 1056
    connections = 1
    queue_writes = None

    def __init__(self, name: str, port: serial.SerialBase, rate_bytes_per_s: float | None) -> None:
        import serial  # noqa: PLC0415

        self.name = name
        self.rate_bytes_per_s = rate_bytes_per_s
        self._port: Any = port
        self._fileno = port.fileno() if _selectable(port) else None
        self.has_lines = type(port) is serial.Serial or type(port).__module__.endswith("rfc2217")
        """Whether there are DTR and RTS that `set_lines` moves."""
        self._lost = False

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
            if self._fileno is not None:
                self._write_selected(self._fileno, data)
            else:
                self._port.write(data)

    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """Asserts (True) or releases (False) the lines that are named; asserted, the pin of a TTL adapter is low.
        Raises LinkError when the port is gone."""
        with self._lost_link():
            if dtr is not None:
                self._port.dtr = dtr
            if rts is not None:
                self._port.rts = rts

    def close(self) -> None:
        """May be called twice."""
        with suppress(*_FAILURES):  # a port that was pulled out is closed, which is what was asked
            if self._lost and self._fileno is not None:
                self._port.reset_output_buffer()  # or the system waits half a minute for it to be taken
        with suppress(*_FAILURES):
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

    def _write_selected(self, fileno: int, data: bytes) -> None:
        """Not by pyserial: it bounds the whole of a write, which a slow line may need, and a socket's not at all."""
        left = memoryview(data)
        while left:
            _, ready, _ = select.select([], [fileno], [], WRITE_TIMEOUT_S)
            if not ready:
                raise TimeoutError
            with suppress(BlockingIOError):
                left = left[os.write(fileno, left) :]

    @contextmanager
    def _lost_link(self) -> Iterator[None]:
        import serial  # noqa: PLC0415

        try:
            yield
        except _FAILURES as error:
            self._lost = True
            timed_out = isinstance(error, (TimeoutError, serial.SerialTimeoutException))
            if timed_out or isinstance(error.__context__, TimeoutError):
                raise blocked(self.name) from error
            raise lost(self.name, error) from error


_FAILURES: tuple[type[Exception], ...] = (OSError, TypeError, AttributeError, ValueError, system.TerminalError)
"""pyserial answers I/O on a port that was closed or pulled out with any of these."""


def open_serial(port: str, *, baud: int | None = None, tell: Callable[[str], None] = lambda text: None) -> SerialLink:
    """Opens a device path, a COM name, ``usb:VID:PID[:SERIAL]``, or a pyserial URL (socket://, rfc2217://, loop://).

    ``?baud=`` behind a device or usb: name wins over `baud` (default 115200). `tell` gets the device that a usb: name
    came to. Raises UsageError, and TargetError: port-missing, port-busy, port-permission, port-ambiguous,
    port-unreachable, port-failed.

    No line is moved that the system does not move itself. POSIX raises DTR and RTS of a port that is opened, before
    any program can say no; they stay so, also at the end, lest the next opening raise them again: where a board's reset
    hangs on DTR, each edge is a reset. Many boards with USB of their own send nothing while DTR is low. On Windows,
    where opening alone moves nothing, both stay released.
    """
    name, baud = split_baud(port, baud)
    device = name
    if name.lower().startswith(USB):
        found = find_usb(name)
        device = found.device
        tell(f"{name} is {device} ({found.description})")
    device = system.calling_device(device)
    check_url(device)
    opened = _open(device, port, baud)
    return SerialLink(port, opened, None if device.startswith(NETWORK[0]) else baud / 10)


def find_serial_ports() -> list[SerialPort]:
    """All serial ports that the system lists, by device name."""
    from serial.tools import list_ports  # noqa: PLC0415

    return sorted((_described(info) for info in list_ports.comports()), key=lambda found: found.device)


def find_usb(name: str) -> SerialPort:
    """The port of ``usb:VID:PID[:SERIAL]``. Raises TargetError unless exactly one fits; UsageError for the form."""
    return choose_usb(name, find_serial_ports())


def _open(device: str, name: str, baud: int) -> serial.SerialBase:
    import serial  # noqa: PLC0415

    try:
        port = serial.serial_for_url(device, do_not_open=True, baudrate=baud)
        _prepare(port)
        port.open()
    # NotImplementedError: pyserial's answer where a kind of port lacks what it is asked for.
    except (OSError, ValueError, NotImplementedError, system.TerminalError) as error:
        raise not_opened(name, device, error, _present) from error
    if type(port) is serial.Serial and system.HAS_PTYS:
        system.leave_lines_at_close(port.fileno())
    return port


def _prepare(port: Any) -> None:
    """Before opening: afterwards it would be too late for DTR and RTS."""
    import serial  # noqa: PLC0415

    port.dtr = port.rts = system.OPENING_RAISES_LINES
    port.timeout = 0 if _selectable(port) else _POLL_S
    if type(port) is serial.Serial:
        port.write_timeout = WRITE_TIMEOUT_S  # rfc2217:// refuses one
        port.exclusive = True


def _selectable(port: Any) -> bool:
    """Whether select can wait for it: POSIX devices and sockets have a file number, the others raise."""
    import serial  # noqa: PLC0415

    return system.HAS_PTYS and (type(port) is serial.Serial or type(port).__module__.endswith("protocol_socket"))


def _present() -> str:
    return f"Ports present: {', '.join(found.device for found in find_serial_ports()) or 'none'}"


def _described(info: Any) -> SerialPort:
    usb = ""
    if info.vid is not None and info.pid is not None:
        usb = f"{USB}{info.vid:04x}:{info.pid:04x}" + (f":{info.serial_number}" if info.serial_number else "")
    described = info.description if info.description != "n/a" else ""  # pyserial's word for nothing
    return SerialPort(info.device, described or "", usb)
