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
CLEAN_ERASES = 2
"""Of a page in an update without cut or revert."""


@dataclass(frozen=True, slots=True)
class Case:
    """One family of histories: a geometry, the images A, B and C by their pages, and how many of them are offered."""

    profile: Profile
    pages: tuple[int, ...]
    depth: int

    @property
    def name(self) -> str:
        return f"{self.profile.name} {'/'.join(str(count) for count in self.pages)}"


@dataclass(frozen=True, slots=True)
class Step:
    """One boot of a history: what is chosen."""

    plan: str
    weak: int
    cut: tuple[int, int] | None = None

    def __str__(self) -> str:
        text = f"{self.plan}:{Weak(self.weak).name.lower()}"
        return text if self.cut is None else f"{text}:{self.cut[0]}:{Cut(self.cut[1]).name.lower()}"

    @classmethod
    def parse(cls, text: str) -> Step:
        """The inverse of str. Raises ValueError."""
        plan, weak, *cut = text.split(":")
        where = (int(cut[0]), int(Cut[cut[1].upper()])) if cut else None
        return cls(plan, int(Weak[weak.upper()]), where)


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


@dataclass(slots=True)
class Violation:
    """What was wrong, and the history that shows it again."""

    wrong: str
    case: str
    steps: tuple[Step, ...]


@dataclass(slots=True)
class Tally:
    """What a search came to."""

    scenarios: int = 0
    states: int = 0
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
        return Node(state, Ghost(), self.case.depth, bytes(4 * self.case.profile.pages), self.case.depth, ())

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
        key = blake2b(node.state + repr(node.ghost).encode(), digest_size=16).digest()
        if self._seen.get(key, -1) >= node.cuts:
            return
        self._seen[key] = node.cuts
        self.tally.states += 1
        self._queue.append(node)

    def _expand(self, node: Node) -> None:
        weak = node.state[1] != 0
        for mode in Weak if weak else (Weak.OLD,):
            silent = self._whole(node, SILENT, mode)
            ends = {(silent[1], silent[2])}
            self._cuts(node, SILENT, mode, 0, silent[0].operations)
            for plan in self._plans_for(node, silent[0]):
                boot, state, ghost = self._whole(node, plan, mode)
                if (state, ghost) in ends:
                    continue
                ends.add((state, ghost))
                common = boot.jumped_at if plan.app else boot.listens_at
                self._cuts(node, plan, mode, max(common, 0), boot.operations)

    def _plans_for(self, node: Node, silent: Boot) -> Iterator[Plan]:
        ghost, plans = node.ghost, self._plans
        if ghost.pending:
            for name in ("app-confirm", "app-revert", "confirm", "revert"):
                yield plans[name, ghost.pending[0]]
        if ghost.next < len(self.images):
            yield plans["update", ghost.next]
            if not silent.jumps or not silent.jumps[0].trial:
                yield plans["leave", ghost.next]
                if node.cuts < self.case.depth:
                    yield plans["survey", ghost.next]

    # --- boots --------------------------------------------------------------------------------------------------

    def _whole(self, node: Node, plan: Plan, mode: int) -> tuple[Boot, bytes, Ghost]:
        boot, state, verdict = self.step(node, Step(self.step_name(plan), mode))
        return boot, state, verdict.ghost

    def step_name(self, plan: Plan) -> str:
        return plan.name if plan.image < 0 else f"{plan.name}-{LETTERS[plan.image]}"

    def _cuts(self, node: Node, plan: Plan, mode: int, first: int, end: int) -> None:
        if node.cuts == 0:
            return
        name = self.step_name(plan)
        for operation in range(first, end):
            for how in CUTS:
                self.step(node, Step(name, mode, (operation, how)))

    def step(self, node: Node, step: Step) -> tuple[Boot, bytes, Verdict]:
        """One boot: run, judge, and keep what it left for later."""
        machine, plan = self.machine, self._plan_of(step)
        machine.set_erases(node.erases)
        seed = self.seed ^ hash_of(node.state)
        boot = machine.boot(node.state, plan, weak=step.weak, seed=seed, cut=step.cut)
        state = machine.save()
        cuts = node.cuts - (boot.event == BoardEvent.CUT)
        verdict = self.oracle.after(node.ghost, plan, boot, self.case.depth - cuts)
        offered_with = node.cuts if boot.offered_on else node.offered_with
        child = Node(state, verdict.ghost, cuts, machine.erases(), offered_with, (*node.steps, step))
        self._count(child, verdict, boot)
        return boot, state, verdict

    def _count(self, child: Node, verdict: Verdict, boot: Boot) -> None:
        tally, worn = self.tally, self.machine.most_erases()
        tally.scenarios += 1
        tally.weak_jumps += verdict.weak_jump
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
            tally.violations.append(Violation(wrong, self.case.name, child.steps))
        else:
            self._add(child)

    def _plan_of(self, step: Step) -> Plan:
        name, _, letter = step.plan.rpartition("-")
        return self._plans[name, LETTERS.index(letter)] if name else SILENT


def hash_of(state: bytes) -> int:
    return int.from_bytes(blake2b(state, digest_size=7).digest(), "little")


def _all_plans(profile: Profile, images: list[Image]) -> dict[tuple[str, int], Plan]:
    plans: dict[tuple[str, int], Plan] = {}
    for number, image in enumerate(images):
        every = say.blocks(image, profile, image.pages)
        half = say.blocks(image, profile, (image.pages + 1) // 2)
        opening = say.offer(image)
        for plan in (
            Plan("update", number, True, opening + every, say.apply()),
            Plan("survey", number, True, opening + say.survey(image, profile) + every, say.apply()),
            Plan("leave", number, True, opening + half + say.abort()),
            Plan("confirm", number, said=say.confirm(image)),
            Plan("revert", number, said=say.revert(image)),
            Plan("app-confirm", number, app=App.CONFIRM),
            Plan("app-revert", number, app=App.HOST, app_said=say.revert(image)),
        ):
            plans[plan.name, number] = plan
    return plans

