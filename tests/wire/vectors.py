"""Reads protocol/vectors/*.txt: entries of `key: value` lines. Their form is told at the top of each file."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "protocol/vectors"
Entry = dict[str, str]


def read_vectors(name: str) -> list[Entry]:
    """The entries of ``accepted`` or ``refused``, in order."""
    lines = (FOLDER / f"{name}.txt").read_text(encoding="ascii").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    blocks = [block for block in text.split("\n\n") if block.strip()]
    return [dict(entry_line(line) for line in block.strip().splitlines()) for block in blocks]


def entry_line(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key, value.strip()


def field_values(entry: Entry) -> dict[str, object]:
    """The fields of an accepted entry: numbers, bytes, or a tuple of (place, count)."""
    found: dict[str, object] = {}
    for field in entry["fields"].split():
        name, _, value = field.partition("=")
        found[name] = one_value(value)
    return found


def one_value(text: str) -> object:
    if text.startswith("hex:"):
        return bytes.fromhex(text[4:])
    if text.startswith("["):
        runs = [run.split("+") for run in text.strip("[]").split(",") if run]
        return tuple((int(place), int(count)) for place, count in runs)
    return int(text, 0)
