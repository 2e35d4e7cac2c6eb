"""One boot of the modelled board: a host or an application acts, the power may go, and what must hold is held against
what was done. Knows device and cells, no search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple, Protocol

from modelling.cells import (
    BLANK,
    CLEAR,
    TORN,
    Body,
    Cells,
    Chance,
    Flash,
    How,
    Kind,
    PowerCut,
    RuleBroken,
    Unit,
    WordFault,
)
from modelling.device import Boot, Device, Stuck
from modelling.rules import LETTERS, Case


class Wrong(StrEnum):
    """What must never be."""

    MIXED = "an image is started that is not whole"
    WEAK_IMAGE = "an image is started that may read otherwise at the next boot"
    STALE = "an image is started that may not run"
    WAY_BACK = "the way back is lost in a trial"
    AGAIN = "a confirmed image is on trial or reverted"
    CAME_BACK = "a reverted image came back"
    TRIALS = "more trials than boots and cuts"
    COUNTER = "the security counter is not that of the image confirmed last"
    NOTHING = "no image is started, and nothing said so"
    STALLED = "no image is started in the boot of a wrong read"
    PUSH = "a whole push starts nothing"
    RULE = "a rule of the flash is broken"


class Act(Enum):
    """What host or application do in one boot."""

    SILENT = "silent"
    CONFIRM = "confirm"
    REVERT = "revert"
    APP_LOOK = "app-look"
    APP_CONFIRM = "app-confirm"
    APP_REVERT = "app-revert"
    UPDATE = "update"
    SURVEY = "survey"
    """an update that leaves alone what is staged already"""
    LEAVE = "leave"
    """an update given up half-way"""
    SINGLE = "single"
    SINGLE_SURVEY = "single-survey"
    SINGLE_LEAVE = "single-leave"


IN_APPLICATION = {Act.APP_LOOK, Act.APP_CONFIRM, Act.APP_REVERT}
IN_ONE_SLOT = {Act.SINGLE, Act.SINGLE_SURVEY, Act.SINGLE_LEAVE}
OFFERS = IN_ONE_SLOT | {Act.UPDATE, Act.SURVEY, Act.LEAVE}
WHOLE_PUSH = {Act.UPDATE, Act.SINGLE}


class Plan(NamedTuple):
    """An act, and the image meant."""

    act: Act
    image: str = ""


SILENT = Plan(Act.SILENT)


class Ghost(NamedTuple):
    """What is known of a history besides the flash."""

    running: str = "A"
    """approved for good; "": none, while one is received in place"""
    updates: int = 0
    """number of the image last applied"""
    offered: str = ""
    """applied, not yet confirmed or reverted: it may come"""
    reverted: str = ""
    trials: int = 0
    """of the image last applied"""
    floor: int = 1
    """counter that the device must have"""


class State(NamedTuple):
    """What outlives a boot."""

    cells: Cells
    ghost: Ghost

    def normal(self) -> State:
        """The same with the lowest generations: only their order matters."""
        pages, units = self.cells
        extra = min((unit.body.generation for unit in units if unit.body is not None), default=1) - 1
        if extra == 0:
            return self
        lower = (
            unit._replace(body=unit.body._replace(generation=unit.body.generation - extra)) if unit.body else unit
            for unit in units
        )
        return State((pages, tuple(lower)), self.ghost)


class WorldChance(Chance, Protocol):
    """Chance, and what host and application choose."""

    def meets(self, left: Callable[[How], Cells], ghost: Ghost) -> How:
        """Asked at each operation how it goes; `left` says what it would leave, `ghost` what was known before it."""

    def plan(self, options: list[Plan]) -> Plan:
        """Asked once a boot, when the loader listens; and again where an update of this boot is on trial: what its
        application does."""


class Broken(Exception):
    """Something is so that must never be."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong)
        self.wrong = wrong


@dataclass(slots=True)
class Outcome:
    """What one boot came to."""

    state: State
    log: list[tuple[object, ...]]
    cut: bool = False
    wrong: Wrong | None = None
    jumps: tuple[tuple[str, bool], ...] = ()
    """image, on trial"""

    def text(self) -> str:
        return " | ".join(" ".join(str(word) for word in entry) for entry in self.log)


def first_state(case: Case) -> State:
    """A board fresh from the programmer: image A, and blank records."""
    span = case.spans["A"]
    pages = span + (BLANK,) * (case.flash_pages - len(span))
    blank = Unit(None, True, CLEAR * case.marks)
    return State((pages, (blank,) * case.rules.units), Ghost(floor=case.counters[0]))


