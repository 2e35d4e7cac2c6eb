"""otaflash.toml: what it may state, and how a mistake in it is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from otaflash.cli.config import Config, read_config
from otaflash.errors import UsageError


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "otaflash.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(folder: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read_config(folder)
    assert caught.value.exit_code == 2
    assert caught.value.remedy
    return caught.value


def test_no_file_is_an_empty_configuration(tmp_path: Path) -> None:
    assert read_config(tmp_path) == Config()


def test_everything_that_may_be_stated_is_read(tmp_path: Path) -> None:
    write(tmp_path, 'board = "atmega328p"\nport = "/dev/ttyUSB0"\nbaud = 57600\nversion = "1.2.3"\ncounter = 4\n')
    assert read_config(tmp_path) == Config("atmega328p", "/dev/ttyUSB0", 57600, "1.2.3", 4)


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
        assert read_config(tmp_path) == Config(board="a")
    else:
        assert refusal(tmp_path).reason == "config-unreadable"


@pytest.mark.parametrize(
    "text", ["a = " + 20_000 * "[", "counter = " + 5_000 * "9"], ids=["endless brackets", "5,000 digits"]
)
def test_what_the_toml_reader_gives_up_on_is_told_as_a_mistake(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    assert refusal(tmp_path).reason == "config-malformed"
