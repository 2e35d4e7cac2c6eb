"""The search: breadth-first over states of flash, every plan and every fault of each boot, states seen before left out.
Knows machine and oracle, no profile by name and no command line."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from otaflash.bench.explorer.cases import LETTERS, READINGS, Case, Step
from otaflash.bench.explorer.images import make_image
from otaflash.bench.explorer.machine import Boot, By, Machine, Notes, Plan
from otaflash.bench.explorer.oracle import LEFT, WORN, Ghost, Oracle, Verdict
from otaflash.bench.explorer.plans import SILENT, all_plans, step_name
from otaflash.sim.native import BoardEvent, Cut

CUTS = (Cut.BEFORE, Cut.TORN, Cut.AFTER)
_MEETS_FROM = 2
SAMPLED_FROM = 3
"""Faults in a history from which on states are taken in a drawn order."""
_REACH = 1000
CLEAN_ERASES = 2
"""Of a page in an update without fault or revert."""


@dataclass(slots=True)
class Node:
    """A state of flash between two boots, and the history that led here first."""

    state: int
    ghost: Ghost
    cuts: int
    """faults left"""
    wear: bytes
    offered_with: int
    """faults left when the last offer was made"""
    before: Node | None
    step: Step | None
    boots: int = 0
    """in the history"""
    reading: str = "old"
    """of the next boot, where nothing is torn: how it read what was torn before"""

    @property
    def steps(self) -> tuple[Step, ...]:
        """From the factory to here."""
        node, steps = self, []
        while node.before is not None and node.step is not None:
            steps.append(node.step)
            node = node.before
        return tuple(reversed(steps))


@dataclass(frozen=True, slots=True)
class Violation:
    """What was wrong, and the history that shows it again."""

    wrong: str
    sizes: str
    steps: tuple[Step, ...]

    @property
    def replay(self) -> str:
        """The history on one line, as --replay takes it."""
        return " ".join([self.sizes, *(str(step) for step in self.steps)])


@dataclass(slots=True)
class Tally:
    """What a search came to."""

    scenarios: int = 0
    """boots that were judged: whole, or cut at one place in one way"""
    states: int = 0
    trial_boots: int = 0
    """whole boots that started an image on trial, or any in single-slot mode; none at all: no update got through, and
    nothing was explored"""
    weak_jumps: int = 0
    max_erases: int = 0
    max_erases_clean: int = 0
    exhaustive: bool = True
    violations: list[Violation] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Counts another search in."""
        self.scenarios += other.scenarios
        self.states += other.states
        self.trial_boots += other.trial_boots
        self.weak_jumps += other.weak_jumps
        self.max_erases = max(self.max_erases, other.max_erases)
        self.max_erases_clean = max(self.max_erases_clean, other.max_erases_clean)
        self.exhaustive &= other.exhaustive
        self.violations += other.violations


