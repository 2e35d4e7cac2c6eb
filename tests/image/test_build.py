"""Programs become images: place, size, gaps, trailer, digests; expected values after PROTOCOL.md section 7."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from importlib import resources
from pathlib import Path

import crcmod.predefined
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otaflash.errors import ImageError
from otaflash.image.build import Image, Slot, build_image, check_manifest, read_trailer, verify_span
from otaflash.image.data import Firmware, Segment
from otaflash.image.hexfile import parse_hex, read_hex
from otaflash.wire.messages import Version

SLOT = Slot("atmega328p", base=0, pages=16, page_bytes=128, single_pages=32)
HIGH = Slot("nrf51822", base=0x1_8000, pages=8, page_bytes=1024)
VERSION = Version(1, 2, 3, 4)
ROOM = 16 * 128 - 32
APPS = Path(__file__).resolve().parents[2] / "firmware" / "app" / "blink"

crc32 = crcmod.predefined.mkCrcFun("crc-32")


def program(*runs: tuple[int, bytes]) -> Firmware:
    return Firmware(tuple(Segment(at, data) for at, data in runs), None)


def build(data: Firmware, slot: Slot = SLOT, *, single_slot: bool = False, move: bool = False) -> Image:
    return build_image(data, slot, version=VERSION, counter=7, single_slot=single_slot, move=move)


def refusal(data: Firmware, slot: Slot = SLOT, *, single_slot: bool = False, move: bool = False) -> ImageError:
    with pytest.raises(ImageError) as caught:
        build(data, slot, single_slot=single_slot, move=move)
    return caught.value


def test_the_span_is_program_erased_padding_and_trailer() -> None:
    image = build(program((0, b"\x01\x02\x03"), (10, b"\x04")))
    assert image.span[:11] == b"\x01\x02\x03" + b"\xff" * 7 + b"\x04"
    assert image.span[11:-32] == b"\xff" * (128 - 32 - 11)
    head = struct.pack("<IIIBBHI", 0x3146544F, 11, 7, 1, 2, 3, 4)
    head += struct.pack("<IHH", crc32(b"atmega328p".ljust(16, b"\0")), 1, 0)
    assert image.span[-32:-4] == head
    assert image.span[-4:] == struct.pack("<I", crc32(image.span[:-4]))
    assert (image.pages, image.page_bytes, image.image_bytes) == (1, 128, 11)


def test_digest_and_page_table_cover_the_span() -> None:
    image = build(program((0, bytes(range(200)))))
    pages = [image.span[:128], image.span[128:]]
    assert image.sha256 == hashlib.sha256(image.span).digest() == image.manifest.sha256
    assert image.page_table == b"".join(hashlib.sha256(page).digest()[:4] for page in pages)
    assert image.manifest.table_sha256 == hashlib.sha256(image.page_table).digest()


def test_the_manifest_describes_the_image_and_is_unsigned() -> None:
    manifest = build(program((0x1_8000, b"abc")), HIGH).manifest
    assert (manifest.format, manifest.scheme, manifest.cipher, manifest.flags) == (1, 0, 0, 0)
    assert (manifest.signature_bytes, manifest.key_id, manifest.nonce) == (0, bytes(4), bytes(8))
    assert manifest.board == b"nrf51822".ljust(16, b"\0")
    assert (manifest.counter, manifest.version) == (7, VERSION.pack())
    assert (manifest.slot_base, manifest.image_bytes, manifest.pages, manifest.page_bytes) == (0x1_8000, 3, 1, 1024)


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (96, 1), (97, 2), (224, 2), (225, 3), (ROOM, 16)])
def test_the_trailer_gets_a_page_more_only_when_it_does_not_fit(count: int, pages: int) -> None:
    image = build(program((0, bytes(count))))
    assert (image.pages, len(image.span)) == (pages, pages * 128)


def test_the_trailer_may_take_up_two_pages_where_pages_are_smaller() -> None:
    image = build(program((0, b"a" * 17)), Slot("tiny", 0, 8, 16))
    assert (image.pages, read_trailer(image.span).pages) == (4, 4)


def test_one_byte_too_large_is_refused_with_the_number_of_bytes() -> None:
    error = refusal(program((0, bytes(ROOM + 1))))
    assert error.reason == "image-too-large"
    assert " 1 more than fit" in error.text


def test_too_large_for_two_slots_points_to_single_slot_where_that_fits() -> None:
    assert "--single-slot" in refusal(program((0, bytes(ROOM + 1)))).remedy
    assert "--single-slot" not in refusal(program((0, bytes(32 * 128)))).remedy
    assert "--single-slot" not in refusal(program((0, bytes(ROOM + 1))), replace(SLOT, single_pages=0)).remedy


def test_single_slot_takes_the_larger_image_and_marks_it() -> None:
    image = build(program((0, bytes(ROOM + 1))), single_slot=True)
    assert (image.manifest.flags, read_trailer(image.span).flags) == (1, 1)
    assert "3" in refusal(program((0, bytes(32 * 128 - 29))), single_slot=True).text


def test_single_slot_is_refused_where_the_board_has_none() -> None:
    assert refusal(program((0, b"a")), HIGH, single_slot=True).reason == "single-slot-unknown"


@pytest.mark.parametrize("at", [0, 0x1_7FFF, 0x1_8000 + 8 * 1024, 0x81_0000])
def test_data_outside_the_slot_is_refused_with_its_address(at: int) -> None:
    runs = sorted([(at, b"x"), (0x1_8000, b"abc")])
    error = refusal(program(*runs), HIGH)
    assert error.reason == "image-outside-slot"
    assert f"0x{at:08X}" in error.text


def test_a_huge_gap_is_refused_before_memory_is_taken() -> None:
    data = program((0, b"a"), (0xFFFF_FFF0, b"b"))
    assert refusal(data).reason == "image-outside-slot"
    assert refusal(program((4, b"a"), (0xFFFF_FFF0, b"b")), move=True).reason == "image-too-large"


def test_payload_is_moved_to_the_slot_on_request_with_a_warning() -> None:
    data = program((0, b"abc"), (5, b"d"))
    assert refusal(data, HIGH).reason == "image-outside-slot"
    image = build(data, HIGH, move=True)
    assert image.span[:6] == b"abc\xff\xffd"
    assert image.manifest.slot_base == HIGH.base
    assert [w.id for w in image.warnings] == ["image-moved"]
    assert build(program((0x1_8000, b"abc")), HIGH, move=True).warnings == ()


def test_a_program_that_leaves_the_base_empty_is_built_with_a_warning() -> None:
    image = build(program((64, b"abc")))
    assert (image.span[:64], image.image_bytes) == (b"\xff" * 64, 67)
    assert [w.id for w in image.warnings] == ["image-not-at-base"]


@pytest.mark.parametrize("name", ["", "a" * 17, "bo\nard", "plätte"])
def test_a_board_name_that_the_manifest_cannot_hold_is_refused(name: str) -> None:
    assert refusal(program((0, b"a")), replace(SLOT, board=name)).reason == "board-name"


@pytest.mark.parametrize("counter", [-1, 1 << 32])
def test_a_counter_out_of_range_is_refused(counter: int) -> None:
    with pytest.raises(ImageError) as caught:
        build_image(program((0, b"a")), SLOT, version=VERSION, counter=counter)
    assert caught.value.reason == "counter-range"


def verify_reason(span: bytes, image: Image) -> str:
    with pytest.raises(ImageError) as caught:
        verify_span(span, image.manifest)
    return caught.value.reason


def test_a_span_is_verified_against_its_manifest() -> None:
    image = build(program((0, b"abc")))
    verify_span(image.span, image.manifest)
    assert verify_reason(image.span[:-1], image) == "span-length"
    assert verify_reason(b"b" + image.span[1:], image) == "digest-mismatch"


def test_a_span_with_a_false_trailer_is_refused_though_its_digest_is_right() -> None:
    image = build(program((0, b"abc")))
    for at, reason in [(-32, "trailer-missing"), (-20, "trailer-mismatch"), (5, "trailer-mismatch")]:
        forged = bytearray(image.span)
        forged[at] ^= 1
        manifest = replace(image.manifest, sha256=hashlib.sha256(forged).digest())
        assert verify_reason(bytes(forged), replace(image, manifest=manifest)) == reason


def test_a_manifest_is_checked_against_the_board_before_anything_is_sent() -> None:
    manifest = build(program((0, bytes(ROOM)))).manifest
    check_manifest(manifest, SLOT)
    others = {
        "wrong-board": replace(SLOT, board="atmega1284p"),
        "wrong-geometry": replace(SLOT, page_bytes=256),
        "image-too-large": replace(SLOT, pages=15),
    }
    for reason, slot in others.items():
        with pytest.raises(ImageError) as caught:
            check_manifest(manifest, slot)
        assert caught.value.reason == reason


def test_micropython_is_moved_to_the_slot_of_a_simulated_board() -> None:
    content = resources.files("uflash").joinpath("micropython-microbit-v1.1.1.hex").read_bytes()
    image = build(parse_hex(content), Slot("nrf52832", 0x2_6000, 60, 4096), move=True)
    assert (image.image_bytes, image.pages) == (231_124, 57)
    assert [w.id for w in image.warnings] == ["uicr-dropped", "image-moved"]
    verify_span(image.span, image.manifest)


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_the_avr_example_fits_its_slot_and_says_its_version(version: str) -> None:
    image = build(read_hex(APPS / f"blink-{version}.hex"), replace(SLOT, pages=110))
    assert 2048 < image.image_bytes < 10240
    assert f"blink {version}\r\n".encode() in image.span
    assert image.warnings == ()


def test_the_two_versions_of_the_avr_example_differ_by_one_inserted_statement() -> None:
    old, new = (read_hex(APPS / f"blink-{version}.hex") for version in ("1.0.0", "1.1.0"))
    assert 0 < new.end - old.end < 32


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 200), st.binary(min_size=1, max_size=150)), min_size=1, max_size=5))
def test_every_byte_of_random_segments_stands_at_its_place(steps: list[tuple[int, bytes]]) -> None:
    runs, at = [], 0
    for gap, data in steps:
        runs.append((at + gap, data))
        at += gap + len(data)
    image = build(program(*runs))
    assert all(image.span[start : start + len(data)] == data for start, data in runs)
    assert image.span[: image.image_bytes].count(0xFF) >= sum(gap for gap, _ in steps)
    verify_span(image.span, image.manifest)
