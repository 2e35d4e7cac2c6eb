"""The ledger beside a key whose signatures must not come twice: a line for each signature that was begun.

Of key file and ledger the key file moves first, so a key that stands before its ledger was brought back from an older
copy, and may have signed since with what it would use again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from otaflash.errors import UsageError
from otaflash.system import hold, sync_folder

WAIT_S = 10.0
"""How long another process that signs is waited for; it takes a fraction of a second."""


def ledger_of(key: Path) -> Path:
    """Where the ledger of a key lies."""
    return key.with_name(f"{key.name}.ledger")


def create(key: Path, key_id: str) -> None:
    """Begins the ledger of a new key. Raises UsageError: key-exists."""
    path = ledger_of(key)
    try:
        with open(path, "x", encoding="utf-8") as file:
            _append(file, {"key": key_id, "next": 0})
        sync_folder(path.parent)
    except FileExistsError as error:
        text = f"{path} exists, and belongs to a key of that name"
        raise UsageError("key-exists", text, remedy="name another file") from error


@contextmanager
def locked(key: Path) -> Iterator[IO[str]]:
    """The ledger, held by this process alone. Raises UsageError: ledger-missing, key-busy."""
    path = ledger_of(key)
    try:
        file = open(path, "r+", encoding="utf-8")  # noqa: SIM115  closed below
    except OSError as error:
        raise UsageError(
            "ledger-missing",
            f"the ledger {path} is not there: nobody knows which signatures of the key were used elsewhere",
            remedy="bring it along with the key; otaflash keys KEY --next N goes on without those below N",
        ) from error
    with file:
        _wait_for(file, path)
        yield file


def knows(file: IO[str], key: Path, key_id: str) -> int:
    """The number of the next signature by the ledger. Raises UsageError: ledger-malformed."""
    file.seek(0)
    reached = -1
    for line in file.read().splitlines():
        try:
            said = json.loads(line)
            reached = max(reached, {key_id: int(said["next"])}[said["key"]])
        except (ValueError, KeyError, TypeError) as error:
            text = f"{ledger_of(key)} is damaged, or is the ledger of another key"
            remedy = "bring back the ledger of this key; otaflash keys KEY --next N makes a new one"
            raise UsageError("ledger-malformed", text, remedy=remedy) from error
    return reached


def note(file: IO[str], key_id: str, following: int, about: str) -> None:
    """Writes down that all signatures below number `following` are used, to the disk."""
    file.seek(0, os.SEEK_END)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    _append(file, {"key": key_id, "next": following, "at": at, "for": about})


def _append(file: IO[str], line: dict[str, object]) -> None:
    file.write(json.dumps(line) + "\n")
    file.flush()
    os.fsync(file.fileno())


def _wait_for(file: IO[str], path: Path) -> None:
    until = time.monotonic() + WAIT_S
    while not hold(file):
        if time.monotonic() > until:
            text = f"another process has held {path} for {WAIT_S:.0f} s"
            raise UsageError("key-busy", text, remedy="end that process, then sign again")
        time.sleep(0.01)
