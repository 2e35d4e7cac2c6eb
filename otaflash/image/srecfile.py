"""Motorola S-records -> segments, each record by the `bincopy` package (imported here only). Knows no board.

bincopy checks the length and the checksum of a record. A whole file is read here, since bincopy takes one without its
end, with text behind it, or with another number of records than it says.
Source of the format: https://en.wikipedia.org/wiki/SREC_(file_format), which cites Motorola's M68000 manual.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from otaflash.errors import ImageError
from otaflash.image.data import ADDRESS_END, Firmware, Overlap, Segment, joined
from otaflash.image.refusals import NEW_FILE, refuse_at_line

_RECORD = re.compile(r"S([0-9])([0-9A-Fa-f]{2})+")
_ADDRESS_BYTES = {"0": 2, "1": 2, "2": 3, "3": 4, "5": 2, "6": 3, "7": 4, "8": 3, "9": 2}


@dataclass(slots=True)
class _Read:
    """What the records up to here said."""

    pieces: list[Segment] = field(default_factory=list)
    records: int = 0
    start: int | None = None
    ended: bool = False


def parse_srec(content: bytes) -> Firmware:
    """The program in the text of an S-record file.

    Raises ImageError: srec-character, srec-length, srec-checksum, srec-record-type, srec-count, srec-after-end,
    srec-no-end, srec-overlap, srec-empty, srec-address-range, srec-start-outside.
    """
    read = _Read()
    lines = 0
    for number, line in _lines(content):
        lines = number
        if read.ended:
            refuse_at_line("srec-after-end", number, "something follows the end record")
        _take(read, *_record(number, line), number)
    if not read.ended:
        text = f"the S-record file ends at line {lines} without an end record (S7, S8 or S9): it is cut short"
        raise ImageError("srec-no-end", text, remedy=NEW_FILE)
    try:
        segments = joined(read.pieces)
    except Overlap as overlap:
        text = f"the address 0x{overlap.address:08X} is given a second time"
        raise ImageError("srec-overlap", text, remedy=NEW_FILE) from overlap
    if not segments:
        raise ImageError("srec-empty", "the S-record file holds no program", remedy="Check what the build wrote.")
    return Firmware(segments, _start(read.start, segments), kind="srec")


def _lines(content: bytes) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(content.splitlines(), 1):
        if text := line.strip().decode("latin-1"):
            yield number, text


def _record(number: int, line: str) -> tuple[str, int, bytes]:
    """Type, address and data of one line."""
    import bincopy  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import, and few files need it

    if not _RECORD.fullmatch(line):
        refuse_at_line("srec-character", number, "this is no S-record: S, a digit, then pairs of hexadecimal digits")
    kind, given = line[1], bytes.fromhex(line[2:])
    if kind not in _ADDRESS_BYTES:
        refuse_at_line("srec-record-type", number, f"record type S{kind} is not known")
    if given[0] != len(given) - 1 or given[0] < _ADDRESS_BYTES[kind] + 1:
        refuse_at_line("srec-length", number, "the record is shorter or longer than it says")
    try:
        _, address, _, data = bincopy.unpack_srec(line)
    except bincopy.Error:
        refuse_at_line("srec-checksum", number, "the checksum is wrong")
    return kind, address, bytes(data)


def _take(read: _Read, kind: str, address: int, data: bytes, number: int) -> None:
    if kind in "123":
        if address + len(data) > ADDRESS_END:
            refuse_at_line("srec-address-range", number, "the data lies above the 32-bit address space")
        read.records += 1
        read.pieces.append(Segment(address, data))
    elif kind in "56":
        if address != read.records:
            refuse_at_line("srec-count", number, f"{address} data records are stated, {read.records} are there")
    elif kind in "789":
        if data:
            refuse_at_line("srec-length", number, "the end record holds data")
        read.start, read.ended = address, True


def _start(stated: int | None, segments: tuple[Segment, ...]) -> int | None:
    """The start address; 0 outside of the program is how tools write that they know of none."""
    if stated is None or segments[0].address <= stated < segments[-1].end:
        return stated
    if stated == 0:
        return None
    text = f"the start address 0x{stated:08X} lies outside the program"
    raise ImageError("srec-start-outside", text, remedy="Check the linker script and its entry point.")
