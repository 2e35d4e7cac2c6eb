"""One `otaflash.toml`: what it states, and where in it. Knows no other file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from otaflash.config.keys import BOARDS, KEYS, name_fault
from otaflash.errors import UsageError

FILE_NAME = "otaflash.toml"

_HEADER = re.compile(r"\s*\[+\s*([^\]]*?)\s*\]")
_QUOTES = str.maketrans("", "", "\"' ")


@dataclass(frozen=True, slots=True)
class Stated:
    """A value and who states it, as ``/home/me/lamp/otaflash.toml:3``, ``OTAFLASH_PORT`` or ``--port``."""

    value: str | int
    origin: str


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What one file states."""

    path: Path
    values: Mapping[str, Stated] = field(default_factory=dict)
    boards: Mapping[str, Mapping[str, Stated]] = field(default_factory=dict)
    """Boards by name, each with its own values; each states its port."""


def read_file(path: Path) -> ConfigFile | None:
    """Reads a configuration file; None: there is none.

    Raises UsageError, with file and line, for one that cannot be read, is not TOML, or states what is not known.
    """
    try:
        path.stat()
    except OSError:  # nor is there one in a folder that may not be looked into
        return None
    try:
        source = path.read_bytes()
    except OSError as error:
        text = f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
        raise UsageError("config-unreadable", text, remedy="make the file readable, or move it away") from error
    return parse_file(path, source)


def parse_file(path: Path, source: bytes) -> ConfigFile:
    """What `source` states; `path` is for messages alone. Raises UsageError as `read_file` does."""
    import tomllib  # noqa: PLC0415  only those who have such a file pay for it

    try:
        text = source.decode()
        stated = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = source[: error.start].count(b"\n") + 1
        raise _malformed(path, line, "is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        what, _, at = str(error).partition(" (at ")
        raise _malformed(path, _line_of_error(at, text), f"is not TOML: {what}") from error
    except RecursionError as error:
        raise _malformed(path, 1, "is nested deeper than any configuration") from error
    except ValueError as error:  # not only TOMLDecodeError is one: int() refuses more than some thousand digits
        raise _malformed(path, 1, f"holds a value that cannot be read: {error}") from error
    reader = _Reader(path, text)
    boards = stated.pop(BOARDS, {})
    return ConfigFile(path, reader.values((), stated), reader.boards(boards))


class _Reader:
    """Checks what TOML found in one file, and finds the lines."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def values(self, table: tuple[str, ...], stated: Mapping[str, object]) -> dict[str, Stated]:
        found = {}
        for name, value in stated.items():
            line = self._line_of((*table, name))
            if name not in KEYS:
                raise self._unknown(line, name, [*KEYS] if table else [*KEYS, BOARDS])
            if fault := KEYS[name].fault_of(value):
                raise _malformed(self._path, line, fault)
            assert isinstance(value, (str, int))
            if name == "key":
                value = str(self._path.parent / str(value))  # noqa: PLW2901  the file is found from anywhere
            found[name] = Stated(value, f"{self._path}:{line}")
        return found

    def boards(self, tables: object) -> dict[str, dict[str, Stated]]:
        if not isinstance(tables, dict):
            raise _malformed(self._path, self._line_of((BOARDS,)), f"{BOARDS} must be tables [{BOARDS}.NAME]")
        found = {}
        for name, stated in tables.items():
            line = self._line_of((BOARDS, name))
            if not isinstance(stated, dict):
                raise _malformed(self._path, line, f"{BOARDS}.{name} must be a table [{BOARDS}.{name}]")
            if fault := name_fault(name):
                raise _malformed(self._path, line, fault)
            found[name] = self.values((BOARDS, name), stated)
            if "port" not in found[name]:
                raise _malformed(self._path, line, f"the board {name} has no port")
        return found

    def _unknown(self, line: int, name: str, known: list[str]) -> UsageError:
        near = difflib.get_close_matches(name, known, n=1)
        remedy = f"perhaps you mean {near[0]}" if near else f"remove or correct it; known are {', '.join(known)}"
        return UsageError("config-unknown-key", f"{self._path}:{line}: {name!r} is not known here", remedy=remedy)

    def _line_of(self, wanted: tuple[str, ...]) -> int:
        """Where a key or a table stands: the longest part of its dotted name that a line begins with."""
        best, table = (0, 1), ""
        for number, line in enumerate(self._lines, 1):
            header = _HEADER.match(line)
            if header is not None:
                table = header[1]
            dotted = ".".join(filter(None, (table, "" if header else line.partition("=")[0])))
            parts = tuple(dotted.translate(_QUOTES).split("."))
            common = len(parts) if parts == wanted[: len(parts)] else 0
            best = max(best, (common, number), key=lambda each: each[0])
        return best[1]


def _malformed(path: Path, line: int, what: str) -> UsageError:
    return UsageError("config-malformed", f"{path}:{line}: {what}", remedy="correct that line, or move the file away")


def _line_of_error(at: str, source: str) -> int:
    found = re.match(r"line (\d+)", at)
    return int(found.group(1)) if found else source.count("\n") + 1
