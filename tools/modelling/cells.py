"""Flash as the model sees it: cells that a cut leaves undecided, and the operations that change them. Knows no
algorithm.

A page is a word: "B1" (page 1 of image B), "~B1" (torn: reads as B1 or as nothing known, until it is erased), "-"
(blank), "?" (nothing known). A mark is one character. A torn cell is asked anew at each read: nothing ties two readings
together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple, Protocol, TypeVar

BLANK = "-"
JUNK = "?"
TORN = "~"
"""A page's prefix, and a mark that reads as clear or as set."""
SET = "x"
CLEAR = "."


class How(IntEnum):
    """Where the power goes in an operation."""

    NOT = 0
    BEFORE = 1
    TORN = 2
    AFTER = 3


class Kind(IntEnum):
    """What a record decides; the core's numbers."""

    IDLE = 1
    REVERT = 2
    SINGLE = 3
    APPLY = 4
    CONFIRM = 5


class Body(NamedTuple):
    """A decision. Images by letter, "": none."""

    generation: int
    kind: Kind
    old: str
    new: str
    base: int
    counter: int

    def __str__(self) -> str:
        return f"{self.kind.name} {self.old or '-'}>{self.new or '-'} from {self.base} no. {self.generation}"


class Unit(NamedTuple):
    """One record unit. Without a body it is blank where `firm`, and else holds what can never be read as one."""

    body: Body | None
    firm: bool
    marks: str


class Part(NamedTuple):
    """What one operation of an erase takes of a unit."""

    body: str
    """ "all", "break" (some of its bytes: it is none from then on) or "" """
    marks: slice

    def __str__(self) -> str:
        return f"erase {'part of ' * (self.body != 'all')}"


Cells = tuple[tuple[str, ...], tuple[Unit, ...]]
"""Pages and record units."""

Cell = TypeVar("Cell", str, Unit)


class Layout(StrEnum):
    """How a record unit is erased."""

    WHOLE = "whole"
    """in one operation"""
    BODY_FIRST = "body-first"
    """byte by byte, as an EEPROM is: the body, then the marks"""
    MARKS_FIRST = "marks-first"
    """byte by byte, the marks first"""
    SEAL_PAGE_FIRST = "seal-page-first"
    """two pages: the marks, then the body"""


def parts_of(layout: Layout, marks: int) -> tuple[Part, ...]:
    """The operations of an erase of a unit with so many marks, in order."""
    everything, nothing = slice(0, marks), slice(0, 0)
    body = (Part("break", nothing), Part("all", nothing))
    each = tuple(Part("", slice(at, at + 1)) for at in range(marks))
    return {
        Layout.WHOLE: (Part("all", everything),),
        Layout.BODY_FIRST: body + each,
        Layout.MARKS_FIRST: each + body,
        Layout.SEAL_PAGE_FIRST: (Part("", everything), Part("all", nothing)),
    }[layout]


class Chance(Protocol):
    """What the algorithm has no power over."""

    def page(self, number: int, cell: str) -> str:
        """What a torn or unknown page reads as."""

    def body(self, unit: int) -> bool:
        """True: a torn body reads as right."""

    def mark(self, unit: int, number: int) -> bool:
        """True: a torn mark reads as set."""

    def misread(self) -> bool:
        """True: this read gives a wrong value."""

    def lags(self) -> bool:
        """True: the digest of what is received does not go on before the next page is programmed."""


class PowerCut(Exception):
    """The power went."""


class WordFault(Exception):
    """A torn word was read on a part whose torn words fault, and nothing catches it: the CPU resets."""


class RuleBroken(Exception):
    """The flash was used as no flash may be used."""


@dataclass(frozen=True, slots=True)
class FlashRules:
    """What kind of flash it is."""

    parts: tuple[Part, ...]
    """of an erase of a record unit"""
    faults: bool = False
    """a torn word cannot be read: it resets the CPU"""


