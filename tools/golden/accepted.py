"""Frames and records that both ends must read, and write so."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from golden.form import SERIAL, SESSION, Entry, frame_of, on_wire, text_of
from golden.samples import (
    GAP,
    INFO,
    MANIFEST,
    TRAILER,
    UID,
    VERSION_FORM,
    RecordForm,
    info,
    manifest,
    pack_record,
)

HEAD = """\
# Frames and records that both ends must read as stated, and write so. Made by tools/vectors; these bytes never change.
#
# Entries are parted by empty lines; each line is "key: value"; numbers are decimal or 0x..., bytes are hex.
#   name     unique
#   frame    header, body and CRC
#   wire     the same on a byte link: COBS and the zero byte
#   also     another form of `wire` that a reader takes
#   header   kind, session and serial
#   message  which, with "_reply" for a reply
#   fields   name=number, name=hex:bytes, or name=[place+count,...] for gaps, in order
# or, for a record by itself: name, record (which), bytes, fields; `more` follows in a longer record and is ignored.
"""


def entries() -> Iterator[Entry]:
    """All of them, in the order of the file."""
    yield from finding_out()
    yield from offering()
    yield from reporting()
    yield from deciding()
    yield from headers_and_blocks()
    yield from greatest()
    yield from cobs_edges()
    yield from other_forms()
    yield from records()


def accept(
    name: str, kind: int, message: str, form: str, *, session: int = SESSION, serial: int = SERIAL, **fields: object
) -> Entry:
    """An entry; `form` packs the fields in order, with "*" for bytes to the end and "g" for gaps."""
    body = b"".join(pack_one(code, value) for code, value in zip(form.split(), fields.values(), strict=True))
    frame = frame_of(kind, body, session, serial)
    return {
        "name": name,
        "frame": frame.hex(),
        "wire": on_wire(frame).hex(),
        "header": f"kind=0x{kind:02x} session={session} serial={serial}",
        "message": message,
        "fields": " ".join(f"{field}={text_of(value)}" for field, value in fields.items()),
    }


def pack_one(code: str, value: object) -> bytes:
    if code == "g":
        runs = [run.split("+") for run in str(value).strip("[]").split(",") if run]
        return b"".join(struct.pack("<HH", int(place), int(count)) for place, count in runs)
    if code == "*":
        assert isinstance(value, bytes)
        return value
    return struct.pack(f"<{code}", value)


def finding_out() -> Iterator[Entry]:
    yield accept("inspect", 0x01, "inspect", "H B 8s", frame_bytes=98, offset=0, target=UID)
    yield accept("inspect-any", 0x01, "inspect", "H B 8s", frame_bytes=20, offset=70, target=bytes(8))
    yield accept("inspect-reply", 0x81, "inspect_reply", "B B *", total=88, offset=0, part=info())
    yield accept("inspect-reply-of-20-bytes", 0x81, "inspect_reply", "B B *", total=88, offset=20, part=info()[20:30])
    yield accept("inspect-reply-past-the-end", 0x81, "inspect_reply", "B B *", total=88, offset=88, part=b"")
    yield accept("enter", 0x02, "enter", "8s", target=UID)
    yield accept("enter-reply", 0x82, "enter_reply", "B", reason=0)


def offering() -> Iterator[Entry]:
    yield accept("offer-first", 0x03, "offer", "H *", offset=0, part=manifest())
    yield accept("offer-of-20-bytes", 0x03, "offer", "H *", offset=120, part=manifest()[118:])
    yield accept("offer-empty-part", 0x03, "offer", "H *", offset=128, part=b"")
    yield accept("offer-reply", 0x83, "offer_reply", "B H H", reason=0, next=128, limit=960)
    yield accept("offer-reply-refused", 0x83, "offer_reply", "B H H", reason=7, next=0, limit=0)


def reporting() -> Iterator[Entry]:
    yield accept("report", 0x04, "report", "H", start=300)
    yield accept(
        "report-reply-all-held",
        0x84,
        "report_reply",
        "B B H H H g",
        last_serial=250,
        state=4,
        limit=960,
        hashed=120,
        start=0,
        gaps="[]",
    )
    yield accept(
        "report-reply-of-20-bytes",
        0x84,
        "report_reply",
        "B B H H H g",
        last_serial=6,
        state=0x82,
        limit=960,
        hashed=3,
        start=0,
        gaps="[5+1]",
    )
    yield accept(
        "report-reply-many",
        0x84,
        "report_reply",
        "B B H H H g",
        last_serial=0,
        state=2,
        limit=65535,
        hashed=65535,
        start=256,
        gaps="[256+1,300+20,1000+9000,65535+1]",
    )
    yield accept("survey", 0x05, "survey", "H *", page=16, digests=bytes.fromhex("00112233445566778899aabbccddeeff"))
    yield accept("survey-reply", 0x85, "survey_reply", "B H *", reason=0, page=16, agree=b"\x0d")


def deciding() -> Iterator[Entry]:
    yield accept("apply", 0x06, "apply", "")
    yield accept("apply-reply", 0x86, "apply_reply", "B H", reason=0, wait_ms=2400)
    yield accept("apply-reply-refused", 0x86, "apply_reply", "B H", reason=15, wait_ms=0)
    yield accept("confirm", 0x07, "confirm", "I", image_crc=0xDEADBEEF)
    yield accept("confirm-reply", 0x87, "confirm_reply", "B", reason=20)
    yield accept("revert", 0x08, "revert", "I", image_crc=0x00C0FFEE)
    yield accept("revert-reply", 0x88, "revert_reply", "B", reason=19)
    yield accept("reboot", 0x09, "reboot", "8s", target=UID)
    yield accept("reboot-reply", 0x89, "reboot_reply", "B", reason=0)
    yield accept("abort", 0x0A, "abort", "")
    yield accept("abort-reply", 0x8A, "abort_reply", "B", reason=0)
    yield accept("refused", 0xFF, "refused", "B B", request=0x0B, reason=1)
    yield accept("reason-of-a-newer-device", 0x82, "enter_reply", "B", reason=200)


def headers_and_blocks() -> Iterator[Entry]:
    yield accept("session-0", 0x04, "report", "H", session=0, serial=0, start=0)
    yield accept("session-65535-serial-255", 0x04, "report", "H", session=65535, serial=255, start=65535)
    sixteen = bytes(range(16))
    yield accept("block-no-data", 0x40, "block", "H *", place=0, data=b"")
    yield accept("block-of-20-bytes", 0x40, "block", "H *", place=959, data=sixteen[:10])
    for name, encoding in (("lz", 1), ("delta", 2), ("15", 15)):
        yield accept(f"block-encoding-{name}", 0x40 + encoding, "block", "H *", place=2, data=sixteen)
        yield accept(f"block-report-encoding-{name}", 0x50 + encoding, "block_report", "H *", place=2, data=sixteen)
    yield accept("block-report", 0x50, "block_report", "H *", place=65535, data=sixteen)
    yield accept("block-zeros", 0x40, "block", "H *", place=0, data=bytes(16))
    yield accept("block-erased", 0x40, "block", "H *", place=1, data=b"\xff" * 64)
    yield accept("block-zeros-everywhere", 0x40, "block", "H *", session=0, serial=0, place=0, data=bytes(900))


def greatest() -> Iterator[Entry]:
    for name, data in (
        ("zeros", bytes(1046)),
        ("ones", b"\xff" * 1046),
        ("counting", bytes(index % 256 for index in range(1046))),
        ("zero-every-254", bytes(index % 254 for index in range(1046))),
    ):
        yield accept(f"greatest-{name}", 0x40, "block", "H *", place=0x0101, data=data)


def cobs_edges() -> Iterator[Entry]:
    """Runs without a zero byte around the 254 that one code byte can stand before; the frame's first run is the one."""
    for run in (253, 254, 255, 507, 508, 509):
        data = b"\x11" * (run - 6) + b"\0" + b"\x22" * 5
        yield accept(f"run-{run}-then-zero", 0x40, "block", "H *", place=0x0101, data=data)
        yield searched(f"run-{run}-ends-frame", b"\x33" * (run - 10), lambda frame: 0 not in frame)
        data = b"\x11" * (run - 7) + b"\0\0"
        yield accept(f"run-{run - 1}-then-two-zeros", 0x40, "block", "H *", place=0x0101, data=data)
    yield searched("ends-with-zero", b"\x44" * 16, lambda frame: frame[-1] == 0 and 0 not in frame[:-1])
    yield searched("crc-starts-with-zero", b"\x44" * 16, lambda frame: frame[-4] == 0)
    yield searched("run-254-then-last-zero", b"\x44" * 245, lambda frame: frame[-1] == 0 and 0 not in frame[:-1])


