"""Helpers of the generated messages: values <-> bytes by a struct, every misfit a WireError. Knows no message."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Any, ClassVar, Protocol, Self

from otaflash.wire.errors import WireError, WireFault


class Described(IntEnum):
    """A closed set whose members carry a sentence, `text`. Messages hold plain ints: a newer peer may send more."""

    text: str

    def __new__(cls, value: int, text: str = "") -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

    @classmethod
    def name_of(cls, value: int) -> str:
        """The member's name in lower case, or ``unknown (99)``."""
        member = cls._value2member_map_.get(value)
        return f"unknown ({value})" if member is None else member.name.lower()


class Record(Protocol):
    """What `listed` needs of a generated record."""

    BYTES: ClassVar[int]

    @classmethod
    def unpack(cls, body: bytes, /) -> Self:
        """The fields of these bytes. Raises WireError for what is none."""
        ...


def join(name: str, layout: struct.Struct, *values: int | bytes) -> bytes:
    """The fixed fields as bytes. Raises WireError when a number does not fit its field."""
    try:
        return layout.pack(*values)
    except struct.error as error:
        raise WireError(WireFault.VALUE, f"{name}: {error}") from None


def exactly(name: str, size: int, value: bytes) -> bytes:
    """`value`, if it is `size` bytes long: struct would pad or cut it in silence. Raises WireError."""
    if len(value) != size:
        raise WireError(WireFault.VALUE, f"{name}: {size} bytes, not {len(value)}")
    return value


def fixed(name: str, layout: struct.Struct, body: bytes) -> tuple[Any, ...]:
    """The fields of a body that has no other length. Raises WireError."""
    if len(body) != layout.size:
        raise WireError(WireFault.LENGTH, f"{name}: {layout.size} bytes, not {len(body)}")
    return layout.unpack(body)


def split(name: str, layout: struct.Struct, body: bytes) -> tuple[Any, ...]:
    """The fixed fields, and last the bytes after them. Raises WireError."""
    if len(body) < layout.size:
        raise WireError(WireFault.LENGTH, f"{name}: at least {layout.size} bytes, not {len(body)}")
    return (*layout.unpack_from(body), bytes(body[layout.size :]))


def listed(of: type[Record], name: str, layout: struct.Struct, body: bytes) -> tuple[Any, ...]:
    """The fixed fields, and last a tuple of the records after them. Raises WireError if the last record is cut."""
    *values, rest = split(name, layout, body)
    return (*values, tuple(of.unpack(rest[at : at + of.BYTES]) for at in range(0, len(rest), of.BYTES)))


def only(name: str, wanted: int, value: int) -> None:
    """Raises WireError unless the field has its only value."""
    if value != wanted:
        raise WireError(WireFault.VALUE, f"{name}: {wanted:#x}, not {value:#x}")


def bits(name: str, allowed: int, value: int) -> None:
    """Raises WireError if a bit is set that the field does not have."""
    if value & ~allowed:
        raise WireError(WireFault.VALUE, f"{name}: unknown bits {value & ~allowed:#x}")


def block_kind(base: int, encoding: int) -> int:
    """Kind of a block in that encoding. Raises WireError."""
    if not 0 <= encoding <= 15:
        raise WireError(WireFault.VALUE, f"encoding: 0 to 15, not {encoding}")
    return base + encoding
