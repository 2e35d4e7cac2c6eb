"""The history as a table in SQLite: one row for each push, confirm and revert. Knows no place and no board.

Each call opens the file, does one transaction and closes it: processes that push at once wait for each other for the
time of one row, and a process that is killed leaves the rows of the others whole.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from otaflash.errors import OtaflashError, UsageError

BUSY_S = 2.0
"""How long a row of another process is waited for."""
FORMAT = 1

_CREATE = """CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL, uid TEXT NOT NULL, board TEXT NOT NULL, operation TEXT NOT NULL, port TEXT NOT NULL,
    file TEXT, sha256 TEXT, version TEXT, code INTEGER NOT NULL, reason TEXT,
    seconds REAL NOT NULL, image_bytes INTEGER, wire_bytes INTEGER)"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done to a board, and what it came to."""

    at: str
    """When it began: UTC, as ``2026-03-01T12:00:00Z``."""
    uid: str
    """Unique id of the board, 16 hex digits."""
    board: str
    """Its kind, as ``atmega328p``."""
    operation: str
    """``push``, ``confirm`` or ``revert``."""
    port: str
    file: str | None
    """Name of the file that was pushed, without its folder."""
    sha256: str | None
    """Digest of the image as it lies in the slot."""
    version: str | None
    """Of the image that was pushed; of the one that ran afterwards, for confirm and revert."""
    code: int
    """What the command ended with; 0: done."""
    reason: str | None
    """Why it failed, for `otaflash explain`; None: it did not."""
    seconds: float
    image_bytes: int | None
    wire_bytes: int | None
    """Sent to the board; None where the push did not come to its end."""


_COLUMNS = tuple(field.name for field in fields(Entry))


class History:
    """The history in one file. Raises UsageError: history-unusable for a file or folder that cannot be used."""

    def __init__(self, path: Path) -> None:
        """Touches nothing; the file and its folder are made by the first `add`."""
        self.path = path

    def add(self, entry: Entry) -> None:
        """Adds one row; waits up to two seconds for other processes. Raises UsageError: history-unusable."""
        with self._told():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=BUSY_S)) as database, database:
                database.execute("BEGIN IMMEDIATE")
                self._prepare(database)
                marks = ", ".join("?" * len(_COLUMNS))
                database.execute(f"INSERT INTO entries ({', '.join(_COLUMNS)}) VALUES ({marks})", astuple(entry))

    def entries(self, *, board: str | None = None, limit: int | None = None) -> list[Entry]:
        """The newest `limit` rows, the oldest of them first; all where None. `board`: the beginning of a unique id, or
        the name of a kind of board. Raises UsageError: history-unusable."""
        where = "" if board is None else "WHERE substr(uid, 1, length(:board)) = lower(:board) OR board = :board"
        select = f"SELECT {', '.join(_COLUMNS)} FROM entries {where} ORDER BY id DESC LIMIT :limit"
        given: dict[str, object] = {"board": board, "limit": -1 if limit is None else limit}
        with self._told(), suppress(FileNotFoundError):
            self.path.stat()
            return self._read(select, given)
        return []

    def _read(self, select: str, given: dict[str, object]) -> list[Entry]:
        with closing(sqlite3.connect(self.path, timeout=BUSY_S)) as database:
            rows = database.execute(select, given).fetchall() if self._check_format(database) else []
        return [Entry(*row) for row in reversed(rows)]

    def _prepare(self, database: sqlite3.Connection) -> None:
        if self._check_format(database) == 0:
            database.execute(_CREATE)
            database.execute(f"PRAGMA user_version = {FORMAT}")

    def _check_format(self, database: sqlite3.Connection) -> int:
        found: int = database.execute("PRAGMA user_version").fetchone()[0]
        if found > FORMAT:
            raise sqlite3.DatabaseError(f"written by a newer otaflash, format {found}")
        return found

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ValueError) as error:  # the last: what is no text for SQLite
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> OtaflashError:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        return UsageError(
            "history-unusable",
            f"the history {self.path} cannot be used: {why}",
            remedy="move that file away, or name another folder in OTAFLASH_STATE_DIR",
        )
