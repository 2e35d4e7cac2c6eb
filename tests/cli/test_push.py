"""push and the commands around it, as scripts and people see them."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import (
    BLINK,
    BLINK_OLD,
    COMMAND,
    PATIENCE_S,
    ROOT,
    otaflash,
    otaflash_apart,
    running_image,
    served_board,
    spawn,
    wait_for,
)

BAD_RADIO = "sim:atmega328p?rate=57600&delay=30ms&loss=5%&seed=7"

NUMBER = (int, float)
SCHEMA: dict[str, dict[str, Any]] = {
    "phase": {"name": str},
    "progress": {
        "done_bytes": int,
        "total_bytes": int,
        "bytes_per_s": NUMBER,
        "loss": NUMBER,
        "eta_s": (*NUMBER, type(None)),
    },
    "warning": {"id": str, "text": str},
    "result": {
        "ok": bool,
        "code": int,
        "image_bytes": int,
        "wire_bytes_down": int,
        "wire_bytes_up": int,
        "seconds": NUMBER,
        "transfer_seconds": NUMBER,
        "verify_seconds": NUMBER,
        "downtime_seconds": NUMBER,
        "line_rate_bytes_per_s": NUMBER,
        "goodput_ratio": NUMBER,
        "retransmitted_blocks": int,
        "running_version": str,
    },
}
INFO_FIELDS = {
    "slot_base": int,
    "slot_bytes": int,
    "page_bytes": int,
    "boot_state": str,
    "image_bytes": int,
    "version": str,
    "security_counter": int,
    "board": str,
}


@pytest.fixture
def board(tmp_path: Path) -> str:
    return f"sim:atmega328p?state={tmp_path / 'board.bin'}"


# --- for machines ----------------------------------------------------------------------------------------


def test_every_event_of_a_push_keeps_to_its_schema() -> None:
    ended = otaflash("push", BLINK, "--port", BAD_RADIO, "--version", "1.1.0", "--json")
    assert ended.code == 0
    assert ended.err == ""
    for event in ended.events:
        assert event["v"] == 1
        fields = SCHEMA[event["event"]]
        assert {
            name: type(event.get(name)) for name, kind in fields.items() if not isinstance(event.get(name), kind)
        } == {}
    assert [event["event"] for event in ended.events].count("result") == 1
    assert ended.result["running_version"] == "1.1.0"
    assert 0 < ended.result["goodput_ratio"] < 1


def test_progress_counts_up_to_the_whole_and_never_back() -> None:
    ended = otaflash("push", BLINK, "--port", BAD_RADIO, "--json")
    progress = [event for event in ended.events if event["event"] == "progress"]
    done = [event["done_bytes"] for event in progress]
    assert done == sorted(done)
    assert done[-1] == progress[-1]["total_bytes"] == ended.result["image_bytes"]


def test_one_seed_gives_the_same_events_but_for_the_session_number() -> None:
    first, second = (otaflash("push", BLINK, "--port", BAD_RADIO, "--json") for _ in range(2))
    assert [event["event"] for event in first.events[:3]] == [event["event"] for event in second.events[:3]]
    assert first.result["running_version"] == second.result["running_version"]


@pytest.mark.parametrize("command", [["info"], ["inspect"]])
def test_info_and_inspect_give_one_object_with_the_fixed_names(command: list[str], tmp_path: Path, board: str) -> None:
    if command == ["inspect"]:
        file = tmp_path / "blink.otab"
        otaflash("bundle", BLINK, "--board", "atmega328p", "-o", file, "--version", "1.1.0")
        ended = otaflash("inspect", file, "--json")
    else:
        ended = otaflash("info", "--port", board, "--json")
    assert len(ended.events) == 1
    expected = INFO_FIELDS.keys() | {"digest_sha256", "signed_by", "scheme", "v", "event", "ok", "code"}
    assert expected <= ended.result.keys()


def test_errors_leave_only_json_on_standard_output() -> None:
    ended = otaflash("push", "nowhere.hex", "--json")
    assert [event["event"] for event in ended.events] == ["result"]
    assert ended.err.startswith("error 5 file-missing: ")


# --- for people ------------------------------------------------------------------------------------------


def test_a_pipe_gets_few_lines_and_no_control_characters() -> None:
    ended = otaflash_apart("push", BLINK, "--port", BAD_RADIO, "--version", "1.1.0")
    assert ended.code == 0
    progress = [line for line in ended.out.splitlines() if "%" in line and line.startswith("  ")]
    assert 1 <= len(progress) <= 10
    assert not [line for line in progress if "  0 B/s" in line]  # not known yet is not nothing
    assert not set(ended.out) & {"\x1b", "\r"}
    assert "runs version 1.1.0" in ended.out.splitlines()[-1]


def test_the_end_says_time_by_phase_what_was_sent_and_what_runs() -> None:
    ended = otaflash("push", BLINK, "--port", BAD_RADIO, "--version", "1.1.0")
    times, sent, runs = ended.out.splitlines()[-3:]
    assert times.startswith("took ")
    for word in ("inspect 0.", "transfer ", "start ", " s without a program"):
        assert word in times
    assert re.fullmatch(r"sent [\d,]+ bytes for 3,352, \d+% of what the line carries; \d+ blocks? sent again", sent)
    assert runs.startswith("atmega328p runs version 1.1.0 ")


def test_a_clean_link_sends_nothing_again() -> None:
    result = otaflash("push", BLINK, "--port", "sim:nrf52832?delay=30ms", "--json").result
    assert result["retransmitted_blocks"] == 0
    assert sum(result["phase_seconds"].values()) == pytest.approx(result["seconds"], abs=0.01)


def test_quiet_prints_the_answer_alone() -> None:
    ended = otaflash("push", BLINK, "--port", BAD_RADIO, "--quiet")
    assert len(ended.out.splitlines()) == 1


def on_terminal(*words: str | Path, **env: str) -> tuple[int, str]:
    """Runs a command on a terminal of its own; returns its exit code and all that it drew."""
    ours, theirs = pty.openpty()
    environment = {"TERM": "xterm-256color", "COLUMNS": "100", **env}
    with spawn(*words, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        drawn = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the terminal's other end is closed
                break
            if not piece:
                break
            drawn += piece
        code = process.wait(timeout=PATIENCE_S)
    os.close(ours)
    return code, drawn.decode()


def test_a_terminal_gets_one_line_that_is_redrawn_and_taken_away() -> None:
    code, drawn = on_terminal("push", BLINK, "--port", BAD_RADIO, "--version", "1.1.0")
    assert code == 0
    assert "\x1b[2K" in drawn
    assert "runs version 1.1.0" in drawn
    assert len([line for line in drawn.split("\n") if line.strip()]) < 25


def test_no_color_takes_the_colours_off_the_terminal() -> None:
    _, drawn = on_terminal("push", BLINK, "--port", BAD_RADIO, NO_COLOR="1")
    assert "\x1b[3" not in drawn.replace("\x1b[3A", "")


def test_a_dumb_terminal_gets_plain_lines() -> None:
    _, drawn = on_terminal("push", BLINK, "--port", BAD_RADIO, TERM="dumb")
    assert "\x1b" not in drawn


def test_a_reader_that_leaves_does_not_stop_the_update(board: str) -> None:
    command = " ".join((*COMMAND, "push", str(BLINK), "--version", "1.1.0", "--port", f"'{board}'"))
    ended = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -n 1"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert running_image(board)[0] == "1.1.0"


def test_debug_shows_the_traceback_and_nothing_else_does() -> None:
    assert "Traceback" in otaflash("push", "nowhere.hex", "--debug").err
    assert "Traceback" not in otaflash("push", "nowhere.hex").err


def test_an_unexpected_error_is_called_our_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otaflash.cli.bundle.describe", lambda path: 1 // 0)
    ended = otaflash("inspect", BLINK)
    assert ended.code == 1
    assert "our bug" in ended.err
    assert len(ended.err.splitlines()) <= 4


# --- trial, confirm, revert --------------------------------------------------------------------------------


def test_a_trial_is_confirmed_by_hand(board: str) -> None:
    assert otaflash("push", BLINK, "--port", board, "--version", "1.1.0", "--no-confirm").code == 0
    assert otaflash("info", "--port", board, "--json").result["boot_state"] == "trial"
    assert otaflash("confirm", "--port", board).code == 0
    assert otaflash("info", "--port", board, "--json").result["boot_state"] == "idle"
    assert running_image(board)[0] == "1.1.0"


def test_a_trial_is_reverted_by_hand(board: str) -> None:
    before = running_image(board)
    assert otaflash("push", BLINK, "--port", board, "--version", "1.1.0", "--no-confirm").code == 0
    ended = otaflash("revert", "--port", board, "--json")
    assert (ended.code, ended.result["boot_state"]) == (0, "idle")
    assert running_image(board) == before


def test_a_confirmed_image_is_not_reverted(board: str) -> None:
    otaflash("push", BLINK, "--port", board, "--version", "1.1.0")
    assert otaflash("revert", "--port", board).code == 5
    assert running_image(board)[0] == "1.1.0"


def test_reboot_comes_back_with_what_ran(board: str) -> None:
    before = running_image(board)
    assert otaflash("reboot", "--port", board).code == 0
    assert running_image(board) == before


def test_the_same_program_is_not_sent_twice(board: str) -> None:
    otaflash("push", BLINK, "--port", board, "--version", "1.1.0")
    result = otaflash("push", BLINK, "--port", board, "--version", "1.1.0", "--json").result
    assert result["already_running"] is True


def test_what_runs_already_is_sent_again_when_forced(board: str) -> None:
    otaflash("push", BLINK, "--port", board, "--version", "1.1.0")
    result = otaflash("push", BLINK, "--port", board, "--version", "1.1.0", "--force", "--json").result
    assert result["already_running"] is False
    assert result["wire_bytes_down"] > result["image_bytes"]


def test_a_dry_run_says_what_a_push_would_send_and_changes_nothing(board: str, tmp_path: Path) -> None:
    otaflash("info", "--port", board)
    before = (tmp_path / "board.bin").read_bytes()
    told = otaflash("push", BLINK, "--port", board, "--version", "1.1.0", "--dry-run", "--json").result
    assert (tmp_path / "board.bin").read_bytes() == before
    pushed = otaflash("push", BLINK, "--port", board, "--version", "1.1.0", "--json").result
    assert told["dry_run"] is True
    assert (told["ok"], told["running_version"], told["already_running"]) == (True, "0.0.1", False)
    assert (told["version"], told["image_bytes"], told["uid"]) == ("1.1.0", pushed["image_bytes"], pushed["uid"])
    assert told["image_bytes"] < told["wire_bytes_down"] <= pushed["wire_bytes_down"]
    assert told["pages"] == 27


def test_a_dry_run_tells_people_in_words(board: str) -> None:
    words = ("push", BLINK, "--port", board, "--version", "1.1.0", "--dry-run")
    assert "would send version 1.1.0 (3,352 bytes, " in otaflash(*words).out
    otaflash(*words[:-1])
    assert "would send nothing" in otaflash(*words).out


def test_a_dry_run_is_refused_where_the_push_would_be(board: str) -> None:
    assert otaflash("push", BLINK, "--port", board, "--version", "1.1.0", "--no-confirm").code == 0
    ended = otaflash("push", BLINK, "--port", board, "--version", "1.2.0", "--dry-run", "--json")
    assert (ended.code, ended.result["reason"]) == (5, "trial-pending")
    assert otaflash("push", BLINK, "--port", board, "--board", "nrf52832", "--dry-run").code == 5


def test_a_bundle_is_pushed_as_its_hex_would_be(tmp_path: Path, board: str) -> None:
    file = tmp_path / "blink.otab"
    assert otaflash("bundle", BLINK, "--port", board, "-o", file, "--version", "1.1.0").code == 0
    assert otaflash("push", file, "--port", board).code == 0
    assert running_image(board)[0] == "1.1.0"


# --- real time, real processes ---------------------------------------------------------------------------


@pytest.mark.parametrize("door", [["--pty"], ["--tcp", "0"]])
def test_a_push_goes_through_a_real_port_in_real_time(door: list[str]) -> None:
    with served_board("atmega328p", *door) as port:
        assert otaflash("push", BLINK, "--port", port, "--version", "1.1.0").code == 0
        assert otaflash("push", BLINK_OLD, "--port", port, "--version", "1.0.0").code == 0
        assert running_image(port)[0] == "1.0.0"


def test_a_server_that_is_stopped_ends_its_json_as_every_command_does() -> None:
    with spawn("sim", "atmega328p", "--pty", "--json") as serving:
        wait_for(serving, "ready")
        serving.send_signal(signal.SIGINT)
        out, _ = serving.communicate(timeout=PATIENCE_S)
    assert serving.returncode == 0
    assert json.loads(out) == {"v": 1, "event": "result", "ok": True, "code": 0}


def test_a_port_in_use_is_told() -> None:
    with served_board("atmega328p", "--pty") as port, spawn("push", BLINK, "--port", port, "--json") as holder:
        wait_for(holder, "phase")
        ended = otaflash("info", "--port", port)
        assert (ended.code, ended.err.split(":")[0]) == (3, "error 3 port-busy")
        # Whoever serves the port is no user of it: to end that would take the board away.
        assert re.findall(r"process (\d+)", ended.err) == [str(holder.pid)]
        holder.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize("moment", ["phase", "progress"])
def test_ctrl_c_ends_in_one_sentence_and_the_next_push_resumes(moment: str) -> None:
    with served_board("atmega328p?rate=9600", "--pty") as port:
        before = running_image(port)
        with spawn("push", BLINK, "--port", port, "--baud", "9600", "--version", "1.1.0", "--json") as pushing:
            wait_for(pushing, moment)
            pushing.send_signal(signal.SIGINT)
            out, err = pushing.communicate(timeout=PATIENCE_S)
        assert pushing.returncode == 130
        assert json.loads(out.splitlines()[-1])["reason"] == "interrupted"
        *warnings, last = err.splitlines()
        assert all(line.startswith("warning: ") for line in warnings)
        assert "push again to resume" in last
        assert running_image(port) == before
        resumed = otaflash("push", BLINK, "--port", port, "--baud", "9600", "--version", "1.1.0", "--json")
        assert resumed.code == 0, resumed.err
        assert running_image(port)[0] == "1.1.0"


def test_ctrl_c_at_the_very_end_leaves_no_traceback() -> None:
    with spawn("push", BLINK, "--port", "sim:atmega328p?down.loss=100%", "--json") as pushing:
        wait_for(pushing, "phase")
        pushing.send_signal(signal.SIGINT)
        _, err = pushing.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in err


def test_the_demo_survives_its_power_cut() -> None:
    ended = otaflash("demo", "--json")
    assert ended.code == 0
    assert ended.result["power_cuts"] == 1
    assert ended.result["flash_is_program"] is True
    assert ended.result["running_version"] == "1.1.0"


def test_the_program_of_the_demo_is_the_one_that_is_built_here() -> None:
    assert (ROOT / "otaflash/data/blink-1.1.0.hex").read_bytes() == BLINK.read_bytes()


def test_a_single_slot_push_counts_its_sending_as_downtime_and_says_that_there_is_no_trial() -> None:
    ended = otaflash("push", BLINK, "--port", "sim:atmega328p", "--single-slot", "--no-confirm", "--json")
    result = ended.events[-1]
    assert result["ok"]
    assert result["downtime_seconds"] > result["transfer_seconds"] / 2
    assert [event["id"] for event in ended.events if event["event"] == "warning"].count("no-trial") == 1
