"""Serial ports that are not there: what pyserial would list of them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from serial.tools import list_ports


@dataclass
class Listed:
    """What pyserial lists of a port."""

    device: str
    description: str = "n/a"
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None


FTDI = Listed("/dev/ttyUSB0", "FT232R", 0x0403, 0x6001, "A1")
FTDI_2 = Listed("/dev/ttyUSB1", "FT232R", 0x0403, 0x6001, "A12")
MICROBIT = Listed("/dev/ttyACM0", "micro:bit", 0x0D28, 0x0204, "9900")
PLAIN = Listed("/dev/ttyS0")


def present(monkeypatch: pytest.MonkeyPatch, *ports: Listed) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: list(ports))
