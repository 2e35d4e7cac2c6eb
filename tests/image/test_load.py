"""The kind of a file is told from its content, and described in the fields that scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from otaflash.errors import ImageError, OtaflashError
from otaflash.image.build import Slot, build_image
from otaflash.image.bundle import Bundle, bundle_from_image, pack_bundle, write_bundle
from otaflash.image.data import Firmware, Segment
from otaflash.image.load import Base, describe, load, parse
from otaflash.wire.messages import Version
from tests.image.elves import Part, elf
from tests.image.hexes import program
from tests.image.test_uf2file import block

INSPECT_FIELDS = {
    "slot_base",
    "slot_bytes",
    "page_bytes",
    "boot_state",
    "image_bytes",
    "digest_sha256",
    "version",
    "security_counter",
    "board",
    "signed_by",
    "scheme",
}


@pytest.fixture
def hex_file(tmp_path: Path) -> Path:
    path = tmp_path / "app.bin"
    path.write_bytes(program([(0x100, b"abc"), (0x110, b"d"), (0x1000_10C0, b"uicr")]))
    return path


@pytest.fixture
def bundle_file(tmp_path: Path, hex_file: Path) -> Path:
    data = load(hex_file)
    assert isinstance(data, Firmware)
    image = build_image(data, Slot("stm32f103", 0x100, 8, 64), version=Version(2, 0, 1, 9), counter=3)
    write_bundle(tmp_path / "app.hex", bundle_from_image(image))
    return tmp_path / "app.hex"


def test_the_name_of_a_file_does_not_matter(hex_file: Path, bundle_file: Path) -> None:
    assert describe(hex_file)["kind"] == "hex"
    assert describe(bundle_file)["kind"] == "bundle"


def test_a_bundle_is_described_in_full(bundle_file: Path) -> None:
    found = describe(bundle_file)
    assert set(found) >= INSPECT_FIELDS
    assert (found["slot_base"], found["slot_bytes"], found["page_bytes"], found["image_bytes"]) == (0x100, 64, 64, 17)
    assert (found["board"], found["version"], found["security_counter"]) == ("stm32f103", "2.0.1+9", 3)
    assert (found["scheme"], found["signed_by"], found["boot_state"]) == ("none", None, None)
    assert len(str(found["digest_sha256"])) == 64
    json.dumps(found)


def test_a_hex_file_is_described_as_far_as_it_says(hex_file: Path) -> None:
    found = describe(hex_file)
    assert set(found) >= INSPECT_FIELDS
    assert (found["slot_base"], found["image_bytes"], found["version"]) == (0x100, 17, None)
    assert found["segments"] == [{"address": 0x100, "bytes": 3}, {"address": 0x110, "bytes": 1}]
    assert [w["id"] for w in json.loads(json.dumps(found))["warnings"]] == ["uicr-dropped"]


def test_a_bundle_with_a_damaged_magic_is_not_called_a_bad_hex(bundle_file: Path) -> None:
    whole = pack_bundle(load_bundle(bundle_file))
    for bit in range(64):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        bundle_file.write_bytes(damaged)
        with pytest.raises(ImageError) as caught:
            load(bundle_file)
        assert caught.value.reason == "not-bundle"


def load_bundle(path: Path) -> Bundle:
    found = load(path)
    assert isinstance(found, Bundle)
    return found


def reason(content: bytes, base: Base | None = None) -> str:
    with pytest.raises(OtaflashError) as caught:
        parse(content, base=base)
    assert caught.value.remedy
    return caught.value.reason


KINDS = {
    "hex": program([(0x100, b"program!")]),
    "elf": elf([Part(0x100, b"program!")]),
    "srec": b"S10B010070726F6772616D21DA\nS9030000FC\n",
    "ti-txt": b"@100\n70 72 6F 67 72 61 6D 21\nq\n",
    "uf2": block(0, 1, 0x100, b"program!"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["program.hex", "program.bin", "program"])
def test_the_kind_is_told_from_the_content(kind: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(KINDS[kind])
    found = load(tmp_path / name)
    assert isinstance(found, Firmware)
    assert (found.kind, found.segments) == (kind, (Segment(0x100, b"program!"),))
    assert describe(found)["kind"] == kind
    json.dumps(describe(found))


@pytest.mark.parametrize("kind", KINDS)
def test_a_base_is_refused_for_a_file_that_states_its_addresses(kind: str) -> None:
    assert reason(KINDS[kind], 0x100) == "base-not-needed"
    assert reason(KINDS[kind], "slot") == "base-not-needed"


@pytest.mark.parametrize("content", [b"\x0c\x94\x34\x00" * 9, b"@\x10\0\x20" * 9, b"S1\0\x20" * 9, b":\0\0\x20" * 9])
def test_a_raw_binary_goes_where_it_is_said_and_nowhere_else(content: bytes) -> None:
    assert reason(content) == "bin-no-base"
    assert parse(content, base=0x8000) == Firmware((Segment(0x8000, content),), None, kind="bin")
    floating = parse(content, base="slot")
    assert isinstance(floating, Firmware)
    assert describe(floating)["slot_base"] is None
    assert floating.placed(0x26000).segments == (Segment(0x26000, content),)
    assert reason(content, 0xFFFF_FFF0) == "bin-address-range"


@pytest.mark.parametrize("content", [b"", b" \r\n\n"])
def test_an_empty_file_is_called_so(content: bytes) -> None:
    assert reason(content) == "file-empty"
    assert reason(content, "slot") == "file-empty"


FOREIGN = {
    "text in UTF-16": ":00000001FF\n".encode("utf-16"),
    "text with a byte order mark": b"\xef\xbb\xbf:00000001FF\n",
    "a ZIP": b"PK\x03\x04\0\0",
    "a page of the web": b"<!DOCTYPE html>\n<html>",
    "a gzip": b"\x1f\x8b\x08\0\0",
    "a letter to a friend": b"Dear Bob,\n:00000001FF\n",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_no_firmware_is_called_what_it_is(what: str) -> None:
    assert reason(FOREIGN[what]) == "not-firmware"


def test_a_program_spread_over_the_address_space_costs_no_memory_and_is_refused() -> None:
    far = parse(program([(0, b"a"), (0xFFFF_FFF0, b"b")]))
    assert isinstance(far, Firmware)
    assert describe(far)["image_bytes"] == 0xFFFF_FFF1
    slot = Slot("atmega328p", 0, 110, 128)
    for move in (False, True):
        with pytest.raises(ImageError) as caught:
            build_image(far, slot, version=Version(1, 0, 0, 0), counter=0, move=move)
        assert caught.value.reason in ("image-outside-slot", "image-too-large")
