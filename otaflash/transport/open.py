"""Which link a port name means. Knows the kinds of link, not what travels over them."""

from __future__ import annotations

import time
from collections.abc import Callable

from otaflash.errors import TargetError, UsageError
from otaflash.transport.ble_services import KNOWN, SCHEME, Service, parse_ble
from otaflash.transport.entering import enter_loader
from otaflash.transport.entry import PowerUp, parse_entry
from otaflash.transport.link import PATIENCE_S, Link, is_simulated
from otaflash.transport.running import running_boards
from otaflash.transport.serial import find_serial_ports, open_serial
from otaflash.transport.serial_names import SerialPort

LOOK_AGAIN_S = 0.2
"""For a port that is waited for."""


def open_link(
    port: str,
    *,
    baud: int | None = None,
    module: Service | None = None,
    enter: str | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Link:
    """Opens what the user named after --port (ports.md), and brings the board into its loader as `enter` says
    (`parse_entry`; None: it is left alone). `module`: a UART module of the user's, for BLE; `tell` gets a line where
    opening takes its time.

    Raises UsageError for a name or a way in that means nothing, TargetError for a port that cannot be opened, LinkError
    where a way in fails.
    """
    entry = None if enter is None else parse_entry(enter)
    if isinstance(entry, PowerUp):
        return _open_when_on(port, entry, baud, module, tell)
    link = _open(port, baud, module, tell)
    if entry is not None:
        try:
            enter_loader(link, entry, tell)
        except BaseException:
            link.close()
            raise
    return link


def _open_when_on(
    port: str, entry: PowerUp, baud: int | None, module: Service | None, tell: Callable[[str], None]
) -> Link:
    """A board with USB or a radio of its own may not be there before it is switched on."""
    tell(f"switch the board on now; it is waited for {entry.seconds:g} s")
    until = time.monotonic() + entry.seconds
    while True:
        try:
            link = _open(port, baud, module, tell)
            break
        except TargetError as error:
            if error.reason not in _NOT_THERE or time.monotonic() > until:
                raise
            time.sleep(LOOK_AGAIN_S)
    link.patience_s = max(until - time.monotonic(), min(entry.seconds, PATIENCE_S))
    return link


_NOT_THERE = ("port-missing", "ble-none")


def _open(port: str, baud: int | None, module: Service | None, tell: Callable[[str], None]) -> Link:
    if not port:
        raise UsageError("port-empty", "the port has no name", remedy="Name one after --port, or leave --port out.")
    if is_simulated(port):
        from otaflash.transport.simlink import open_sim  # noqa: PLC0415  # loads the simulated boards

        return open_sim(port)
    if port.startswith(SCHEME):
        target = parse_ble(port)
        from otaflash.transport.ble_link import open_ble  # noqa: PLC0415  # loads asyncio

        return open_ble(target, known_services(module), baud=baud, tell=tell)
    return open_serial(port, baud=baud, tell=tell)


def known_services(module: Service | None = None) -> tuple[Service, ...]:
    """The GATT services that lead to a board: the user's own module first."""
    return KNOWN if module is None else (module, *KNOWN)


def find_ports() -> list[SerialPort]:
    """The ports that may lead to a board: serial ports that are USB devices."""
    return [port for port in find_serial_ports() if port.usb]


def find_port() -> str:
    """The port to use where none was named: the only one there is, of a USB serial port or of a simulated board that
    runs here. Raises TargetError for none or several."""
    present = [(port.device, f"{port.description}, {port.usb}") for port in find_ports()]
    present += [(each.port, f"simulated {each.board}") for each in running_boards()]
    if len(present) == 1:
        return present[0][0]
    if not present:
        raise TargetError(
            "port-none", "no USB serial port is present", remedy="Connect the board, or name a port after --port."
        )
    listed = ", ".join(f"{port} ({what})" for port, what in present)
    raise TargetError(
        "port-ambiguous", f"{len(present)} ports are present: {listed}", remedy="Name one of them after --port."
    )
