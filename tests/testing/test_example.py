"""The example project and the manual that quotes it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import otaflash.testing
from otaflash.sim.profiles import PROFILES
from otaflash.sim.radio import Way
from otaflash.testing.switches import PHASES
from tests.testing.boards import ROOT, old_board, run_pytest

EXAMPLE = ROOT / "docs" / "examples" / "update_test"
MANUAL = ROOT / "docs" / "testing.md"
BLINK = ROOT / "firmware" / "app" / "blink"
QUOTES = re.findall(r"^```python\n(.*?)^```$", MANUAL.read_text(), re.MULTILINE | re.DOTALL)
LINKS = [
    (page, place)
    for page in (MANUAL, EXAMPLE / "README.md")
    for place in re.findall(r"\]\(([^)#]+)\)", page.read_text())
]
CALLS = re.findall(r"^\| `(\w+)\(", MANUAL.read_text(), re.MULTILINE)


def test_the_example_passes_in_a_folder_of_its_own(tmp_path: Path) -> None:
    shutil.copy(EXAMPLE / "test_update.py", tmp_path)
    (tmp_path / "build").mkdir()
    shutil.copy(BLINK / "blink-1.0.0.hex", tmp_path / "build" / "v1.hex")
    shutil.copy(BLINK / "blink-1.1.0.hex", tmp_path / "build" / "v2.hex")
    tests = (EXAMPLE / "test_update.py").read_text().count("\ndef test_")
    ran = run_pytest(tmp_path)
    assert (ran.code, f"{tests} passed" in ran.out) == (0, True), ran.out


def test_the_manual_quotes_the_example_to_the_letter() -> None:
    example = (EXAMPLE / "test_update.py").read_text()
    assert len(QUOTES) >= 4
    assert [quote for quote in QUOTES if quote not in example] == []


@pytest.mark.parametrize(("page", "place"), LINKS)
def test_the_links_of_manual_and_example_lead_somewhere(page: Path, place: str) -> None:
    assert (page.parent / place).exists()


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"otaflash_board", "otaflash_port"}))
def test_every_call_in_the_tables_of_the_manual_is_there(name: str) -> None:
    board = old_board()
    assert any(callable(getattr(owner, name, None)) for owner in (board, board.power, board.application))


def test_the_manual_names_every_phase_board_and_link_fault() -> None:
    text = MANUAL.read_text()
    real = [name for name, made in PROFILES.items() if made.real]
    wanted = [*(f'"{phase}"' for phase in PHASES), *real, *(f"`{name}`" for name in Way.__slots__)]
    assert [word for word in wanted if word not in text] == []


def test_all_that_the_package_offers_is_there() -> None:
    assert [name for name in otaflash.testing.__all__ if not hasattr(otaflash.testing, name)] == []
