"""Segments -> the span of a slot with trailer, digests and manifest (PROTOCOL.md section 7). Knows no file."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass

from otaflash.errors import ImageError
from otaflash.image.data import Firmware, Warning
from otaflash.wire.messages import FLAG_SINGLE_SLOT, TABLE_DIGEST_BYTES, Manifest, Trailer, Version

BOARD_BYTES = 16

_ERASED = b"\xff"
_CRC_BYTES = 4


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an image goes: the board's name, the address and size of its primary slot.

    `page_bytes` is the erase unit, `pages` counts the trailer's page in; `single_pages` is the size in single-slot
    mode, 0 where the board does not offer it.
    """

    board: str
    base: int
    pages: int
    page_bytes: int
    single_pages: int = 0

    def limit(self, *, single_slot: bool) -> int:
        """Greatest number of program bytes, the trailer's 32 already taken off."""
        return max(0, (self.single_pages if single_slot else self.pages) * self.page_bytes - Trailer.BYTES)


@dataclass(frozen=True, slots=True)
class Image:
    """An image ready to be offered. `span` is image, padding and trailer: `pages` times `page_bytes` bytes."""

    span: bytes
    pages: int
    page_bytes: int
    image_bytes: int
    image_crc: int
    sha256: bytes
    page_table: bytes
    manifest: Manifest
    warnings: tuple[Warning, ...] = ()


