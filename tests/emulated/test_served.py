"""`tools/emulated_board`, as the README shows it: a chip on an emulator for anybody's otaflash."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.emulated.avr import ROOT
from tests.emulated.chips import CHIPS

SHOWN = re.findall(
    r"^    (tools/emulated_board \S+|tools/build_apps .*?|otaflash .*/dev/pts/N.*?)(?:\s+#.*)?$",
    (ROOT / "README.md").read_text(),
    re.MULTILINE,
)


@contextmanager
def running(command: str) -> Iterator[str]:
    """A program in the background; the first line that it prints."""
    with subprocess.Popen(shlex.split(command), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def otaflash(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "otaflash.cli.main", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_the_readme_shows_of_an_emulated_chip_works(tmp_path: Path) -> None:
    board, build, push = (line.replace("/tmp/", f"{tmp_path}/") for line in SHOWN)
    subprocess.run(shlex.split(build), cwd=ROOT, check=True, capture_output=True)
    with running(board) as port:
        assert port.startswith("/dev/")
        assert "version 2.0.0" in otaflash(*shlex.split(push.replace("/dev/pts/N", port))[1:])


@pytest.mark.parametrize("name", CHIPS)
def test_every_emulated_chip_is_served_and_found_without_a_port(name: str) -> None:
    with running(f"tools/emulated_board {name} --tcp 0") as port:
        assert port.startswith("socket://127.0.0.1:")
        assert re.search(rf"^board +{name}$", otaflash("info"), re.MULTILINE)
