"""What a board or a file says of itself, for machines and for people. Knows no link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from otaflash.api.facts import BoardInfo

Facts = dict[str, object]


def facts_of(info: BoardInfo) -> Facts:
    """The fields of `info --json`. Sizes in bytes; ids and digests in hex."""
    return {**asdict(info), "scheme": list(info.scheme), "signed_by": None, "digest_sha256": None}


def version_text(info: BoardInfo) -> str:
    """What runs, in two words: ``runs 1.1.0``."""
    return f"runs {info.version}" if info.version is not None else "has no whole program"


def running_text(info: BoardInfo) -> str:
    """One sentence: what the board runs now, and for how sure."""
    if info.version is None:
        return f"{info.board} has no whole program and waits in its loader."
    state = "on trial" if info.on_trial else "confirmed"
    size = f"{info.image_bytes:,} bytes, CRC {info.image_crc:08X}"
    return f"{info.board} runs version {info.version} ({size}), {state}."


def table_text(facts: Mapping[str, object]) -> str:
    """One line for each fact that there is, names to the left."""
    shown = {name.replace("_", " "): _shown(name, value) for name, value in facts.items() if value not in (None, [])}
    width = max(map(len, shown))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in shown.items())


def _shown(name: str, value: object) -> str:
    if name.endswith(("_base", "_crc", "start")) and isinstance(value, int):
        return f"0x{value:08X}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_item(item) for item in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _item(item: object) -> str:
    if not isinstance(item, dict):
        return str(item)
    if "address" in item:
        return f"{item['bytes']:,} at 0x{item['address']:08X}"
    return str(item.get("text", item))
