"""Which boards are in reach: what answers at serial ports and simulators, what advertises over BLE. Prints nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from otaflash import session
from otaflash.api.facts import BoardInfo
from otaflash.engine import Operation, Request
from otaflash.errors import OtaflashError, TargetError
from otaflash.transport.ble_finding import scan_boards, service_of
from otaflash.transport.ble_services import SCHEME, Service
from otaflash.transport.open import known_services, open_link
from otaflash.transport.running import running_boards
from otaflash.transport.serial import find_serial_ports
from otaflash.transport.serial_names import NETWORK, USB, SerialPort, choose_usb

LISTEN_S = 5.0
"""Several advertising intervals of a board that saves power."""
SILENCE_S = 1.5
"""A board that is to be found answers sooner, over a slow radio too."""
ASKING_S = 6.0
"""What has not ended by then is listed as it is: a driver may hang for as long as it likes."""


class State(Enum):
    """What came of asking at one port."""

    ANSWERS = "answers"
    SILENT = "silent"
    OTHER = "other"
    """Something answers that is no board of otaflash, or one that this version does not understand."""
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    FAILED = "failed"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class Found:
    """One port, or one board in the air."""

    port: str
    """What --port takes."""
    name: str
    """What the device calls itself, or the name that the configuration gives the board."""
    address: str
    """``usb:VID:PID:SERIAL``, or the address over BLE; "" where there is none."""
    service: str
    """The GATT service, ``serial``, ``network`` or ``simulator``."""
    service_uuid: str | None = None
    signal_dbm: int | None = None
    state: State = State.NOT_ASKED
    why: str = ""
    """A sentence where nothing answers; "" if something does."""
    info: BoardInfo | None = None
    """What the board said of itself."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What one look around came to."""

    found: tuple[Found, ...]
    """Boards over BLE first, the strongest before the others, then ports by their names."""
    others: int = 0
    """Devices over BLE that advertise no service that leads to a board."""
    left_alone: tuple[str, ...] = ()
    """Serial ports that are neither USB devices nor named: anything may be there, a console or a modem."""
    no_ble: TargetError | None = field(default=None, compare=False)
    """Why nothing was looked for over BLE."""


def scan(
    *, ask: bool = True, baud: int | None = None, names: Mapping[str, str] | None = None, module: Service | None = None
) -> Scan:
    """Looks for boards: at USB serial ports, at simulators that run here, at the serial and network ports of `names`
    (board -> port), and over BLE. Takes 6 s at most.

    With `ask` each port that has a chance is opened and sent Inspect, all at once, at `baud` bits per second; no board
    is reset or restarted by that. Without, no byte is sent anywhere. Nobody is connected to over BLE. Raises nothing
    for a port that cannot be used: it is listed with the reason.
    """
    ports, left_alone = _ports(names or {})
    asking = _Asking(ports, baud) if ask else None
    in_air, others, no_ble = _in_air(known_services(module))
    found = (*in_air, *(asking.ended() if asking is not None else ports))
    return Scan(found, others, left_alone, no_ble)


def ask_at(found: Found, baud: int | None = None) -> Found:
    """The same port, with what came of sending Inspect there. Raises nothing but what is a bug."""
    try:
        link = open_link(found.port, baud=baud)
        try:
            shape = replace(session.shape_of(link), patience_s=SILENCE_S)
            engine = Request(shape, session.draw_session(), Operation.INFO)
            result = session.run(engine, link, lambda event: None)
        finally:
            link.close()
    except OtaflashError as error:
        return replace(found, state=_STATES.get(error.reason, State.FAILED), why=error.text)
    return replace(found, state=State.ANSWERS, info=BoardInfo.of(result.info))


_STATES = {
    "no-answer": State.SILENT,
    "garbage": State.OTHER,
    "echo": State.OTHER,
    "bad-info": State.OTHER,
    "protocol-too-new": State.OTHER,
    "protocol-too-old": State.OTHER,
    "port-busy": State.BUSY,
    "port-permission": State.FORBIDDEN,
}


class _Asking:
    """Asks at all ports at once, in threads that may be left behind."""

    def __init__(self, ports: Sequence[Found], baud: int | None) -> None:
        self._ports = list(ports)
        self._until = time.monotonic() + ASKING_S
        self._threads = [threading.Thread(target=self._ask, args=(at, baud), daemon=True) for at in range(len(ports))]
        for thread in self._threads:
            thread.start()

    def _ask(self, at: int, baud: int | None) -> None:
        self._ports[at] = ask_at(self._ports[at], baud)

    def ended(self) -> list[Found]:
        """The ports with what came of asking."""
        for thread in self._threads:
            thread.join(max(0.0, self._until - time.monotonic()))
        late = f"it was not done within {ASKING_S:.0f} s"
        return [
            replace(port, state=State.FAILED, why=late) if port.state is State.NOT_ASKED else port
            for port in self._ports
        ]


def _ports(names: Mapping[str, str]) -> tuple[list[Found], tuple[str, ...]]:
    """The ports that may lead to a board, and the devices that are left alone."""
    known = find_serial_ports()
    named = {_device_of(port, known): name for name, port in names.items()}
    left_alone = tuple(each.device for each in known if not each.usb and each.device not in named)
    found = [
        Found(each.device, named.pop(each.device, each.description), each.usb, "serial")
        for each in known
        if each.device not in left_alone
    ]
    found += [Found(each.port, named.pop(each.port, each.board), "", "simulator") for each in running_boards()]
    for port, name in named.items():
        if port.startswith(NETWORK):
            found.append(Found(port, name, "", "network"))
        elif port and ":" not in port:  # a device that the system does not list
            found.append(Found(port, name, "", "serial"))
    return found, left_alone


def _device_of(port: str, known: Sequence[SerialPort]) -> str:
    name = port if port.startswith(NETWORK) else port.partition("?")[0]
    if not name.lower().startswith(USB):
        return name
    try:
        return choose_usb(name, known).device
    except OtaflashError:  # not plugged in
        return ""


def _in_air(services: Sequence[Service]) -> tuple[list[Found], int, TargetError | None]:
    """The boards that advertise, the strongest first, how many devices are none, and why nothing could be heard."""
    try:
        seen = scan_boards(LISTEN_S)
    except TargetError as error:  # ports can be listed all the same
        return [], 0, error
    names = [each.name for each in seen]
    found = []
    for each in seen:
        service = service_of(each, services)
        if service is None:
            continue
        port = each.name if each.name and names.count(each.name) == 1 and "?" not in each.name else each.address
        found.append(Found(SCHEME + port, each.name, each.address, service.name, service.uuid, each.rssi))
    return found, len(seen) - len(found), None
