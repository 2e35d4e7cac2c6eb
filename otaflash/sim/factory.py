"""Factory images: a small valid span for the primary slot, and which image a slot holds. Knows the trailer, no link."""

from __future__ import annotations

import zlib

from otaflash.sim.app import RunningImage
from otaflash.wire.messages import Trailer, Version

FACTORY_VERSION = "0.0.1"
ERASED = 0xFF
_CRC_BYTES = 4


def factory_program(count: int = 300) -> bytes:
    """A program of `count` bytes that no chip would run; it only has to be whole."""
    return bytes((7 * at + at // 256) % 251 for at in range(count))


def make_span(
    program: bytes, *, board: bytes, page_bytes: int, slot_pages: int, version: str = FACTORY_VERSION, counter: int = 0
) -> bytes:
    """Program, padding and trailer as they lie in the primary slot (PROTOCOL.md, section 7).

    `board` is the name, up to 16 bytes; `page_bytes` at least a trailer. Raises ValueError if the span does not fit.
    """
    pages = -(-(len(program) + Trailer.BYTES) // page_bytes)
    if pages > slot_pages:
        raise ValueError(f"{len(program)} bytes need {pages} pages, the slot has {slot_pages}")
    trailer = Trailer(
        magic=Trailer.MAGIC_VALUE,
        image_bytes=len(program),
        counter=counter,
        version=Version.parse(version).pack(),
        board_crc=zlib.crc32(board.ljust(16, b"\0")),
        pages=pages,
        flags=0,
        image_crc=0,
    )
    padded = program.ljust(pages * page_bytes - Trailer.BYTES, bytes([ERASED]))
    covered = (padded + trailer.pack())[:-_CRC_BYTES]
    return covered + zlib.crc32(covered).to_bytes(_CRC_BYTES, "little")


def image_in(flash: bytes | memoryview, *, page_bytes: int, slot_pages: int) -> RunningImage | None:
    """The whole image at the start of `flash`, by its trailer; None: there is none."""
    magic = Trailer.MAGIC_VALUE.to_bytes(4, "little")
    for pages in range(1, slot_pages + 1):
        at = pages * page_bytes - Trailer.BYTES
        if flash[at : at + 4] != magic:
            continue
        trailer = Trailer.unpack(bytes(flash[at : at + Trailer.BYTES]))
        if trailer.pages == pages and zlib.crc32(flash[: at + Trailer.BYTES - _CRC_BYTES]) == trailer.image_crc:
            return RunningImage(str(Version.unpack(trailer.version)), trailer.image_crc)
    return None
