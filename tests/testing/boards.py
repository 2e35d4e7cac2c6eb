"""What the tests of the plug-in share: two programs, a board with the first of them, pytest in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from otaflash.testing import Board, Link, make_board

ROOT = Path(__file__).resolve().parents[2]
OLD = bytes(range(200))
NEW = bytes(reversed(range(250))) * 2
NEWEST = b"\x5a" * 450
RADIO = Link(rate=57600, delay_s=0.03, loss=0.1)


def old_board(seed: int = 1, link: Link | None = None, board: str = "atmega328p") -> Board:
    return make_board(board, seed=seed, link=link, image=OLD, version="1.0.0")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run of pytest ended."""

    code: int
    out: str


def run_pytest(folder: Path, *words: str, **environment: str) -> Ran:
    """Runs pytest as a team does: in their folder, in a process of its own, with what is installed."""
    # Hypothesis takes a second to come up, and is not what these tests are about.
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *words]
    known = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ended = subprocess.run(
        command, cwd=folder, env={**known, **environment}, capture_output=True, text=True, check=False, timeout=300
    )
    return Ran(ended.returncode, ended.stdout + ended.stderr)
