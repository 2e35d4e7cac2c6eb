"""Records with values that show every byte, written out by hand from PROTOCOL.md."""

from __future__ import annotations

import struct

from golden.form import crc32

UID = bytes.fromhex("0123456789abcdef")
BOARD = b"atmega328p".ljust(16, b"\0")
VERSION = struct.pack("<BBHI", 1, 2, 3, 4)


def info(**changed: object) -> bytes:
    return pack_record(INFO, changed)


def manifest(**changed: object) -> bytes:
    return pack_record(MANIFEST, changed)


def trailer(**changed: object) -> bytes:
    return pack_record(TRAILER, changed)


RecordForm = tuple[str, dict[str, object]]
INFO: RecordForm = ("BB16s8sHHHHHHHIHHBBBBIIII8sIHHI", dict(
    protocol_min=1, protocol_max=1, board=BOARD, uid=UID, page_bytes=128, block_bytes=32, slot_pages=111,
    single_pages=223, frame_bytes=140, window_bytes=0, stall_ms=9, slot_base=0, encodings=1, schemes=3, trials_max=3,
    mode=1, boot_state=2, trials_used=1, counter=4, way_back_crc=0x9ABCDEF0, image_bytes=14000, image_counter=5,
    version=VERSION, image_board_crc=crc32(BOARD), image_pages=110, image_flags=0, image_crc=0x12345678,
))  # fmt: skip
MANIFEST: RecordForm = ("BBBBHH16sI8sIIHHI4s8s32s32s", dict(
    format=1, scheme=0, cipher=0, reserved=0, flags=0, signature_bytes=0, board=BOARD, counter=5, version=VERSION,
    slot_base=0, image_bytes=14000, pages=110, page_bytes=128, image_crc=0x12345678, key_id=bytes(4), nonce=bytes(8),
    sha256=bytes(range(0x40, 0x60)), table_sha256=bytes(range(0xE0, 0x100)),
))  # fmt: skip
TRAILER: RecordForm = ("III8sIHHI", dict(
    magic=0x3146544F, image_bytes=14000, counter=5, version=VERSION, board_crc=crc32(BOARD), pages=110, flags=0,
    image_crc=0x12345678,
))  # fmt: skip
VERSION_FORM: RecordForm = ("BBHI", dict(major=1, minor=2, patch=3, build=4))
GAP: RecordForm = ("HH", dict(place=258, count=65535))


def pack_record(form: RecordForm, changed: dict[str, object]) -> bytes:
    return struct.pack("<" + form[0], *(form[1] | changed).values())
