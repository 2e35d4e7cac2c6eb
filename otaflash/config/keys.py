"""Every key that a configuration may state: its values, its default, its name in the environment. One table."""

from __future__ import annotations

import re
from dataclasses import dataclass

from otaflash.errors import UsageError
from otaflash.transport.entry import parse_entry

BOARDS = "boards"
"""The table of boards that have names: ``[boards.NAME]``."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_WINDOWS_PORT = re.compile(r"com\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Key:
    """One key, which stands at the top of otaflash.toml or in a table ``[boards.NAME]``."""

    name: str
    meaning: str
    """In a few words, for `otaflash init`."""
    default: str
    """What holds where nothing is stated, in words."""
    example: str
    """As TOML."""
    limits: tuple[int, int] | None = None
    """The least and the greatest whole number that it may be; None: it is a text."""

    @property
    def environment(self) -> str:
        """The variable that states it, too."""
        return f"OTAFLASH_{self.name.upper()}"

    def fault_of(self, value: object) -> str:
        """What is wrong with a value, as the end of a sentence; "" if nothing is."""
        if self.limits is not None:
            low, high = self.limits
            fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
            return "" if fits else f"{self.name} must be a whole number from {low} to {high}"
        if not isinstance(value, str):
            return f"{self.name} must be a text in quotes"
        try:
            if self.name == "enter":
                parse_entry(value)
        except UsageError as error:
            return f"{self.name}: {error.text}"
        return ""

    def read(self, text: str) -> str | int:
        """The value as the environment has it. Raises UsageError."""
        number = self.limits is not None and re.fullmatch(r"[0-9]{1,20}", text)
        value = int(text) if number else text
        if fault := self.fault_of(value):
            raise UsageError(
                "environment-malformed",
                f"{self.environment}={text}: {fault}",
                remedy=f"correct the variable, or unset {self.environment}",
            )
        return value


KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key("board", "push stops unless the board calls itself so", "any board", '"atmega328p"'),
        Key("port", "the way to the board", "the only one there is", '"usb:0403:6001:A10K9X"'),
        Key("baud", "bits per second of a serial line", "115200, of a BLE module its own", "57600", (1, 20_000_000)),
        Key("enter", "how it comes into its loader, if it does not by itself", "none", '"dtr"'),
        Key("version", "of programs whose file states none", "0.0.0", '"1.2.0"'),
        Key("counter", "security counter of images that are built", "the board's own", "1", (0, 0xFFFFFFFF)),
        Key("key", "signs what is pushed; the file of a secret key", "none", '"keys/device.key"'),
        Key("ble_service", "of a UART module that is not known: its service", "none", '"fff0"'),
        Key("ble_to_device", "its characteristic that is written", "none", '"fff2"'),
        Key("ble_to_host", "its characteristic that notifies", "none", '"fff1"'),
    )
}


def name_fault(name: str) -> str:
    """Why a board may not have that name, which must be no port's; "" if it may."""
    if _NAME.fullmatch(name) is None:
        return f"{name!r} is no name for a board: letters, digits, - and _ are"
    return f"{name} is the name of a serial port" if _WINDOWS_PORT.fullmatch(name) else ""
