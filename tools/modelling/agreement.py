"""Model and core side by side: the same boot in both, and the flash compared after each of its operations, whole and
torn. Knows both, and prints nothing."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from modelling.cells import JUNK, Cells, How
from modelling.core import READINGS, Core, Seen, board_for, parts_on
from modelling.rules import Case
from modelling.world import SILENT, Ghost, Outcome, Plan, State, World, first_state
from otaflash.sim.native import BoardEvent, Weak


class Script:
    """Chance of one boot that the core shares: how its torn cells read, and what is planned. The boot is not cut; what
    a cut at each operation would leave is kept."""

    def __init__(self, plan: Plan, then: Plan, seen: Seen) -> None:
        self.options: list[Plan] = []
        """of the host"""
        self.then: list[Plan] = []
        """of the application of an update"""
        self.after: list[State] = []
        self.torn: list[State] = []
        self.begins_at = 0
        """operations before the plan made a difference"""
        self._plan = plan
        self._then = then
        self._seen = seen

    def meets(self, left: Callable[[How], Cells], ghost: Ghost) -> How:
        self.torn.append(State(left(How.TORN), ghost))
        self.after.append(State(left(How.AFTER), ghost))
        return How.NOT

    def page(self, number: int, cell: str) -> str:
        return self._seen.pages.get(number, JUNK)

    def body(self, unit: int) -> bool:
        return self._seen.bodies[unit]

    def mark(self, unit: int, number: int) -> bool:
        return self._seen.marks[unit, number]

    def misread(self) -> bool:
        return False

    def lags(self) -> bool:
        """All messages lie on the line, and the core digests when nothing is there."""
        return True

    def plan(self, options: list[Plan]) -> Plan:
        if not self.options:
            self.options, self.begins_at = options, len(self.after)
            return self._plan
        self.then = options
        self.begins_at = self.begins_at if self._then == SILENT else len(self.after)
        return self._then


class Node(NamedTuple):
    """The same state in both."""

    core: int
    model: State
    cuts: int
    """left"""
    steps: tuple[str, ...]
    """how it was reached"""


@dataclass(slots=True)
class Agreement:
    """What a comparison came to."""

    states: int = 0
    boots: int = 0
    """of the core"""
    operations: int = 0
    """after which both were compared"""
    plans: set[str] = field(default_factory=set)
    differences: list[str] = field(default_factory=list)


class Comparison:
    """Boots of both from the same states. Every cut of every boot is made; `sample`: only that share of them, drawn
    from `seed`."""

    def __init__(self, case: Case, core: Core, *, sample: float = 1.0, seed: int = 1) -> None:
        self.case = case
        self.core = core
        self.found = Agreement()
        self._sample = sample
        self._draw = random.Random(seed)
        self._seen: dict[tuple[object, ...], int] = {}
        self._queue: deque[Node] = deque()

    def run(self, most_differences: int = 1) -> Agreement:
        self._add(Node(self.core.first_state(), first_state(self.case), self.case.cuts, ()))
        while self._queue and len(self.found.differences) < most_differences:
            self._expand(self._queue.popleft())
        return self.found

    def _add(self, node: Node) -> None:
        """Records written for ever make no new states; how torn cells read makes them."""
        seen = self.core.see(node.core)
        readings = (*seen.pages.items(), *seen.bodies.items(), *seen.marks.items())
        key = (node.model.normal(), readings)
        if self._seen.get(key, -1) < node.cuts:
            self._seen[key] = node.cuts
            self._queue.append(node)

    def _expand(self, node: Node) -> None:
        self.found.states += 1
        if not self._same(node, "state", self.core.see(node.core).cells, node.model.cells):
            return
        for weak in READINGS if self.core.machine.is_weak(node.core) else READINGS[:1]:
            silent = self._boot(node, weak, SILENT)
            for plan in silent.options[1:]:
                done = self._boot(node, weak, plan)
                for then in done.then[1:]:
                    self._boot(node, weak, plan, then)

    def _boot(self, node: Node, weak: Weak, plan: Plan, then: Plan = SILENT) -> Script:
        """One boot whole, then cut after and in each operation from where the plan begins."""
        script = Script(plan, then, self.core.see(node.core, weak))
        world = World(self.case, node.model, script, self.case.cuts - node.cuts)
        outcome = world.run(lambda: False)
        acts = plan.act.value if then == SILENT else f"{plan.act.value}+{then.act.value}"
        name = f"{acts}{'-' * bool(plan.image)}{plan.image}:{weak.name.lower()}"
        boot = self.core.boot(node.core, plan, then, weak)
        self.found.boots += 1
        self.found.plans |= {plan.act.value, then.act.value}
        here = node._replace(steps=(*node.steps, name))
        core_did = (BoardEvent(boot.event) == BoardEvent.RULE, boot.operations, self.core.jumps(boot))
        same = self._same(here, "boot", core_did, self._model_did(outcome, script))
        if same and self._same(here, "end", self.core.see(boot.state).cells, outcome.state.cells):
            self._add(Node(boot.state, outcome.state, node.cuts, here.steps))
            self._cuts(here, weak, plan, then, script)
        return script

    def _model_did(self, outcome: Outcome, script: Script) -> tuple[bool, int, tuple[tuple[str, bool], ...]]:
        return outcome.wrong is not None, len(script.after), outcome.jumps

    def _cuts(self, node: Node, weak: Weak, plan: Plan, then: Plan, script: Script) -> None:
        first = 0 if plan == SILENT else script.begins_at
        for operation in range(first, len(script.after)):
            for how, left in ((How.AFTER, script.after[operation]), (How.TORN, script.torn[operation])):
                if self._sample < 1 and self._draw.random() >= self._sample:
                    continue
                boot = self.core.boot(node.core, plan, then, weak, (operation, how))
                self.found.boots += 1
                self.found.operations += 1
                here = node._replace(steps=(*node.steps[:-1], f"{node.steps[-1]}:{operation}:{how.name.lower()}"))
                core_did = int(boot.event), self.core.see(boot.state).cells
                same = self._same(here, "cut", core_did, (BoardEvent.CUT, left.cells))
                if same and node.cuts > 0:
                    self._add(Node(boot.state, left, node.cuts - 1, here.steps))

    def _same(self, node: Node, what: str, core: object, model: object) -> bool:
        if core != model:
            self.found.differences.append(f"{' '.join(node.steps)}: {what}\n  core  {core}\n  model {model}")
        return core == model


def compare(case: Case, *, sample: float = 1.0, seed: int = 1, page_bytes: int = 128, mark_bytes: int = 1) -> Agreement:
    """Compares both on a board with such pages and marks."""
    board = board_for(case, page_bytes=page_bytes, mark_bytes=mark_bytes)
    rules = replace(case.rules, parts=parts_on(board, case.marks))
    case = replace(case, rules=rules)
    return Comparison(case, Core(case, board, seed), sample=sample, seed=seed).run()