def searched(name: str, data: bytes, wanted: Callable[[bytes], bool]) -> Entry:
    """The block with the lowest place and serial for which the frame has what is wanted."""
    for place in range(0x0101, 0xFFFF):
        for serial in range(1, 256):
            if wanted(frame_of(0x40, struct.pack("<H", place) + data, serial=serial)):
                return accept(name, 0x40, "block", "H *", serial=serial, place=place, data=data)
    raise AssertionError(name)


def other_forms() -> Iterator[Entry]:
    """Wire bytes that no encoder need make, and every reader takes."""
    small = accept("padded-before-and-after", 0x04, "report", "H", start=1)
    yield small | {"also": "00000000" + small["wire"] + "000000"}
    full = searched("empty-group-after-a-full-one", b"\x55" * 244, lambda frame: 0 not in frame)
    yield full | {"also": full["wire"][:-2] + "0100"}


def record(name: str, which: str, form: RecordForm, more: bytes = b"", **changed: object) -> Entry:
    fields = " ".join(f"{field}={text_of(value)}" for field, value in (form[1] | changed).items())
    entry = {"name": name, "record": which, "bytes": pack_record(form, changed).hex(), "fields": fields}
    return entry | ({"more": more.hex()} if more else {})


def records() -> Iterator[Entry]:
    yield record("record-info", "info", INFO)
    yield record("record-info-of-a-newer-device", "info", INFO, protocol_max=2, boot_state=9, more=b"\x01\x02\x03")
    yield record("record-manifest", "manifest", MANIFEST)
    yield record("record-manifest-single-slot", "manifest", MANIFEST, flags=1, image_bytes=28000, pages=220)
    yield record("record-manifest-signed", "manifest", MANIFEST, scheme=1, signature_bytes=1620, key_id=b"\1\2\3\4")
    yield record(
        "record-manifest-greatest",
        "manifest",
        MANIFEST,
        counter=0xFFFFFFFF,
        slot_base=0xFFFFF000,
        image_bytes=0xFFFFFFFF,
        pages=65535,
        page_bytes=65535,
        image_crc=0xFFFFFFFF,
    )
    yield record("record-trailer", "trailer", TRAILER)
    yield record("record-version", "version", VERSION_FORM)
    yield record("record-version-greatest", "version", VERSION_FORM, major=255, minor=255, patch=65535, build=2**32 - 1)
    yield record("record-gap", "gap", GAP)
