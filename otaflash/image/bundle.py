"""The bundle file: what is offered to a board, complete and checked. Knows no link and no board.

Layout (docs/bundle.md), numbers little-endian:

    0   magic            8 bytes  8F 4F 54 41 42 0D 0A 1A (a transfer as text would change them)
    8   format           u16      1
    10  header_bytes     u16      32: where the manifest begins
    12  total_bytes      u32      of the file
    16  manifest_bytes   u16      128
    18  signature_bytes  u16      as in the manifest
    20  table_bytes      u32      4 for each page
    24  block_count      u32
    28  reserved         u32      0
    32  manifest, signature, page table, then the blocks, and at the end
        crc              u32      CRC-32 (as zlib) of all before it

    A block:
    0   place            u32      offset in the span; it stands for the bytes up to the next block's place
    4   encoding         u8       as on the wire: 0 raw
    5   reserved         u8       0
    6   length           u16      of what follows
    8   bytes
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from struct import Struct
from typing import Final, NoReturn

from otaflash.errors import ImageError
from otaflash.image.build import Image, page_table, verify_span
from otaflash.image.files import read_file, write_file
from otaflash.image.signing import Signer, prepared, scheme_of, signature_of
from otaflash.wire.messages import TABLE_DIGEST_BYTES, Manifest

MAGIC: Final = b"\x8fOTAB\r\n\x1a"
FORMAT: Final = 1
RAW: Final = 0

_HEADER = Struct("<8sHHIHHIII")
_BLOCK = Struct("<IBBH")
_CRC = Struct("<I")
_AGAIN = "The file was damaged on its way: copy or make it again."


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the span: `place` is its offset in bytes, `data` stands for it in `encoding`."""

    place: int
    encoding: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """A manifest, the signature over it, the page table, and the blocks: ascending, gapless, each within a page."""

    manifest: Manifest
    signature: bytes
    page_table: bytes
    blocks: tuple[Block, ...]

    def span(self) -> bytes:
        """The decoded image: padding and trailer included. Raises ImageError: bundle-blocks, bundle-encoding."""
        return b"".join(_decoded(self))


def bundle_from_image(image: Image, signature: bytes = b"") -> Bundle:
    """The bundle of an image: one raw block for each page. The manifest's scheme and lengths are the image's own."""
    places = range(0, len(image.span), image.page_bytes)
    blocks = tuple(Block(at, RAW, image.span[at : at + image.page_bytes]) for at in places)
    return Bundle(image.manifest, signature, image.page_table, blocks)


def signed(bundle: Bundle, signer: Signer) -> Bundle:
    """The bundle signed by a key, in place of any signature that it had. Raises UsageError as the key does."""
    manifest = prepared(bundle.manifest, signer)
    return replace(bundle, manifest=manifest, signature=signature_of(manifest, signer))


def as_if_signed(bundle: Bundle, signer: Signer) -> Bundle:
    """The bundle with zeros where the signature would be, for what only counts bytes: no signature is used up."""
    return replace(bundle, manifest=prepared(bundle.manifest, signer), signature=bytes(signer.signature_bytes))


def write_bundle(path: Path | str, bundle: Bundle) -> None:
    """Writes the file whole or not at all. Raises ImageError as check_bundle does, UsageError as write_file does."""
    check_bundle(bundle)
    write_file(path, pack_bundle(bundle))


def read_bundle(path: Path | str) -> Bundle:
    """Reads and checks a bundle. Raises ImageError as read_file and parse_bundle do."""
    return parse_bundle(read_file(path))


def pack_bundle(bundle: Bundle) -> bytes:
    """The bytes of the file, unchecked."""
    manifest = bundle.manifest.pack()
    blocks = [_BLOCK.pack(b.place, b.encoding, 0, len(b.data)) + b.data for b in bundle.blocks]
    body = b"".join([manifest, bundle.signature, bundle.page_table, *blocks])
    header = _HEADER.pack(
        MAGIC,
        FORMAT,
        _HEADER.size,
        _HEADER.size + len(body) + _CRC.size,
        len(manifest),
        len(bundle.signature),
        len(bundle.page_table),
        len(bundle.blocks),
        0,
    )
    return header + body + _CRC.pack(zlib.crc32(header + body))


