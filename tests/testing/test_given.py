"""What a test gives for board and program: chips of its own, and misuse that is told by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otaflash.errors import ImageError, TargetError, UsageError
from otaflash.image.build import Slot, build_image
from otaflash.image.bundle import bundle_from_image, write_bundle
from otaflash.image.data import Firmware, Segment
from otaflash.testing import OtaflashError, make_board, profile
from otaflash.wire.messages import Version
from tests.testing.boards import NEW, OLD, old_board


def test_a_chip_of_ones_own_is_a_profile_a_dict_or_a_file(tmp_path: Path) -> None:
    changes = {"name": "sensor-7", "slot_base": 0x4000, "slot_pages": 40}
    file = tmp_path / "sensor.toml"
    file.write_text('like = "stm32f103"\nname = "sensor-7"\nslot_base = 0x4000\nslot_pages = 40\n')
    own = replace(profile("stm32f103"), name="sensor-7", slot_base=0x4000, slot_pages=40)
    ways: list[Any] = [own, {"like": "stm32f103", **changes}, file, str(file)]
    boards = [make_board(way, image=OLD, version="1.0.0") for way in ways]
    assert {board.profile for board in boards} == {own}
    for board in boards:
        assert board.push(NEW, version="2.0.0").info.slot_base == 0x4000
        assert board.runs(NEW)


@pytest.mark.parametrize(
    ("given", "reason", "said"),
    [
        ("z80", "unknown-board", "z80"),
        ({"name": "x"}, "bad-profile", "like"),
        ({"like": "z80"}, "unknown-board", "z80"),
        ({"like": "stm32f103", "colour": 3}, "bad-profile", "colour"),
        ({"like": "stm32f103", "slot_pages": "many"}, "bad-profile", "slot_pages"),
        ({"like": "stm32f103", "slot_pages": 4000}, "bad-profile", "fit the flash"),
        ({"like": "atmega328p", "page_bytes": 100}, "bad-profile", "power of two"),
        (replace(profile("tiny1"), name=""), "bad-profile", "name"),
        ("nowhere.toml", "file-unreadable", "nowhere.toml"),
    ],
)
def test_a_board_that_cannot_be_is_refused_by_name(given: Any, reason: str, said: str) -> None:
    with pytest.raises((UsageError, TargetError), match=said) as failed:
        make_board(given)
    assert failed.value.reason == reason


def test_a_profile_file_that_is_no_toml_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text("like = [")
    with pytest.raises(UsageError, match=r"broken\.toml") as failed:
        make_board(file)
    assert failed.value.reason == "bad-profile"


def test_a_bundle_has_its_version_already(tmp_path: Path) -> None:
    board = old_board()
    made = board.profile
    slot = Slot(made.name, made.slot_base, made.slot_pages, made.page_bytes)
    image = build_image(Firmware((Segment(0, NEW),), None), slot, version=Version(3, 1, 0, 0), counter=0)
    file = tmp_path / "new.otab"
    write_bundle(file, bundle_from_image(image))
    with pytest.raises(UsageError) as failed:
        board.push(file, version="2.0.0")
    assert failed.value.reason == "bundle-is-made"
    assert board.push(file).running_version == "3.1.0"
    assert board.runs(file)


@pytest.mark.parametrize(
    ("program", "version", "reason"),
    [
        (b"", None, "empty-program"),
        (b"x", "two", "bad-version"),
        (bytes(20_000), None, "image-too-large"),
        ("nowhere.hex", None, "file-missing"),
    ],
)
def test_a_program_that_cannot_be_is_refused_by_name(program: Any, version: str | None, reason: str) -> None:
    board = old_board()
    with pytest.raises(OtaflashError) as failed:
        board.push(program, version=version)
    assert failed.value.reason == reason
    with pytest.raises(OtaflashError) as failed:
        make_board("atmega328p", image=program, version=version)
    assert failed.value.reason == reason
    assert board.runs(OLD)


def test_a_version_without_an_image_is_refused() -> None:
    with pytest.raises(UsageError) as failed:
        make_board("atmega328p", version="1.0.0")
    assert failed.value.reason == "version-of-nothing"


def test_a_damaged_hex_is_refused_before_the_board_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "cut.hex"
    file.write_text(":100000000C9434000C943E000C943E000C943E0082\n")
    board = old_board()
    with pytest.raises(ImageError):
        board.push(file, version="2.0.0")
    assert board.station.link.down.counters.written_bytes == 0
