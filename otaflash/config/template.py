"""The otaflash.toml that `otaflash init` writes: what was found is stated, the rest explained. Text only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from otaflash.config.keys import BOARDS, KEYS, Key, name_fault

_HEAD = """\
# What otaflash cannot guess about this project. Options and OTAFLASH_* variables stand above what is stated here;
# 'otaflash config show' tells what holds, and who states it.
"""
_NAMED = """
# A board that has a name is meant by --port NAME. The one that is meant where none is named:
"""


@dataclass(frozen=True, slots=True)
class Plugged:
    """A port that was looked at."""

    port: str
    board: str
    """What answers there calls itself; "" where nothing does."""
    note: str
    """A few words for whoever reads the file."""


def template(seen: Sequence[Plugged], stated: Mapping[str, str | int]) -> str:
    """The text of the file. One board that answers is the project's; several get a name each, and none is chosen.
    `stated`: values of other keys that cannot be guessed, since the user had to give them."""
    answering = [each for each in seen if each.board]
    silent = [each for each in seen if not each.board]
    values: dict[str, str | int] = dict(stated)
    notes: dict[str, str] = {}
    if len(answering) == 1:
        values |= {"board": answering[0].board, "port": answering[0].port}
        notes["port"] = answering[0].note
    several = len(answering) > 1
    shown = [key for key in KEYS.values() if not (several and key.name in ("board", "port"))]
    text = _HEAD + "\n" + "".join(_line(key, values.get(key.name), notes.get(key.name)) for key in shown)
    if several:
        text += _several(answering)
    if silent:
        text += "\n# Nothing answered at these ports:\n"
        text += "".join(f"#   {_printable(each.port)}{_comment(each.note)}\n" for each in silent)
    return text


def _line(key: Key, value: str | int | None, note: str | None) -> str:
    meaning = note or (key.meaning if value is not None else f"{key.meaning} (default: {key.default})")
    said = f"{key.name} = {_toml(value)}" if value is not None else f"# {key.name} = {key.example}"
    return f"{said:<34}{_comment(meaning)}\n"


def _several(boards: Sequence[Plugged]) -> str:
    names = _names(boards)
    text = _NAMED + f"# port = {_toml(names[0])}\n"
    for name, each in zip(names, boards, strict=True):
        text += f"\n[{BOARDS}.{name}]{_comment(each.note)}\n"
        text += f"board = {_toml(each.board)}\nport = {_toml(each.port)}\n"
    return text


def _names(boards: Sequence[Plugged]) -> list[str]:
    """Of each kind, the first has its name, the others a number behind it."""
    names: list[str] = []
    for each in boards:
        kind = each.board if not name_fault(each.board) else "board"
        count = 2
        name = kind
        while name in names:
            name, count = f"{kind}-{count}", count + 1
        names.append(name)
    return names


def _toml(value: str | int) -> str:
    """A text or a number as TOML has it, which takes JSON's texts."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return f"  # {_printable(text)}" if text else ""


def _printable(text: str) -> str:
    """What devices say of themselves must not end a comment."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