class Judge:
    """Keeps the ghost, and stops the run where something is wrong."""

    def __init__(self, case: Case, ghost: Ghost, cuts_before: int) -> None:
        self.case = case
        self.ghost = ghost
        self.cuts_before = cuts_before
        self.jumps: list[tuple[str, bool]] = []

    def decided(self, body: Body) -> None:
        if body.kind == Kind.CONFIRM:
            self._for_good(body.new)
        elif body.kind == Kind.REVERT:
            self._reverted(body)
        elif body.kind == Kind.SINGLE:
            self.ghost = self.ghost._replace(running="", offered="")
        elif body.kind == Kind.IDLE:
            self._for_good(body.old)

    def took_offer(self, device: Device) -> None:
        """What runs does so for good, and nothing older may come."""
        if device.boot == Boot.IDLE:
            self._is_idle(device)
        elif device.record.kind == Kind.SINGLE:
            self.decided(device.record)
        self.ghost = self.ghost._replace(offered="")

    def told_confirmed(self, image: str) -> None:
        """A host's Confirm was answered: it is kept."""
        if image not in (self.ghost.running, self.ghost.offered):
            raise Broken(Wrong.STALE)
        self._for_good(image)

    def applying(self, image: str) -> None:
        reverted = "" if image == self.ghost.reverted else self.ghost.reverted  # it was asked for again
        self.ghost = self.ghost._replace(updates=LETTERS.index(image), offered=image, reverted=reverted, trials=0)

    def jumped(self, device: Device, trial: bool) -> None:
        image = device.running
        self._is_whole(device, image)
        if trial:
            self._on_trial(device)
        else:
            self._is_idle(device)
        if device.counter != self.ghost.floor:
            raise Broken(Wrong.COUNTER)
        self.jumps.append((image, trial))

    def _is_idle(self, device: Device) -> None:
        image = device.running
        if image not in (self.ghost.running, self.ghost.offered):
            raise Broken(Wrong.STALE)
        if device.record.kind == Kind.REVERT:
            self._reverted(device.record)
        else:
            self._for_good(image)

    def _is_whole(self, device: Device, image: str) -> None:
        span = self.case.spans[image]
        cells = tuple(device.flash.pages[: len(span)])
        if tuple(cell.removeprefix(TORN) for cell in cells) != span:
            raise Broken(Wrong.MIXED)
        if cells != span:
            raise Broken(Wrong.WEAK_IMAGE)

    def _on_trial(self, device: Device) -> None:
        ghost, old, new = self.ghost, device.record.old, device.record.new
        first, span = self.case.slot_pages, self.case.spans[old]
        if new == ghost.running:
            raise Broken(Wrong.AGAIN)
        if new == ghost.reverted:
            raise Broken(Wrong.CAME_BACK)
        if new != ghost.offered or old != ghost.running:
            raise Broken(Wrong.STALE)
        if tuple(device.flash.pages[first : first + len(span)]) != span:
            raise Broken(Wrong.WAY_BACK)
        if ghost.trials + 1 > self.most_trials():
            raise Broken(Wrong.TRIALS)
        self.ghost = ghost._replace(trials=ghost.trials + 1)

    def most_trials(self) -> int:
        """N, and one for each cut. Two cuts in the corner that firmware/DESIGN.md tells of give N boots twice."""
        trials, cuts = self.case.trials, self.cuts_before
        return max(trials + cuts, 2 * trials if cuts > 1 else 0)

    def _for_good(self, image: str) -> None:
        if image == self.ghost.reverted:
            raise Broken(Wrong.CAME_BACK)
        if image != self.ghost.running:
            floor = max(self.ghost.floor, self.case.counter(image))
            self.ghost = self.ghost._replace(running=image, offered="", floor=floor)

    def _reverted(self, body: Body) -> None:
        if body.new == self.ghost.running:
            raise Broken(Wrong.AGAIN)
        if body.new != self.ghost.reverted:
            self.ghost = self.ghost._replace(reverted=body.new, offered="")


