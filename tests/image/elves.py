"""Makes ELF files for the tests, field by field, so that each rule can be broken by itself. Knows no otaflash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack

AVR, ARM, X86 = 83, 40, 3
EXECUTABLE, RELOCATABLE = 2, 1
LOAD, NOTE = 1, 4
PROGBITS, NOBITS = 1, 8
ALLOCATED = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One program header and, where it has a name, the section in it. `address` is where it lies, `runs_at` where it
    runs (None: there, too); `memory` the bytes that it takes in memory (None: those it has)."""

    address: int
    data: bytes
    runs_at: int | None = None
    memory: int | None = None
    name: str = ".text"
    kind: int = LOAD


@dataclass(frozen=True, slots=True)
class Extra:
    """A section that is not loaded."""

    name: str
    data: bytes


def elf(
    parts: Sequence[Part],
    extras: Sequence[Extra] = (),
    *,
    machine: int = AVR,
    type: int = EXECUTABLE,
    entry: int = 0,
    sections: bool = True,
) -> bytes:
    """A little-endian 32-bit file: header, program headers, contents, then the section headers."""
    content = bytearray(52 + 32 * len(parts))
    headers, table = b"", [(b"", 0, 0, 0, 0, 0)]
    for part in parts:
        runs_at = part.address if part.runs_at is None else part.runs_at
        memory = len(part.data) if part.memory is None else part.memory
        offset = len(content)
        headers += pack("<8I", part.kind, offset, runs_at, part.address, len(part.data), memory, 5, 1)
        content += part.data
        if part.name:
            what = PROGBITS if part.data else NOBITS
            table.append((part.name.encode(), what, ALLOCATED, runs_at, offset, len(part.data) or memory))
    for extra in extras:
        table.append((extra.name.encode(), PROGBITS, 0, 0, len(content), len(extra.data)))
        content += extra.data
    names = b"".join(name + b"\0" for name, *_ in table) + b".shstrtab\0"
    table.append((b".shstrtab", 3, 0, 0, len(content), len(names)))
    content += names
    place, written = len(content), b""
    for name, what, flags, address, offset, size in table:
        written += pack("<10I", names.index(name + b"\0"), what, flags, address, offset, size, 0, 0, 1, 0)
    content += written
    content[52 : 52 + len(headers)] = headers
    count = len(table) if sections else 0
    ident = b"\x7fELF\x01\x01\x01" + bytes(9)
    content[:52] = ident + pack(
        "<HHIIIIIHHHHHH", type, machine, 1, entry, 52, place if sections else 0, 0, 52, 32, len(parts), 40, count,
        max(0, count - 1),
    )  # fmt: skip
    return bytes(content)
