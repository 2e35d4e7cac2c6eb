"""The plug-in as pytest finds it: by its entry point, in runs of other people, in processes of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.testing.boards import ROOT, run_pytest

PLAIN = "def test_sum():\n    assert 1 + 1 == 2\n"
LAZY = """
import sys
def test_nothing_of_otaflash_is_loaded():
    loaded = sorted(name for name in sys.modules if name.partition(".")[0] == "otaflash")
    assert loaded == ["otaflash", "otaflash.pytest_plugin"]
"""
FAILS = """
from otaflash.testing import Link
def test_fails(otaflash_board):
    board = otaflash_board("atmega328p", image=b"x" * 99, version="1.0.0", link=Link(loss=0.3))
    board.power.cut_during("swap")
    board.push(b"y" * 999, version="2.0.0")
    assert board.info().running_version == "nonsense"
"""
SEEDS = """
def test_shows_the_seed(otaflash_seed, otaflash_board):
    board = otaflash_board("atmega328p")
    print("seed", otaflash_seed, "world", board.world.seed)
"""
LINKS = """
import pytest
from otaflash.testing import Link
@pytest.fixture(params=[Link(delay_s=0.01), Link(delay_s=0.2)], ids=["near", "far"])
def otaflash_link(request):
    return request.param
def test_over_every_link(otaflash_board, otaflash_link):
    board = otaflash_board("atmega328p")
    assert board.link.down == otaflash_link
    assert board.push(b"y" * 99, version="2.0.0").seconds > 4 * otaflash_link.delay_s
"""
MISSED = """
def test_cut_that_never_came(otaflash_board):
    otaflash_board("atmega328p").power.cut_at_operation(5)
"""
LOST = """
def test_single(otaflash_board):
    board = otaflash_board("atmega328p", image=b"x" * 99, version="1.0.0")
    list(board.every_cut(b"y" * 99, version="2.0.0", single_slot=True))
"""


def test_the_entry_point_leads_to_the_plug_in() -> None:
    points = [point for dist in distributions() for point in dist.entry_points if point.group == "pytest11"]
    assert {point.value for point in points if point.name == "otaflash"} == {"otaflash.pytest_plugin"}


@pytest.mark.parametrize("words", [[], ["-p", "no:otaflash"], ["--strict-markers", "--strict-config", "-W", "error"]])
def test_runs_of_those_who_do_not_use_it_pass_as_before(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "test_plain.py").write_text(PLAIN)
    ran = run_pytest(tmp_path, *words)
    assert (ran.code, "1 passed" in ran.out) == (0, True), ran.out


def test_nothing_is_loaded_before_a_fixture_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "test_lazy.py").write_text(LAZY)
    assert run_pytest(tmp_path).code == 0


def test_a_plain_failure_says_nothing_of_otaflash(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text("def test_no():\n    assert False\n")
    ran = run_pytest(tmp_path)
    assert ran.code == 1
    assert "otaflash" not in ran.out.partition("collected")[2]


def test_without_the_plug_in_its_fixtures_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "test_seeds.py").write_text(SEEDS)
    ran = run_pytest(tmp_path, "-p", "no:otaflash")
    assert ran.code == 1
    assert "fixture 'otaflash_seed' not found" in ran.out


def test_a_failed_test_prints_its_seed_and_what_happened(tmp_path: Path) -> None:
    (tmp_path / "test_fails.py").write_text(FAILS)
    ran = run_pytest(tmp_path, "--otaflash-seed", "77")
    assert ran.code == 1
    assert "pytest test_fails.py::test_fails --otaflash-seed 77" in ran.out
    for line in ("board 0, atmega328p:", "phase apply", "power went", "power is back", "done: 2.0.0 runs"):
        assert line in ran.out


def test_the_printed_seed_has_the_same_story_again(tmp_path: Path) -> None:
    (tmp_path / "test_fails.py").write_text(FAILS)
    stories = [run_pytest(tmp_path, "--otaflash-seed", seed).out.partition("seed ")[2] for seed in ("5", "5", "6")]
    lines = [[line for line in story.splitlines() if " s  " in line] for story in stories]
    assert lines[0]
    assert lines[0] == lines[1]
    assert lines[0] != lines[2]


@pytest.mark.parametrize(("words", "seed"), [([], 1), (["--otaflash-seed", "9"], 9)])
def test_the_seed_is_fixed_unless_one_is_given(tmp_path: Path, words: list[str], seed: int) -> None:
    (tmp_path / "test_seeds.py").write_text(SEEDS)
    assert f"seed {seed} world {seed}/0" in run_pytest(tmp_path, "-s", *words).out


def test_a_link_fixture_of_the_team_is_that_of_every_board(tmp_path: Path) -> None:
    (tmp_path / "test_links.py").write_text(LINKS)
    ran = run_pytest(tmp_path)
    assert (ran.code, "2 passed" in ran.out) == (0, True), ran.out


def test_a_cut_that_never_came_is_an_error_of_the_test(tmp_path: Path) -> None:
    (tmp_path / "test_missed.py").write_text(MISSED)
    ran = run_pytest(tmp_path)
    assert ran.code == 1
    assert "was to be cut at flash operation 5 (torn), and never was" in ran.out


def test_a_lost_board_shows_the_story_of_its_cut(tmp_path: Path) -> None:
    (tmp_path / "test_lost.py").write_text(LOST)
    ran = run_pytest(tmp_path)
    assert ran.code == 1
    story = ran.out.partition("the cut tried last:")[2]
    assert story.index("phase transfer") < story.index("power went") < story.index("power is back")


def test_a_package_holds_the_plug_in_and_names_it(tmp_path: Path) -> None:
    tree, built = tmp_path / "tree", tmp_path / "built"
    ignored = shutil.ignore_patterns("*.so", "__pycache__", "build")
    for name in ("otaflash", "firmware", "tools", "protocol"):
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, tree)
    script = [sys.executable, "tools/packaging/setup.py", "-q"]
    subprocess.run([*script, "build_py", "--build-lib", built], cwd=tree, check=True, capture_output=True)
    subprocess.run([*script, "egg_info", "--egg-base", tmp_path], cwd=tree, check=True, capture_output=True)
    held = {path.relative_to(built).as_posix() for path in (built / "otaflash").rglob("*")}
    own = {path.relative_to(ROOT).as_posix() for path in (ROOT / "otaflash" / "testing").glob("*.py")}
    assert {"otaflash/pytest_plugin.py", "otaflash/py.typed", *own} <= held
    entries = (tmp_path / "otaflash.egg-info" / "entry_points.txt").read_text()
    assert "[pytest11]\notaflash = otaflash.pytest_plugin" in entries
