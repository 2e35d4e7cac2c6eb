"""The switches of a board under test: its power, and what its next program does. Know no host and no file."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from otaflash.engine import Event, PhaseChanged, Progress
from otaflash.errors import UsageError
from otaflash.sim.app import Application, Behaviour
from otaflash.sim.native import Cut, NativeBoard
from otaflash.sim.profiles import Profile
from otaflash.sim.station import Place, Station
from otaflash.sim.world import World

HOWS = {"before": Cut.BEFORE, "torn": Cut.TORN, "after": Cut.AFTER}
"""Where in a flash operation the power goes."""

PHASES = ("transfer", "swap", "trial", "confirm")


@dataclass(frozen=True, slots=True)
class _Planned:
    operation: int
    how: str
    why: str


class PowerSwitch:
    """Power on and off, and cuts that come by themselves. After a cut the power is away for one second.

    A cut that was planned and never came is told when the test ends (`cut-never-came`): a test that means to cut the
    power and does not would pass for nothing.
    """

    def __init__(self, world: World, station: Station, native: NativeBoard) -> None:
        self._world = world
        self._station = station
        self._native = native
        self._planned: deque[_Planned] = deque()
        self._phases: list[str] = []
        self._timed = 0
        self._by_hand = False

    @property
    def is_on(self) -> bool:
        """Whether the board has power."""
        return self._station.place is not Place.OFF

    @property
    def cuts(self) -> int:
        """How often the power has failed or was switched off."""
        return len(self._station.counters.cuts)

    def off(self) -> None:
        """Power goes now, and stays away until `on`."""
        self._by_hand |= self.is_on
        self._station.switch_off()

    def on(self) -> None:
        """Power comes back: the loader starts, and needs time (`Board.wait`) until the program runs."""
        self._station.switch_on()

    def cut_at_operation(self, operation: int, how: str = "torn") -> None:
        """Cuts the power at a flash operation (an erase or a write) from now on, 0 the next one.

        `how`: "before" it, in the middle of it ("torn"), or "after" it. Called again, it plans the cut after that: the
        second counts from the moment when the power is back. Raises UsageError (bad-cut).
        """
        if how not in HOWS:
            raise _bad_cut(f"how={how!r}", f"one of {', '.join(HOWS)}")
        if operation < 0:
            raise _bad_cut(f"operation {operation}", "an operation from 0 on")
        self._plan(_Planned(operation, how, f"at flash operation {operation} ({how})"))

    def cut_after(self, seconds: float) -> None:
        """Cuts the power `seconds` of virtual time from now, between two flash operations.

        Raises UsageError (bad-cut)."""
        if not seconds >= 0:
            raise _bad_cut(f"{seconds} s", "a time from 0 on")
        self._timed += 1
        self._world.clock.at(self._world.now + seconds, self._cut_by_time)

    def cut_during(self, phase: str) -> None:
        """Cuts the power in a phase of the next push, once.

        "transfer": a flash operation is torn when half of the image has come; "swap": one in the middle of the swap;
        "trial": the power goes while the new program runs, unconfirmed; "confirm": the writing of the confirmation is
        torn. Raises UsageError (bad-cut).
        """
        if phase not in PHASES:
            raise _bad_cut(f"phase {phase!r}", f"one of {', '.join(PHASES)}")
        self._phases.append(phase)

    def follow(self, event: Event, swap_pages: int) -> None:
        """Told of each event of a push, and how many pages its swap walks."""
        match event:
            case Progress() if 2 * event.done_bytes >= event.total_bytes:
                self._tear("transfer", 0)
            case PhaseChanged(name="apply"):
                self._tear("swap", swap_pages * steps_a_page(self._native.profile) // 2)
            case PhaseChanged(name="confirm"):
                self._tear("confirm", 0)
                if self._take("trial"):
                    self._cut_now()

    def came_back(self) -> None:
        """To be called at each power-up: what is planned counts from here, also when it was cut by hand meanwhile."""
        if self._planned and not self._by_hand:
            self._planned.popleft()
        self._by_hand = False
        if self._planned:
            self._native.plan_cut(self._planned[0].operation, HOWS[self._planned[0].how])

    def missed(self) -> list[str]:
        """What was planned and has not come."""
        timed = ["by time"] * self._timed
        return [*(plan.why for plan in self._planned), *(f"during {phase}" for phase in self._phases), *timed]

    def _take(self, phase: str) -> bool:
        if phase not in self._phases:
            return False
        self._phases.remove(phase)
        return True

    def _tear(self, phase: str, operation: int) -> None:
        if self._take(phase):
            self._plan(_Planned(operation, "torn", f"during {phase}"))

    def _plan(self, plan: _Planned) -> None:
        self._planned.append(plan)
        if len(self._planned) == 1 and self.is_on:
            self._native.plan_cut(self._native.operations + plan.operation, HOWS[plan.how])

    def _cut_by_time(self) -> None:
        if self.is_on:
            self._timed -= 1
            self._cut_now()

    def _cut_now(self) -> None:
        self._by_hand = True
        self._station.cut_power()


class ApplicationSwitch:
    """What the program that is pushed next does once it runs; programs that are on the board keep what they do.

    Without a word it works: it answers the host, and leaves the confirmation to it.
    """

    def __init__(self) -> None:
        self.next = Application()

    def never_confirms(self) -> None:
        """It works, and does not confirm itself: the host does, or nobody."""
        self.next = Application()

    def confirms_after(self, seconds: float) -> None:
        """It works, and confirms itself so many seconds after its start."""
        self.next = Application(confirm_after_s=seconds)

    def hangs(self) -> None:
        """It does nothing, not even feed the watchdog, which resets the board after two seconds of a trial."""
        self.next = Application(Behaviour.HANG)

    def crashes(self, after_s: float = 0.1) -> None:
        """It resets the board so long after each start."""
        self.next = Application(Behaviour.CRASH, crash_after_s=after_s)

    def is_silent(self) -> None:
        """It runs, and answers nothing: a program without the application library."""
        self.next = Application(Behaviour.SILENT)


def steps_a_page(made: Profile) -> int:
    """Flash operations of the swap for one page: two copies, each an erase, its writes and a mark."""
    return 2 * (1 + made.page_bytes // made.chunk_bytes + 1)


def _bad_cut(what: str, wanted: str) -> UsageError:
    return UsageError("bad-cut", f"{what} is no cut", remedy=f"Give {wanted}.")