class Search:
    """All histories of one case, from a factory-fresh board."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self.seed = seed
        self.images = [
            make_image(case.profile, at + 1, pages, seed, single=case.single) for at, pages in enumerate(case.pages)
        ]
        self.machine = Machine(case.profile, _kept(case, max(image.pages for image in self.images)), case.defect)
        self.oracle = Oracle(self.machine, self.images, case.profile.trials, single=case.single, defect=case.fails)
        self.tally = Tally()
        self._factory = self.machine.factory(self.images[0])
        self._plans = all_plans(case.profile, self.images)
        self._ghosts: dict[Ghost, int] = {}
        self._queue: deque[Node] = deque()
        self._draw = random.Random(seed)

    def root(self) -> Node:
        """The board before anything has happened to it."""
        wear = bytes(len(self.machine.pages))
        return Node(self._factory, Ghost(), self.case.depth, wear, self.case.depth, None, None)

    def run(self, until: float | None = None, most_violations: int = 1) -> Tally:
        """Explores until nothing is left, the monotonic time `until`, or so many violations."""
        root = self.root()
        if self.machine.is_new(root.state, self._known(root.ghost), root.cuts):
            self._keep(root)
        while self._queue and len(self.tally.violations) < most_violations:
            if until is not None and time.monotonic() >= until:
                self.tally.exhaustive = False
                break
            self._expand(self._next())
        return self.tally

    def _next(self) -> Node:
        """The oldest state, so that a history found is a short one; of deep cases a drawn one, so that what the time
        allows is a sample of all depths."""
        if self.case.depth >= SAMPLED_FROM:
            self._queue.rotate(self._draw.randrange(-_REACH, _REACH))
        return self._queue.popleft()

    # --- states -------------------------------------------------------------------------------------------------

    def _known(self, ghost: Ghost) -> int:
        """A number for it. A state seen with the same, and as many faults left or more, is left out."""
        return self._ghosts.setdefault(ghost, len(self._ghosts))

    def _keep(self, node: Node) -> None:
        self.tally.states += 1
        if node.boots < self.case.boots:
            self._queue.append(node)

    def _expand(self, node: Node) -> None:
        told: set[tuple[str, int, int]] = set()
        for reading in READINGS if self.machine.is_weak(node.state) else (node.reading,):
            silent, verdict = self._try(node, SILENT, reading, set())
            if self._meets(node, silent, reading):
                continue
            ends = {(silent.state, verdict.ghost)}
            for plan in self._plans_for(node, silent, verdict.ghost):
                way = (plan.name, plan.image, silent.met_first)
                if way in told:
                    continue  # up to its first word all was read as before, and after it no torn cell at all
                boot, _ = self._try(node, plan, reading, ends)
                if boot.met_later == 0:
                    told.add(way)

    def _meets(self, node: Node, silent: Boot, reading: str) -> bool:
        """True if what the host may say to the loader is left to another node: the state in which it listens.

        So it is done after the second fault and later ones. A loader that has repaired its flash, with nothing torn
        left in it, then goes on as one that found it so; that it does is shown by the histories with one fault, which
        say all to the loader that did the repair.
        """
        meets = silent.listens_on
        if node.cuts or self.case.depth < _MEETS_FROM or self.case.fails:
            return False
        if meets is None or meets == node.state or self.machine.is_weak(meets):
            return False
        if self.machine.is_new(meets, self._known(node.ghost), 0):
            self._keep(replace(node, state=meets, wear=self.machine.wear_listening(), reading=reading))
        return True

    def _try(self, node: Node, plan: Plan, reading: str, ends: set[tuple[int, Ghost]]) -> tuple[Boot, Verdict]:
        """The boot without a fault, and with each. `ends`: where plans led before; there this one comes to nothing."""
        notes = _notes_of(plan) if node.cuts and self._cuts_power else Notes.NONE
        step = Step(step_name(plan), reading)
        boot, verdict = self._boot(node, plan, step, notes)
        end = (boot.state, verdict.ghost)
        if end in ends:
            return boot, verdict
        ends.add(end)
        if notes != Notes.NONE:
            self._cuts(node, plan, step, node.cuts - 1)
        if node.cuts:
            self._disturb(node, plan, step, boot)
        return boot, verdict

    @property
    def _cuts_power(self) -> bool:
        return "cut" in self.case.faults

    def _plans_for(self, node: Node, silent: Boot, after: Ghost) -> Iterator[Plan]:
        """What may be worth trying, by what the board did when left alone: `silent`, and the ghost after it."""
        ghost, plans = node.ghost, self._plans
        if self.case.single:
            yield from self._offers_for(node, after)
            return
        if ghost.pending:
            for name in ("app-confirm", "app-told", "app-revert", "confirm", "revert"):
                yield plans[name, ghost.pending[0]]
        if not silent.jumps or not silent.jumps[0].trial:
            yield from self._offers_for(node, after)
        elif ghost.next < len(self.images):
            yield plans["update", ghost.next]  # to be refused: an image is on trial

    def _offers_for(self, node: Node, ghost: Ghost) -> Iterator[Plan]:
        """A host offers again what did not come through, or goes on to the next image."""
        plans = self._plans
        pending = [number for number in ghost.pending if number != LEFT]
        if pending and not ghost.seen:
            yield plans["survey", pending[-1]]
            yield plans["update", pending[-1]]
        if ghost.next < len(self.images):
            yield plans["update", ghost.next]
            if not (node.steps and node.steps[-1].plan.startswith("leave")):
                yield plans["leave", ghost.next]  # twice in a row: only another record of the same, without end
            if node.cuts < self.case.depth or ghost.given_up:
                yield plans["survey", ghost.next]

    # --- boots --------------------------------------------------------------------------------------------------

    def step(self, node: Node, step: Step) -> tuple[Boot, Node, str]:
        """One boot, its fault really done: run, judge ("": right), and keep what it left for later."""
        seen = len(self.tally.violations)
        boot, verdict = self._boot(node, self._plan_of(step), step, Notes.NONE)
        child = self._child(node, boot, verdict.ghost, step)
        wrong = self.tally.violations[seen].wrong if len(self.tally.violations) > seen else ""
        return boot, child, wrong

    def _boot(self, node: Node, plan: Plan, step: Step, notes: Notes) -> tuple[Boot, Verdict]:
        weak, draw = READINGS[step.reading]
        boot = self.machine.boot(
            node.state,
            plan,
            node.wear,
            weak=weak,
            seed=(self.seed ^ self.machine.hash(node.state)) + draw,
            fault=None if step.cut is None else (step.by, *step.cut),
            notes=notes,
            halves="half" in self.case.faults,
        )
        child_cuts = node.cuts - _happened(step, boot)
        verdict = self.oracle.after(node.ghost, plan, boot, self.case.depth - child_cuts)
        if not verdict.wrong and step.cut is None and not self.machine.is_weak(node.state):
            verdict = Verdict(verdict.ghost, self.oracle.taken(node.ghost, plan, boot), verdict.weak_jump)
        self._count(node, boot, verdict, step)
        return boot, verdict

    def _child(self, node: Node, boot: Boot, ghost: Ghost, step: Step) -> Node:
        offered_with = node.cuts if boot.offered_on else node.offered_with
        return Node(
            boot.state,
            ghost,
            node.cuts - _happened(step, boot),
            self.machine.wear(),
            offered_with,
            node,
            step,
            node.boots + 1,
        )

    def _count(self, node: Node, boot: Boot, verdict: Verdict, step: Step) -> None:
        tally, ghost = self.tally, verdict.ghost
        tally.scenarios += 1
        tally.weak_jumps += verdict.weak_jump
        tally.trial_boots += any(jump.trial or self.case.single for jump in boot.jumps)
        if self._wear_is_bound:
            tally.max_erases = max(tally.max_erases, boot.worn)
        left, worn = node.cuts - _happened(step, boot), boot.worn_at_end
        cuts = (node.cuts if boot.offered_on else node.offered_with) - left
        if cuts == 0 and not ghost.undone and self._wear_is_bound:
            tally.max_erases_clean = max(tally.max_erases_clean, worn)
        wrong = verdict.wrong
        if not wrong and worn > CLEAN_ERASES + ghost.undone + cuts and self._wear_is_bound:
            wrong = WORN
        if wrong:
            self._violated(wrong, self._child(node, boot, ghost, step))
        elif self.machine.is_new(boot.state, self._known(ghost), left):
            self._keep(self._child(node, boot, ghost, step))

    @property
    def _wear_is_bound(self) -> bool:
        """A page that fails is tried again without a cut."""
        return not self.case.fails

    def _violated(self, wrong: str, node: Node) -> None:
        self.tally.violations.append(Violation(wrong, self.case.sizes, node.steps))

    # --- faults ---------------------------------------------------------------------------------------------------

    def _cuts(self, node: Node, plan: Plan, step: Step, left: int) -> None:
        """What every cut noted in the boot run last would leave, with so many faults left then."""
        machine, known = self.machine, self.machine.moments(plan)
        verdicts = [self.oracle.after(node.ghost, plan, moment, self.case.depth - left) for moment in known]
        offered = [node.cuts if moment.offered_on else node.offered_with for moment in known]
        most = [CLEAN_ERASES + v.ghost.undone + o - left for v, o in zip(verdicts, offered, strict=True)]
        bounds = most if self._wear_is_bound else [2**16 - 1] * len(most)
        self.tally.scenarios += machine.noted // self.case.every
        for note in machine.news([self._known(verdict.ghost) for verdict in verdicts], bounds, left):
            if note.operation % self.case.every or verdicts[note.moment].wrong:
                continue
            at = note.moment
            way = Step(step.plan, step.reading, (note.operation, note.how))
            child = Node(
                note.state, verdicts[at].ghost, left, machine.wear(note.number), offered[at], node, way, node.boots + 1
            )
            if note.worn > bounds[at]:
                self._violated(WORN, child)
            else:
                self._keep(child)
        for at, verdict in enumerate(verdicts):
            first = next((note for note in machine.notes() if note.moment == at), None) if verdict.wrong else None
            if first is not None:
                way = Step(step.plan, step.reading, (first.operation, first.how))
                self._violated(verdict.wrong, Node(first.state, verdict.ghost, left, b"", 0, node, way))

    def _disturb(self, node: Node, plan: Plan, step: Step, boot: Boot) -> None:
        """The faults for which the boot has to be run again."""
        if "reset" in self.case.faults:
            for operation in range(0, boot.operations, self.case.every):
                for how in CUTS:
                    self._boot(node, plan, Step(step.plan, step.reading, (operation, how), By.RESET), Notes.NONE)
        if "read" in self.case.faults:
            for read in range(0, boot.reads, self.case.every):
                self._boot(node, plan, Step(step.plan, step.reading, (read, Cut.NONE), By.READ), Notes.NONE)

    def _plan_of(self, step: Step) -> Plan:
        if step.plan == SILENT.name:
            return SILENT
        name, _, letter = step.plan.rpartition("-")
        return self._plans[name, LETTERS.index(letter)]


def _kept(case: Case, pages: int) -> list[int]:
    """The logical pages that images of so many pages can touch, and the record."""
    slot, record = case.profile.slot_pages, range(2 * case.profile.slot_pages + 1, case.profile.pages)
    if case.single:
        return [*range(pages), *record]
    return [*range(pages), *range(slot, slot + pages + 1), *record]


def _notes_of(plan: Plan) -> Notes:
    """A cut before the plan says or does anything is one of the silent boot."""
    if plan.app:
        return Notes.ACTED
    return Notes.SPOKEN if plan.said else Notes.ALL


def _happened(step: Step, boot: Boot) -> bool:
    """The fault of the step came about."""
    if step.cut is None:
        return False
    if step.by == By.POWER:
        return boot.event == BoardEvent.CUT
    return step.cut[0] < (boot.operations if step.by == By.RESET else boot.reads)
