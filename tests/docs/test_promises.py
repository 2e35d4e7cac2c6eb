"""The page of promises: its commands exist, its links lead somewhere, and the tests that it names are there."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.running import ROOT, otaflash

PAGE = ROOT / "docs" / "promises.md"
SHOWN = re.sub(r"<!--.*?-->", "", PAGE.read_text(), flags=re.DOTALL)
COMMANDS = re.findall(r"^    (.+)$", SHOWN.partition("## 3.")[2], re.MULTILINE)
INLINE = re.findall(r"`((?:otaflash|tools/|pytest) ?[^`]+)`", SHOWN)
PLACES = re.findall(r"`((?:otaflash|tests|firmware|tools|protocol)/[\w/.]+)`", SHOWN)
LINKS = re.findall(r"\]\(([^)#]+)\)", SHOWN)
TESTS = re.findall(r"`(test_\w+)`", SHOWN)


def functions_of_the_tests() -> set[str]:
    return {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("command", sorted({*COMMANDS, *INLINE} - set(PLACES)))
def test_every_command_of_the_page_exists_with_its_options(command: str) -> None:
    program, *words = shlex.split(command)
    options = [word for word in words if word.startswith("--")]
    if program == "pytest":
        assert [word for word in words if not (ROOT / word).exists()] == []
        return
    if program == "otaflash":
        depth = 2 if words[0] == "bench" else 1
        help_text = otaflash(*words[:depth], "--help")
        assert help_text.code == 0
        assert [option for option in options if option not in help_text.out] == []
        return
    script = ROOT / program
    assert script.stat().st_mode & 0o100
    said = [word for word in words if not word[0].isdigit()]  # the values of options are anyone's
    assert [word for word in said if word not in script.read_text()] == []


@pytest.mark.parametrize("place", sorted({*LINKS, *PLACES}))
def test_every_link_and_place_of_the_page_is_there(place: str) -> None:
    base = PAGE.parent if place in LINKS else ROOT
    assert (base / place).exists()


def test_every_test_that_the_page_names_is_there() -> None:
    assert set(TESTS) - functions_of_the_tests() == set()


def test_every_promise_names_a_test() -> None:
    promises = re.split(r"^(?=\d+\. \*\*)", SHOWN.partition("## 1.")[2].partition("## 2.")[0], flags=re.MULTILINE)[1:]
    assert len(promises) >= 10
    assert [promise for promise in promises if "`test_" not in promise] == []


def test_the_page_is_read_by_its_own_rules() -> None:
    assert len(COMMANDS) >= 8
    assert len(TESTS) >= 15
    assert Path(PAGE.parent / "testing.md").exists()
