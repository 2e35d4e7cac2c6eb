"""The algorithm as a loader and an application run it, in the core's order of operations. Knows cells and rules; who
speaks to it, and what must hold, is said elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from modelling.cells import JUNK, Body, Flash, Kind
from modelling.rules import LETTERS, Case, Counter

SEAL = 0


class Boot(Enum):
    """What is so after recovery."""

    NO_IMAGE = auto()
    IDLE = auto()
    TRIAL = auto()


class Stuck(Exception):
    """A record did not read back: only a reset leads on."""


class Witness(Protocol):
    """Who is told what the device does when it is done."""

    def decided(self, body: Body) -> None:
        """A record stands: its seal is programmed."""

    def jumped(self, device: Device, trial: bool) -> None:
        """The image in the primary slot was started."""


class Device:
    """One boot of a loader, or of an application's library: RAM that is lost with the power."""

    def __init__(self, flash: Flash, case: Case, witness: Witness, *, application: bool = False) -> None:
        self.flash = flash
        self.case = case
        self.rules = case.rules
        self.application = application
        self.boot = Boot.NO_IMAGE
        self.record = Body(0, Kind.IDLE, "", "", 0, 0)
        self.unit = case.rules.units - 1
        """the one that `record` stands in; where there is none, the last, so that the first is written next"""
        self.trials = 0
        self.vouched = 0
        """pages of a single-slot image, from the first on, that were whole before any cut"""
        self._highest = 0
        """generation of any body that read as right, sealed or not"""
        self._leftovers: list[int] = []
        self._witness = witness

    # --- the record ---------------------------------------------------------------------------------------------------

    def load(self) -> bool:
        """The record of the highest generation whose body is right and whose seal is set. Each cell is read once."""
        bodies: list[tuple[int, Body]] = []
        for unit in range(self.rules.units):
            body = self.flash.read_body(unit)
            if body is None:
                continue
            bodies.append((unit, body))
            if body.generation > self.record.generation and self.flash.read_mark(unit, SEAL):
                self.record, self.unit = body, unit
        self._leftovers = [unit for unit, body in bodies if body.generation > self.record.generation]
        self._highest = max((body.generation for _, body in bodies), default=0)
        return self.record.generation > 0

    def refresh(self) -> None:
        """What is acted on must not be weak."""
        if self.rules.refresh_body:
            self._program_body()
        if self.rules.refresh_seal:
            self._mark(SEAL)

    def commit(self, kind: Kind, base: int = 0, **images: str) -> None:
        """A decision: erase another unit, body, read back, seal."""
        target = self._target()
        counter = self.counter
        if kind == Kind.APPLY and self.rules.counter == Counter.AT_APPLY:
            counter = max(counter, self.case.counter(images["new"]))
        if kind == Kind.CONFIRM and self.rules.counter == Counter.IN_CONFIRM:
            counter = max(counter, self.case.counter(self.record.new))
        if kind == Kind.IDLE:
            counter = self.case.counter(images["old"])
        generation = (self._highest if self.rules.units > 2 else self.record.generation) + 1
        self._erase(target)
        self.record = self.record._replace(generation=generation, kind=kind, base=base, counter=counter, **images)
        self.unit = target
        self._highest = generation
        self._leftovers = [unit for unit in self._leftovers if unit != target]
        self.trials = 0
        self._program_body()
        self._mark(SEAL)
        self._witness.decided(self.record)

    def _program_body(self) -> None:
        self.flash.program_body(self.unit, self.record)
        if self.flash.read_body(self.unit) != self.record:
            raise Stuck

    def _target(self) -> int:
        """The other unit. Of two others one that holds no body of a higher generation, which might yet come true."""
        others = [(self.unit + 1 + step) % self.rules.units for step in range(self.rules.units - 1)]
        return next((unit for unit in others if unit not in self._leftovers), others[0])

    def erase_others(self) -> None:
        """What might come true of an older decision does not."""
        for step in range(self.rules.units - 1):
            self._erase((self.unit + 1 + step) % self.rules.units)

    def _erase(self, unit: int) -> None:
        if self.rules.erase_always or self._reads_used(unit):
            self.flash.erase_unit(unit)

    def _reads_used(self, unit: int) -> bool:
        body = self.flash.units[unit].body
        if body is not None and self.flash.read_body(unit) is not None:
            return True
        return any(self.flash.read_mark(unit, mark) for mark in range(self.case.marks))

    def _mark(self, number: int) -> None:
        self.flash.program_mark(self.unit, number)

    def _step_mark(self, step: int) -> int:
        """Where Revert is a mark the way back has marks of its own, behind the two decisions."""
        if self.rules.decisions_are_records or self.record.kind != Kind.REVERT:
            return 1 + step
        return self._trial_mark(self.case.trials) + 2 + step

    def _trial_mark(self, trial: int) -> int:
        return 1 + 2 * self.case.slot_pages + trial

    @property
    def counter(self) -> int:
        """The device's security counter."""
        if self.rules.counter == Counter.BY_LEVEL and self.record.kind == Kind.CONFIRM:
            return max(self.record.counter, self.case.counter(self.record.new))
        return self.record.counter

    # --- the slots ----------------------------------------------------------------------------------------------------

    @property
    def running(self) -> str:
        """The image that is to run."""
        return self.record.new if self.record.kind >= Kind.APPLY else self.record.old

    def holds(self, first: int, image: str) -> bool:
        """The check by CRC; no image is never there."""
        read, pages = self.flash.read_page, self.case.spans[image]
        return bool(image) and all(read(first + page) == content for page, content in enumerate(pages))

    def primary_holds(self) -> bool:
        return self.holds(0, self.running)

    @property
    def steps(self) -> int:
        """Of a walk: two for each page of the longer image."""
        if self.record.kind not in (Kind.APPLY, Kind.REVERT):
            return 0
        return 2 * max(self.case.size(self.record.old), self.case.size(self.record.new))

    def walk(self, step: int) -> None:
        steps = self.steps
        for k in range(step, steps):
            to, source = self._step(k, steps)
            if self.rules.copy_then_mark:
                self._copy(to, source)
                self._mark(self._step_mark(k))
            else:
                self._mark(self._step_mark(k))
                self._copy(to, source)
        self.settle()

    def _step(self, k: int, steps: int) -> tuple[int, int]:
        """Pages of a step: to, from. The new image lies one page up in the secondary slot, the old one at its start."""
        secondary, page = self.case.slot_pages, k // 2
        there, here = secondary, secondary + 1
        if self.record.kind == Kind.REVERT:
            page = steps // 2 - 1 - page
            there, here = here, there
        return (there + page, page) if k % 2 == 0 else (page, here + page)

    def _copy(self, to: int, source: int) -> None:
        content = self.flash.read_page(source)
        if not self.rules.copy_always and self.flash.read_page(to) == content != JUNK:
            return
        self.flash.erase_page(to)
        self.flash.program_page(to, content)

    # --- after a reset ------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Finds the record, ends what a cut left undone (not in an application), and says in `boot` what is so."""
        if not self.load():
            self._look_without_record()
        elif not self.application or self.rules.application_refreshes:
            self.refresh()
        if not self.rules.decisions_are_records:
            self._look_for_decisions()
        if not self.application and self.steps:
            self._resume()
        else:
            self.settle()
        while self.boot == Boot.TRIAL and self.trials < self.case.trials:
            if not self.flash.read_mark(self.unit, self._trial_mark(self.trials)):
                break
            self.trials += 1

    def settle(self) -> None:
        kind = self.record.kind
        self.boot = Boot.NO_IMAGE
        believes = not (self.application and self.rules.application_looks)
        if (kind == Kind.APPLY and believes) or (kind != Kind.SINGLE and self.primary_holds()):
            self.boot = Boot.TRIAL if kind == Kind.APPLY else Boot.IDLE

    def _resume(self) -> None:
        """A mark's presence is acted on once it is programmed again, its absence once the record is superseded."""
        base = self.record.base
        k, steps = base, self.steps
        while k < steps and self.flash.read_mark(self.unit, self._step_mark(k)):
            k += 1
        if k < steps and self.rules.supersede:
            self.commit(self.record.kind, k)
        elif base < k and self.rules.last_mark_again:
            self._mark(self._step_mark(k - 1))
        self.walk(k)

    def _look_without_record(self) -> None:
        """A board fresh from the programmer: an image whose trailer names it, the longest first."""
        self.record = Body(0, Kind.IDLE, "", "", 0, 0)
        for image in sorted(LETTERS[: len(self.case.pages)], key=self.case.size, reverse=True):
            last = self.case.size(image) - 1
            if self.flash.read_page(last) == f"{image}{last}" and self.holds(0, image):
                self.record = self.record._replace(old=image, counter=self.case.counter(image))
                return

    def _look_for_decisions(self) -> None:
        """The form in which Confirm and Revert are marks of the update's record."""
        first = self._trial_mark(self.case.trials)
        for number, kind in ((first, Kind.CONFIRM), (first + 1, Kind.REVERT)):
            if self.record.kind == Kind.APPLY and self.flash.read_mark(self.unit, number):
                self._decide_by_mark(number, kind)

    def _decide_by_mark(self, number: int, kind: Kind) -> None:
        self._mark(number)
        self.record = self.record._replace(kind=kind, base=0)
        self._witness.decided(self.record)

    # --- decisions ----------------------------------------------------------------------------------------------------

    def apply(self, image: str) -> bool:
        """False: what is staged is not the image, and nothing was decided."""
        if not self.holds(self.case.slot_pages + 1, image):
            return False
        self.commit(Kind.APPLY, old=self.running, new=image)
        self.walk(0)
        return True

    def apply_single(self, image: str) -> bool:
        if not self.holds(0, image):
            return False
        self.commit(Kind.IDLE, old=image, new=image)
        self.settle()
        return True

    def _give_up_running(self) -> None:
        """Before a first page of a single-slot image is erased, and before one that is vouched for."""
        if self.rules.single_says_so:
            self.commit(Kind.SINGLE, self.vouched, old="")
        self.boot = Boot.NO_IMAGE

    def confirm(self) -> bool:
        """False: there is no trial, or none that may be kept."""
        if self.boot != Boot.TRIAL:
            return False
        if not self.application and (self.trials >= self.case.trials or not self.primary_holds()):
            return False
        if self.rules.decisions_are_records:
            self.commit(Kind.CONFIRM)
            if self.rules.counter == Counter.AFTER_CONFIRM:
                self.record = self.record._replace(counter=max(self.record.counter, self.case.counter(self.record.new)))
                self.commit(Kind.CONFIRM)
        else:
            self._decide_by_mark(self._trial_mark(self.case.trials), Kind.CONFIRM)
        self.boot = Boot.IDLE
        return True

    def revert(self) -> None:
        """Leaves the walk to the caller."""
        if self.rules.decisions_are_records:
            self.commit(Kind.REVERT)
        else:
            self._decide_by_mark(self._trial_mark(self.case.trials) + 1, Kind.REVERT)

    def leave(self) -> bool:
        """Starts what is to run; False: there is nothing that is whole."""
        if self.boot == Boot.TRIAL:
            if self.trials < self.case.trials and self._may_start():
                self._mark(self._trial_mark(self.trials))
                self._witness.jumped(self, True)
                return True
            self.revert()
            self.walk(0)
        if self.boot == Boot.IDLE and self._may_start():
            self._witness.jumped(self, False)
            return True
        return False

    def _may_start(self) -> bool:
        return not self.rules.check_before_jump or self.primary_holds()

    # --- staging ------------------------------------------------------------------------------------------------------

    def stage(self, image: str, pages: int, *, survey: bool) -> None:
        """Receives the first pages of an image; a survey leaves alone what is there already. The digest and the check
        before the decision are one reading here: either, if it is wrong, ends the update."""
        for page, content in enumerate(self.case.spans[image][:pages], self.case.slot_pages + 1):
            if not (survey and self.flash.read_page(page) == content):
                self.flash.erase_page(page)
                self.flash.program_page(page, content)

    def stage_single(self, image: str, pages: int, *, survey: bool, lags: Callable[[], bool]) -> None:
        """The same in place. Each page has a mark that says that it was whole before any cut: of what came before this
        boot a survey believes no other page, however it reads. `lags`: the digest, which marks, is behind."""
        span = self.case.spans[image][:pages]
        self._count_vouched()
        held = self._survey_single(span) if survey else set()
        superseded = self.record.kind == Kind.SINGLE and not self.rules.single_supersedes
        digested = 0
        for page, content in enumerate(span):
            if page not in held:
                if not superseded or page < self.vouched:
                    self.vouched = min(page, self.vouched)
                    self._give_up_running()
                    superseded = True
                self.flash.erase_page(page)
                self.flash.program_page(page, content)
            digested = self._digest(digested, page + 1, lags)
        if pages == self.case.size(image):
            self._digest(digested, pages, lambda: False)

    def _count_vouched(self) -> None:
        """How far the marks go. Their presence is acted on, so the last is programmed again."""
        self.vouched = 0
        if self.record.kind != Kind.SINGLE or not self.rules.single_marks_pages:
            return
        self.vouched = self.record.base
        while self.vouched < 2 * self.case.slot_pages:
            if not self.flash.read_mark(self.unit, self._step_mark(self.vouched)):
                break
            self.vouched += 1
        if self.vouched > self.record.base and self.rules.single_mark_again:
            self._mark(self._step_mark(self.vouched - 1))

    def _survey_single(self, span: tuple[str, ...]) -> set[int]:
        """The pages that are there already."""
        believed = span[: self.vouched] if self.rules.single_marks_pages else span
        return {page for page, content in enumerate(believed) if self.flash.read_page(page) == content}

    def _digest(self, first: int, end: int, lags: Callable[[], bool]) -> int:
        """Marks pages from `first` up to `end`; the last of the longest image has no mark. How far it came."""
        marks = self.rules.single_marks_pages and self.record.kind == Kind.SINGLE
        for page in range(first, min(end, 2 * self.case.slot_pages) if marks else first):
            if page == self.vouched:
                if lags():
                    return page
                self._mark(self._step_mark(page))
                self.vouched += 1
        return end
