"""The kind of a file is told from its content, and described in the fields that scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from otaflash.errors import ImageError
from otaflash.image.build import Slot, build_image
from otaflash.image.bundle import Bundle, bundle_from_image, pack_bundle, write_bundle
from otaflash.image.data import Firmware
from otaflash.image.load import describe, load
from otaflash.wire.messages import Version
from tests.image.hexes import program

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
