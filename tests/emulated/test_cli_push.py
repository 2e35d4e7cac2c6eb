"""`otaflash push` itself, in a process of its own, updates an emulated chip over a pty or a TCP port in real time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from otaflash.sim.serve import PtyDoor, TcpDoor
from tests.emulated.avr import AvrBoard
from tests.emulated.avr_host import blink
from tests.emulated.bridge import bridged
from tests.emulated.chips import nrf51822
from tests.emulated.m0 import ANSWERING, compiled

ROOT = Path(__file__).resolve().parents[2]
BLINK = ROOT / "firmware" / "app" / "blink"


def otaflash(*args: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the last line of --json, and what went to stderr."""
    command = [sys.executable, "-m", "otaflash.cli.main", *args, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr


def test_a_program_that_never_answers_is_no_success_and_the_old_one_runs_again() -> None:
    board = AvrBoard()
    board.off()
    old = blink("1.0.0").span
    board.flash[: len(old)] = old
    board.on()
    with bridged(board, TcpDoor(0)) as bridge:
        # The example program knows nothing of the bootloader, so nobody can say that it came up.
        program = str(BLINK / "blink-1.1.0.hex")
        code, result, said = otaflash("push", program, "--version", "1.1.0", "--port", bridge.port)
        assert (code, result["ok"]) == (7, False), said
        assert result["reason"] in ("new-image-silent", "not-confirmed")
        assert b"blink 1.1.0" in bytes(bridge.sent), "it has had a trial"
    board.run(15_000_000)
    assert board.runs_application
    assert bytes(board.flash[: len(old)]) == old, "three trials, then back"


def test_a_push_over_a_pty_ends_with_the_new_program_running_and_confirmed(tmp_path: Path) -> None:
    """Through pyserial, as to a serial port."""
    chip = nrf51822()
    board = chip.make(1)
    board.flash[chip.slot.base : chip.slot.base + len(chip.old.span)] = chip.old.span
    board.on()
    program = str(compiled(tmp_path, "3.0.0", ANSWERING))
    with bridged(board, PtyDoor()) as bridge:
        code, result, said = otaflash(
            "push", program, "--version", "3.0.0", "--board", "nrf51822", "--port", bridge.port
        )
    assert (code, result["ok"], result["running_version"]) == (0, True, "3.0.0"), said
    assert b"m0 3.0.0" in bytes(bridge.sent)
    assert board.runs_application


def test_info_reads_the_chip_and_a_program_for_another_board_is_refused_by_name() -> None:
    board = AvrBoard()
    with bridged(board, TcpDoor(0)) as bridge:
        code, result, _ = otaflash("info", "--port", bridge.port)
        assert (code, result["board"], result["boot_state"]) == (0, "atmega328p", "no_image")
        image = str(BLINK / "blink-1.0.0.hex")
        code, result, _ = otaflash("push", image, "--version", "1.0.0", "--board", "nrf51822", "--port", bridge.port)
    assert code == 5
    assert result["reason"] == "wrong-board"
    assert set(board.flash[: board.loader_start]) == {0xFF}
