"""A factory HEX holds loader, image and boot record as the core reads them, and is told from any other HEX."""

from __future__ import annotations

import struct
import zlib

import pytest

from otaflash.errors import ImageError
from otaflash.image.build import Image, Slot, build_image, read_trailer
from otaflash.image.data import Firmware, Segment
from otaflash.image.factory import Layout, Record, RecordKind, factory_segments, hex_text, read_factory
from otaflash.image.hexfile import parse_hex
from otaflash.wire.messages import Version

SLOT = Slot("stm32f103", 0x0800_2000, 4, 1024)
LAYOUT = Layout(SLOT, record_base=0x0800_4400, record_unit_bytes=2048, mark_bytes=2)
LOADER = Firmware((Segment(0x0800_0000, bytes(range(200)) * 5), Segment(0x0800_1FF8, b"end of l")), 0x0800_0101)
COUNTER = 0x0102_0304


def image(count: int = 1500) -> Image:
    program = Firmware((Segment(SLOT.base, bytes(index % 256 for index in range(count))),), None)
    return build_image(program, SLOT, version=Version(1, 2, 3, 4), counter=COUNTER)


def made(loader: Firmware = LOADER) -> Firmware:
    span = image().span
    return parse_hex(hex_text(factory_segments(loader, span, read_trailer(span), LAYOUT), loader.start))


def flash_of(data: Firmware, address: int, count: int) -> bytes:
    """Flash as a programmer leaves it on an erased chip."""
    flash = bytearray(b"\xff" * count)
    for segment in data.segments:
        for at, byte in enumerate(segment.data, segment.address - address):
            if 0 <= at < count:
                flash[at] = byte
    return bytes(flash)


def changed(data: Firmware, address: int, byte: int) -> Firmware:
    parts = []
    for segment in data.segments:
        content = bytearray(segment.data)
        if segment.address <= address < segment.end:
            content[address - segment.address] = byte
        parts.append(Segment(segment.address, bytes(content)))
    return Firmware(tuple(parts), data.start)


def test_the_record_lies_in_unit_0_to_the_byte() -> None:
    trailer = read_trailer(image().span)
    unit = flash_of(made(), LAYOUT.record_base, LAYOUT.record_unit_bytes)
    head = struct.pack("<HBB", 1, 1, 0xFF) + struct.pack("<H", 0)
    images = struct.pack("<HI", trailer.pages, trailer.image_crc) + bytes(6)
    body = head + images + struct.pack("<I", COUNTER) + b"\xff" * 6
    assert unit[:32] == body + struct.pack("<I", zlib.crc32(body))
    assert unit[32:48] == b"\xff" * 16
    assert unit[48:50] == b"\0\0"
    assert unit[50:] == b"\xff" * (LAYOUT.record_unit_bytes - 50)


def test_loader_and_span_lie_at_their_addresses_and_the_start_is_the_loaders() -> None:
    data = made()
    assert flash_of(data, SLOT.base, len(image().span)) == image().span
    for segment in LOADER.segments:
        assert flash_of(data, segment.address, len(segment.data)) == segment.data
    assert data.start == LOADER.start


def test_the_marks_are_left_out_and_the_second_units_body_is_given_erased() -> None:
    """Marks must stay unprogrammed; a programmer that erases only what it writes must leave no older record."""
    given = [(s.address - LAYOUT.record_base, s.data) for s in made().segments if s.address >= LAYOUT.record_base]
    assert [(at, len(data)) for at, data in given] == [(0, 32), (48, 2), (2048, 32)]
    assert given[2][1] == b"\xff" * 32


def test_what_was_made_is_read_back() -> None:
    contents = read_factory(made(), LAYOUT)
    assert contents is not None
    trailer = read_trailer(image().span)
    assert contents.loader == LOADER.segments
    assert contents.record == Record(0, RecordKind.IDLE, 1, COUNTER, trailer.pages, trailer.image_crc)
    assert (contents.trailer, contents.span, contents.is_whole) == (trailer, image().span, True)


def test_a_damaged_image_is_not_whole() -> None:
    contents = read_factory(changed(made(), SLOT.base + 7, 0x5A), LAYOUT)
    assert contents is not None
    assert contents.record is not None
    assert not contents.is_whole


@pytest.mark.parametrize("offset", [0, 2, 8, 18, 31, 48])
def test_a_damaged_record_is_none(offset: int) -> None:
    contents = read_factory(changed(made(), LAYOUT.record_base + offset, 0x5A), LAYOUT)
    assert contents is not None
    assert (contents.record, contents.is_whole) == (None, False)
    assert contents.span == image().span


def test_a_plain_hex_and_one_for_another_board_are_no_factory_hex() -> None:
    assert read_factory(Firmware((Segment(SLOT.base, bytes(3000)),), None), LAYOUT) is None
    other = Layout(Slot("other", SLOT.base, 4, 1024), LAYOUT.record_base + 2048, 2048, 2)
    assert read_factory(made(), other) is None


@pytest.mark.parametrize(
    ("address", "count", "reason"),
    [
        (SLOT.base - 1, 2, "loader-overlaps-slot"),
        (LAYOUT.record_base - 1, 1, "loader-overlaps-slot"),
        (LAYOUT.record_base, 1, "loader-overlaps-record"),
        (LAYOUT.end - 1, 9, "loader-overlaps-record"),
    ],
)
def test_a_loader_over_slots_or_record_is_refused(address: int, count: int, reason: str) -> None:
    with pytest.raises(ImageError) as refused:
        made(Firmware((Segment(address, bytes(count)),), None))
    assert refused.value.reason == reason


@pytest.mark.parametrize("address", [LAYOUT.end, 0x0800_FFF3, 0x0801_0001])
def test_a_loader_beside_them_is_kept_also_across_64_kib(address: int) -> None:
    loader = Firmware((Segment(address, bytes(range(100, 160))),), None)
    contents = read_factory(made(loader), LAYOUT)
    assert contents is not None
    assert contents.loader == loader.segments
