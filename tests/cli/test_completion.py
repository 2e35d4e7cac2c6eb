"""What the TAB key brings, in each shell that we have a script for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import otaflash, otaflash_apart

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which `otaflash` is this checkout's."""
    program = tmp_path / "bin" / "otaflash"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m otaflash.cli.main "$@"\n')
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


def completed(line: str, shell: str = "bash") -> str:
    """Asks as the script of a shell does: the words up to the cursor, the last of which is unfinished."""
    words = line.split(" ")
    cursor = words[-1] if shell == "fish" else str(len(words) - 1)
    asked = {"_OTAFLASH_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": cursor}
    ended = otaflash_apart(env=asked)
    assert ended.code == 0, ended.err
    return ended.out


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("otaflash pu", {"plain,push"}),
        ("otaflash push --po", {"plain,--port"}),
        ("otaflash --po", {"plain,--port"}),
        ("otaflash bench po", {"plain,powercut"}),
        ("otaflash bench powercut --de", {"plain,--depth", "plain,--debug"}),
        ("otaflash completion f", {"plain,fish"}),
        ("otaflash push ", {"file,"}),
        ("otaflash flies", set()),
    ],
)
def test_an_unfinished_word_is_completed(line: str, wanted: set[str]) -> None:
    assert set(completed(line).split()) == wanted


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_is_answered_in_its_own_form(shell: str) -> None:
    assert "push" in completed("otaflash pu", shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_each_script_asks_through_the_variable_that_is_answered(shell: str) -> None:
    ended = otaflash("completion", shell)
    assert ended.code == 0
    assert f"_OTAFLASH_COMPLETE={shell}_complete" in ended.out


def test_an_unknown_shell_is_refused_with_those_that_there_are() -> None:
    ended = otaflash("completion", "tcsh")
    assert ended.code == 2
    assert "'bash', 'zsh', 'fish'" in ended.err


def test_bash_completes_after_it_has_sourced_the_script(path: str) -> None:
    script = """
        source <(otaflash completion bash)
        COMP_WORDS=(otaflash bench so) COMP_CWORD=2
        "$(complete -p otaflash | sed 's/.*-F \\([^ ]*\\).*/\\1/')" otaflash
        echo "${COMPREPLY[@]}"
    """
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == "soak"