def parse_bundle(content: bytes) -> Bundle:
    """The bundle in these bytes, checked whole: file, manifest, blocks, and the image that they decode to.

    Raises ImageError: not-bundle, bundle-truncated, bundle-after-end, bundle-damaged, bundle-format, bundle-layout,
    bad-manifest, and as check_bundle does.
    """
    _check_envelope(content)
    _, _, at, _, manifest_bytes, signature_bytes, table_bytes, count, reserved = _HEADER.unpack_from(content)
    reader = _Reader(content[: -_CRC.size], at)
    if at < _HEADER.size or reserved:
        _refuse("bundle-layout", "the header contradicts itself")
    manifest = _manifest(reader.take(manifest_bytes))
    signature, table = reader.take(signature_bytes), reader.take(table_bytes)
    bundle = Bundle(manifest, signature, table, tuple(_blocks(reader, count)))
    if reader.at != len(reader.content):
        _refuse("bundle-layout", "bytes are left over behind the last block")
    check_bundle(bundle)
    return bundle


def check_bundle(bundle: Bundle) -> None:
    """Checks that the parts agree, down to each page of the decoded image.

    Raises ImageError: bad-manifest, unknown-scheme, bad-signature, bundle-table, bundle-blocks, bundle-encoding, and as
    verify_span does.
    """
    manifest = bundle.manifest
    if not manifest.page_bytes or len(bundle.page_table) != manifest.pages * TABLE_DIGEST_BYTES:
        _refuse("bundle-table", "the page table does not have an entry for each page")
    if hashlib.sha256(bundle.page_table).digest() != manifest.table_sha256:
        _refuse("bundle-table", "the page table is not the one that the manifest names")
    if manifest.signature_bytes != len(bundle.signature):
        _refuse("bad-signature", "the signature is not as long as the manifest says")
    scheme_of(manifest).verify(manifest, bundle.signature)
    span = bundle.span()
    verify_span(span, manifest)
    if page_table(span, manifest.page_bytes) != bundle.page_table:
        _refuse("bundle-table", "a page of the image does not agree with the page table")


def _check_envelope(content: bytes) -> None:
    """CRC before format: what is not understood may be damaged rather than new."""
    if not content.startswith(MAGIC):
        _refuse("not-bundle", "the file does not begin as a bundle does")
    if len(content) < _HEADER.size + _CRC.size:
        _refuse("bundle-truncated", "the bundle is cut short within its header")
    format_, total = _HEADER.unpack_from(content)[1], _HEADER.unpack_from(content)[3]
    if len(content) < total:
        _refuse("bundle-truncated", f"the bundle is cut short: {len(content)} of {total} bytes")
    if len(content) > total:
        _refuse("bundle-after-end", f"{len(content) - total} bytes follow the end of the bundle")
    if zlib.crc32(content[: -_CRC.size]) != _CRC.unpack(content[-_CRC.size :])[0]:
        _refuse("bundle-damaged", "the checksum of the bundle is wrong: at least one bit of it changed")
    if format_ != FORMAT:
        text = f"the bundle has format {format_}, this version reads format {FORMAT}"
        raise ImageError("bundle-format", text, remedy="Use a newer otaflash, or make the bundle again.")


class _Reader:
    """Takes piece after piece off the content."""

    def __init__(self, content: bytes, at: int) -> None:
        self.content = content
        self.at = at

    def take(self, count: int) -> bytes:
        if count > len(self.content) - self.at:
            _refuse("bundle-layout", "a part of the bundle reaches past its end")
        self.at += count
        return self.content[self.at - count : self.at]


def _manifest(record: bytes) -> Manifest:
    try:
        return Manifest.unpack(record)
    except ValueError as error:
        text = f"the manifest of the bundle is not one that this version knows ({error})"
        raise ImageError("bad-manifest", text, remedy="Use a newer otaflash, or make the bundle again.") from error


def _blocks(reader: _Reader, count: int) -> Iterator[Block]:
    for _ in range(count):
        place, encoding, reserved, length = _BLOCK.unpack(reader.take(_BLOCK.size))
        if reserved:
            _refuse("bundle-layout", "a block has a reserved byte that is not zero")
        yield Block(place, encoding, reader.take(length))


def _decoded(bundle: Bundle) -> Iterator[bytes]:
    page_bytes = bundle.manifest.page_bytes
    ends = [block.place for block in bundle.blocks[1:]] + [bundle.manifest.pages * page_bytes]
    if not bundle.blocks or bundle.blocks[0].place != 0 or any(a >= b for a, b in pairwise([-1, *ends])):
        _refuse("bundle-blocks", "the blocks do not cover the image in order")
    for block, end in zip(bundle.blocks, ends, strict=True):
        if block.encoding != RAW:
            text = f"block encoding {block.encoding} is not known to this version"
            raise ImageError("bundle-encoding", text, remedy="Use a newer otaflash, or make the bundle again.")
        if len(block.data) != end - block.place or block.place // page_bytes != (end - 1) // page_bytes:
            _refuse("bundle-blocks", f"the block at {block.place} is too long, too short or crosses a page")
        yield block.data


def _refuse(reason: str, text: str) -> NoReturn:
    raise ImageError(reason, text, remedy=_AGAIN)
