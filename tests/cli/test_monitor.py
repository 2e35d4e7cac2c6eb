"""monitor: what the program prints, without frames, across restarts of the board and of its adapter."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otaflash.wire import encode, on_stream
from otaflash.wire.messages import ConfirmReply
from tests.cli.running import BLINK, PATIENCE_S, otaflash, served_board, spawn

TALKING = "sim:atmega328p?says=50ms"
FRAME = on_stream(encode(ConfirmReply(0), 7, 1))


def lines_until(process: subprocess.Popen[str], wanted: str, *, noted: bool = False) -> list[str]:
    """Reads lines until one has `wanted` in it: of what the board prints, or of the notes beside it."""
    stream = process.stderr if noted else process.stdout
    assert stream is not None
    overdue = threading.Timer(PATIENCE_S, process.kill)
    overdue.start()
    lines = []
    try:
        for line in stream:
            lines.append(line.rstrip())
            if wanted in line:
                return lines
    finally:
        overdue.cancel()
    raise AssertionError(f"no {wanted!r} before the end: {lines}")


def leave(process: subprocess.Popen[str]) -> tuple[str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    return out, err


@contextmanager
def listening(port: int = 0) -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        server.settimeout(PATIENCE_S)
        yield server


def test_what_the_program_prints_is_shown_and_written_to_the_log_and_ctrl_c_is_no_failure(tmp_path: Path) -> None:
    log = tmp_path / "board.log"
    with spawn("monitor", "--port", TALKING, "--log", log) as watching:
        lines = lines_until(watching, "up 0.2 s")
        _, err = leave(watching)
    assert lines == [f"0.0.1: up {0.05 * n:g} s" for n in range(5)]
    assert log.read_bytes().startswith(b"0.0.1: up 0 s\r\n0.0.1: up 0.05 s\r\n")
    assert err == f"-- monitoring {TALKING}; Ctrl-] or Ctrl-C leaves\n"


def test_machines_get_the_text_as_events_and_a_result_at_the_end() -> None:
    with spawn("monitor", "--port", TALKING, "--json") as watching:
        lines_until(watching, "up 0.1 s")
        out, _ = leave(watching)
    assert json.loads(out.splitlines()[-1]) == {"v": 1, "event": "result", "ok": True, "code": 0}


def test_a_monitored_push_goes_on_to_what_the_new_program_says_from_its_first_line() -> None:
    with spawn("push", BLINK, "--port", TALKING, "--version", "1.1.0", "--monitor") as pushing:
        lines = lines_until(pushing, "1.1.0: up 1 s")
        leave(pushing)
    runs = next(number for number, line in enumerate(lines) if "runs version 1.1.0" in line)
    assert lines[runs + 1 : runs + 3] == ["1.1.0: up 0 s", "1.1.0: up 0.05 s"]
    assert not [line for line in lines if line.startswith("0.0.1:")]


def test_machines_get_the_result_of_a_monitored_push_as_the_last_line() -> None:
    with spawn("push", BLINK, "--port", TALKING, "--version", "1.1.0", "--monitor", "--json") as pushing:
        lines_until(pushing, '"event": "text"')
        out, _ = leave(pushing)
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["running_version"]) == ("result", "1.1.0")


def test_a_push_that_fails_is_not_followed() -> None:
    ended = otaflash("push", BLINK, "--port", TALKING, "--board", "nrf52832", "--monitor")
    assert ended.code == 5


def test_frames_between_the_text_are_not_shown() -> None:
    with listening() as server:
        port = f"socket://127.0.0.1:{server.getsockname()[1]}"
        with spawn("monitor", "--port", port) as watching:
            client, _ = server.accept()
            lines_until(watching, "monitoring", noted=True)  # what comes before is dropped when the port is opened
            client.sendall(b"before\r\n" + FRAME + b"between " + FRAME + b"\0\0after\r\n")
            assert lines_until(watching, "after") == ["before", "between after"]
            leave(watching)
            client.close()


def test_a_port_that_goes_away_is_taken_up_again_when_it_is_back() -> None:
    with listening() as server:
        number = server.getsockname()[1]
        watching = spawn("monitor", "--port", f"socket://127.0.0.1:{number}")
        client, _ = server.accept()
        lines_until(watching, "monitoring", noted=True)
        client.sendall(b"one\r\n")
        lines_until(watching, "one")
        client.close()
    time.sleep(0.2)  # nobody listens there for a while
    with listening(number) as server, watching:
        client, _ = server.accept()
        gone, back = lines_until(watching, "is back", noted=True)
        client.sendall(b"two\r\n")
        lines_until(watching, "two")
        leave(watching)
        client.close()
    assert gone.endswith("is gone; waiting for it to come back")
    assert back.endswith(f":{number} is back")


def test_a_restart_of_the_board_is_survived() -> None:
    with spawn("monitor", "--port", "sim:atmega328p?says=50ms&cutat=2s&off=100ms") as watching:
        lines_until(watching, "up 0.5 s")
        again = lines_until(watching, "up 0 s")
        leave(watching)
    assert again[-1] == "0.0.1: up 0 s"


def test_what_is_typed_reaches_the_board_and_ctrl_bracket_leaves() -> None:
    ours, theirs = pty.openpty()
    with listening() as server:
        port = f"socket://127.0.0.1:{server.getsockname()[1]}"
        with spawn("monitor", "--port", port, stdin=theirs) as watching:
            client, _ = server.accept()
            client.settimeout(PATIENCE_S)
            lines_until(watching, "monitoring", noted=True)
            client.sendall(b"ready\r\n")
            lines_until(watching, "ready")
            os.write(ours, b"led on\r")
            heard = b""
            while not heard.endswith(b"\r"):
                heard += client.recv(100)
            os.write(ours, b"x\x1dy")
            _, err = watching.communicate(timeout=PATIENCE_S)
            assert client.recv(100) == b"x"
            client.close()
    os.close(ours)
    os.close(theirs)
    assert heard == b"led on\r"
    assert watching.returncode == 0, err


def test_a_reader_that_leaves_ends_it_without_a_word() -> None:
    with spawn("monitor", "--port", TALKING, "--quiet") as watching:
        lines_until(watching, "up 0 s")
        assert watching.stdout is not None
        watching.stdout.close()
        assert watching.wait(timeout=PATIENCE_S) == 0
        assert watching.stderr is not None
        assert watching.stderr.read() == ""


def test_a_served_board_is_monitored_over_its_port() -> None:
    with served_board("atmega328p?says=50ms", "--pty") as port, spawn("monitor", "--port", port) as watching:
        lines_until(watching, "up 0.1 s")
        leave(watching)


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["monitor", "--port", "sim:nrf52832?ble=2M,247,15ms"], 2, "no-text"),
        (["push", BLINK, "--port", "sim:nrf52832?ble=2M,247,15ms", "--monitor"], 2, "no-text"),
        (["push", BLINK, "--port", TALKING, "--monitor", "--dry-run"], 2, "usage"),
        (["push", BLINK, "--port", TALKING, "--log", "board.log"], 2, "usage"),
        (["monitor", "--port", TALKING, "--log", "nowhere/board.log"], 2, "no-such-file"),
        (["monitor", "--port", "/dev/nowhere"], 3, "port-missing"),
    ],
)
def test_what_cannot_be_monitored_is_told_at_once(words: list[str], code: int, reason: str) -> None:
    ended = otaflash(*words, "--json")
    assert (ended.code, ended.result["reason"]) == (code, reason)
