"""What a profile must hold: sizes that agree with each other and with the limits of the core. Knows no board."""

from __future__ import annotations

from otaflash.sim.profiles import TRIALS_MAX, Profile

PAGE_BYTES_MAX = 4096
CHUNK_BYTES_MAX = 256
FRAME_BYTES_LEAST = 20
FRAME_BYTES_MAX = 1056
PLACES_MAX = 65535
PAGES_MAX = 4096
MARK_BYTES_MAX = 16
MARKS_END_MAX = 65535


def check_profile(profile: Profile) -> list[str]:
    """What is wrong with its sizes, one sentence each; empty: they agree with each other and with the core's limits.

    Times are looked at only once the sizes agree."""
    wrong_sizes = [text for holds, text in _size_rules(profile) if not holds]
    return wrong_sizes or [text for holds, text in _time_rules(profile) if not holds]


def _unit(number: int, least: int, most: int) -> bool:
    """A power of two in the range."""
    return least <= number <= most and number & (number - 1) == 0


def _size_rules(p: Profile) -> list[tuple[bool, str]]:
    places = (p.single_pages or p.slot_pages) * p.page_bytes // max(p.block_bytes, 1)
    chunk_max = min(p.page_bytes, CHUNK_BYTES_MAX)
    ram = p.rx_ring_bytes + p.frame_bytes + p.chunk_bytes + places // 8
    return [
        (0 < len(p.name.encode()) <= 16, "the name must have 1 to 16 bytes"),
        (_unit(p.page_bytes, 64, PAGE_BYTES_MAX), "page_bytes must be a power of two, 64 to 4096"),
        (_unit(p.write_bytes, 1, p.block_bytes), "write_bytes must be a power of two, at most a block"),
        (_unit(p.mark_bytes, 1, MARK_BYTES_MAX), "mark_bytes must be a power of two, 1 to 16"),
        (_unit(p.block_bytes, 1, p.chunk_bytes), "block_bytes must be a power of two, at most a chunk"),
        (p.page_bytes >= 8 * p.block_bytes, "a page must have at least 8 blocks"),
        (_unit(p.chunk_bytes, 32, chunk_max), f"chunk_bytes must be a power of two, 32 to {chunk_max}"),
        (p.slot_pages >= 1 and p.record_pages >= 1 and p.pages <= PAGES_MAX, "the number of pages is out of range"),
        (p.record_bytes <= MARKS_END_MAX, "the marks of a record end beyond what 16 bits count"),
        (p.record_bytes <= p.record_pages * p.page_bytes, f"a record needs {p.record_bytes} bytes, more than it has"),
        (p.pages * p.page_bytes + p.loader_bytes <= p.flash_bytes, "slots, records and loader do not fit the flash"),
        (places <= PLACES_MAX, "the slot has more blocks than places can count"),
        (FRAME_BYTES_LEAST <= p.frame_bytes <= FRAME_BYTES_MAX, "a frame must be 20 to 1056 bytes"),
        (1 <= p.rx_ring_bytes <= 65535, "the ring of the receiver is out of range"),
        (ram <= p.ram_bytes, f"buffers and map take {ram} bytes of {p.ram_bytes}"),
    ]  # fmt: skip


def _time_rules(p: Profile) -> list[tuple[bool, str]]:
    page_ns = (
        p.erase_page_ns
        + p.page_bytes // p.chunk_bytes * p.program_chunk_ns
        + p.page_bytes // p.write_bytes * p.program_unit_ns
    )
    stall_ns = p.erase_page_ns * (p.erase_ahead if p.erase_stalls else 1)
    return [
        (1 <= p.trials <= TRIALS_MAX, "trials must be 1 to 16"),
        (p.erase_ahead >= 1, "at least one page is erased for credit"),
        (bool(p.rx_in_erase) or bool(p.erase_stalls), "a receiver that is deaf in an erase must say that erases stall"),
        (300 <= p.baud <= 4_000_000, "the line must have 300 to 4,000,000 baud"),
        (p.stall_ms * 1_000_000 >= stall_ns, "an erase for credit takes longer than stall_ms"),
        (p.swap_page_ms * 1_000_000 >= 2 * page_ns, "two page copies take longer than swap_page_ms"),
    ]  # fmt: skip
