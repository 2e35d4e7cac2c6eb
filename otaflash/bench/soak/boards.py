"""Draws a board: a real profile, or a small geometry of which every number may be odd. Knows no image."""

from __future__ import annotations

import random

from otaflash.bench.soak.scenario import BoardSpec
from otaflash.engine.sizing import BLOCK_OVERHEAD
from otaflash.sim.profile_rules import check_profile
from otaflash.sim.profiles import MARKS_OFFSET, PROFILES, TRIALS_MAX

REAL = {"atmega328p": 10, "atmega1284p": 3, "nrf51822": 5, "nrf52832": 3, "stm32f103": 4}
TINY = ("tiny1", "tiny2", "tiny3")
MADE_WEIGHT = 65
TINY_WEIGHT = 10
SLOT_BYTES_MOST = 8192


def draw_board(chance: random.Random) -> BoardSpec:
    """A board that the core can be built for."""
    kinds = [*REAL, "tiny", "made"]
    kind = chance.choices(kinds, [*REAL.values(), TINY_WEIGHT, MADE_WEIGHT])[0]
    if kind == "made":
        return _made(chance)
    base = chance.choice(TINY) if kind == "tiny" else kind
    changes = {**_habits(chance), **_frames(chance, PROFILES[base].block_bytes, PROFILES[base].frame_bytes)}
    return BoardSpec(base, tuple(changes.items()))


def _habits(chance: random.Random) -> dict[str, int]:
    return {
        "trials": chance.choice((1, 2, 3, 3, 4)),
        "entry_window_ms": chance.choice((400, 1000, 1000, 1000, 3000)),
        "stay_ms": chance.choice((15000, 15000, 6000)),
        "single_slot": int(chance.random() < 0.7),
    }


def _frames(chance: random.Random, block_bytes: int, most: int) -> dict[str, int]:
    least = block_bytes + BLOCK_OVERHEAD
    sizes = [size for size in (20, 26, 32, 48, 64, 100, 208, 500) if max(least, 20) <= size < most]
    return {"frame_bytes": chance.choice(sizes)} if sizes and chance.random() < 0.4 else {}


def _made(chance: random.Random) -> BoardSpec:
    """Draws until the numbers agree with each other."""
    while True:
        spec = BoardSpec("tiny1", tuple(_numbers(chance).items()))
        if not check_profile(spec.profile()):
            return spec


def _numbers(chance: random.Random) -> dict[str, int]:
    page = chance.choice((64, 64, 128, 128, 128, 256, 512, 1024))
    slot_pages = chance.randint(1, max(1, min(40, SLOT_BYTES_MOST // page)))
    write = chance.choice((1, 2, 4, 8))
    mark = chance.choice((1, 2, 4, 8, 16))
    block = chance.choice([size for size in (8, 16, 32, 64) if write <= size <= page // 8])
    chunk = chance.choice([size for size in (32, 64, 128, 256) if block <= size <= page])
    record = MARKS_OFFSET + mark * (1 + 2 * slot_pages + TRIALS_MAX)
    record_pages = -(-record // page)
    return {
        "page_bytes": page,
        "slot_pages": slot_pages,
        "write_bytes": write,
        "mark_bytes": mark,
        "block_bytes": block,
        "chunk_bytes": chunk,
        "record_pages": record_pages,
        "flash_bytes": (2 * slot_pages + 1 + 2 * record_pages) * page,
        "ram_bytes": 1 << 17,
        "slot_base": chance.choice((0, 0x2000, 0x0800_2000)),
        **_times(chance, page, chunk, write),
        **_habits(chance),
        **_frames(chance, block, 1000),
    }


def _times(chance: random.Random, page: int, chunk: int, write: int) -> dict[str, int]:
    erase_ns = chance.choice((1_000_000, 4_500_000, 20_000_000))
    chunk_ns = chance.choice((100_000, 4_500_000))
    unit_ns = chance.choice((1_000, 50_000))
    page_ns = erase_ns + page // chunk * chunk_ns + page // write * unit_ns
    stalls = int(chance.random() < 0.25)
    ahead = chance.choice((1, 2, 4))
    return {
        "erase_page_ns": erase_ns,
        "program_chunk_ns": chunk_ns,
        "program_unit_ns": unit_ns,
        "rx_ring_bytes": chance.choice((256, 512, 2048)),
        "erase_stalls": stalls,
        "erase_ahead": ahead,
        "rx_in_erase": 1 - stalls,
        "stall_ms": erase_ns * (ahead if stalls else 1) // 1_000_000 + page_ns // 1_000_000 + 5,
        "swap_page_ms": 2 * page_ns // 1_000_000 + 5,
    }
