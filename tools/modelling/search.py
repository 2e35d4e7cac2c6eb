"""Every history of a case: breadth-first over states, and in each boot every choice of host, cut and torn reading.
Knows no algorithm and no output."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from modelling.cells import JUNK, Cells, How
from modelling.rules import Case
from modelling.world import Ghost, Outcome, Plan, State, World, Wrong, first_state

CUTS = (How.BEFORE, How.TORN, How.AFTER)


class Branch(NamedTuple):
    """A boot that ended in a cut."""

    choices: tuple[int, ...]
    operation: int
    how: How
    state: State
    misreads: int
    """left"""


class Replay:
    """Chance by a list of choices; what it does not say is the first choice. `advance` turns it to the next list, until
    all have been. The boot is not cut but where `cut` says so; what a cut at each of its operations would leave is kept
    in `branches`, once for all lists that begin alike."""

    def __init__(
        self, cuts: int, misreads: int, script: Sequence[int] = (), cut: tuple[int, How] | None = None
    ) -> None:
        self.misreads = self._misreads = misreads
        self.branches: list[Branch] = []
        self._forks = cuts > 0 and cut is None
        self._cut = cut
        self._script = [[choice, choice + 1] for choice in script]
        self._at = 0
        self._fresh = 0
        self._operation = 0

    def _choose(self, count: int) -> int:
        if self._at == len(self._script):
            self._script.append([0, count])
        self._script[self._at][1] = count
        self._at += 1
        return self._script[self._at - 1][0]

    def choices(self) -> tuple[int, ...]:
        return tuple(choice for choice, _ in self._script[: self._at])

    def advance(self) -> bool:
        """Deepest first. False: there is no other list."""
        del self._script[self._at :]
        while self._script and self._script[-1][0] == self._script[-1][1] - 1:
            self._script.pop()
        self.misreads, self._at, self._operation, self.branches = self._misreads, 0, 0, []
        self._fresh = len(self._script)
        if self._script:
            self._script[-1][0] += 1
        return bool(self._script)

    def was_misread(self) -> bool:
        return self.misreads < self._misreads

    # --- chance -------------------------------------------------------------------------------------------------------

    def meets(self, left: Callable[[How], Cells], ghost: Ghost) -> How:
        operation = self._operation
        self._operation += 1
        if self._cut is not None and self._cut[0] == operation:
            return self._cut[1]
        if self._forks and self._at >= self._fresh:
            choices = self.choices()
            for how in CUTS:
                self.branches.append(Branch(choices, operation, how, State(left(how), ghost), self.misreads))
        return How.NOT

    def page(self, number: int, cell: str) -> str:
        return cell[1:] if cell != JUNK and self._choose(2) == 0 else JUNK

    def body(self, unit: int) -> bool:
        return self._choose(2) == 0

    def mark(self, unit: int, number: int) -> bool:
        return self._choose(2) == 0

    def misread(self) -> bool:
        if self.misreads == 0 or self._choose(2) == 0:
            return False
        self.misreads -= 1
        return True

    def lags(self) -> bool:
        return self._choose(2) == 1

    def plan(self, options: list[Plan]) -> Plan:
        return options[self._choose(len(options))]


class Key(NamedTuple):
    """A state, and the faults that may still come."""

    state: State
    cuts: int
    misreads: int


class Origin(NamedTuple):
    """How a state was first reached."""

    parent: Key
    choices: tuple[int, ...]
    cut: tuple[int, How] | None


@dataclass(slots=True)
class Found:
    """What a search came to."""

    states: int = 0
    boots: int = 0
    trials_most: int = 0
    """of one image in any history"""
    violations: dict[Wrong, list[str]] = field(default_factory=dict)
    """of each kind the first history: what was done, a text for each boot"""
    whole: bool = True
    """False: time ran out"""
    seconds: float = 0.0


class Search:
    """Explores one case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.found = Found()
        self._seen: dict[tuple[State, int], int] = {}
        self._queue: deque[Key] = deque()
        self._origins: dict[Key, Origin] = {}

    def run(self, seconds: float | None = None, *, first_only: bool = False) -> Found:
        """Until nothing is left, or `seconds` have passed; `first_only`: or until something is wrong."""
        began = time.monotonic()
        self._add(Key(first_state(self.case), self.case.cuts, self.case.misreads), None)
        while self._queue and not (first_only and self.found.violations):
            if seconds is not None and time.monotonic() - began >= seconds:
                self.found.whole = False
                break
            key = self._queue.popleft()
            if self._seen[key.state, key.misreads] == key.cuts:  # else it came again with more cuts left
                self._expand(key)
        self.found.seconds = time.monotonic() - began
        return self.found

    def _add(self, key: Key, origin: Origin | None) -> None:
        """A state seen with as many cuts left, or more, is left out: what it can come to is known."""
        if self._seen.get((key.state, key.misreads), -1) < key.cuts:
            self._seen[key.state, key.misreads] = key.cuts
            self._queue.append(key)
            if origin is not None:
                self._origins[key] = origin

    def _expand(self, key: Key) -> None:
        found = self.found
        chance = Replay(key.cuts, key.misreads)
        found.states += 1
        while True:
            outcome = self._boot(key, chance)
            found.boots += 1 + len(chance.branches)
            found.trials_most = max(found.trials_most, outcome.state.ghost.trials)
            for branch in chance.branches:
                child = Key(branch.state.normal(), key.cuts - 1, branch.misreads)
                self._add(child, Origin(key, branch.choices, (branch.operation, branch.how)))
            if outcome.wrong is None:
                self._add(Key(outcome.state.normal(), key.cuts, chance.misreads), Origin(key, chance.choices(), None))
            elif outcome.wrong not in found.violations:
                found.violations[outcome.wrong] = [*self.history(key), outcome.text()]
            if not chance.advance():
                return

    def _boot(self, key: Key, chance: Replay) -> Outcome:
        return World(self.case, key.state, chance, self.case.cuts - key.cuts).run(chance.was_misread)

    def history(self, key: Key) -> list[str]:
        """What was done on the way to a state, a text for each boot."""
        boots: list[str] = []
        while key in self._origins:
            key, choices, cut = self._origins[key]
            boots.append(self._boot(key, Replay(key.cuts, key.misreads, choices, cut)).text())
        return boots[::-1]
