"""tools/generate: the committed files are what the description says, and a contradiction in it is named."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("tools/generate", "tools/generator", "protocol/messages.toml", "protocol/PROTOCOL.md")
MADE = ("firmware/core/messages.h", "otaflash/wire/messages.py", "otaflash/wire/ble.py", "protocol/PROTOCOL.md")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A tree with the generator, its input, and nothing made yet but the document."""
    for part in PARTS:
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tmp_path / part)
        else:
            shutil.copy(ROOT / part, tmp_path / part)
    return tmp_path


def generate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", root / "tools/generate", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def change(root: Path, path: str, old: str, new: str) -> None:
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_committed_files_are_what_the_description_says() -> None:
    done = generate(ROOT, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_generator_makes_the_committed_files_from_nothing(copy: Path) -> None:
    assert generate(copy).returncode == 0
    for path in MADE:
        assert (copy / path).read_text(encoding="utf-8") == (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", MADE)
def test_check_names_a_stale_file_and_leaves_it_alone(copy: Path, path: str) -> None:
    generate(copy)
    change(copy, path, "GATT" if path.endswith("ble.py") else "trailer", "tailor")
    before = (copy / path).read_text(encoding="utf-8")
    done = generate(copy, "--check")
    assert (done.returncode, done.stdout) == (1, f"stale: {path} (run tools/generate)\n")
    assert (copy / path).read_text(encoding="utf-8") == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind = 0x02", "kind = 0x01", "enter: kind 0x01 is not free"),
        ("kind = 0x02", "kind = 0x82", "enter: kind 0x82 is not free"),
        ("kind = 0x0A", "kind = 0x45", "block: kind 0x45 is not free"),
        ('type = "bytes8"', 'type = "u64"', "target: unknown type u64"),
        ('name = "total",  type = "u8"', 'name = "total",  type = "rest"', "offset: stands after total"),
        ("list:gap", "list:hole", "report: no record is called hole"),
        ("value = 20,", "value = 19,", "reason: a value stands twice"),
        ("14ad0003-", "14ad0002-", "two UUIDs are the same"),
        ("14ad0003-", "14AD0003-", "to_host: 14AD0003-"),
        ('name = "hashed"', 'name = "limit"', "OTA_REPORT_REP_LIMIT"),
    ],
)
def test_a_contradiction_in_the_description_is_named(copy: Path, old: str, new: str, said: str) -> None:
    change(copy, "protocol/messages.toml", old, new)
    done = generate(copy)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_document_without_its_marks_is_named(copy: Path) -> None:
    change(copy, "protocol/PROTOCOL.md", "<!-- generated: records -->", "")
    done = generate(copy)
    assert done.returncode == 1
    assert "generated: records" in done.stderr


def test_an_unknown_argument_is_refused(copy: Path) -> None:
    done = generate(copy, "--chekc")
    assert done.returncode == 2
    assert "usage" in done.stderr


def test_the_header_compiles_without_a_warning(tmp_path: Path) -> None:
    source = tmp_path / "all.c"
    source.write_text('#include "messages.h"\nint main(void) { return (int)OTA_HEADER_KIND; }\n', encoding="ascii")
    flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", f"-I{ROOT / 'firmware/core'}"]
    done = subprocess.run(
        ["cc", *flags, "-c", source, "-o", tmp_path / "all.o"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
