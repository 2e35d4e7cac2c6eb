"""Does our update arrive, whatever happens? build/v1.hex is what is in the field, build/v2.hex what we want to ship."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from otaflash.testing import Application, Board, Link, MakeBoard, OtaflashError, ServePort

OLD, NEW = "build/v1.hex", "build/v2.hex"
RADIO = Link(rate=57600, delay_s=0.03, loss=0.05)


@pytest.fixture
def board(otaflash_board: MakeBoard) -> Board:
    """A board as our customers have it."""
    return otaflash_board("atmega328p", image=OLD, version="1.0.0", link=RADIO)


def test_our_update_survives_a_power_cut(board: Board) -> None:
    board.power.cut_during("swap")
    result = board.push(NEW, version="2.0.0")
    assert result.running_version == "2.0.0"
    assert board.power.cuts == 1
    assert board.runs(NEW)


def test_a_program_that_hangs_is_taken_back(board: Board) -> None:
    board.application.hangs()
    with pytest.raises(OtaflashError) as failed:
        board.push(NEW, version="2.0.0")
    assert failed.value.reason == "not-confirmed"
    board.wait(30)
    assert board.runs(OLD)


def test_without_a_confirmation_the_old_program_comes_back(board: Board) -> None:
    board.push(NEW, version="2.0.0", confirm=False)
    assert board.info().on_trial
    for _ in range(3):
        board.reset()
        board.wait(5)
    assert board.runs(OLD)


def test_our_program_confirms_itself_in_time(board: Board) -> None:
    board.application.confirms_after(5.0)
    board.push(NEW, version="2.0.0", confirm=False)
    board.wait(6)
    assert not board.info().on_trial


def test_a_radio_that_falls_silent_leaves_the_old_program(board: Board) -> None:
    board.link = Link(rate=57600, loss=1.0)
    with pytest.raises(OtaflashError) as failed:
        board.push(NEW, version="2.0.0")
    assert failed.value.reason == "no-answer"
    assert board.runs(OLD)


def test_no_power_cut_leaves_our_board_with_nothing(board: Board) -> None:
    for cut in board.every_cut(NEW, version="2.0.0", every=25):
        assert cut.board.runs(OLD if cut.runs == "old" else NEW)
        cut.board.push(NEW, version="2.0.0")  # the host comes back
        assert cut.board.runs(NEW)


def test_our_own_chip_takes_the_update(otaflash_board: MakeBoard) -> None:
    chip = {"like": "stm32f103", "name": "sensor-7", "slot_base": 0, "slot_pages": 40}
    board = otaflash_board(chip, image=OLD, version="1.0.0")
    assert board.push(NEW, version="2.0.0").running_version == "2.0.0"


def test_our_update_script_works(otaflash_port: ServePort) -> None:
    port = otaflash_port("atmega328p", image=OLD, version="1.0.0", application=Application(confirm_after_s=0.5))
    script = [sys.executable, "-m", "otaflash.cli.main", "push", NEW, "--version", "2.0.0", "--port", port, "--json"]
    ended = subprocess.run(script, capture_output=True, text=True, check=False, timeout=60)
    assert json.loads(ended.stdout.splitlines()[-1])["running_version"] == "2.0.0"
