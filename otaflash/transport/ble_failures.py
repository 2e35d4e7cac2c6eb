"""What can go wrong before and under a BLE connection, one sentence each. Knows no library."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from otaflash.errors import LinkError, OtaflashError, TargetError

WRITE_S = 8.0
"""A write that is not taken for so long ends the link."""


class Trouble(Enum):
    """Why the radio did not do as it was told, from what happened rather than from what a library says of it."""

    MISSING = auto()
    """bleak is not installed"""
    NO_SYSTEM = auto()
    """no Bluetooth service runs on this computer"""
    NO_ADAPTER = auto()
    OFF = auto()
    DENIED = auto()
    PAIRING = auto()
    """the board wants a bond first"""
    SILENT = auto()
    """this computer's Bluetooth does not do what it is asked, and does not refuse"""
    VANISHED = auto()
    """it was seen, and is no longer there"""
    GONE = auto()
    """the connection ended"""
    OVERDUE = auto()
    """nothing happened in the time that there was"""
    OTHER = auto()


HOPELESS = frozenset(Trouble) - {Trouble.SILENT, Trouble.VANISHED, Trouble.GONE, Trouble.OVERDUE, Trouble.OTHER}
"""What another attempt does not mend."""


class RadioError(Exception):
    """What the radio ended with: the trouble, and in `text` what the system said, if it said something."""

    def __init__(self, trouble: Trouble, text: str = "") -> None:
        super().__init__(text)
        self.trouble = trouble
        self.text = text


def not_usable(error: RadioError, name: str) -> OtaflashError:
    """The error for what keeps `name` from being reached at all, or from being connected to."""
    reason, text, remedy = _SENTENCES.get(error.trouble, _SENTENCES[Trouble.OTHER])
    said = f" ({error.text.rstrip('.')})" if error.text and error.trouble is Trouble.OTHER else ""
    return TargetError(reason, text.format(name=name) + said, remedy=remedy)


_SENTENCES = {
    Trouble.MISSING: ("ble-not-installed", "BLE needs the package bleak", "run: pip install 'otaflash[ble]'"),
    Trouble.NO_SYSTEM: (
        "ble-no-system",
        "no Bluetooth service runs on this computer",
        "start it (Linux: sudo systemctl start bluetooth; in a container, share /run/dbus with it)",
    ),
    Trouble.NO_ADAPTER: (
        "ble-no-adapter",
        "this computer has no Bluetooth LE adapter",
        "plug one in, or check that its driver is loaded",
    ),
    Trouble.OFF: ("ble-off", "Bluetooth is switched off", "switch it on (Linux: bluetoothctl power on)"),
    Trouble.DENIED: (
        "ble-permission",
        "you may not use Bluetooth",
        "allow it for this program (macOS: Privacy & Security, Bluetooth; Linux: join the group bluetooth)",
    ),
    Trouble.SILENT: (
        "ble-silent",
        "Bluetooth on this computer does not answer",
        "restart it (Linux: sudo systemctl restart bluetooth)",
    ),
    Trouble.PAIRING: (
        "ble-pairing",
        "{name} demands a pairing",
        "put ?pair behind the port, and let the board accept new pairings",
    ),
    Trouble.VANISHED: (
        "ble-vanished",
        "{name} was seen, but has gone before it could be connected to",
        "check its supply, go nearer, and let nothing else connect to it",
    ),
    Trouble.GONE: (
        "ble-no-connection",
        "{name} ends every connection at once",
        "let nothing else connect to it, and restart the board",
    ),
    Trouble.OVERDUE: (
        "ble-no-connection",
        "{name} is seen, but no connection to it comes about",
        "go nearer, let nothing else connect to it, and restart the board",
    ),
    Trouble.OTHER: ("ble-failed", "{name} cannot be connected to", "restart Bluetooth on this computer and the board"),
}


def not_found(name: str, others: Sequence[str]) -> OtaflashError:
    """Nobody in reach is the board that was meant; `others` are the boards that are."""
    seen = f"in reach are {', '.join(others)}" if others else "no board is in reach"
    return TargetError("ble-none", f"{name} is not in reach", remedy=f"{seen}; switch it on, go nearer, check the name")


def ambiguous(name: str, found: Sequence[str]) -> OtaflashError:
    """More than one board fits."""
    return TargetError(
        "ble-ambiguous", f"{len(found)} boards are {name}: {', '.join(found)}", remedy="name one by its address"
    )


def no_service(name: str, offered: Sequence[str]) -> OtaflashError:
    """The board is there and offers nothing that we can speak through."""
    services = ", ".join(offered) or "none"
    return TargetError(
        "ble-no-service",
        f"{name} has no service that leads to a bootloader (its services: {services})",
        remedy="check that it is the right board; state the UUIDs of another UART module in otaflash.toml",
    )


def not_back(name: str, seconds: float) -> OtaflashError:
    """The connection was lost and did not come back for so many seconds."""
    return LinkError(
        "link-lost",
        f"{name} was lost and has not come back for {seconds:.0f} s",
        remedy="Check its supply, go nearer, and repeat the command.",
    )


def lost_for_good(error: RadioError, name: str) -> OtaflashError:
    """The connection was lost, and this is why another is hopeless."""
    why = not_usable(error, name)
    return LinkError(why.reason, f"{name} was lost: {why.text}", remedy=why.remedy)


def write_stuck(name: str) -> OtaflashError:
    """The system does not take a write, and does not refuse it."""
    return LinkError(
        "link-blocked",
        f"{name} has taken no write for {WRITE_S:.0f} s",
        remedy="restart Bluetooth on this computer and the board, and repeat the command",
    )


def writes_refused(name: str, text: str) -> OtaflashError:
    """The system refuses to send, though the connection stands."""
    return LinkError(
        "link-refused",
        f"{name} takes no writes ({text.rstrip('.')})",
        remedy="restart the board and repeat the command",
    )


def closed(name: str) -> OtaflashError:
    """A link was used after its end."""
    return LinkError("link-closed", f"{name} is closed", remedy="Open the port again.")
