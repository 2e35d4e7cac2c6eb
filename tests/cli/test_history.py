"""otaflash history: each push, confirm and revert is written down, and never at the cost of the push."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.cli.running import BLINK, PATIENCE_S, Ended, otaflash, served_board, spawn, wait_for


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("OTAFLASH_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def board(tmp_path: Path) -> str:
    return f"sim:atmega328p?state={tmp_path / 'board.bin'}"


def push(board: str, *words: str) -> Ended:
    return otaflash("push", BLINK, "--port", board, "--version", "1.1.0", *words)


def entries(*words: str) -> list[dict[str, object]]:
    ended = otaflash("history", "--json", *words)
    assert ended.code == 0, ended.err
    assert ended.result["entries"] == len(ended.events) - 1
    return ended.events[:-1]


def test_what_was_done_to_a_board_is_written_down(board: str) -> None:
    assert push(board, "--no-confirm").code == 0
    assert otaflash("revert", "--port", board).code == 0
    assert otaflash("confirm", "--port", board).code == 0
    result = push(board, "--json").result
    found = entries()
    assert [entry["operation"] for entry in found] == ["push", "revert", "confirm", "push"]
    assert {entry["uid"] for entry in found} == {result["uid"]}
    last = found[-1]
    assert last["event"] == "entry"
    assert (last["file"], last["version"], last["code"], last["reason"]) == (BLINK.name, "1.1.0", 0, None)
    assert (last["seconds"], last["image_bytes"]) == (result["seconds"], result["image_bytes"])
    assert last["wire_bytes"] == result["wire_bytes_down"]
    assert len(str(last["sha256"])) == 64
    assert str(last["at"]).endswith("Z")


def test_a_name_that_is_no_text_is_written_down_with_escapes_and_changes_no_outcome(board: str, tmp_path: Path) -> None:
    """sqlite takes no such string: a push that had worked was called a bug of ours."""
    file = tmp_path / os.fsdecode(b"n\xff.hex")
    file.write_bytes(BLINK.read_bytes())
    assert otaflash("push", file, "--port", board, "--version", "1.1.0").code == 0
    assert otaflash("push", file, "--port", board, "--version", "1.2.0", "--board", "nrf52832").code == 5
    assert [entry["file"] for entry in entries()] == ["n\\udcff.hex"] * 2


def test_a_board_that_is_named_with_nothing_lets_no_board_pass(board: str) -> None:
    """A script whose variable is not set."""
    assert push(board, "--board", "", "--json").result["reason"] == "wrong-board"


def test_what_failed_is_written_down_with_its_reason(board: str) -> None:
    assert otaflash("revert", "--port", board).code == 5
    assert push(board, "--board", "nrf52832").code == 5
    assert push(f"{board}&outage=0.2s+99s/100%").code == 4
    found = entries()
    assert [entry["reason"] for entry in found] == ["no-trial", "wrong-board", "link-lost"]
    assert [entry["code"] for entry in found] == [5, 5, 4]
    assert found[-1]["version"] == "1.1.0"
    assert found[-1]["wire_bytes"] is None


def test_questions_and_dry_runs_are_not_written_down(board: str, state: Path) -> None:
    otaflash("info", "--port", board)
    push(board, "--dry-run")
    otaflash("push", "nowhere.hex", "--port", board)
    otaflash("push", BLINK, "--port", "sim:atmega328p?loss=100%")
    assert entries() == []
    assert not state.exists()


def test_people_get_a_table_the_newest_last(board: str) -> None:
    assert "Nothing was pushed" in otaflash("history").out
    push(board)
    otaflash("revert", "--port", board)
    head, first, second = otaflash("history").out.splitlines()
    assert head.split() == ["WHEN", "(UTC)", "BOARD", "ID", "DID", "VERSION", "FILE", "TOOK", "CAME", "TO"]
    assert " push " in first
    assert first.endswith(" done")
    assert second.endswith(" 5 no-trial")


def test_a_limit_and_a_board_narrow_it(board: str) -> None:
    push(board)
    push(board)
    push("sim:nrf52832?seed=5")
    assert len(entries("--limit", "2")) == 2
    assert [entry["board"] for entry in entries("--board", "nrf52832")] == ["nrf52832"]
    assert len(entries("--board", str(entries()[0]["uid"])[:6])) == 2
    assert otaflash("history", "--limit", "0").code == 2


@pytest.mark.parametrize("obstacle", ["a file for a folder", "no database", "a folder for a file"])
def test_a_history_that_cannot_be_written_costs_one_warning_and_never_the_push(
    board: str, state: Path, obstacle: str
) -> None:
    if obstacle == "a file for a folder":
        state.write_text("")
    else:
        state.mkdir()
        file = state / "history.sqlite3"
        file.mkdir() if obstacle == "a folder for a file" else file.write_bytes(b"x" * 4096)
    ended = push(board, "--json")
    assert ended.code == 0
    assert ended.result["running_version"] == "1.1.0"
    warnings = [event["id"] for event in ended.events if event["event"] == "warning"]
    assert warnings.count("history-unusable") == 1
    assert len(ended.err.splitlines()) == 1
    assert otaflash("history").code == 2


def test_a_push_that_ctrl_c_ends_is_written_down() -> None:
    with (
        served_board("atmega328p?rate=9600", "--tcp", "0") as port,
        spawn("push", BLINK, "--port", port, "--json") as pushing,
    ):
        wait_for(pushing, "progress")
        pushing.send_signal(signal.SIGINT)
        out, _ = pushing.communicate(timeout=PATIENCE_S)
    assert json.loads(out.splitlines()[-1])["reason"] == "interrupted"
    (entry,) = entries()
    assert (entry["code"], entry["reason"]) == (130, "interrupted")
