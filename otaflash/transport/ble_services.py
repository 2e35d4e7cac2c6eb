"""Which GATT services lead to a bootloader, and what a `ble:` port name means. Data and text; knows no radio."""

from __future__ import annotations

import re
from dataclasses import dataclass

from otaflash.errors import UsageError
from otaflash.wire.ble import SERVICE_UUID, TO_DEVICE_UUID, TO_HOST_UUID

SCHEME = "ble:"


@dataclass(frozen=True, slots=True)
class Service:
    """One GATT service that carries bytes to a board and back. UUIDs in full, in lower case."""

    name: str
    uuid: str
    to_device: str
    """The characteristic that is written."""
    to_host: str
    """The characteristic that notifies; of some modules the same one."""
    stream: bool
    """True: a UART lies behind it, and frames are COBS-encoded. False: one frame is one value."""
    baud: int = 115200
    """Bits per second of that UART where the user does not state it: the module's setting when it was bought."""


def _short(uuid: str) -> str:
    return f"0000{uuid}-0000-1000-8000-00805f9b34fb"


OWN = Service("otaflash", SERVICE_UUID, TO_DEVICE_UUID, TO_HOST_UUID, stream=False)

# Nordic's bluetooth-services documentation, "Nordic UART Service": RX is what the client writes.
NORDIC_UART = Service(
    "Nordic UART",
    "6e400001-b5a3-f393-e0a9-e50e24dcca9e",
    "6e400002-b5a3-f393-e0a9-e50e24dcca9e",
    "6e400003-b5a3-f393-e0a9-e50e24dcca9e",
    stream=True,
)

# JNHuaMao's HM-10 datasheet: service FFE0, characteristic FFE1 for both ways, 9600 baud (AT+BAUD0).
HM_10 = Service("HM-10", _short("ffe0"), _short("ffe1"), _short("ffe1"), stream=True, baud=9600)

# Microchip's "ISSC Transparent UART" (BM70, RN4870/71, RN4020): TX notifies, RX is written.
MICROCHIP_UART = Service(
    "Microchip UART",
    "49535343-fe7d-4ae5-8fa9-9fafd205e455",
    "49535343-8841-43f4-a8d4-ecbe34729bb3",
    "49535343-1e4d-4bd9-ba61-23c647249616",
    stream=True,
)

KNOWN = (OWN, NORDIC_UART, HM_10, MICROCHIP_UART)
"""In the order of preference where a board offers several."""

_FULL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHORT_UUID = re.compile(r"[0-9a-f]{4}")
_ADDRESS = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)
_UUID_KEYS = ("ble_service", "ble_to_device", "ble_to_host")


@dataclass(frozen=True, slots=True)
class BleTarget:
    """What the user wrote after ``ble:``. Exactly one of name, address and service says which board; service may
    stand beside a name, too."""

    text: str
    """The whole port name, for messages."""
    name: str | None = None
    address: str | None = None
    """As scans show it: six bytes with colons, or on macOS a UUID that this computer made up. Lower case."""
    service: str | None = None
    pair: bool = False
    baud: int | None = None


def parse_ble(port: str) -> BleTarget:
    """Reads ``ble:NAME``, ``ble:ADDRESS`` or ``ble:?service=UUID``, with further keys behind the ?: service=UUID,
    baud=NUMBER (of the UART behind a module), pair. Raises UsageError."""
    board, _, query = port.removeprefix(SCHEME).partition("?")
    service, baud, pair = None, None, False
    for item in filter(None, query.split("&")):
        key, _, value = item.partition("=")
        if key == "service" and value:
            service = full_uuid(value, f"service={value}")
        elif key == "baud" and value.isdigit() and int(value):
            baud = int(value)
        elif item == "pair":
            pair = True
        else:
            raise _bad(f"{port}: {item!r} is not understood", "behind the ? may stand service=UUID, baud=NUMBER, pair")
    if not board and service is None:
        raise _bad(f"{port} names no board", "name one, as in ble:NAME; 'otaflash scan' lists them")
    is_address = bool(_ADDRESS.fullmatch(board) or _FULL_UUID.fullmatch(board.lower()))
    name, address = (None, board.lower()) if is_address else (board or None, None)
    return BleTarget(port, name, address, service, pair, baud)


def full_uuid(text: str, where: str) -> str:
    """A UUID of 128 bits in lower case, from one or from its short form of 16 bits. Raises UsageError."""
    uuid = text.lower()
    if _SHORT_UUID.fullmatch(uuid):
        return _short(uuid)
    if not _FULL_UUID.fullmatch(uuid):
        raise _bad(f"{where}: no UUID", "write it as ffe0 or as 6e400001-b5a3-f393-e0a9-e50e24dcca9e")
    return uuid


def module_of(service: str | None, to_device: str | None, to_host: str | None) -> Service | None:
    """The UART module that otaflash.toml describes; None if it states none of the three. Raises UsageError for fewer
    than three."""
    stated = (service, to_device, to_host)
    if stated == (None, None, None):
        return None
    missing = [key for key, value in zip(_UUID_KEYS, stated, strict=True) if value is None]
    if missing:
        raise UsageError(
            "config-incomplete",
            f"otaflash.toml states no {missing[0]}",
            remedy=f"state all of {', '.join(_UUID_KEYS)}, or none",
        )
    uuid, written, notifying = (full_uuid(str(value), key) for key, value in zip(_UUID_KEYS, stated, strict=True))
    return Service("otaflash.toml", uuid, written, notifying, stream=True)


def _bad(text: str, remedy: str) -> UsageError:
    return UsageError("port-bad-ble", text, remedy=remedy)
