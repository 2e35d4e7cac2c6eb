"""What can be wrong with bytes that claim to be a frame, a message or a record."""

from __future__ import annotations

from enum import StrEnum


class WireFault(StrEnum):
    """Which rule of the wire was broken; the words that protocol/vectors/refused.txt uses."""

    COBS = "cobs"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    CRC = "crc"
    UNKNOWN_KIND = "unknown-kind"
    LENGTH = "length"
    VALUE = "value"


class WireError(ValueError):
    """Bytes that are not what the protocol says, or values that do not fit it. `fault` says which rule."""

    def __init__(self, fault: WireFault, text: str) -> None:
        super().__init__(text)
        self.fault = fault