class Flash:
    """The cells during one boot. `meets` is asked at each operation how it goes, with what it would leave; `log` says
    what was done."""

    def __init__(
        self, cells: Cells, chance: Chance, rules: FlashRules, meets: Callable[[Callable[[How], Cells]], How]
    ) -> None:
        self.pages = list(cells[0])
        self.units = list(cells[1])
        self.log: list[tuple[object, ...]] = []
        self._chance = chance
        self._rules = rules
        self._meets = meets

    def cells(self) -> Cells:
        return tuple(self.pages), tuple(self.units)

    # --- reading ----------------------------------------------------------------------------------------------------

    def read_page(self, number: int) -> str:
        cell = self.pages[number]
        if cell[0] == TORN or cell == JUNK:
            self._fault(cell != JUNK)
            cell = self._chance.page(number, cell)
        return JUNK if self._chance.misread() else cell

    def read_body(self, unit: int) -> Body | None:
        body, firm, _ = self.units[unit]
        self._fault(body is not None and not firm)
        if self._chance.misread() or body is None:  # its CRC tells
            return None
        return body if firm or self._chance.body(unit) else None

    def read_mark(self, unit: int, number: int) -> bool:
        mark = self.units[unit].marks[number]
        self._fault(mark == TORN)
        is_set = self._chance.mark(unit, number) if mark == TORN else mark == SET
        return is_set != self._chance.misread()

    def _fault(self, torn: bool) -> None:
        if torn and self._rules.faults:
            raise WordFault

    # --- erasing and programming --------------------------------------------------------------------------------------

    def erase_page(self, number: int) -> None:
        cell = self.pages[number]
        torn = cell if cell in (BLANK, JUNK) or cell[0] == TORN else TORN + cell
        self._change(("erase", number), self.pages, number, BLANK, torn)

    def program_page(self, number: int, content: str) -> None:
        """All ones are left alone: no operation."""
        if self.pages[number] != BLANK:
            raise RuleBroken(f"page {number} programmed that holds {self.pages[number]}")
        if content != BLANK:
            torn = JUNK if content == JUNK else TORN + content
            self._change(("program", number, content), self.pages, number, content, torn)

    def erase_unit(self, unit: int) -> None:
        for part in self._rules.parts:
            body, firm, marks = self.units[unit]
            at = part.marks
            if part.body == "all":
                done_body, done_firm = None, True
            elif part.body == "break":
                done_body, done_firm = None, body is None and firm
            else:
                done_body, done_firm = body, firm
            torn_firm = firm and (body is None or not part.body)
            torn_marks = marks[: at.start] + marks[at].replace(SET, TORN) + marks[at.stop :]
            done_marks = marks[: at.start] + CLEAR * len(marks[at]) + marks[at.stop :]
            done, torn = Unit(done_body, done_firm, done_marks), Unit(body, torn_firm, torn_marks)
            self._change((part, "record", unit), self.units, unit, done, torn)

    def program_body(self, unit: int, body: Body) -> None:
        """Over a blank body, or the same again."""
        there, firm, marks = self.units[unit]
        if (there is None and not firm) or (there is not None and there != body):
            raise RuleBroken(f"record {unit} programmed that holds another body")
        done, torn = Unit(body, True, marks), Unit(body, firm and there == body, marks)
        self._change(("record", unit, body), self.units, unit, done, torn)

    def program_mark(self, unit: int, number: int) -> None:
        body, firm, marks = self.units[unit]
        done = marks[:number] + SET + marks[number + 1 :]
        torn = marks if marks[number] == SET else marks[:number] + TORN + marks[number + 1 :]
        self._change(("mark", number, "of", unit), self.units, unit, Unit(body, firm, done), Unit(body, firm, torn))

    def _change(self, name: tuple[object, ...], cells: list[Cell], at: int, done: Cell, torn: Cell) -> None:
        """One operation."""
        before = cells[at]

        def left(how: How) -> Cells:
            cells[at] = before if how == How.BEFORE else torn if how == How.TORN else done
            return self.cells()

        how = self._meets(left)
        left(how)
        self.log.append(name if how == How.NOT else ("CUT", how.name.lower(), *name))
        if how != How.NOT:
            raise PowerCut
