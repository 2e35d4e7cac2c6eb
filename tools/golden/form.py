"""How golden bytes are made and written down: CRC by crcmod, a naive COBS, frames. Knows no message."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import crcmod.predefined  # type: ignore[import-untyped]

SESSION, SERIAL = 0x1234, 7
crc32 = crcmod.predefined.mkPredefinedCrcFun("crc-32")

Entry = dict[str, str]


def cobs(data: bytes) -> bytes:
    """COBS, one byte at a time, as the paper's table says; no group after a full one that ends the data."""
    out = bytearray([0])
    code_at = 0
    for index, byte in enumerate(data):
        if byte:
            out.append(byte)
        full = len(out) - code_at == 255
        if byte == 0 or (full and index + 1 < len(data)):
            out[code_at] = len(out) - code_at
            code_at = len(out)
            out.append(0)
    out[code_at] = len(out) - code_at
    return bytes(out)


def on_wire(frame: bytes) -> bytes:
    return cobs(frame) + b"\0"


def with_crc(data: bytes) -> bytes:
    return data + struct.pack("<I", crc32(data))


def frame_of(kind: int, body: bytes, session: int = SESSION, serial: int = SERIAL) -> bytes:
    return with_crc(struct.pack("<BHB", kind, session, serial) + body)


def text_of(value: object) -> str:
    return f"hex:{value.hex()}" if isinstance(value, bytes) else str(value)


def file_text(head: str, made: Iterator[Entry]) -> str:
    """A file of entries below its head."""
    entries = list(made)
    names = [entry["name"] for entry in entries]
    assert len(names) == len(set(names)), "a name stands twice"
    blocks = ["".join(f"{key}: {value}".rstrip() + "\n" for key, value in entry.items()) for entry in entries]
    return head + "\n" + "\n".join(blocks)
