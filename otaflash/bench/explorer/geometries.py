"""Geometries for the explorer: no such board exists, but each has what some chip has, as small as can be. Data only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from otaflash.sim.native import Cells
from otaflash.sim.profiles import PROFILES, Profile, profile

_TINY = PROFILES["tiny2"]


def _sized(name: str, slot_pages: int, page_bytes: int, unit: int, record_pages: int = 1, **other: int) -> Profile:
    """`unit`: what data and marks are programmed in."""
    given: dict[str, Any] = {
        "page_bytes": page_bytes,
        "slot_pages": slot_pages,
        "record_pages": record_pages,
        "flash_bytes": (2 * slot_pages + 1 + 2 * record_pages) * page_bytes,
        "ram_bytes": 1 << 16,
        "write_bytes": unit,
        "mark_bytes": unit,
        "block_bytes": max(unit, page_bytes // 8 if page_bytes <= 128 else 16),
        "chunk_bytes": min(page_bytes, 256),
        "trials": 2,
    }
    return replace(_TINY, name=name, **(given | other))


SMALL = _sized("small", 2, 64, 1, record_pages=2, trials=1)
"""One trial, a record unit of two pages, marks of a byte."""
EEPROM = _sized("eeprom", 2, 64, 1, record_cells=Cells.EEPROM)
"""The record lies in EEPROM: a unit of it is erased a byte at a time."""
WORDS = _sized("words", 2, 1024, 4)
"""Pages of 1 KiB programmed in four chunks, the record in words of flash, as on an nRF51."""
WIDE = _sized("wide", 2, 4096, 8, chunk_bytes=256)
"""Pages of 4 KiB in sixteen chunks, marks of 8 bytes."""
LONG = _sized("long", 64, 64, 1, record_pages=4)
"""64 pages a slot; a record unit of four pages."""
HALFWORDS = _sized("halfwords", 2, 128, 2, record_cells=Cells.TO_ZERO)
"""Half-words that are programmed again only to zero, as on an STM32F1."""

GEOMETRIES: dict[str, Profile] = {
    made.name: made
    for made in (PROFILES["tiny1"], SMALL, _TINY, PROFILES["tiny3"], EEPROM, WORDS, WIDE, LONG, HALFWORDS)
}


def board_of(name: str) -> Profile:
    """The geometry of that name, or the board. Raises TargetError."""
    return GEOMETRIES[name] if name in GEOMETRIES else profile(name)