class World:
    """One boot."""

    def __init__(self, case: Case, state: State, chance: WorldChance, cuts_before: int) -> None:
        self.case = case
        self.chance = chance
        self.judge = Judge(case, state.ghost, cuts_before)
        self.flash = Flash(state.cells, chance, case.flash, lambda left: chance.meets(left, self.judge.ghost))
        self._plan = SILENT
        self._asked = False

    def run(self, misread: Callable[[], bool]) -> Outcome:
        """From power-on to cut or last jump. `misread` says afterwards whether a read of this boot went wrong."""
        cut, wrong = False, None
        try:
            waits = self._boots()
            if not self.judge.jumps and not waits:
                wrong = Wrong.STALLED if misread() else Wrong.NOTHING
            elif not self.judge.jumps and self._plan.act in WHOLE_PUSH:
                wrong = Wrong.STALLED if misread() else Wrong.PUSH
        except PowerCut:
            cut = True
        except Stuck:
            wrong = Wrong.STALLED
        except WordFault:
            wrong = Wrong.NOTHING
        except RuleBroken as broken:
            self.flash.log.append((broken,))
            wrong = Wrong.RULE
        except Broken as broken:
            wrong = broken.wrong
        if wrong is not None:
            self.flash.log.append(("WRONG:", wrong))
        state = State(self.flash.cells(), self.judge.ghost)
        return Outcome(state, self.flash.log, cut, wrong, tuple(self.judge.jumps))

    def _boots(self) -> bool:
        """Boots until nothing restarts the board; True: without a jump it waits as it should."""
        while True:
            device = Device(self.flash, self.case, self.judge)
            device.recover()
            if not self._asked:
                self._asked = True
                self._plan = self.chance.plan(self._options(device))
                self.flash.log.append((">>", self._plan.act.value, self._plan.image))
                self._host(device)
            jumped = device.leave()
            if jumped:
                image, trial = self.judge.jumps[-1]
                self.flash.log.append(("JUMP", image, "on trial" if trial else "for good"))
                if trial and self._plan.act in OFFERS:
                    self._plan = self.chance.plan([SILENT, Plan(Act.APP_CONFIRM, image), Plan(Act.APP_REVERT, image)])
            if not jumped or self._plan.act not in IN_APPLICATION or not self._application():
                return device.record.kind == Kind.SINGLE or not device.running

    # --- what may be chosen -------------------------------------------------------------------------------------------

    def _options(self, device: Device) -> list[Plan]:
        image = self.judge.ghost.offered
        plans = [SILENT]
        if image and device.boot != Boot.NO_IMAGE:
            plans += [Plan(act, image) for act in (Act.CONFIRM, Act.REVERT, Act.APP_CONFIRM, Act.APP_REVERT)]
        elif device.boot == Boot.IDLE:
            plans.append(Plan(Act.APP_LOOK))
        if device.boot != Boot.TRIAL or not self.case.rules.offer_waits:
            plans += self._offers(device)
        return plans

    def _offers(self, device: Device) -> list[Plan]:
        """The next image; again the one that was applied and not seen since; again the last one where nothing runs."""
        ghost = self.judge.ghost
        images = list(LETTERS[ghost.updates + 1 : len(self.case.pages)][:1])
        if ghost.offered != device.running and ghost.offered and ghost.trials == 0:
            images.append(ghost.offered)
        if device.boot == Boot.NO_IMAGE and not images:
            images.append(LETTERS[ghost.updates])
        acts = [Act.UPDATE, Act.SURVEY, Act.LEAVE, *(sorted(IN_ONE_SLOT, key=str) if self.case.single else ())]
        plans = [Plan(act, image) for image in images for act in acts]
        return [plan for plan in plans if self._fits(device, plan)]

    def _fits(self, device: Device, plan: Plan) -> bool:
        """The gates of an Offer."""
        most = self.case.flash_pages if plan.act in IN_ONE_SLOT else self.case.slot_pages
        fits = max(self.case.size(plan.image), self.case.size(device.running)) <= most
        return fits and self.case.counter(plan.image) >= device.counter

    # --- what is done -------------------------------------------------------------------------------------------------

    def _host(self, device: Device) -> None:
        act, image = self._plan
        if act in IN_APPLICATION or act == Act.SILENT:
            return
        if act == Act.CONFIRM:
            self._confirm(device)
        elif act == Act.REVERT:
            if device.running == image and device.boot == Boot.TRIAL:
                device.revert()
                device.walk(0)
        elif (device.boot != Boot.TRIAL or not self.case.rules.offer_waits) and self._fits(device, self._plan):
            self._offer(device)

    def _confirm(self, device: Device) -> None:
        """Answered with ok also where the image is kept already."""
        if device.running == self._plan.image and (device.boot == Boot.IDLE or device.confirm()):
            self.judge.told_confirmed(device.running)

    def _offer(self, device: Device) -> None:
        act, image = self._plan
        if self.case.rules.offer_erases:
            device.erase_others()
        self.judge.took_offer(device)
        size, survey = self.case.size(image), act in (Act.SURVEY, Act.SINGLE_SURVEY)
        pages = size // 2 if act in (Act.LEAVE, Act.SINGLE_LEAVE) else size
        if act in IN_ONE_SLOT:
            device.stage_single(image, pages, survey=survey, lags=self.chance.lags)
        else:
            device.stage(image, pages, survey=survey)
        if act not in (Act.LEAVE, Act.SINGLE_LEAVE):
            self.judge.applying(image)
            if act in IN_ONE_SLOT:
                device.apply_single(image)
            else:
                device.apply(image)

    def _application(self) -> bool:
        """The application that was started looks at the record anew; True: it restarts the board."""
        device = Device(self.flash, self.case, self.judge, application=True)
        device.recover()
        act, image = self._plan
        if act == Act.APP_CONFIRM:
            self._confirm(device)
        if act == Act.APP_REVERT and device.boot == Boot.TRIAL and device.running == image:
            device.revert()
            self._plan = SILENT
            return True
        return False
