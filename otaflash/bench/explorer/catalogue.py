"""Which families of histories are explored of each board, at each depth. Data; knows no core."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from otaflash.bench.explorer.cases import Case
from otaflash.bench.explorer.geometries import GEOMETRIES, HALFWORDS, board_of
from otaflash.bench.explorer.images import ONE_BYTE
from otaflash.bench.explorer.machine import Defect
from otaflash.errors import UsageError
from otaflash.sim.native import Wear
from otaflash.sim.profiles import MARKS_OFFSET, Profile

DEPTH_MAX = 3
EVERY_BOARD = "all"

_SIZES: dict[str, tuple[tuple[int, ...], ...]] = {
    "tiny1": ((1, 1, 1), (ONE_BYTE, 1, ONE_BYTE)),
    "small": ((2, 2, 2), (1, 2, 1), (2, 1, 2)),
    "tiny2": ((2, 2, 2), (1, 2), (2, 1)),
    "tiny3": ((3, 3), (1, 3), (3, ONE_BYTE)),
    "eeprom": ((1, 2), (2, 1)),
    "words": ((2, 2), (1, 2), (2, ONE_BYTE)),
    "wide": ((1, 1), (ONE_BYTE, 2)),
    "long": ((2, 2), (1, 3)),
}
"""Pages of the images A, B (and C)."""
_SINGLE: dict[str, tuple[tuple[int, ...], ...]] = {
    "tiny1": ((1, 3, ONE_BYTE), (3, 1, 2)),
    "small": ((2, 5, 1), (5, 2)),
    "eeprom": ((1, 2),),
    "words": ((2, 3),),
}
"""The same in single-slot mode, where an image may take both slots and the spare page."""
_FAULTY = ("tiny1", "small")
"""Explored with the other faults and with defects, too."""
_FULL_SLOT_CUTS = 12
"""Cuts in one boot of a real board whose slot is full: a sample."""
_LARGE_PAGE = 1024
_CLOCKS_MS = (65535, 65000, 64536, 60000, 50536)
"""The clock wraps at once, in the entry window, at its end, and while the host is heard."""


@dataclass(frozen=True, slots=True)
class Family:
    """Cases that are counted as one."""

    faults: str
    cases: tuple[Case, ...]

    @property
    def weight(self) -> float:
        """About how long it takes, against others."""
        return sum(_weight(case) for case in self.cases)


def families(board: str, depth: int) -> list[Family]:
    """What is explored for a board, or for "all" the geometries at this depth and those below. Raises TargetError,
    UsageError (depth is 0 to DEPTH_MAX)."""
    if not 0 <= depth <= DEPTH_MAX:
        raise UsageError(
            "depth-out-of-range",
            f"the explorer takes 0 to {DEPTH_MAX} cuts in one history, not {depth}",
            remedy="Depth 2 on a small geometry (tiny2) is whole in minutes.",
        )
    if board != EVERY_BOARD:
        return [*_plain(board, depth), *_others(board, depth)]
    names = [name for name in GEOMETRIES if name != HALFWORDS.name]
    return [
        family
        for name in names
        for below in range(min(1, depth), depth + 1)
        for family in (*_plain(name, below), *(_others(name, below) if below <= 1 else ()))
    ]


def cases(board: str, depth: int) -> list[Case]:
    """Those of `families` whose only fault is a cut, on a board without a defect."""
    return [case for family in _plain(board, depth) for case in family.cases]


def _plain(board: str, depth: int) -> list[Family]:
    if board not in _SIZES:
        return [Family("cut", (case,)) for case in _of_a_chip(board_of(board), depth)]
    chosen = GEOMETRIES[board]
    found = [Case(chosen, sizes, depth) for sizes in _SIZES[board]]
    found += [Case(chosen, sizes, depth, single=True) for sizes in _SINGLE.get(board, ())]
    if chosen.slot_pages >= 8 and depth == 1:
        found.append(Case(chosen, (chosen.slot_pages, chosen.slot_pages), depth))
    return [Family("cut", (case,)) for case in found]


def _of_a_chip(chosen: Profile, depth: int) -> list[Case]:
    if chosen.page_bytes >= _LARGE_PAGE:
        small = [Case(chosen, (1, 1), depth), Case(chosen, (2, 2) if depth < 2 else (1, 2), depth)]
    else:
        small = [Case(chosen, pages, depth) for pages in ((2, 2, 2), (1, 2), (2, 1))]
    return [*small, _full_slot(chosen)] if chosen.real else small


def _full_slot(chosen: Profile) -> Case:
    """Both images as large as the slot. An update takes about this many operations: stage, swap, their marks."""
    chunks = chosen.page_bytes // chosen.chunk_bytes
    operations = chosen.slot_pages * (3 * (1 + chunks) + 2)
    return Case(chosen, (chosen.slot_pages, chosen.slot_pages), 1, every=max(1, operations // _FULL_SLOT_CUTS))


# --- other faults -----------------------------------------------------------------------------------------------


def _others(board: str, depth: int) -> Iterator[Family]:
    """Faults that are no cuts, one in a history; and boards with a defect, that take a cut as well."""
    if board not in _FAULTY or depth == 0:
        return
    chosen = GEOMETRIES[board]
    n = chosen.slot_pages
    for faults in (("cut", "half"), ("reset",), ("read",)):
        plain = Case(chosen, (n, n, 1), 1, faults=faults)
        yield Family("+".join(faults), (plain, replace(plain, single=True, pages=(n, n + 1))))
    base = Case(chosen, (n, n), 1)
    yield Family("cut, clock wraps", tuple(replace(base, defect=Defect("clock", (ms,))) for ms in _CLOCKS_MS))
    yield Family("cut, worn page", tuple(replace(base, defect=defect) for defect in _worn(chosen)))
    yield Family("stuck record bit", tuple(replace(base, depth=0, defect=defect) for defect in _stuck(chosen)))


def _worn(chosen: Profile) -> Iterator[Defect]:
    """Each page, in each way, from the factory on or after an erase or two."""
    for page in range(chosen.pages):
        for how in (Wear.ERASE_FAILS, Wear.STUCK_ONES):
            for erases in range(3):
                yield Defect("worn", (page, how, erases))


def _stuck(chosen: Profile) -> Iterator[Defect]:
    """Each byte of both record units that is used, one bit of it, drawn, at either value."""
    draw = random.Random(chosen.name)
    for unit in range(2):
        first = 2 * chosen.slot_pages + 1 + unit * chosen.record_pages
        marks = range(MARKS_OFFSET, MARKS_OFFSET + chosen.mark_bytes * (1 + 2 * chosen.slot_pages + chosen.trials))
        for at in (*range(32), *marks):
            mask = 1 << draw.randrange(8)
            page, offset = divmod(at, chosen.page_bytes)
            yield from (Defect("stuck", (first + page, offset, mask, value)) for value in (0, mask))


def _weight(case: Case) -> float:
    chunks = case.profile.page_bytes // case.profile.chunk_bytes
    operations = sum(max(pages, 1) for pages in case.pages) * (3 + 3 * chunks) / case.every
    bytewise = 3 if case.profile.record_cells else 1
    return (bytewise * operations) ** case.depth * (1 + case.profile.page_bytes / 256)
