"""Intel HEX -> segments, by the `intelhex` package (imported here only), and the checks it leaves out. Knows no board.

intelhex finds wrong characters, lengths, types, checksums and overlaps. It accepts a file without its end record, text
after the end, an empty file, and addresses that leave their 64 KiB segment or 32 bits: those are found here. Source
of the format: Intel, "Hexadecimal Object File Format Specification", revision A, 1988.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from otaflash.errors import ImageError
from otaflash.image.data import Firmware, Segment, Warning
from otaflash.image.files import read_file
from otaflash.image.refusals import NEW_FILE, refuse_at_line

# The user information registers of nRF51 and nRF52. HEX files for a programmer on a wire set them; they lie in no slot.
UICR_START = 0x1000_1000
UICR_END = 0x1000_2000

_DIGITS = re.compile(rb"[0-9A-Fa-f]*")

_BY_INTELHEX = {
    "AddressOverlapError": ("hex-overlap", "an address is given a second time"),
    "RecordLengthError": ("hex-length", "the record is shorter or longer than it says"),
    "RecordChecksumError": ("hex-checksum", "the checksum is wrong"),
    "EOFRecordError": ("hex-length", "the end record holds data"),
    "DuplicateStartAddressRecordError": ("hex-start-twice", "the start address is given a second time"),
}


def read_hex(path: Path | str) -> Firmware:
    """Reads an Intel HEX file; raises ImageError as read_file and parse_hex do."""
    return parse_hex(read_file(path))


def parse_hex(content: bytes) -> Firmware:
    """The program in the text of an Intel HEX file.

    Raises ImageError: hex-no-end, hex-empty, hex-after-end, hex-overlap, hex-checksum, hex-length,
    hex-character, hex-record-type, hex-universal, hex-record-address, hex-address-wrap, hex-address-range,
    hex-start-twice, hex-start-outside.
    """
    if not content.strip():
        raise ImageError("hex-empty", "the file is empty", remedy="Check what the build wrote into it.")
    segments, start = _parse(_Lines(content))
    kept = tuple(s for s in segments if not UICR_START <= s.address < s.end <= UICR_END)
    if not kept:
        raise ImageError("hex-empty", "the HEX file holds no program", remedy="Check what the build wrote into it.")
    warnings = tuple(_uicr_warning(s) for s in segments if s not in kept)
    if start is not None and not kept[0].address <= start < kept[-1].end:
        text = (
            f"the start address 0x{start:08X} lies outside the program, "
            f"which has 0x{kept[0].address:08X} to 0x{kept[-1].end - 1:08X}"
        )
        raise ImageError("hex-start-outside", text, remedy="Check the linker script and its entry point.")
    return Firmware(kept, start, warnings)


class _Lines:
    """The lines of a HEX file as intelhex asks for them; checks each one once intelhex has taken it."""

    def __init__(self, content: bytes) -> None:
        self.lines = content.splitlines()
        self.taken = 0
        self.ended = True
        self._base = 0
        self._segmented = True

    def read(self) -> str:
        """Never called: intelhex tells a file from a path by this name."""
        return ""

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.taken += 1
            text = line.rstrip(b" \t").decode("latin-1")
            yield text
            # intelhex comes back for more only when the line was right and not the end record.
            if text:
                self._check(text)
        self.ended = False

    def _check(self, text: str) -> None:
        kind = text[7:9]
        if kind == "00":
            self._check_range(int(text[3:7], 16), int(text[1:3], 16))
        elif kind in ("02", "04"):
            self._segmented = kind == "02"
            self._base = int(text[9:13], 16) << (4 if self._segmented else 16)

    def _check_range(self, address: int, count: int) -> None:
        end = address + count
        if end > 0x1_0000 and self._segmented:
            text = f"the data runs past the end of its 64 KiB segment (0x{address:04X} + {count})"
            refuse_at_line("hex-address-wrap", self.taken, text)
        if self._base + end > 0x1_0000_0000:
            refuse_at_line("hex-address-range", self.taken, "the data lies above the 32-bit address space")


def _parse(lines: _Lines) -> tuple[tuple[Segment, ...], int | None]:
    import intelhex  # type: ignore[import-untyped]  # noqa: PLC0415 - slow to import, and most commands need none

    program = intelhex.IntelHex()
    try:
        program.loadhex(lines)
    except intelhex.IntelHexError as error:
        _refuse_line(error, lines)
    if not lines.ended:
        text = f"the HEX file ends at line {lines.taken} without an end record (type 01): it is cut short"
        raise ImageError("hex-no-end", text, remedy=NEW_FILE)
    for number, line in enumerate(lines.lines[lines.taken :], lines.taken + 1):
        if line.strip():
            refuse_at_line("hex-after-end", number, "something follows the end record")
    runs = (Segment(low, bytes(program.tobinarray(low, end - 1))) for low, end in program.segments())
    return tuple(runs), _start_address(program.start_addr)


def _start_address(stated: dict[str, int] | None) -> int | None:
    if stated is None:
        return None
    return stated["EIP"] if "EIP" in stated else stated["CS"] * 16 + stated["IP"]


def _refuse_line(error: Exception, lines: _Lines) -> NoReturn:
    number = lines.taken
    name = type(error).__name__
    if name in _BY_INTELHEX:
        reason, text = _BY_INTELHEX[name]
        refuse_at_line(reason, number, text)
    line = lines.lines[number - 1].rstrip(b" \t")
    if name == "RecordTypeError":
        _refuse_type(line, number)
    if name == "HexRecordError":
        _refuse_characters(line, number)
    # Base and start records: their count is fixed and their address field is zero.
    expected = b"02" if line[7:9] in (b"02", b"04") else b"04"
    if line[1:3] != expected:
        refuse_at_line("hex-length", number, f"a record of type {line[7:9].decode()} has {int(expected)} bytes of data")
    refuse_at_line("hex-record-address", number, f"a record of type {line[7:9].decode()} has the address 0000")


def _refuse_type(line: bytes, number: int) -> NoReturn:
    kind = int(line[7:9], 16)
    if 0x0A <= kind <= 0x0D:
        text = f"line {number}: record type {kind:02X} belongs to a micro:bit Universal HEX, made for several boards"
        raise ImageError("hex-universal", text, remedy="Give the plain HEX that is made for your board alone.")
    refuse_at_line("hex-record-type", number, f"record type {kind:02X} is not known")


def _refuse_characters(line: bytes, number: int) -> NoReturn:
    if not line.startswith(b":"):
        refuse_at_line("hex-character", number, "the line does not begin with ':'")
    digits = _DIGITS.match(line, 1)
    end = digits.end() if digits else 1
    if end < len(line):
        refuse_at_line("hex-character", number, f"column {end + 1} is not a hexadecimal digit")
    refuse_at_line("hex-length", number, "the record is cut short")


def _uicr_warning(segment: Segment) -> Warning:
    what = f"{len(segment.data)} bytes at 0x{segment.address:08X} (UICR)"
    return Warning("uicr-dropped", f"{what} are left out: an update writes the program only")
