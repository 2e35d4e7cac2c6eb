"""Simulated boards that run on this computer for this user: where each is served. Knows no board and no simulation.

Each has a file in the user's runtime folder, which its process holds locked. The lock ends with the process, however
that ends, so that no process number has to be believed that may be another process's by now.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from otaflash.system import hold, is_held, runtime_folder

_BEFORE = "sim-"
_BEHIND = ".json"


@dataclass(frozen=True, slots=True)
class RunningBoard:
    """A simulated board that runs now."""

    port: str
    """What --port takes."""
    board: str
    """What it is, as ``atmega328p``."""


@contextmanager
def announced(running: RunningBoard) -> Iterator[bool]:
    """Lets others find the board while the context lasts. False: it cannot be announced, and serves all the same."""
    path, file = _held_file()
    if path is None or file is None:
        yield False
        return
    with file:
        json.dump({"port": running.port, "board": running.board}, file)
        file.flush()
        try:
            yield True
        finally:
            with suppress(OSError):  # Windows removes no file that is open: the next who looks does
                path.unlink()


def _held_file() -> tuple[Path | None, IO[str] | None]:
    folder = runtime_folder()
    with suppress(OSError):  # no room, say
        while folder is not None:
            path = folder / f"{_BEFORE}{os.getpid()}-{secrets.token_hex(4)}{_BEHIND}"
            file = path.open("x+", encoding="utf-8")
            if hold(file) and path.exists():  # nobody looked at it in between, and took it for one left behind
                return path, file
            file.close()
    return None, None


def running_boards() -> list[RunningBoard]:
    """The boards that run now, by port; what ended processes have left behind is removed."""
    folder = runtime_folder()
    found = [] if folder is None else [_read(path) for path in folder.glob(f"{_BEFORE}*{_BEHIND}")]
    return sorted((each for each in found if each is not None), key=lambda each: each.port)


def _read(path: Path) -> RunningBoard | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        with path.open("r+", encoding="utf-8") as file:
            held, said = is_held(file), file.read()
        if held:
            stated = json.loads(said)
            return RunningBoard(str(stated["port"]), str(stated["board"]))
        path.unlink()
    return None
