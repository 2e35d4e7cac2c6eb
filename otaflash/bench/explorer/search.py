"""The search: breadth-first over states of flash, every plan and every cut of each boot, states seen before left out.
Knows machine and oracle, no profile by name and no command line."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from otaflash.bench.explorer import images as say
from otaflash.bench.explorer.images import Image, make_image
from otaflash.bench.explorer.machine import App, Boot, Machine, Plan
from otaflash.bench.explorer.oracle import STRAY, WORN, Ghost, Oracle, Verdict
from otaflash.sim.native import BoardEvent, Cut, Weak
from otaflash.sim.profiles import Profile

SILENT = Plan("silent")
CUTS = (Cut.BEFORE, Cut.TORN, Cut.AFTER)
LETTERS = "ABCDEF"
READINGS: dict[str, tuple[Weak, int]] = {
    "old": (Weak.OLD, 0),
    "new": (Weak.NEW, 0),
    "random": (Weak.RANDOM, 0),
    "flicker": (Weak.FLICKER, 0),
    **{f"whole{draw}": (Weak.WHOLE, draw) for draw in range(4)},
}
"""How torn cells read in one boot: the mode, and which draw of it."""
CLEAN_ERASES = 2
"""Of a page in an update without cut or revert."""


@dataclass(frozen=True, slots=True)
class Case:
    """One family of histories: a geometry, the images A, B and C by their pages, and how many of them are offered."""

    profile: Profile
    pages: tuple[int, ...]
    depth: int
    """cuts in one history, at most"""
    every: int = 1
    """cuts at each so-manieth operation of a boot; 1: at all of them"""

    @property
    def sizes(self) -> str:
        return "/".join(str(count) for count in self.pages)


@dataclass(frozen=True, slots=True)
class Step:
    """One boot of a history: what is chosen."""

    plan: str
    reading: str = "old"
    """how torn cells read: a key of READINGS"""
    cut: tuple[int, int] | None = None
    """flash operation of this boot, and how the power goes there"""

    def __str__(self) -> str:
        text = f"{self.plan}:{self.reading}"
        return text if self.cut is None else f"{text}:{self.cut[0]}:{Cut(self.cut[1]).name.lower()}"

    @classmethod
    def parse(cls, text: str) -> Step:
        """The inverse of str. Raises ValueError."""
        plan, reading, *cut = text.split(":")
        where = (int(cut[0]), int(Cut[cut[1].upper()])) if cut else None
        return cls(plan, reading, where)


@dataclass(slots=True)
class Node:
    """A state of flash between two boots, and the history that led here first."""

    state: bytes
    ghost: Ghost
    cuts: int
    """left"""
    erases: bytes
    offered_with: int
    """cuts left when the last offer was made"""
    steps: tuple[Step, ...]
    key: bytes
    """digest of state and ghost; also the seed of what is drawn in the next boot"""


@dataclass(frozen=True, slots=True)
class Violation:
    """What was wrong, and the history that shows it again."""

    wrong: str
    sizes: str
    steps: tuple[Step, ...]

    @property
    def replay(self) -> str:
        return " ".join([self.sizes, *(str(step) for step in self.steps)])


@dataclass(slots=True)
class Tally:
    """What a search came to."""

    scenarios: int = 0
    states: int = 0
    trial_boots: int = 0
    """boots that started an image on trial; none at all: no update got through, and nothing was explored"""
    weak_jumps: int = 0
    max_erases: int = 0
    max_erases_clean: int = 0
    exhaustive: bool = True
    violations: list[Violation] = field(default_factory=list)


class Search:
    """All histories of one case, from a factory-fresh board."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self.seed = seed
        self.machine = Machine(case.profile, max(case.pages))
        self.images = [make_image(case.profile, at + 1, pages, seed) for at, pages in enumerate(case.pages)]
        self.oracle = Oracle(self.machine, self.images, case.profile.trials)
        self.tally = Tally()
        self._plans = _all_plans(case.profile, self.images)
        self._seen: dict[bytes, int] = {}
        self._queue: deque[Node] = deque()

    def root(self) -> Node:
        state = self.machine.with_primary(self.machine.blank(), self.images[0].span)
        erases = bytes(4 * self.case.profile.pages)
        return Node(state, Ghost(), self.case.depth, erases, self.case.depth, (), _key(state, Ghost()))

    def run(self, until: float | None = None, most_violations: int = 1) -> Tally:
        """Explores until nothing is left, the monotonic time `until`, or so many violations."""
        self._add(self.root())
        while self._queue and len(self.tally.violations) < most_violations:
            if until is not None and time.monotonic() >= until:
                self.tally.exhaustive = False
                break
            self._expand(self._queue.popleft())
        return self.tally

    # --- states -------------------------------------------------------------------------------------------------

    def _add(self, node: Node) -> None:
        """A state seen with as many cuts left, or more, is left out."""
        if self._seen.get(node.key, -1) >= node.cuts:
            return
        self._seen[node.key] = node.cuts
        self.tally.states += 1
        self._queue.append(node)

    def _expand(self, node: Node) -> None:
        weak = node.state[1] != 0
        for reading in READINGS if weak else ("old",):
            silent, after = self._whole(node, SILENT, reading)
            ends = {after.key}
            self._cuts(node, SILENT, reading, 0, silent.operations)
            for plan in self._plans_for(node, silent, after.ghost):
                boot, after = self._whole(node, plan, reading)
                if after.key in ends:
                    continue  # this plan came to nothing here
                ends.add(after.key)
                common = boot.jumped_at if plan.app else boot.listens_at
                self._cuts(node, plan, reading, max(common, 0), boot.operations)

    def _plans_for(self, node: Node, silent: Boot, after: Ghost) -> Iterator[Plan]:
        """What may be worth trying, by what the board did when left alone: `silent`, and the ghost after it."""
        ghost, plans = node.ghost, self._plans
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
        if ghost.pending and not ghost.seen:
            yield plans["survey", ghost.pending[-1]]
            yield plans["update", ghost.pending[-1]]
        if ghost.next < len(self.images):
            yield plans["update", ghost.next]
            yield plans["leave", ghost.next]
            if node.cuts < self.case.depth:
                yield plans["survey", ghost.next]

    # --- boots --------------------------------------------------------------------------------------------------

    def _whole(self, node: Node, plan: Plan, reading: str) -> tuple[Boot, Node]:
        boot, child, _ = self.step(node, Step(_step_name(plan), reading))
        return boot, child

    def _cuts(self, node: Node, plan: Plan, reading: str, first: int, end: int) -> None:
        if node.cuts == 0:
            return
        name = _step_name(plan)
        for operation in range(first, end, self.case.every):
            for how in CUTS:
                self.step(node, Step(name, reading, (operation, how)))

    def step(self, node: Node, step: Step) -> tuple[Boot, Node, str]:
        """One boot: run, judge ("": right), and keep what it left for later."""
        machine, plan = self.machine, self._plan_of(step)
        machine.set_erases(node.erases)
        weak, draw = READINGS[step.reading]
        seed = (self.seed ^ int.from_bytes(node.key[:7], "little")) + draw
        boot = machine.boot(node.state, plan, weak=weak, seed=seed, cut=step.cut)
        state = machine.save()
        cuts = node.cuts - (boot.event == BoardEvent.CUT)
        verdict = self.oracle.after(node.ghost, plan, boot, self.case.depth - cuts)
        offered_with = node.cuts if boot.offered_on else node.offered_with
        key, steps = _key(state, verdict.ghost), (*node.steps, step)
        child = Node(state, verdict.ghost, cuts, machine.erases(), offered_with, steps, key)
        return boot, child, self._count(child, verdict, boot)

    def _count(self, child: Node, verdict: Verdict, boot: Boot) -> str:
        tally, worn = self.tally, self.machine.most_erases()
        tally.scenarios += 1
        tally.weak_jumps += verdict.weak_jump
        tally.trial_boots += any(jump.trial for jump in boot.jumps)
        tally.max_erases = max(tally.max_erases, worn)
        cuts = child.offered_with - child.cuts
        if cuts == 0 and not child.ghost.undone:
            tally.max_erases_clean = max(tally.max_erases_clean, worn)
        wrong = verdict.wrong
        if not wrong and worn > CLEAN_ERASES + child.ghost.undone + cuts:
            wrong = WORN
        if not wrong and child.steps[-1].plan == SILENT.name and boot.event != BoardEvent.CUT and self.machine.stray():
            wrong = STRAY
        if wrong:
            tally.violations.append(Violation(wrong, self.case.sizes, child.steps))
        else:
            self._add(child)
        return wrong

    def _plan_of(self, step: Step) -> Plan:
        if step.plan == SILENT.name:
            return SILENT
        name, _, letter = step.plan.rpartition("-")
        return self._plans[name, LETTERS.index(letter)]


def _step_name(plan: Plan) -> str:
    return plan.name if plan.image < 0 else f"{plan.name}-{LETTERS[plan.image]}"


def _key(state: bytes, ghost: Ghost) -> bytes:
    return blake2b(state + repr(ghost).encode(), digest_size=16).digest()


def _all_plans(profile: Profile, images: list[Image]) -> dict[tuple[str, int], Plan]:
    plans: dict[tuple[str, int], Plan] = {}
    for number, image in enumerate(images):
        every = say.blocks(image, profile, image.pages)
        half = say.blocks(image, profile, image.pages // 2)
        opening = say.offer(image)
        for plan in (
            Plan("update", number, True, opening + every, say.apply()),
            Plan("survey", number, True, opening + say.survey(image, profile) + every, say.apply()),
            Plan("leave", number, True, opening + half + say.abort()),
            Plan("confirm", number, said=say.confirm(image)),
            Plan("revert", number, said=say.revert(image)),
            Plan("app-confirm", number, app=App.CONFIRM),
            Plan("app-told", number, app=App.HOST, app_said=say.confirm(image)),
            Plan("app-revert", number, app=App.HOST, app_said=say.revert(image)),
        ):
            plans[plan.name, number] = plan
    return plans
