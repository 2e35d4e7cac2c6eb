"""Makes HEX text for the tests, record by record, so that each rule can be broken by itself. Knows no otaflash."""

from __future__ import annotations

from collections.abc import Iterable

END = ":00000001FF"


def record(kind: int, address: int, data: bytes = b"") -> str:
    """One line with a right length and checksum."""
    body = bytes([len(data)]) + address.to_bytes(2, "big") + bytes([kind]) + data
    return ":" + (body + bytes([-sum(body) & 0xFF])).hex().upper()


def base(address: int) -> str:
    """The line that puts what follows at this multiple of 64 KiB."""
    return record(4, 0, (address >> 16).to_bytes(2, "big"))


def text(*lines: str) -> bytes:
    """Lines as a file."""
    return "".join(line + "\n" for line in lines).encode("latin-1")


def program(runs: Iterable[tuple[int, bytes]]) -> bytes:
    """A right file: each run in records of up to 16 bytes that do not cross 64 KiB."""
    lines = []
    for start, data in runs:
        at = start
        while at < start + len(data):
            count = min(16, start + len(data) - at, 0x1_0000 - at % 0x1_0000)
            lines += [base(at), record(0, at % 0x1_0000, data[at - start : at - start + count])]
            at += count
    return text(*lines, END)
