"""What a board or a file says of itself, for machines and for people. Knows no link."""

from __future__ import annotations

from collections.abc import Mapping

from otaflash.image.program import board_of
from otaflash.wire.messages import BootState, Info, Version

Facts = dict[str, object]

_SCHEMES = {0: "none", 1: "lms", 2: "ed25519"}


def facts_of(info: Info) -> Facts:
    """The fields of `info --json`. Sizes in bytes; ids and digests in hex."""
    return {
        "board": board_of(info),
        "uid": info.uid.hex(),
        "mode": "application" if info.mode else "loader",
        "boot_state": BootState(info.boot_state).name.lower() if info.boot_state in set(BootState) else info.boot_state,
        "version": version_of(info),
        "image_bytes": info.image_bytes,
        "image_crc": info.image_crc,
        "image_counter": info.image_counter,
        "security_counter": info.counter,
        "slot_base": info.slot_base,
        "slot_bytes": info.slot_pages * info.page_bytes,
        "single_slot_bytes": info.single_pages * info.page_bytes,
        "page_bytes": info.page_bytes,
        "block_bytes": info.block_bytes,
        "frame_bytes": info.frame_bytes,
        "trials_used": info.trials_used,
        "trials_max": info.trials_max,
        "way_back_crc": info.way_back_crc or None,
        "protocol_min": info.protocol_min,
        "protocol_max": info.protocol_max,
        "scheme": [name for bit, name in _SCHEMES.items() if info.schemes >> bit & 1],
        "signed_by": None,
        "digest_sha256": None,
    }


def version_of(info: Info) -> str | None:
    """The running image's version; None: no image runs."""
    return str(Version.unpack(info.version)) if info.image_bytes else None


def running_text(info: Info) -> str:
    """One sentence: what the board runs now, and for how sure."""
    if not info.image_bytes:
        return f"{board_of(info)} has no whole program and waits in its loader."
    state = "on trial" if info.boot_state == BootState.TRIAL else "confirmed"
    size = f"{info.image_bytes:,} bytes, CRC {info.image_crc:08X}"
    return f"{board_of(info)} runs version {version_of(info)} ({size}), {state}."


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
