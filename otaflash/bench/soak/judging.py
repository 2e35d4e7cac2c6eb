"""Says what was wrong with a run: by the flash, looked at from outside, and a ledger of what was ordered.
Asks no engine whether it was right, and no core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from otaflash.bench.soak.images import Made
from otaflash.bench.soak.looking import Looking, Started
from otaflash.bench.soak.scenario import FACTORY
from otaflash.engine import Operation, Result
from otaflash.errors import ExitCode, Fault, OtaflashError
from otaflash.wire.messages import BootState

WRONG_IMAGE = "wrong_images"
FALSE_SUCCESS = "false_successes"
STUCK = "stuck"
WAY_BACK = "way_back_lost"
UNBOOTABLE = "unbootable"
NOT_RECOVERED = "not_recovered"
REFUSAL = "refusals_not_clean"
WORN = "worn"
CRASHED = "internal_errors"
KINDS = (WRONG_IMAGE, FALSE_SUCCESS, STUCK, WAY_BACK, UNBOOTABLE, NOT_RECOVERED, REFUSAL, WORN, CRASHED)
"""Counters of the result; each must be 0."""

RAN_WITHIN_S = 5.0
"""What an answer says was so when it left the board; with another host about, no longer when it comes."""

TOUCHES = ("apply", "confirm", "revert")


@dataclass(frozen=True, slots=True)
class Wrong:
    """One violation: which counter it goes into, when, and what was seen."""

    kind: str
    at_s: float
    text: str


class Judge:
    """Told of all that can be seen from outside; `wrongs` is what did not hold.

    The ledger: `running` was the last to run for good; `applied` were ordered to be tried since, `confirming` to be
    kept. A board may start nothing else.
    """

    def __init__(self, images: Sequence[Made], looking: Looking, trials: int, now: Callable[[], float]) -> None:
        self.wrongs: list[Wrong] = []
        self.running = FACTORY
        self.applied: set[int] = set()
        self.cuts = 0
        self.sessions: set[int] = set()
        self.reverts = 0
        self._images = images
        self._looking = looking
        self._trials = trials
        self._now = now
        self._confirming: set[int] = set()
        self._tried: dict[int, int] = {}
        self._applying: set[int] = set()
        """Sessions in which apply was ordered."""
        self._single_begun = False
        self._has_way_back = True
        """False: an image without a trial had begun to take the only slot; there is nothing to go back to."""
        self._counter = images[FACTORY].spec.counter
        self._history: list[tuple[float, int]] = []

    def wrong(self, kind: str, text: str) -> None:
        """Notes what must not happen, with its kind, at the time that it is."""
        self.wrongs.append(Wrong(kind, self._now(), text))

    # --- what is ordered ------------------------------------------------------------------------------------------

    def offered(self, number: int) -> None:
        """A host has begun to bring this image."""
        self._single_begun |= self._images[number].spec.single_slot

    def ordered(self, what: str, number: int, session: int) -> None:
        """A frame with offer, apply, confirm or revert for that image has left a host; -1: it is not known."""
        if what == "offer":
            self.sessions.add(session)
        elif what == "apply":
            if session not in self._applying:
                self._offer_was_taken()
            self._applying.add(session)
            self.applied.add(number)
            self._tried[number] = 0
        elif what == "confirm":
            self._confirming.add(number)
        else:
            self.reverts += 1

    def _offer_was_taken(self) -> None:
        """None is while an image is on trial: what stands in the primary slot then runs for good, seen or not."""
        stands = self._looking.primary()
        if stands is not None and stands != self.running and self._may_be_kept(stands):
            if self._images[stands].spec.single_slot:  # whole, but whether its apply was taken nobody saw
                self._has_way_back = False
                return
            self._settle(stands)
        # Of an image that was given up for the single slot all bytes may still be there; no record names it any more.
        self._has_way_back = stands == self.running and not self._single_begun

    def _may_be_kept(self, number: int) -> bool:
        spec = self._images[number].spec
        asked = number in self._confirming or spec.single_slot or spec.confirm_after_s is not None
        return number in self.applied and asked and not spec.unfit

    # --- what the board does --------------------------------------------------------------------------------------

    def jumped(self, trial: bool) -> int | None:
        """The loader starts what is in the primary slot. Returns which image that is."""
        number = self._looking.primary()
        if number is None:
            self.wrong(WRONG_IMAGE, "started what is no image that was ever offered")
            return None
        self._history.append((self._now(), number))
        if trial:
            self._on_trial(number)
        else:
            self._for_good(number)
        return number

    def _on_trial(self, number: int) -> None:
        name = self._name(number)
        tried = self._tried[number] = self._tried.get(number, 0) + 1
        if self._images[number].spec.unfit or number not in self.applied:
            self.wrong(WRONG_IMAGE, f"tries {name}, which was not to be applied")
        elif self._images[number].spec.counter < self._counter:
            self.wrong(WRONG_IMAGE, f"tries {name}, whose counter is below the board's")
        elif self._has_way_back and not self._looking.way_back(self.running):
            self.wrong(WAY_BACK, f"tries {name}, and {self._name(self.running)} is not whole in the other slot")
        elif tried > max(self._trials + self.cuts, 2 * self._trials if self.cuts > 1 else 0):
            self.wrong(WRONG_IMAGE, f"tries {name} for the {tried}th time after {self.cuts} cuts")

    def _for_good(self, number: int) -> None:
        if number == self.running:
            if any(self._tried.get(other) for other in self.applied - {number}):  # they were tried and given up
                self._settle(number)
            return
        if not self._may_be_kept(number):
            self.wrong(WRONG_IMAGE, f"runs {self._name(number)} for good, which was not to be kept")
        self._settle(number)

    def _settle(self, number: int) -> None:
        self.running = number
        self.applied.clear()
        self._confirming.clear()
        self._tried.clear()
        self._single_begun = False
        self._has_way_back = True
        """False: an image without a trial had begun to take the only slot; there is nothing to go back to."""
        self._counter = max(self._counter, self._images[number].spec.counter)

    # --- what a host says -----------------------------------------------------------------------------------------

    def said_done(self, result: Result, order: Operation | None, number: int, *, confirm: bool, alone: bool) -> None:
        """A host reports success: of a push (`order` None) of image `number`, or of a request. `alone`: no other host
        gave orders meanwhile."""
        info = result.info
        claimed = next((made.number for made in self._images if made.crc == info.image_crc), None)
        kept = info.boot_state == BootState.IDLE
        if order is None and self._images[number].spec.unfit:
            self.wrong(FALSE_SUCCESS, f"says that {self._name(number)} runs, which had to be refused")
        elif order is None and claimed != number:
            self.wrong(FALSE_SUCCESS, f"says done for {self._name(number)}, and names {self._name(claimed)}")
        elif (confirm if order is None else order in (Operation.CONFIRM, Operation.REVERT)) and not kept:
            self.wrong(FALSE_SUCCESS, f"says done, and {self._name(claimed)} is not confirmed")
        elif info.image_bytes and info.boot_state in (BootState.IDLE, BootState.TRIAL):
            self._hold_to(claimed, kept=kept, reverted=order is Operation.REVERT, alone=alone)

    def _hold_to(self, number: int | None, *, kept: bool, reverted: bool, alone: bool) -> None:
        """What was reported must be so now, and after one more power cycle."""
        started = self._looking.after_power_cycle()
        if self._looking.primary() != number or number is None:
            if (alone and kept) or number not in self._lately():  # a trial may end while its report is on its way
                self.wrong(FALSE_SUCCESS, f"says that {self._name(number)} runs; it does not")
            return
        if kept and (started.number != number or started.trial) and alone and not self._lurks(started):
            self.wrong(
                FALSE_SUCCESS, f"says that {self._name(number)} is kept; after a power cycle {self._told(started)}"
            )
        given_up = not started.jumped and not self._has_way_back
        if not kept and started.number not in (number, self.running) and alone and not given_up:
            self.wrong(FALSE_SUCCESS, f"says {self._name(number)} is tried; after a power cycle {self._told(started)}")
        # Another host may have an Apply on its way, which this report knows nothing of.
        if alone and kept and started.number == number and not started.trial and (number in self.applied or reverted):
            self._settle(number)

    def _lurks(self, started: Started) -> bool:
        """An apply that a cut tore may read either way, and bring its image on trial after all, until another is
        offered. The report was true when it left, and the order was given; it is a trial like any other."""
        return started.trial and started.number in self.applied and started.number not in self._tried_lately()

    def _tried_lately(self) -> set[int]:
        return {number for number, times in self._tried.items() if times}

    def _lately(self) -> set[int]:
        """What ran in the last RAN_WITHIN_S: started since, or before and not replaced since."""
        ran: set[int] = set()
        for at_s, number in reversed(self._history):
            ran.add(number)
            if at_s < self._now() - RAN_WITHIN_S:
                return ran
        return ran | {FACTORY}  # it stood there before the first start

    def said_failed(self, error: OtaflashError, number: int, *, alone: bool) -> None:
        """A host reports a failure by name."""
        if error.fault is Fault.OURS or error.exit_code in (ExitCode.OK, ExitCode.INTERNAL):
            self.wrong(CRASHED, f"{error.reason}: {error.text}")
        if error.reason == "not-confirmed" and alone and self._looking.primary() == number:
            self.wrong(FALSE_SUCCESS, f"says that {self._name(number)} was given up; it runs")

    # --- looks in between -----------------------------------------------------------------------------------------

    def rested(self) -> None:
        """Nobody speaks to the board: power it up again and again, and it must come to rest with an approved image.
        One that was not confirmed is back then."""
        tried = 0
        for started in self._looking.power_cycles():
            number = started.number
            if number is None:
                if started.jumped or (self._has_way_back and not self._single_begun):
                    self.wrong(UNBOOTABLE, f"after a power cycle {self._told(started)}")
                return
            tried += started.trial
            if not started.trial:
                if number != self.running and not self._may_be_kept(number):
                    self.wrong(WRONG_IMAGE, f"unconfirmed, and after power cycles {self._told(started)}")
                return
        self.wrong(UNBOOTABLE, f"still tries after {tried} power cycles")

    def wear(self, erases: Sequence[int], *, worn: bool) -> None:
        """Two erases for an update, one more for a revert, one more for each cut or repair; a session voids at most
        eight pages, which a page that is worn from the start takes all for itself."""
        bound = (12 if worn else 4) * (len(self.sessions) + 1) + 2 * self.reverts + 3 * self.cuts
        most = max(erases)
        if most > bound:
            page = list(erases).index(most)
            self.wrong(WORN, f"page {page} was erased {most} times, {bound} were the most expected")

    def _name(self, number: int | None) -> str:
        return "no image" if number is None else "the factory image" if number == FACTORY else f"image {number}"

    def _told(self, started: Started) -> str:
        if not started.jumped:
            return "it starts nothing"
        return f"it starts {self._name(started.number)}{' on trial' if started.trial else ''}"
