"""Simulated boards that run are found by others, and only those that still run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from otaflash import system
from otaflash.errors import TargetError
from otaflash.transport.open import find_port
from otaflash.transport.running import RunningBoard, announced, running_boards
from tests.transport.ports import FTDI, present

ONE = RunningBoard("/dev/pts/9", "atmega328p")
TWO = RunningBoard("socket://127.0.0.1:7", "tiny2")

ANNOUNCE = """
import sys, time
from otaflash.transport.running import RunningBoard, announced
with announced(RunningBoard("/dev/pts/8", "tiny2")):
    print(flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runtime folder of a user of its own."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "run/otaflash"


@pytest.fixture
def announcer() -> Iterator[subprocess.Popen[str]]:
    """Another process, which has announced a board."""
    with subprocess.Popen([sys.executable, "-c", ANNOUNCE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_board_is_found_as_long_as_it_runs(folder: Path) -> None:
    assert running_boards() == []
    with announced(ONE) as first, announced(TWO) as second:
        assert (first, second) == (True, True)
        assert running_boards() == [ONE, TWO]
    assert running_boards() == []
    assert list(folder.iterdir()) == []


def test_what_a_killed_process_left_behind_is_removed(announcer: subprocess.Popen[str], folder: Path) -> None:
    assert running_boards() == [RunningBoard("/dev/pts/8", "tiny2")]
    announcer.send_signal(signal.SIGKILL)
    announcer.wait()
    assert len(list(folder.iterdir())) == 1
    assert running_boards() == []
    assert list(folder.iterdir()) == []


def test_a_process_number_that_is_another_process_s_by_now_is_not_believed(folder: Path) -> None:
    folder.mkdir()
    stale = folder / f"sim-{os.getpid()}-00000000.json"
    stale.write_text(json.dumps({"port": "/dev/pts/9", "board": "tiny2"}))
    assert running_boards() == []
    assert not stale.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"port": "x"}', "null"])
def test_a_file_that_says_nothing_is_passed_over(folder: Path, text: str) -> None:
    folder.mkdir()
    path = folder / "sim-1-00000000.json"
    path.write_text(text)
    with path.open("r+") as file:
        assert system.hold(file)
        assert running_boards() == []
    assert path.exists()


def test_where_there_is_no_folder_a_board_serves_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otaflash.transport.running.runtime_folder", lambda: None)
    with announced(ONE) as told:
        assert told is False
        assert running_boards() == []


def test_a_folder_in_which_others_may_write_is_not_used(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    assert system.runtime_folder() is None


def test_a_folder_of_another_user_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    stranger = os.getuid() + 1
    monkeypatch.setattr(system.os, "getuid", lambda: stranger)  # type: ignore[attr-defined]
    assert system.runtime_folder() is None


def test_without_a_name_the_only_running_simulator_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch)
    with announced(ONE):
        assert find_port() == "/dev/pts/9"


def test_a_simulator_beside_a_usb_port_makes_two_and_none_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, FTDI)
    with announced(ONE), pytest.raises(TargetError) as caught:
        find_port()
    assert caught.value.reason == "port-ambiguous"
    assert "/dev/ttyUSB0 (FT232R, usb:0403:6001:A1), /dev/pts/9 (simulated atmega328p)" in caught.value.text
