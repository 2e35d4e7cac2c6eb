"""otaflash.toml: what it may state, and how a mistake in it is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from otaflash.config import FILE_NAME, ConfigFile, Stated, read_file
from otaflash.errors import UsageError


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / FILE_NAME
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(folder: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read_file(folder / FILE_NAME)
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    return caught.value


def test_no_file_is_no_configuration(tmp_path: Path) -> None:
    assert read_file(tmp_path / FILE_NAME) is None
    assert read_file(tmp_path / "none" / FILE_NAME) is None


def test_everything_that_may_be_stated_is_read_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path, 'board = "atmega328p"\n\nbaud = 57600\n[boards.lamp]\nport = "/dev/ttyUSB0"\nenter = "dtr"\n'
    )
    assert read_file(path) == ConfigFile(
        path,
        {"board": Stated("atmega328p", f"{path}:1"), "baud": Stated(57600, f"{path}:3")},
        {"lamp": {"port": Stated("/dev/ttyUSB0", f"{path}:5"), "enter": Stated("dtr", f"{path}:6")}},
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[boards]\nlamp.port = "a"\n', 2),
        ('[ boards . "lamp" ]\n  port = "a"\n', 2),
        ('port = "x"\n[boards.shed]\nport = "y"\n[boards.lamp]\nport = "a"\n', 5),
        ('[boards.lamp]\nport = "a"\n[boards.shed]\nport = "y"\n', 2),
        ('boards = {lamp = {port = "a"}}\n', 1),
    ],
)
def test_a_board_is_found_however_toml_lets_it_be_written(tmp_path: Path, text: str, line: int) -> None:
    path = write(tmp_path, text)
    found = read_file(path)
    assert found is not None
    assert found.boards["lamp"]["port"] == Stated("a", f"{path}:{line}")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('board = "a"\nbuad = 9600\n', 2, "config-unknown-key"),
        ('board = "a"\n[keys]\nsecret = 1\n', 2, "config-unknown-key"),
        ('board = "a"\n\nport = \n', 3, "config-malformed"),
        ('board = "a"\nboard = "b"\n', 2, "config-malformed"),
        ('# who\nbaud = "fast"\n', 2, "config-malformed"),
        ("baud = true\n", 1, "config-malformed"),
        ("baud = 0\n", 1, "config-malformed"),
        ("counter = 4294967296\n", 1, "config-malformed"),
        ("\nport = 3\n", 2, "config-malformed"),
        ('port = "unfinished', 1, "config-malformed"),
        (b'board = "a"\nport = "\xff"\n', 2, "config-malformed"),
        ('port = "a"\nenter = "dtr,rts"\n', 2, "config-malformed"),
        ('boards = "lamp"\n', 1, "config-malformed"),
        ('board = "a"\n[boards]\nlamp = "/dev/ttyUSB0"\n', 3, "config-malformed"),
        ('[boards.lamp]\nport = "a"\n[boards.shed]\nbaud = 9600\n', 3, "config-malformed"),
        ('[boards.lamp]\nport = "a"\nbaud = "fast"\n', 3, "config-malformed"),
        ('[boards.lamp]\nport = "a"\nport_ = "b"\n', 3, "config-unknown-key"),
        ('[boards."/dev/ttyUSB0"]\nport = "a"\n', 1, "config-malformed"),
        ('[boards."sim:x"]\nport = "a"\n', 1, "config-malformed"),
        ('[boards.com3]\nport = "a"\n', 1, "config-malformed"),
        ('[boards.-x]\nport = "a"\n', 1, "config-malformed"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, text: str | bytes, line: int, reason: str) -> None:
    path = write(tmp_path, text)
    error = refusal(tmp_path)
    assert error.reason == reason
    assert error.text.startswith(f"{path}:{line}: ")


def test_a_file_that_cannot_be_read_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "otaflash.toml").mkdir()
    error = refusal(tmp_path)
    assert error.reason == "config-unreadable"
    assert "otaflash.toml" in error.text


def test_a_file_without_permission_is_told_so(tmp_path: Path) -> None:
    path = write(tmp_path, 'board = "a"\n')
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything: then there is nothing to refuse
        assert read_file(path) is not None
    else:
        assert refusal(tmp_path).reason == "config-unreadable"


@pytest.mark.parametrize(
    "text", ["a = " + 20_000 * "[", "counter = " + 5_000 * "9"], ids=["endless brackets", "5,000 digits"]
)
def test_what_the_toml_reader_gives_up_on_is_told_as_a_mistake(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    assert refusal(tmp_path).reason == "config-malformed"


@pytest.mark.parametrize(
    ("key", "near"), [("buad", "baud"), ("Port", "port"), ("bords", "boards"), ("ble_sevice", "ble_service")]
)
def test_a_misspelt_key_is_told_with_the_one_that_was_meant(tmp_path: Path, key: str, near: str) -> None:
    write(tmp_path, f"{key} = 1\n")
    assert refusal(tmp_path).remedy == f"perhaps you mean {near}"
