"""Bundle files: what is written comes back, and no damaged one is taken."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otaflash.errors import ImageError
from otaflash.image.build import Slot, build_image, page_table
from otaflash.image.bundle import (
    Block,
    Bundle,
    bundle_from_image,
    check_bundle,
    pack_bundle,
    parse_bundle,
    read_bundle,
    write_bundle,
)
from otaflash.image.data import Firmware, Segment
from otaflash.image.load import load
from otaflash.wire.messages import Version


def made(count: int = 200, page_bytes: int = 64) -> Bundle:
    data = Firmware((Segment(0, Random(count).randbytes(count)),), None)
    slot = Slot("atmega328p", 0, 4096, page_bytes)
    return bundle_from_image(build_image(data, slot, version=Version(1, 2, 3, 0), counter=5))


SMALL = made(40)
FILE = pack_bundle(SMALL)
BROKEN = {"not-bundle", "bundle-truncated", "bundle-after-end", "bundle-damaged"}


def sealed(content: bytes) -> bytes:
    """With length and CRC put right, as one who forges a file would."""
    body = content[:12] + struct.pack("<I", len(content)) + content[16:-4]
    return body + struct.pack("<I", zlib.crc32(body))


def reason_of(content: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        parse_bundle(content)
    assert caught.value.remedy
    return caught.value.reason


def changed(at: int, value: bytes) -> bytes:
    return sealed(FILE[:at] + value + FILE[at + len(value) :])


def check_reason(bundle: Bundle) -> str:
    with pytest.raises(ImageError) as caught:
        check_bundle(bundle)
    assert reason_of(pack_bundle(bundle)) == caught.value.reason
    return caught.value.reason


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    bundle = made(1000)
    write_bundle(tmp_path / "app.otab", bundle)
    assert read_bundle(tmp_path / "app.otab") == bundle
    assert load(tmp_path / "app.otab") == bundle


def test_the_layout_is_the_documented_one_byte_by_byte() -> None:
    manifest = SMALL.manifest.pack()
    assert len(manifest) == 128
    body = struct.pack("<HHIHHIII", 1, 32, len(FILE), 128, 0, 8, 2, 0) + manifest + SMALL.page_table
    for place in (0, 64):
        body += struct.pack("<IBBH", place, 0, 0, 64) + SMALL.span()[place : place + 64]
    body = bytes.fromhex("8F4F5441420D0A1A") + body
    assert body + struct.pack("<I", zlib.crc32(body)) == FILE


def test_every_single_flipped_bit_of_a_small_bundle_is_refused_by_name() -> None:
    for bit in range(len(FILE) * 8):
        damaged = bytearray(FILE)
        damaged[bit // 8] ^= 1 << bit % 8
        assert reason_of(bytes(damaged)) in BROKEN


def test_sampled_flipped_bits_of_a_large_bundle_are_refused_by_name(tmp_path: Path) -> None:
    content = pack_bundle(made(230_000, 4096))
    path = tmp_path / "large"
    random = Random(1)
    for _ in range(300):
        damaged = bytearray(content)
        damaged[random.randrange(len(content))] ^= 1 << random.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(ImageError) as caught:
            load(path)
        assert caught.value.reason in BROKEN


def test_a_bundle_cut_short_anywhere_is_refused_by_name() -> None:
    for count in range(len(FILE)):
        assert reason_of(FILE[:count]) == ("not-bundle" if count < 8 else "bundle-truncated")


def test_bytes_after_the_end_are_refused() -> None:
    assert reason_of(FILE + b"\0") == "bundle-after-end"


def test_a_newer_format_is_refused_by_name() -> None:
    assert reason_of(changed(8, b"\2\0")) == "bundle-format"


def test_a_longer_header_of_the_same_format_is_read() -> None:
    longer = FILE[:10] + struct.pack("<H", 36) + FILE[12:32] + b"more" + FILE[32:]
    assert parse_bundle(sealed(longer)) == SMALL


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (10, b"\x1f\0"),
        (10, b"\xff\xff"),
        (18, b"\xff\xff"),
        (20, b"\xff\xff\xff\xff"),
        (24, b"\1\0\0\0"),
        (24, b"\xff\xff\xff\xff"),
        (28, b"\1"),
        (32 + 128 + 8 + 5, b"\1"),
    ],
)
def test_parts_that_do_not_fill_the_file_are_refused(at: int, value: bytes) -> None:
    assert reason_of(changed(at, value)) == "bundle-layout"


@pytest.mark.parametrize(("at", "value"), [(16, b"\x7f\0"), (32, b"\2"), (35, b"\1"), (36, b"\2\0")])
def test_a_manifest_that_is_not_known_is_refused(at: int, value: bytes) -> None:
    assert reason_of(changed(at, value)) == "bad-manifest"


def test_an_unknown_scheme_cipher_or_encoding_is_refused_by_name() -> None:
    assert check_reason(replace(SMALL, manifest=replace(SMALL.manifest, scheme=9))) == "unknown-scheme"
    assert check_reason(replace(SMALL, manifest=replace(SMALL.manifest, cipher=1))) == "unknown-scheme"
    first, *others = SMALL.blocks
    assert check_reason(replace(SMALL, blocks=(replace(first, encoding=1), *others))) == "bundle-encoding"


def test_an_unsigned_bundle_carries_neither_signature_nor_key() -> None:
    assert check_reason(replace(SMALL, signature=b"abc")) == "bad-signature"
    signed = replace(SMALL, signature=b"abc", manifest=replace(SMALL.manifest, signature_bytes=3))
    assert check_reason(signed) == "bad-signature"
    assert check_reason(replace(SMALL, manifest=replace(SMALL.manifest, key_id=b"\0\0\0\1"))) == "bad-signature"


def test_blocks_must_cover_the_span_in_order_and_within_pages() -> None:
    first, second = SMALL.blocks
    both = first.data + second.data
    wrong = [
        (),
        (second,),
        (first,),
        (second, first),
        (first, first, second),
        (Block(0, 0, both),),
        (Block(0, 0, both[:32]), Block(32, 0, both[32:96]), Block(96, 0, both[96:])),
        (first, second, Block(128, 0, b"")),
        (replace(first, data=first.data[:-1]), second),
    ]
    for blocks in wrong:
        assert check_reason(replace(SMALL, blocks=blocks)) == "bundle-blocks"


def test_several_blocks_a_page_are_read() -> None:
    span = SMALL.span()
    blocks = tuple(Block(at, 0, span[at : at + 16]) for at in range(0, 128, 16))
    assert parse_bundle(pack_bundle(replace(SMALL, blocks=blocks))).span() == span


def test_a_forged_page_or_table_is_refused_though_the_file_is_whole() -> None:
    first, second = SMALL.blocks
    forged = replace(first, data=b"\0" + first.data[1:])
    assert check_reason(replace(SMALL, blocks=(forged, second))) == "digest-mismatch"
    assert check_reason(replace(SMALL, page_table=bytes(8))) == "bundle-table"
    assert check_reason(replace(SMALL, page_table=SMALL.page_table + bytes(4))) == "bundle-table"
    named = replace(SMALL.manifest, table_sha256=hashlib.sha256(bytes(8)).digest())
    assert check_reason(replace(SMALL, page_table=bytes(8), manifest=named)) == "bundle-table"
    assert page_table(SMALL.span(), 64) == SMALL.page_table


def test_a_page_size_of_zero_is_refused() -> None:
    assert check_reason(replace(SMALL, manifest=replace(SMALL.manifest, page_bytes=0))) == "bundle-table"


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_forged_bytes_with_a_right_crc_raise_nothing_but_image_errors(data: st.DataObject) -> None:
    content = bytearray(FILE)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(8, len(content) - 5))] = data.draw(st.integers(0, 255))
    try:
        bundle = parse_bundle(sealed(bytes(content)))
    except ImageError:
        return
    check_bundle(bundle)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing_but_image_errors(content: bytes) -> None:
    for candidate in (content, FILE[:8] + content, sealed(FILE[:32] + content)):
        with pytest.raises(ImageError):
            parse_bundle(candidate)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3000), st.sampled_from([16, 64, 128, 1024]))
def test_images_of_any_size_come_back(count: int, page_bytes: int) -> None:
    bundle = made(count, page_bytes)
    assert parse_bundle(pack_bundle(bundle)) == bundle
