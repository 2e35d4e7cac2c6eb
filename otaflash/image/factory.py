"""Loader, image and boot record in one Intel HEX, for a chip's first programming; and such a file read back.

The boot record's layout is firmware/DESIGN.md section 3, to the byte. Knows no board: sizes come as a `Layout`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from struct import Struct

from otaflash.errors import ImageError
from otaflash.image.build import BOARD_BYTES, Slot
from otaflash.image.data import Firmware, Segment
from otaflash.wire.messages import Trailer

FIRST_GENERATION = 1
KEY_PAGE_BYTES = 64
"""Of the key page: what a key may take."""

_SEAL_OFFSET = 48
_BODY = Struct("<HBxHHIHII6xI")
_BODY_CRC = Struct("<I")
_ERASED = b"\xff"
_ROW_BYTES = 16
_CRC_BYTES = 4


class RecordKind(IntEnum):
    """What the boot record has decided (firmware/core/record.h)."""

    IDLE = 1
    REVERT = 2
    SINGLE = 3
    APPLY = 4
    CONFIRM = 5


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie in a board's flash: both slots from the slot's base on, then two record units, without a gap.

    `record_base` is the address of the first unit, `record_unit_bytes` the size of each, `mark_bytes` that of a mark.
    """

    slot: Slot
    record_base: int
    record_unit_bytes: int
    mark_bytes: int

    @property
    def end(self) -> int:
        """The address after the second record unit: that of the key page."""
        return self.record_base + 2 * self.record_unit_bytes


@dataclass(frozen=True, slots=True)
class Record:
    """A boot record that is valid and sealed. It names the image that runs by its pages and CRC."""

    unit: int
    kind: int
    generation: int
    counter: int
    image_pages: int
    image_crc: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a factory HEX holds; None: that part is missing. `is_whole`: the image's CRC agrees, and its record does.

    `span` is the image as it lies in the slot, as long as the record or else its trailer says.
    """

    loader: tuple[Segment, ...]
    key_page: bytes
    """Its beginning; empty: there is no key."""
    record: Record | None
    trailer: Trailer | None
    span: bytes
    is_whole: bool


def factory_segments(
    loader: Firmware, span: bytes, trailer: Trailer, layout: Layout, key_page: bytes = b""
) -> tuple[Segment, ...]:
    """What the programmer writes: the loader, the image's span in the primary slot, an IDLE record in unit 0, and the
    beginning of the key page, if there is a key.

    Of unit 0 only body and seal are given: the marks behind them must stay unprogrammed. Of unit 1 an erased body is
    given, so that a programmer that erases only what it writes leaves no older record there, which would stand.
    Raises ImageError: loader-overlaps-slot, loader-overlaps-record, loader-overlaps-key.
    """
    _check_loader(loader, layout, len(key_page))
    body = _BODY.pack(FIRST_GENERATION, RecordKind.IDLE, 0, trailer.pages, trailer.image_crc, 0, 0, trailer.counter, 0)
    # The reserved bytes are 0xFF, which Struct would pad with zeros.
    filled = bytearray(body[: -_BODY_CRC.size])
    filled[3:4], filled[22:28] = _ERASED, _ERASED * 6
    made = (
        *loader.segments,
        Segment(layout.slot.base, span),
        Segment(layout.record_base, bytes(filled) + _BODY_CRC.pack(zlib.crc32(filled))),
        Segment(layout.record_base + _SEAL_OFFSET, bytes(layout.mark_bytes)),
        Segment(layout.record_base + layout.record_unit_bytes, _ERASED * _BODY.size),
        *((Segment(layout.end, key_page),) if key_page else ()),
    )
    return tuple(sorted(made, key=lambda segment: segment.address))


def hex_text(segments: tuple[Segment, ...], start: int | None = None) -> bytes:
    """Ascending segments as the text of an Intel HEX file; `start`: where the program starts, if that is stated."""
    return b"".join(line + b"\n" for line in _lines(segments, start))


def read_factory(data: Firmware, layout: Layout) -> Contents | None:
    """What a HEX holds if it is a factory HEX for this layout; None: it has neither its record nor a trailer for it."""
    record = _standing_record(data, layout)
    trailer = _find_trailer(data, layout, record)
    if record is None and trailer is None:
        return None
    pages = record.image_pages if record is not None else trailer.pages if trailer is not None else 0
    span = _bytes_at(data, layout.slot.base, pages * layout.slot.page_bytes)
    whole = (
        record is not None
        and trailer is not None
        and zlib.crc32(span[:-_CRC_BYTES]) == trailer.image_crc == record.image_crc
    )
    key_page = _bytes_at(data, layout.end, KEY_PAGE_BYTES)
    if key_page[:1] == _ERASED or key_page[1:4] != _ERASED * 3:
        key_page = b""
    return Contents(_outside(data, layout, len(key_page)), key_page, record, trailer, span, whole)


def _check_loader(loader: Firmware, layout: Layout, key_bytes: int) -> None:
    regions = (
        ("loader-overlaps-slot", "slots", layout.slot.base, layout.record_base),
        ("loader-overlaps-record", "boot record", layout.record_base, layout.end),
        ("loader-overlaps-key", "key page", layout.end, layout.end + key_bytes),
    )
    for segment in loader.segments:
        for reason, name, low, end in regions:
            if segment.address < end and low < segment.end:
                text = (
                    f"the loader's 0x{segment.address:08X} to 0x{segment.end - 1:08X} overlap the {name} of "
                    f"{layout.slot.board} (0x{low:08X} to 0x{end - 1:08X})"
                )
                raise ImageError(reason, text, remedy="Give the loader that was built for this board.")


def _standing_record(data: Firmware, layout: Layout) -> Record | None:
    """The valid, sealed record of the higher generation, as the core finds it."""
    found: Record | None = None
    for unit in range(2):
        base = layout.record_base + unit * layout.record_unit_bytes
        body = _bytes_at(data, base, _BODY.size)
        generation, kind, _, *images, counter, crc = _BODY.unpack(body)
        sealed = _bytes_at(data, base + _SEAL_OFFSET, 1) == b"\0"
        if not sealed or zlib.crc32(body[: -_BODY_CRC.size]) != crc or generation <= (found.generation if found else 0):
            continue
        pages, image_crc = images[2:] if kind >= RecordKind.APPLY else images[:2]
        found = Record(unit, kind, generation, counter, pages, image_crc)
    return found


def _find_trailer(data: Firmware, layout: Layout, record: Record | None) -> Trailer | None:
    """The trailer made for this board: where the record says that the image ends; without one, at any page's end."""
    slot = layout.slot
    board_crc = zlib.crc32(slot.board.encode("ascii").ljust(BOARD_BYTES, b"\0"))
    most = (layout.record_base - slot.base) // slot.page_bytes
    for pages in range(1, most + 1) if record is None else (record.image_pages,):
        raw = _bytes_at(data, slot.base + pages * slot.page_bytes - Trailer.BYTES, Trailer.BYTES)
        try:
            trailer = Trailer.unpack(raw)
        except ValueError:
            continue
        if (trailer.pages, trailer.board_crc) == (pages, board_crc):
            return trailer
    return None


