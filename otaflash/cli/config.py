"""`otaflash.toml` in the working directory: what cannot be guessed. Knows no command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from otaflash.errors import UsageError

FILE_NAME = "otaflash.toml"


@dataclass(frozen=True, slots=True)
class Config:
    """What the file states; None: not stated."""

    board: str | None = None
    port: str | None = None
    baud: int | None = None
    """Bits per second of a serial line, 1 to 20,000,000."""
    version: str | None = None
    counter: int | None = None
    """Security counter of images that are built, 0 to 4,294,967,295."""
    ble_service: str | None = None
    """UUIDs of a UART module that is not known by itself: its service, what is written, what notifies."""
    ble_to_device: str | None = None
    ble_to_host: str | None = None


_TEXT_KEYS = ("board", "port", "version", "ble_service", "ble_to_device", "ble_to_host")
_NUMBER_RANGES = {"baud": (1, 20_000_000), "counter": (0, 0xFFFFFFFF)}


def read_config(folder: Path) -> Config:
    """Reads `folder`/otaflash.toml; no such file is an empty configuration.

    Raises UsageError, with file and line, for a file that cannot be read, is not TOML, or states what is not known.
    """
    path = folder / FILE_NAME
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        text = f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
        raise UsageError("config-unreadable", text, remedy="make the file readable, or move it away") from error
    return _parse(path, source)


def _parse(path: Path, source: bytes) -> Config:
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
    for key, value in stated.items():
        _check(path, text, key, value)
    return Config(**stated)


def _check(path: Path, source: str, key: str, value: object) -> None:
    line = _line_of_key(source, key)
    if key in _TEXT_KEYS:
        if not isinstance(value, str):
            raise _malformed(path, line, f"{key} must be a text in quotes")
    elif key in _NUMBER_RANGES:
        low, high = _NUMBER_RANGES[key]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise _malformed(path, line, f"{key} must be a whole number from {low} to {high}")
    else:
        known = ", ".join((*_TEXT_KEYS, *_NUMBER_RANGES))
        text = f"{path}:{line}: {key!r} is not known here"
        raise UsageError("config-unknown-key", text, remedy=f"remove or correct it; known are {known}")


def _malformed(path: Path, line: int, what: str) -> UsageError:
    return UsageError("config-malformed", f"{path}:{line}: {what}", remedy="correct that line, or move the file away")


def _line_of_error(at: str, source: str) -> int:
    found = re.match(r"line (\d+)", at)
    return int(found.group(1)) if found else source.count("\n") + 1


def _line_of_key(source: str, key: str) -> int:
    """Where a key of the top level stands: as `key = ...`, `"key" = ...`, `[key]` or `key.part = ...`."""
    pattern = re.compile(rf"""^\s*\[*\s*["']?{re.escape(key)}["']?\s*[=\].]""")
    lines = source.splitlines()
    return next((number for number, line in enumerate(lines, 1) if pattern.match(line)), 1)
