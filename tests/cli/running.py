"""Runs the command line as a user does: in this process where that is enough, in one of its own where it is not."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otaflash.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
BLINK = ROOT / "firmware/app/blink/blink-1.1.0.hex"
BLINK_OLD = ROOT / "firmware/app/blink/blink-1.0.0.hex"
COMMAND = (sys.executable, "-m", "otaflash.cli.main")
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """Standard output as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def result(self) -> dict[str, Any]:
        """The last line of JSON output."""
        last = self.events[-1]
        assert last["event"] == "result"
        return last


def otaflash(*words: str | Path) -> Ended:
    """Runs one command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main([str(word) for word in words])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return Ended(code, out.getvalue(), err.getvalue())


def spawn(*words: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Starts one command line in a process of its own, in which Ctrl-C works as in a shell."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=options.pop("stderr", subprocess.PIPE),
        text=True,
        env=environment,
        preexec_fn=options.pop("preexec_fn", _listen_to_ctrl_c),  # noqa: PLW1509  no threads run at that time
        **options,
    )


def _listen_to_ctrl_c() -> None:
    """A shell without job control hands an ignored SIGINT down to what it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def otaflash_apart(*words: str | Path, **options: Any) -> Ended:
    """Runs one command line to its end in a process of its own."""
    with spawn(*words, **options) as process:
        out, err = process.communicate(timeout=PATIENCE_S)
        return Ended(process.returncode, out or "", err or "")


@contextmanager
def served_board(*words: str) -> Iterator[str]:
    """A simulated board in real time; yields the port that leads to it."""
    with spawn("sim", *words, "--json") as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert ready["event"] == "ready"
            yield ready["port"]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=PATIENCE_S)


def running_image(port: str) -> tuple[str | None, int]:
    """Version and CRC of what the board behind `port` runs."""
    ended = otaflash("info", "--port", port, "--json")
    assert ended.code == 0, ended.err
    return ended.result["version"], ended.result["image_crc"]


def wait_for(process: subprocess.Popen[str], event: str) -> dict[str, Any]:
    """Reads JSON Lines of a process until one of this event."""
    assert process.stdout is not None
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        line = process.stdout.readline()
        assert line, f"no event {event} before the end of the output"
        found: dict[str, Any] = json.loads(line)
        if found["event"] == event:
            return found
    raise AssertionError(f"no event {event}")
