"""TI-TXT, the text format of Texas Instruments' MSP430 tools -> segments. Knows no board.

Sections of ``@ADDRESS`` and lines of up to 16 bytes as hexadecimal pairs, then ``q``. The format has no checksum: a
changed digit shows only in what the board computes of the whole image.
Source of the format: Texas Instruments SLAU131, MSP430 Assembly Language Tools, "TI-TXT Hex Format".
"""

from __future__ import annotations

import re

from otaflash.errors import ImageError
from otaflash.image.data import ADDRESS_END, Firmware, Overlap, Segment, joined
from otaflash.image.refusals import NEW_FILE, refuse_at_line

LINE_BYTES = 16

_SECTION = re.compile(r"@([0-9A-Fa-f]{1,8})")
_BYTES = re.compile(r"[0-9A-Fa-f]{2}( [0-9A-Fa-f]{2})*")


def parse_titxt(content: bytes) -> Firmware:
    """The program in the text of a TI-TXT file.

    Raises ImageError: titxt-line, titxt-no-address, titxt-address-range, titxt-after-end, titxt-no-end, titxt-overlap,
    titxt-empty.
    """
    try:
        segments = joined(_pieces(content.decode("latin-1")))
    except Overlap as overlap:
        text = f"the address 0x{overlap.address:08X} is given a second time"
        raise ImageError("titxt-overlap", text, remedy=NEW_FILE) from overlap
    if not segments:
        raise ImageError("titxt-empty", "the TI-TXT file holds no program", remedy="Check what the build wrote.")
    return Firmware(segments, None, kind="ti-txt")


def _pieces(text: str) -> list[Segment]:
    pieces: list[Segment] = []
    address: int | None = None
    ended = False
    for number, line in enumerate((line.strip() for line in text.splitlines()), 1):
        if not line:
            continue
        if ended:
            refuse_at_line("titxt-after-end", number, "something follows the q at the end")
        if line in ("q", "Q"):
            ended = True
        elif section := _SECTION.fullmatch(line):
            address = int(section[1], 16)
        elif address is None:
            refuse_at_line("titxt-no-address", number, "no @ADDRESS says where this line belongs")
        else:
            pieces.append(_piece(number, address, line))
            # A shorter line ends its section: what follows it without an address would be in doubt.
            address = pieces[-1].end if len(pieces[-1].data) == LINE_BYTES else None
    if not ended:
        text = f"the TI-TXT file ends at line {text.count(chr(10))} without its q: it is cut short"
        raise ImageError("titxt-no-end", text, remedy=NEW_FILE)
    return pieces


def _piece(number: int, address: int, line: str) -> Segment:
    if not _BYTES.fullmatch(line) or len(line) > 3 * LINE_BYTES - 1:
        refuse_at_line("titxt-line", number, "this is no address, no q, and not up to 16 bytes as pairs of digits")
    piece = Segment(address, bytes.fromhex(line))
    if piece.end > ADDRESS_END:
        refuse_at_line("titxt-address-range", number, "the data lies above the 32-bit address space")
    return piece
