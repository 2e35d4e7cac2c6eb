"""The real core seen as a state of the model: what its flash means in cells, and how its torn bits read. Knows the
simulated board and the model's cells, no search."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace

from modelling.cells import BLANK, CLEAR, JUNK, SET, TORN, Body, Cells, How, Kind, Part, Unit
from modelling.rules import LETTERS, Case
from modelling.world import Act
from modelling.world import Plan as ModelPlan
from otaflash.bench.explorer import images as say
from otaflash.bench.explorer.images import Image, make_image
from otaflash.bench.explorer.machine import App, Boot, By, Machine, Plan
from otaflash.sim.native import Cut, Weak
from otaflash.sim.profiles import PROFILES, Profile
from otaflash.wire.messages import Manifest

BODY_BYTES = 32
MARKS_AT = 48
SINGLE_SLOT_FLAG = 1
CUTS = {How.BEFORE: Cut.BEFORE, How.TORN: Cut.TORN, How.AFTER: Cut.AFTER}
READINGS = (Weak.OLD, Weak.NEW)
"""All torn bits as before, or all as done: what the model calls either way, for all cells alike."""


def board_for(case: Case, *, page_bytes: int = 128, mark_bytes: int = 1) -> Profile:
    """The smallest board for a case, on which a page is programmed by one operation, as the model's pages are."""
    marks_end = MARKS_AT + mark_bytes * (1 + 2 * case.slot_pages + 16)
    record_pages = -(-marks_end // page_bytes)
    return replace(
        PROFILES["tiny1"],
        name="modelled",
        slot_pages=case.slot_pages,
        page_bytes=page_bytes,
        chunk_bytes=page_bytes,
        block_bytes=min(16, page_bytes // 8),
        record_pages=record_pages,
        mark_bytes=mark_bytes,
        trials=case.trials,
        flash_bytes=(case.flash_pages + 2 * record_pages) * page_bytes,
    )


def parts_on(board: Profile, marks: int) -> tuple[Part, ...]:
    """The operations of an erase of that board's record units: a page each, the page with the body first."""
    parts, begin = [], 0
    for page in range(board.record_pages):
        end = min(marks, max(0, ((page + 1) * board.page_bytes - MARKS_AT) // board.mark_bytes))
        parts.append(Part("" if page else "all", slice(begin, end)))
        begin = end
    return tuple(parts)


@dataclass(slots=True)
class Seen:
    """A state of the core in the model's terms, and how its undecided cells read in one mode."""

    cells: Cells
    pages: dict[int, str] = field(default_factory=dict)
    bodies: dict[int, bool] = field(default_factory=dict)
    marks: dict[tuple[int, int], bool] = field(default_factory=dict)


class Core:
    """The real core on the board of a case."""

    def __init__(self, case: Case, board: Profile, seed: int = 1) -> None:
        self.case = case
        self.board = board
        self.machine = Machine(board, list(range(board.pages)))
        self._unworn = bytes(board.pages)
        long = replace(board, slot_pages=case.flash_pages)
        self._images = {
            letter: make_image(long, number + 1, pages, seed)
            for number, (letter, pages) in enumerate(zip(LETTERS, case.pages, strict=False))
        }
        self._names = {
            image.span[at : at + board.page_bytes]: f"{letter}{at // board.page_bytes}"
            for letter, image in self._images.items()
            for at in range(0, len(image.span), board.page_bytes)
        }
        self._names[b"\xff" * board.page_bytes] = BLANK
        self._letters = {(image.pages, image.crc): letter for letter, image in self._images.items()}

    def first_state(self) -> int:
        """A board fresh from the programmer. Before the first boot."""
        return self.machine.factory(self._images["A"])

    def boot(
        self, state: int, plan: ModelPlan, then: ModelPlan, weak: Weak, cut: tuple[int, How] | None = None
    ) -> Boot:
        """One boot. `then`: what the application of an update does in it."""
        fault = None if cut is None else (By.POWER, cut[0], int(CUTS[cut[1]]))
        said, after = self._said(plan), self._said(then)
        if after.app != App.NOTHING:
            said = replace(said, app=after.app, app_said=after.app_said)
        return self.machine.boot(state, said, self._unworn, weak=weak, fault=fault)

    def jumps(self, boot: Boot) -> tuple[tuple[str, bool], ...]:
        """Image and whether on trial, of each jump."""
        found = []
        for jump in boot.jumps:
            flash, _ = self.machine.cells(jump.state)
            fitting = (letter for letter, image in self._images.items() if flash.startswith(image.span))
            found.append((next(fitting, "?"), jump.trial))
        return tuple(found)

    # --- what is said -------------------------------------------------------------------------------------------------

    def _said(self, plan: ModelPlan) -> Plan:
        name, act = plan.act.value, plan.act
        if act == Act.SILENT:
            return Plan(name)
        if act == Act.APP_LOOK:
            return Plan(name, app=App.HOST, app_said=say.abort())
        image = self._images[plan.image]
        if act in (Act.SINGLE, Act.SINGLE_SURVEY, Act.SINGLE_LEAVE):
            image = replace(image, manifest=_in_one_slot(image.manifest))
        decision = {
            Act.CONFIRM: Plan(name, said=say.confirm(image)),
            Act.REVERT: Plan(name, said=say.revert(image)),
            Act.APP_CONFIRM: Plan(name, app=App.HOST, app_said=say.confirm(image)),
            Act.APP_REVERT: Plan(name, app=App.HOST, app_said=say.revert(image)),
        }
        return decision[act] if act in decision else self._offer(act, image)

    def _offer(self, act: Act, image: Image) -> Plan:
        opening = say.offer(image)
        if act in (Act.LEAVE, Act.SINGLE_LEAVE):
            half = say.blocks(image, self.board, image.pages // 2)
            return Plan(act.value, offers=True, said=opening + half + say.abort())
        if act in (Act.SURVEY, Act.SINGLE_SURVEY):
            opening += say.survey(image, self.board)
        return Plan(act.value, offers=True, said=opening + say.blocks(image, self.board, image.pages), then=say.apply())

    # --- what is seen -------------------------------------------------------------------------------------------------

    def see(self, state: int, weak: Weak = Weak.OLD) -> Seen:
        """`state` in the model's terms. Raises ValueError for flash that means nothing there."""
        flash, mask = self.machine.cells(state)
        pages, units = [], []
        seen = Seen(((), ()))
        size = self.board.page_bytes
        for number in range(self.case.flash_pages):
            at = slice(number * size, (number + 1) * size)
            pages.append(self._page(seen, number, _Cell(flash[at], mask[at], weak)))
        for unit in range(2):
            first = (self.case.flash_pages + unit * self.board.record_pages) * size
            at = slice(first, first + self.board.record_pages * size)
            units.append(self._unit(seen, unit, _Cell(flash[at], mask[at], weak)))
        seen.cells = tuple(pages), tuple(units)
        return seen

    def _page(self, seen: Seen, number: int, cell: _Cell) -> str:
        name = self._names.get(cell.value, JUNK)
        if cell.firm and name != JUNK:
            return name
        seen.pages[number] = self._names.get(cell.reads, JUNK)
        fitting = [self._names.get(value, JUNK) for value in (cell.value, cell.other)]
        return next((TORN + name for name in fitting if name not in (JUNK, BLANK)), JUNK)

    def _unit(self, seen: Seen, unit: int, cell: _Cell) -> Unit:
        body, firm = self._body(seen, unit, cell.part(0, BODY_BYTES))
        marks = ""
        at, size = MARKS_AT, self.board.mark_bytes
        for number in range(self.case.marks):
            marks += self._mark(seen, unit, number, cell.part(at, at + size))
            at += size
        for begin, end in ((BODY_BYTES, MARKS_AT), (at, len(cell.value))):
            rest = cell.part(begin, end)
            if not rest.firm or rest.value.strip(b"\xff"):
                raise ValueError(f"record {unit} holds what is no part of a record")
        return Unit(body, firm, marks)

    def _body(self, seen: Seen, unit: int, cell: _Cell) -> tuple[Body | None, bool]:
        if cell.firm:
            body = self._parse(cell.value)
            return body, body is not None or not cell.value.strip(b"\xff")
        seen.bodies[unit] = self._parse(cell.reads) is not None
        return self._parse(cell.value) or self._parse(cell.other), False

    def _parse(self, body: bytes) -> Body | None:
        if zlib.crc32(body[:28]) != int.from_bytes(body[28:], "little"):
            return None
        generation, base, counter = (int.from_bytes(body[at:end], "little") for at, end in ((0, 2), (4, 6), (18, 22)))
        return Body(generation, Kind(body[2]), self._letter(body[6:12]), self._letter(body[12:18]), base, counter)

    def _letter(self, name: bytes) -> str:
        """Of an image by pages and CRC; none where there are no pages, or where no image was ever named."""
        pages, crc = int.from_bytes(name[:2], "little"), int.from_bytes(name[2:], "little")
        return "" if pages == 0 or name == b"\xff" * 6 else self._letters[pages, crc]

    def _mark(self, seen: Seen, unit: int, number: int, cell: _Cell) -> str:
        looks = {value.strip(b"\xff") == b"" for value in (cell.value, cell.other)}
        if cell.firm:
            return CLEAR if True in looks else SET
        seen.marks[unit, number] = cell.reads[0] == 0
        return TORN


def _in_one_slot(manifest: Manifest) -> Manifest:
    return replace(manifest, flags=SINGLE_SLOT_FLAG)


@dataclass(frozen=True, slots=True)
class _Cell:
    """Bytes of the flash, which of their bits are undecided, and how these read."""

    value: bytes
    mask: bytes
    weak: Weak

    @property
    def firm(self) -> bool:
        return not any(self.mask)

    @property
    def other(self) -> bytes:
        return bytes(one ^ bit for one, bit in zip(self.value, self.mask, strict=True))

    @property
    def reads(self) -> bytes:
        return self.value if self.weak == Weak.OLD else self.other

    def part(self, begin: int, end: int) -> _Cell:
        return _Cell(self.value[begin:end], self.mask[begin:end], self.weak)
