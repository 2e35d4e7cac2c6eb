"""What both ends must not take for a frame, a message or a record."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import crcmod.predefined  # type: ignore[import-untyped]

from golden.form import Entry, cobs, crc32, frame_of, on_wire, with_crc
from golden.samples import GAP, VERSION, info, manifest, pack_record, trailer

HEAD = """\
# What both ends must not take for a frame, message or record. Made by tools/vectors; these bytes never change.
#
# Form as in accepted.txt, with
#   frame    header, body and CRC as damaged; missing where only the wire is damaged
#   wire     the same on a byte link
#   refused  cobs, crc, too-short, too-long: no frame. damaged: the wire bytes hold none, for whichever of these reasons
#            unknown-kind, length: a frame, but no message.  value: a record with a value that is not allowed
#   device   what a device does about it: silence, or the reason in its reply (bad_manifest: once it is offered whole)
# or, for a record by itself: name, record, bytes, refused, and device where one is sent to it.
"""


def entries() -> Iterator[Entry]:
    """All of them, in the order of the file."""
    yield from damage()
    yield from wrong_crcs()
    yield from wrong_wires()
    yield from wrong_lengths()
    yield from unknown_kinds()
    yield from wrong_records()


def refuse(name: str, frame: bytes, why: str, device: str = "silence") -> Entry:
    return {"name": name, "frame": frame.hex(), "wire": on_wire(frame).hex(), "refused": why, "device": device}


def refuse_wire(name: str, wire: bytes, why: str = "damaged") -> Entry:
    return {"name": name, "wire": wire.hex(), "refused": why, "device": "silence"}


REPORT = frame_of(0x04, struct.pack("<H", 300))
BLOCK = frame_of(0x40, struct.pack("<H", 5) + bytes(range(0x60, 0x70)))


def flips(data: bytes) -> Iterator[tuple[int, bytes]]:
    for bit in range(8 * len(data)):
        yield bit, bytes(byte ^ (1 << bit % 8 if index == bit // 8 else 0) for index, byte in enumerate(data))


def damage() -> Iterator[Entry]:
    for bit, frame in flips(REPORT):
        yield refuse(f"frame-bit-{bit}", frame, "crc")
    for bit, encoded in flips(cobs(REPORT)):
        yield refuse_wire(f"wire-bit-{bit}", encoded + b"\0")
    for at in range(len(BLOCK) - 1):
        if BLOCK[at] != BLOCK[at + 1]:
            swapped = BLOCK[:at] + BLOCK[at + 1 : at + 2] + BLOCK[at : at + 1] + BLOCK[at + 2 :]
            yield refuse(f"swapped-bytes-{at}", swapped, "crc")
    for length in range(1, len(BLOCK)):
        yield refuse(f"cut-to-{length}", BLOCK[:length], "too-short" if length < 8 else "crc")
    yield refuse("swapped-words", BLOCK[:8] + BLOCK[12:16] + BLOCK[8:12] + BLOCK[16:], "crc")
    yield refuse("doubled-byte", BLOCK[:9] + BLOCK[8:], "crc")
    yield refuse("zero-byte-appended", BLOCK + b"\0", "crc")


def wrong_crcs() -> Iterator[Entry]:
    data = BLOCK[:-4]
    crc = crc32(data)
    others = {
        "zero": 0,
        "ones": 0xFFFFFFFF,
        "not-inverted": crc ^ 0xFFFFFFFF,
        "off-by-one": (crc + 1) % 2**32,
        "of-the-body-only": crc32(data[4:]),
        "without-the-kind": crc32(data[1:]),
        "castagnoli": crcmod.predefined.mkPredefinedCrcFun("crc-32c")(data),
        "bzip2": crcmod.predefined.mkPredefinedCrcFun("crc-32-bzip2")(data),
    }
    for name, wrong in others.items():
        yield refuse(f"crc-{name}", data + struct.pack("<I", wrong), "crc")
    yield refuse("crc-big-endian", data + struct.pack(">I", crc), "crc")
    yield refuse("crc-of-an-empty-frame", with_crc(b""), "too-short")
    yield refuse("crc-right-and-header-cut", with_crc(BLOCK[:3]), "too-short")


def wrong_wires() -> Iterator[Entry]:
    yield refuse_wire("only-zeros", bytes(8))
    yield refuse_wire("code-past-the-end", b"\x09" + REPORT[:3] + b"\0", "cobs")
    yield refuse_wire("code-of-255-past-the-end", b"\xff" + b"\x11" * 253 + b"\0", "cobs")
    yield refuse_wire("not-encoded", BLOCK.replace(b"\0", b"") + b"\0")
    yield refuse_wire("delimiter-lost", cobs(REPORT) + on_wire(BLOCK))
    yield refuse_wire("zero-inserted", cobs(BLOCK)[:9] + b"\0" + cobs(BLOCK)[9:] + b"\0")
    yield refuse("too-long-by-one", frame_of(0x40, b"\x01\x01" + b"\x66" * 1047), "too-long")
    yield refuse("too-long-by-one-zeros", frame_of(0x40, bytes(1049)), "too-long")
    yield refuse("too-long-4000", frame_of(0x40, b"\x01\x01" + bytes(range(1, 251)) * 16), "too-long")


FIXED = {
    "inspect": (0x01, 11), "enter": (0x02, 8), "report": (0x04, 2), "apply": (0x06, 0), "confirm": (0x07, 4),
    "revert": (0x08, 4), "reboot": (0x09, 8), "abort": (0x0A, 0),
    "enter_reply": (0x82, 1), "offer_reply": (0x83, 5), "apply_reply": (0x86, 3), "confirm_reply": (0x87, 1),
    "revert_reply": (0x88, 1), "reboot_reply": (0x89, 1), "abort_reply": (0x8A, 1), "refused": (0xFF, 2),
}  # fmt: skip
AT_LEAST = {
    "offer": (0x03, 2), "survey": (0x05, 2), "block": (0x40, 2), "block_encoding_15": (0x4F, 2),
    "block_report": (0x50, 2), "inspect_reply": (0x81, 2), "report_reply": (0x84, 8), "survey_reply": (0x85, 3),
}  # fmt: skip


def wrong_lengths() -> Iterator[Entry]:
    for name, (kind, length) in (FIXED | AT_LEAST).items():
        # Blocks are dropped in silence (they get no reply), and a device never answers a reply.
        device = "silence" if kind & 0x80 or 0x40 <= kind < 0x60 else "bad_length"
        wrong = [length - 1, *([length + 1] if name in FIXED else []), 0]
        for body in sorted({count for count in wrong if 0 <= count != length}):
            yield refuse(f"{name}-body-of-{body}", frame_of(kind, b"\x01" * body), "length", device)
    yield refuse("report_reply-half-a-gap", frame_of(0x84, bytes(8 + 6)), "length")
    yield refuse("inspect-body-of-500", frame_of(0x01, bytes(500)), "length", "bad_length")


def unknown_kinds() -> Iterator[Entry]:
    for kind in (0x00, 0x0B, 0x3F, 0x60, 0x7E, 0x7F):
        yield refuse(f"kind-{kind:02x}", frame_of(kind, b""), "unknown-kind", "unknown_message")
    yield refuse("kind-20-long", frame_of(0x20, bytes(range(1, 61))), "unknown-kind", "unknown_message")
    for kind in (0x80, 0x8B, 0xC0, 0xD0, 0xFE):
        yield refuse(f"kind-{kind:02x}", frame_of(kind, b"\0\0\0"), "unknown-kind")


def refuse_record(name: str, which: str, data: bytes, why: str) -> Entry:
    entry = {"name": name, "record": which, "bytes": data.hex(), "refused": why}
    return entry | ({"device": "bad_manifest"} if which == "manifest" and why == "value" else {})


def wrong_records() -> Iterator[Entry]:
    changes: tuple[tuple[str, dict[str, object]], ...] = (
        ("format-0", {"format": 0}),
        ("format-2", {"format": 2}),
        ("reserved-1", {"reserved": 1}),
        ("reserved-128", {"reserved": 128}),
        ("flag-1", {"flags": 0x0002}),
        ("flag-15", {"flags": 0x8001}),
    )
    for name, change in changes:
        yield refuse_record(f"record-manifest-{name}", "manifest", manifest(**change), "value")
    yield refuse_record("record-manifest-cut", "manifest", manifest()[:-1], "length")
    yield refuse_record("record-manifest-longer", "manifest", manifest() + b"\0", "length")
    yield refuse_record("record-trailer-erased", "trailer", b"\xff" * 32, "value")
    yield refuse_record("record-trailer-zeros", "trailer", bytes(32), "value")
    yield refuse_record("record-trailer-magic-reversed", "trailer", trailer(magic=0x4F544631), "value")
    yield refuse_record("record-trailer-cut", "trailer", trailer()[:-1], "length")
    yield refuse_record("record-info-cut", "info", info()[:-1], "length")
    yield refuse_record("record-version-cut", "version", VERSION[:-1], "length")
    yield refuse_record("record-gap-longer", "gap", pack_record(GAP, {}) + b"\0", "length")
