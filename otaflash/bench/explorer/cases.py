"""What is explored, in words: a case, a step of a history, and how both are written down. Knows no core."""

from __future__ import annotations

from dataclasses import dataclass

from otaflash.bench.explorer.machine import By, Defect
from otaflash.sim.native import Cut, Weak
from otaflash.sim.profiles import Profile

LETTERS = "ABCDEF"
FAULTS = ("cut", "half", "reset", "read")
"""What may go wrong in a history, a fault at a time: power cut; one that leaves half a page for good; a watchdog reset;
a bit read wrong."""
READINGS: dict[str, tuple[Weak, int]] = {
    "old": (Weak.OLD, 0),
    "new": (Weak.NEW, 0),
    "random": (Weak.RANDOM, 0),
    "flicker": (Weak.FLICKER, 0),
    **{f"whole{draw}": (Weak.WHOLE, draw) for draw in range(4)},
}
"""How torn cells read in one boot: the mode, and which draw of it."""
_BOOTS = 1000
"""More than any history has whose states end."""
_BOOTS_FAILING = 8
_WAYS = {By.POWER: "", By.RESET: "reset-", By.READ: "misread-"}


@dataclass(frozen=True, slots=True)
class Case:
    """One family of histories: a geometry, the images A, B and C by their pages, and how many of them are offered."""

    profile: Profile
    pages: tuple[int, ...]
    """0: an image of one byte"""
    depth: int
    """faults in one history, at most"""
    every: int = 1
    """faults at each so-manieth operation of a boot; 1: at all of them"""
    single: bool = False
    """every offer is for single-slot mode"""
    faults: tuple[str, ...] = ("cut",)
    """of FAULTS; "half" goes with "cut\""""
    defect: Defect | None = None
    """of the board, always there"""

    @property
    def boots(self) -> int:
        """In one history, at most. A page that fails in a swap costs a record at each boot, of 65,535 in all."""
        return _BOOTS_FAILING if self.fails else _BOOTS

    @property
    def fails(self) -> bool:
        """The flash of the board may fail for good."""
        return self.defect is not None and self.defect.kind != "clock"

    @property
    def sizes(self) -> str:
        """The case as a replay names it, but for profile and depth."""
        words = ["/".join(str(count) for count in self.pages)]
        words += ["single"] if self.single else []
        words += ["+".join(self.faults)] if self.faults != ("cut",) else []
        words += [str(self.defect)] if self.defect is not None else []
        return ",".join(words)

    @classmethod
    def parse(cls, text: str, profile: Profile, depth: int) -> Case:
        """The inverse of `sizes`. Raises ValueError, KeyError."""
        sizes, *words = text.split(",")
        faults: tuple[str, ...] = ("cut",)
        defect: Defect | None = None
        for word in words:
            if word.split("+")[0] in FAULTS:
                faults = tuple(word.split("+"))
            elif word != "single":
                defect = Defect.parse(word)
        pages = tuple(int(count) for count in sizes.split("/"))
        return cls(profile, pages, depth, single="single" in words, faults=faults, defect=defect)


@dataclass(frozen=True, slots=True)
class Step:
    """One boot of a history: what is chosen."""

    plan: str
    reading: str = "old"
    """how torn cells read: a key of READINGS"""
    cut: tuple[int, int] | None = None
    """flash operation of this boot (or read), and how the power goes there"""
    by: By = By.POWER
    """what happens there"""

    def __str__(self) -> str:
        text = f"{self.plan}:{self.reading}"
        if self.cut is None:
            return text
        return f"{text}:{self.cut[0]}:{_WAYS[self.by]}{Cut(self.cut[1]).name.lower()}"

    @classmethod
    def parse(cls, text: str) -> Step:
        """The inverse of str. Raises ValueError, KeyError."""
        plan, reading, *cut = text.split(":")
        if not cut:
            return cls(plan, reading)
        way = next(by for by in reversed(By) if cut[1].startswith(_WAYS[by]))
        return cls(plan, reading, (int(cut[0]), int(Cut[cut[1].removeprefix(_WAYS[way]).upper()])), way)
