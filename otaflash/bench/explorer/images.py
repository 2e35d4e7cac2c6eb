"""The images of an exploration and what a host says about them, encoded beforehand. Knows no board and no search."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from otaflash.image.build import page_table
from otaflash.sim.factory import make_span
from otaflash.sim.profiles import Profile
from otaflash.wire import messages as m
from otaflash.wire.frames import encode, on_stream

UID = b"explored"
SESSION = 7
_SURVEY_PAGES = 8
_BLOCK_OVERHEAD = m.HEADER_BYTES + 2 + m.CRC_BYTES
"""Header, place and CRC of a block frame."""
_BLOCK_DATA_MAX = 192
_REPORT_PAGES = 8
"""A host that keeps to the credit asks for it at least this often."""

Serial = int
DECISION_SERIAL: Serial = 250
OFFER_SERIAL: Serial = 251
APPLY_SERIAL: Serial = 252


@dataclass(frozen=True, slots=True)
class Image:
    """A span as it lies in the primary slot, and its manifest."""

    span: bytes
    manifest: m.Manifest

    @property
    def pages(self) -> int:
        """Pages of the image, the trailer's included."""
        return self.manifest.pages

    @property
    def crc(self) -> int:
        """CRC-32 of the image, as the boot record names it."""
        return self.manifest.image_crc


ONE_BYTE = 0
"""In the place of a number of pages: a program of one byte, and so a page that is padding almost whole."""


def make_image(profile: Profile, number: int, pages: int, seed: int, *, single: bool = False) -> Image:
    """Image `number` (1 to 255) of `pages` pages, of random bytes: no two images share a page. `pages` may be ONE_BYTE;
    `single`: for single-slot mode, up to twice the slot and a page."""
    draw = random.Random(f"{seed} {number} {pages}")
    program = draw.randbytes(pages * profile.page_bytes - m.Trailer.BYTES if pages != ONE_BYTE else 1)
    version = m.Version(number, 0, 0, 0).pack()
    board = profile.name.encode().ljust(16, b"\0")
    span = make_span(
        program,
        board=board,
        page_bytes=profile.page_bytes,
        slot_pages=2 * profile.slot_pages + 1 if single else profile.slot_pages,
        version=f"{number}.0.0",
        counter=number,
    )
    manifest = m.Manifest(
        format=m.Manifest.FORMAT_VALUE,
        scheme=0,
        cipher=0,
        reserved=0,
        flags=m.FLAG_SINGLE_SLOT if single else 0,
        signature_bytes=0,
        board=board,
        counter=number,
        version=version,
        slot_base=profile.slot_base,
        image_bytes=len(program),
        pages=len(span) // profile.page_bytes,
        page_bytes=profile.page_bytes,
        image_crc=m.Trailer.unpack(span[-m.Trailer.BYTES :]).image_crc,
        key_id=bytes(4),
        nonce=bytes(8),
        sha256=hashlib.sha256(span).digest(),
        table_sha256=hashlib.sha256(page_table(span, profile.page_bytes)).digest(),
    )
    return Image(span, manifest)


def _wire(message: m.Message, serial: Serial) -> bytes:
    return on_stream(encode(message, SESSION, serial))


def offer(image: Image) -> bytes:
    """The Offer, in parts that fit a frame of 100 bytes."""
    manifest = image.manifest.pack()
    parts = [m.Offer(offset=at, part=manifest[at : at + 64]) for at in range(0, len(manifest), 64)]
    return b"".join(_wire(part, OFFER_SERIAL) for part in parts)


def survey(image: Image, profile: Profile) -> bytes:
    """Asks which pages are in flash already."""
    table = page_table(image.span, profile.page_bytes)
    step = 4 * _SURVEY_PAGES
    return b"".join(
        _wire(m.Survey(page=at // 4, digests=table[at : at + step]), at & 0x7F) for at in range(0, len(table), step)
    )


def blocks(image: Image, profile: Profile, pages: int) -> bytes:
    """The first `pages` pages, in order; a report is asked for every few pages and at the end."""
    room = min(_BLOCK_DATA_MAX, profile.frame_bytes - _BLOCK_OVERHEAD)
    size = min(room // profile.block_bytes * profile.block_bytes, profile.page_bytes)
    end = pages * profile.page_bytes
    said = []
    for at in range(0, end, size):
        data = image.span[at : min(at + size, end)]
        place = at // profile.block_bytes
        asks = (at + size) % (_REPORT_PAGES * profile.page_bytes) == 0 or at + size >= end
        block: m.Message = m.BlockReport(place=place, data=data) if asks else m.Block(place=place, data=data)
        said.append(_wire(block, place & 0x7F))
    return b"".join(said)


def apply() -> bytes:
    """Asks for the swap."""
    return _wire(m.Apply(), APPLY_SERIAL)


def abort() -> bytes:
    """Gives the session up."""
    return _wire(m.Abort(), DECISION_SERIAL)


def confirm(image: Image) -> bytes:
    """Keeps the image on trial, named by its CRC."""
    return _wire(m.Confirm(image_crc=image.crc), DECISION_SERIAL)


def revert(image: Image) -> bytes:
    """Gives up the image on trial, named by its CRC."""
    return _wire(m.Revert(image_crc=image.crc), DECISION_SERIAL)


def is_done(kind: int, serial: Serial, frame: bytes) -> bool:
    """True if the decoded frame answers that request with reason ok."""
    return len(frame) > m.HEADER_BYTES and frame[0] == kind | m.REPLY and frame[3] == serial and frame[4] == 0
