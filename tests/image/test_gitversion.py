"""A version from git: that of the checkout in which the program's file lies."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from otaflash.errors import ExitCode, UsageError
from otaflash.image.gitversion import git_version


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A program in a folder `build` of a checkout, which git passes over."""
    (tmp_path / "build").mkdir()
    (tmp_path / ".gitignore").write_text("build\n")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path / "build" / "program.hex"


def git(folder: Path, *words: str) -> None:
    name = ("-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, tag: str = "") -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "work")
    if tag:
        git(folder, "tag", tag)


def refusal(file: Path) -> str:
    with pytest.raises(UsageError) as caught:
        git_version(file)
    assert caught.value.exit_code is ExitCode.USAGE
    assert "--version 1.2.3" in caught.value.remedy
    return caught.value.reason


@pytest.mark.parametrize("tag", ["v1.2.3", "1.2.3"])
def test_a_tagged_commit_has_the_version_of_its_tag(file: Path, tag: str) -> None:
    commit(file.parents[1], tag)
    assert git_version(file) == ("1.2.3", ())


def test_commits_after_the_tag_are_the_build_number(file: Path) -> None:
    commit(file.parents[1], "v1.2.3")
    for _ in range(4):
        commit(file.parents[1])
    assert git_version(file) == ("1.2.3+4", ())


def test_changes_that_are_not_committed_are_told(file: Path) -> None:
    commit(file.parents[1], "v1.2.3")
    (file.parents[1] / ".gitignore").write_text("build\nother\n")
    version, warnings = git_version(file)
    assert (version, [warning.id for warning in warnings]) == ("1.2.3", ["git-dirty"])


@pytest.mark.parametrize("tag", ["release-june", "v1.2", "v1.2.3-rc1", "v1.2.3.4", "v300.0.0"])
def test_a_tag_that_is_no_version_is_refused(file: Path, tag: str) -> None:
    commit(file.parents[1], tag)
    assert refusal(file) == "git-bad-tag"


def test_a_checkout_without_tags_is_refused(file: Path) -> None:
    assert refusal(file) == "git-no-version"


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "program.hex") == "git-no-version"


def test_git_that_cannot_be_run_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(file.parent))
    assert refusal(file) == "git-missing"
    assert refusal(file.parent / "no" / "folder" / "program.hex") == "git-missing"