def _outside(data: Firmware, layout: Layout, key_bytes: int) -> tuple[Segment, ...]:
    """What lies neither in the slots nor in the record nor in the key: the loader, cut off where it touches them."""
    parts = []
    for segment in data.segments:
        for low, end in ((0, layout.slot.base), (layout.end + key_bytes, 1 << 32)):
            first, last = max(segment.address, low), min(segment.end, end)
            if first < last:
                parts.append(Segment(first, segment.data[first - segment.address : last - segment.address]))
    return tuple(parts)


def _bytes_at(data: Firmware, address: int, count: int) -> bytes:
    """`count` bytes from `address` on; erased where the file gives none."""
    read = bytearray(_ERASED * count)
    for segment in data.segments:
        first, last = max(segment.address, address), min(segment.end, address + count)
        if first < last:
            read[first - address : last - address] = segment.data[first - segment.address : last - segment.address]
    return bytes(read)


def _lines(segments: tuple[Segment, ...], start: int | None) -> Iterator[bytes]:
    upper = 0
    for segment in segments:
        # A record crosses no 64 KiB: its 16-bit address would wrap there.
        cuts = sorted({segment.address, segment.end, *range(-(-segment.address // 16) * 16, segment.end, _ROW_BYTES)})
        for at, end in pairwise(cuts):
            if at >> 16 != upper:
                upper = at >> 16
                yield _line(4, 0, upper.to_bytes(2, "big"))
            yield _line(0, at & 0xFFFF, segment.data[at - segment.address : end - segment.address])
    if start is not None:
        yield _line(5, 0, start.to_bytes(4, "big"))
    yield _line(1, 0, b"")


def _line(kind: int, address: int, data: bytes) -> bytes:
    body = bytes([len(data)]) + address.to_bytes(2, "big") + bytes([kind]) + data
    return b":" + (body + bytes([-sum(body) & 0xFF])).hex().upper().encode("ascii")
