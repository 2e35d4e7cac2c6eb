"""tools/lib.sh: what it finds missing on a machine, by the names of the Debian packages. Installs nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A PATH with a shell's own tools and this Python, and no compiler."""
    for name in ("mktemp", "rm"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    add(tmp_path, "python3", f'exec "{sys.executable}" "$@"')
    return tmp_path


def add(machine: Path, name: str, line: str) -> None:
    """A command that does one line of shell."""
    command = machine / name
    command.write_text(f"#!/bin/sh\n{line}\n")
    command.chmod(0o755)


def missing(machine: Path, *calls: str) -> list[str]:
    """The packages that are missed after the calls."""
    bash = shutil.which("bash")
    assert bash is not None
    script = "\n".join(("set -euo pipefail", ". tools/lib.sh", *calls, 'printf "%s " "${missing[@]}"'))
    ended = subprocess.run(
        [bash, "-c", script], cwd=ROOT, env={"PATH": str(machine)}, capture_output=True, text=True, check=True
    )
    return ended.stdout.split()


def test_a_machine_without_a_compiler_misses_it_and_the_headers(machine: Path) -> None:
    assert missing(machine, "want_compiler") == ["gcc", "libc6-dev"]


def test_a_compiler_without_headers_misses_only_them(machine: Path) -> None:
    add(machine, "cc", "exit 1")
    assert missing(machine, "want_compiler") == ["libc6-dev"]


def test_a_compiler_with_its_headers_misses_nothing(machine: Path) -> None:
    add(machine, "cc", "read -r line; exit 0")
    assert missing(machine, "want_compiler") == []


def test_the_compiler_that_was_named_may_bring_words_of_its_own(machine: Path) -> None:
    add(machine, "wrap", '[ "$1" = gcc ] && read -r line')
    assert missing(machine, 'CC="wrap gcc"', "want_compiler") == []


def test_a_machine_without_python_misses_it_with_what_an_environment_needs(machine: Path) -> None:
    (machine / "python3").unlink()
    add(machine, "cc", "read -r line; exit 0")
    assert missing(machine, "want_python") == ["python3", "python3-venv", "python3-dev"]


def test_a_command_that_is_missing_names_all_its_packages(machine: Path) -> None:
    assert missing(machine, "want avr-gcc gcc-avr avr-libc", "want rm coreutils") == ["gcc-avr", "avr-libc"]