def build_image(
    data: Firmware, slot: Slot, *, version: Version, counter: int, single_slot: bool = False, move: bool = False
) -> Image:
    """Makes the image of a program for a slot, unsigned (scheme none).

    Gaps and the padding are 0xFF. `counter` is the security counter, 0 to 2^32 - 1. `move` takes the program as payload
    only: its lowest address goes to the slot's base, whatever it was linked for (simulated boards run no code).
    Raises ImageError: image-outside-slot, image-too-large, single-slot-unknown, board-name, counter-range.
    """
    _check_arguments(slot, counter, single_slot)
    moved = move and data.lowest != slot.base
    shift = slot.base - data.lowest if moved else 0
    _check_fit(data, slot, shift, single_slot)
    image_bytes = data.end + shift - slot.base
    pages = -(-(image_bytes + Trailer.BYTES) // slot.page_bytes)
    span = _with_trailer(
        _payload(data, slot.base - shift, pages * slot.page_bytes - Trailer.BYTES),
        Trailer(
            magic=Trailer.MAGIC_VALUE,
            image_bytes=image_bytes,
            counter=counter,
            version=version.pack(),
            board_crc=zlib.crc32(_padded(slot.board)),
            pages=pages,
            flags=FLAG_SINGLE_SLOT if single_slot else 0,
            image_crc=0,
        ),
    )
    return _describe(span, slot, read_trailer(span), _notes(data, slot, moved))


def page_table(span: bytes, page_bytes: int) -> bytes:
    """The first 4 bytes of the SHA-256 of each page, one after the other."""
    pages = (span[at : at + page_bytes] for at in range(0, len(span), page_bytes))
    return b"".join(hashlib.sha256(page).digest()[:TABLE_DIGEST_BYTES] for page in pages)


def read_trailer(span: bytes) -> Trailer:
    """What the image says of itself in its last 32 bytes. Raises ImageError: trailer-missing."""
    try:
        return Trailer.unpack(span[-Trailer.BYTES :])
    except ValueError as error:
        text = "the image does not end with a trailer that describes it"
        raise ImageError("trailer-missing", text, remedy="Make the bundle again from its HEX.") from error


def verify_span(span: bytes, manifest: Manifest) -> None:
    """Checks that a span is the one that the manifest describes: length, CRC, SHA-256 and trailer.

    Raises ImageError: span-length, digest-mismatch, trailer-missing, trailer-mismatch.
    """
    remedy = "The bundle contradicts itself: make it again from its HEX."
    expected = manifest.pages * manifest.page_bytes
    if len(span) != expected or manifest.image_bytes + Trailer.BYTES > expected or manifest.image_bytes == 0:
        text = f"the image has {len(span)} bytes, its manifest says {expected} for {manifest.image_bytes} of program"
        raise ImageError("span-length", text, remedy=remedy)
    if hashlib.sha256(span).digest() != manifest.sha256:
        raise ImageError("digest-mismatch", "the SHA-256 of the image is not the one in its manifest", remedy=remedy)
    if read_trailer(span) != _trailer_of(manifest) or zlib.crc32(span[:-_CRC_BYTES]) != manifest.image_crc:
        raise ImageError("trailer-mismatch", "the trailer of the image contradicts its manifest", remedy=remedy)


def check_manifest(manifest: Manifest, slot: Slot) -> None:
    """Checks that a bundle is made for this board, so that it can be refused before anything is sent.

    Raises ImageError: wrong-board, wrong-geometry, image-too-large, single-slot-unknown.
    """
    made_for, single_slot = board_name(manifest), bool(manifest.flags & FLAG_SINGLE_SLOT)
    remedy = f"Make a bundle for {slot.board} from the HEX."
    if made_for != slot.board:
        raise ImageError("wrong-board", f"the bundle is made for {made_for}, the board is {slot.board}", remedy=remedy)
    if (manifest.page_bytes, manifest.slot_base) != (slot.page_bytes, slot.base):
        text = (
            f"the bundle is made for {manifest.page_bytes}-byte pages at 0x{manifest.slot_base:08X}, "
            f"the board has {slot.page_bytes}-byte pages at 0x{slot.base:08X}"
        )
        raise ImageError("wrong-geometry", text, remedy=remedy)
    _check_single(slot, single_slot)
    _check_size(manifest.image_bytes, slot, single_slot)


def board_name(manifest: Manifest) -> str:
    """The board that a manifest names; what is not ASCII shows as escapes."""
    return manifest.board.rstrip(b"\0").decode("ascii", "backslashreplace")


def _check_arguments(slot: Slot, counter: int, single_slot: bool) -> None:
    name = slot.board
    if not (name.isascii() and name.isprintable() and 0 < len(name) <= BOARD_BYTES):
        raise ImageError("board-name", f"{name!r} is no board name", remedy="Use 1 to 16 ASCII characters.")
    if not 0 <= counter < 1 << 32:
        text = f"the security counter {counter} is out of range"
        raise ImageError("counter-range", text, remedy="Use 0 to 4294967295.")
    _check_single(slot, single_slot)


def _check_single(slot: Slot, single_slot: bool) -> None:
    if single_slot and not slot.single_pages:
        text = f"{slot.board} has no single-slot mode"
        raise ImageError("single-slot-unknown", text, remedy="Leave out --single-slot.")


def _check_fit(data: Firmware, slot: Slot, shift: int, single_slot: bool) -> None:
    """What begins outside the slot is meant for another memory or board; what runs past its end is too large."""
    pages = slot.single_pages if single_slot else slot.pages
    end = slot.base + pages * slot.page_bytes
    stray = next((s for s in data.segments if not slot.base <= s.address < end), None)
    # Payload that is moved has no right or wrong address, only a size.
    if stray is not None and not shift:
        text = (
            f"{len(stray.data)} bytes at 0x{stray.address:08X} lie outside the slot of {slot.board} "
            f"(0x{slot.base:08X} to 0x{end - 1:08X})"
        )
        raise ImageError("image-outside-slot", text, remedy="Link the program for the slot of this board.")
    _check_size(data.end + shift - slot.base, slot, single_slot)


def _check_size(image_bytes: int, slot: Slot, single_slot: bool) -> None:
    over = image_bytes - slot.limit(single_slot=single_slot)
    if over <= 0:
        return
    text = f"the program has {image_bytes} bytes, {over} more than fit the slot of {slot.board}"
    if not single_slot and image_bytes <= slot.limit(single_slot=True):
        remedy = "Make it smaller, or use --single-slot: it fits there, without a way back to the old program."
    else:
        remedy = "Make it smaller, or use a board with more flash."
    raise ImageError("image-too-large", text, remedy=remedy)


def _payload(data: Firmware, base: int, count: int) -> bytes:
    """`count` bytes from address `base` on, as erased flash shows where the program has none."""
    payload = bytearray(_ERASED * count)
    for segment in data.segments:
        payload[segment.address - base : segment.end - base] = segment.data
    return bytes(payload)


def _with_trailer(payload: bytes, trailer: Trailer) -> bytes:
    """The span: the CRC in the trailer covers all before it, so it comes last."""
    head = payload + trailer.pack()[:-_CRC_BYTES]
    return head + struct.pack("<I", zlib.crc32(head))


def _describe(span: bytes, slot: Slot, trailer: Trailer, warnings: tuple[Warning, ...]) -> Image:
    sha256, table = hashlib.sha256(span).digest(), page_table(span, slot.page_bytes)
    manifest = Manifest(
        format=Manifest.FORMAT_VALUE,
        scheme=0,
        cipher=0,
        reserved=Manifest.RESERVED_VALUE,
        flags=trailer.flags,
        signature_bytes=0,
        board=_padded(slot.board),
        counter=trailer.counter,
        version=trailer.version,
        slot_base=slot.base,
        image_bytes=trailer.image_bytes,
        pages=trailer.pages,
        page_bytes=slot.page_bytes,
        image_crc=trailer.image_crc,
        key_id=bytes(4),
        nonce=bytes(8),
        sha256=sha256,
        table_sha256=hashlib.sha256(table).digest(),
    )
    return Image(
        span=span,
        pages=trailer.pages,
        page_bytes=slot.page_bytes,
        image_bytes=trailer.image_bytes,
        image_crc=trailer.image_crc,
        sha256=sha256,
        page_table=table,
        manifest=manifest,
        warnings=warnings,
    )


def _trailer_of(manifest: Manifest) -> Trailer:
    return Trailer(
        magic=Trailer.MAGIC_VALUE,
        image_bytes=manifest.image_bytes,
        counter=manifest.counter,
        version=manifest.version,
        board_crc=zlib.crc32(manifest.board),
        pages=manifest.pages,
        flags=manifest.flags,
        image_crc=manifest.image_crc,
    )


def _notes(data: Firmware, slot: Slot, moved: bool) -> tuple[Warning, ...]:
    if data.lowest == slot.base:
        return data.warnings
    where = f"the program begins at 0x{data.lowest:08X}, the slot at 0x{slot.base:08X}"
    if moved:
        note = Warning("image-moved", f"{where}: moved there as payload, which a real board could not run")
    else:
        note = Warning("image-not-at-base", f"{where}: a board that starts at the base may not run it")
    return (*data.warnings, note)


def _padded(name: str) -> bytes:
    return name.encode("ascii").ljust(BOARD_BYTES, b"\0")
