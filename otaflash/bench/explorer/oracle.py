"""What a board may do, judged from outside: by the flash at each jump and by what the host was told. Knows no core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from otaflash.bench.explorer.images import Image
from otaflash.bench.explorer.machine import Boot, Jump, Machine, Plan
from otaflash.sim.native import BoardEvent

NOT_ON_TRIAL = "an image is on trial that was confirmed, reverted or never applied"
MORE_TRIALS = "more trials than boots and cuts"
WAY_BACK = "way back lost"
MIXED = "jump to a mixed image"
NOT_APPROVED = "jump to an image that may not run"
UNBOOTABLE = "no image is started"
NOT_TAKEN = "a push does not get through"
RULE = "rule of the flash broken"
STUCK = "no end"
WORN = "a page was erased too often"
STRAY = "flash was written outside slots and record"

KINDS: dict[str, str] = {
    MIXED: "wrong_image", NOT_APPROVED: "wrong_image", NOT_ON_TRIAL: "wrong_image", MORE_TRIALS: "wrong_image",
    WAY_BACK: "way_back_lost", UNBOOTABLE: "unbootable", NOT_TAKEN: "unbootable", STUCK: "unbootable",
    RULE: "rule_broken", STRAY: "rule_broken", WORN: "worn",
}  # fmt: skip
"""Counter of the result that each violation counts in."""


LEFT = -1
"""Among the pending images: an offer in single-slot mode that was left before its Apply; nothing comes of it."""


class Ghost(NamedTuple):
    """What is known of a history besides the flash. Images by number; sets as bit masks."""

    running: int = 0
    """the image that was last started for good"""
    next: int = 1
    """the image that a host offers next"""
    pending: tuple[int, ...] = ()
    """images that may yet come on trial"""
    banned: int = 0
    """images that may never run again"""
    seen: bool = False
    """the pending image was on trial, or Apply was answered"""
    confirming: bool = False
    """a Confirm was on its way: it may have taken or not"""
    confirmed: bool = False
    reverted: bool = False
    """... was answered"""
    jumps: int = 0
    """trials of the pending image"""
    undone: bool = False
    """a revert took or may have taken since the offer: a page more may be erased"""
    given_up: bool = False
    """a single-slot offer took or may have taken: until its image runs, the loader may wait for the host"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The ghost after a boot, and what was wrong with it ("": nothing)."""

    ghost: Ghost
    wrong: str = ""
    weak_jump: bool = False
    """it started an image with bits that may read otherwise at the next boot"""


class Oracle:
    """Judges boots of one machine with these images; image 0 is the factory's."""

    def __init__(self, machine: Machine, images: list[Image], trials: int, *, single: bool, defect: bool) -> None:
        """`single`: every offer is for single-slot mode; `defect`: flash may fail for good, see `_may_wait`."""
        self._machine = machine
        self._images = images
        self._trials = trials
        self._single = single
        self._defect = defect
        self._found: dict[int, list[tuple[int, bool]]] = {}
        self._backs: dict[tuple[int, int], bool] = {}
        self._secondary = 0 if single else _secondary_at(machine)

    def after(self, ghost: Ghost, plan: Plan, boot: Boot, cuts: int) -> Verdict:
        """`cuts`: how many this history has had, a cut in this boot included."""
        ghost, wrong = self._offered(ghost, plan, boot)
        if wrong:
            return Verdict(ghost, wrong)
        ghost, weak = self._told(ghost, plan, boot), False
        for number, jump in enumerate(boot.jumps):
            if number == 1:
                ghost = self._acted(ghost, plan, boot)  # the application, between one start and the next
            ghost, wrong, jump_weak = self._jumped(ghost, jump, cuts)
            weak |= jump_weak
            if wrong:
                return Verdict(ghost, wrong, weak)
        if len(boot.jumps) < 2:
            ghost = self._acted(ghost, plan, boot)
        return Verdict(ghost, self._ended(ghost, boot), weak)

    def _ended(self, ghost: Ghost, boot: Boot) -> str:
        if boot.event == BoardEvent.RULE:
            return RULE
        if boot.event == BoardEvent.STUCK:
            return STUCK
        if boot.stray:
            return STRAY
        return UNBOOTABLE if boot.waits and not self._may_wait(ghost) else ""

    def _may_wait(self, ghost: Ghost) -> bool:
        """For the host whose single-slot push was cut; on a board whose flash fails, in or after a swap."""
        return ghost.given_up or (self._defect and (bool(ghost.pending) or ghost.undone))

    def taken(self, ghost: Ghost, plan: Plan, boot: Boot) -> str:
        """Of a boot without a fault: an offer is refused only where a trial is pending; and a single-slot push, which
        alone leads out of the loader, runs in the end."""
        if boot.refused and not ghost.pending and not self._defect:
            return NOT_TAKEN
        if not self._single or not plan.then or boot.refused:
            return ""
        ran = boot.jumps and self._image_of(Ghost(running=plan.image), boot.jumps[-1])[0] == plan.image
        return "" if boot.applied and ran else NOT_TAKEN

    # --- what the host did and was told ------------------------------------------------------------------------

    def _offered(self, ghost: Ghost, plan: Plan, boot: Boot) -> tuple[Ghost, str]:
        """An Offer that is taken says that the image in the primary slot runs for good, and ends what was pending."""
        if boot.offered_on is None or boot.refused:
            return ghost, ""
        if self._single:
            offered = ghost._replace(given_up=True)
            if plan.then:
                return _with_offer(offered, plan.image), ""
            return offered._replace(pending=(*(number for number in ghost.pending if number != LEFT), LEFT)), ""
        number, _ = self._image_of(ghost, boot.offered_on)
        if number < 0:
            return ghost, "" if self._may_wait(ghost) else UNBOOTABLE
        ghost, wrong = self._for_good(ghost, number)
        if boot.accepted:
            ghost = ghost._replace(pending=())
        return (_with_offer(ghost, plan.image) if plan.then and not wrong else ghost), wrong

    def _told(self, ghost: Ghost, plan: Plan, boot: Boot) -> Ghost:
        if not boot.spoken:
            return ghost
        if plan.name == "confirm":
            ghost = ghost._replace(confirming=True, confirmed=ghost.confirmed or boot.confirmed)
        if plan.name == "revert" and ghost.pending:
            ghost = ghost._replace(undone=True, reverted=ghost.reverted or boot.reverted)
        if boot.applied:
            ghost = ghost._replace(pending=(plan.image,), seen=True)
        return ghost

    def _acted(self, ghost: Ghost, plan: Plan, boot: Boot) -> Ghost:
        if not boot.acted or not ghost.pending:
            return ghost
        if plan.name in {"app-confirm", "app-told"}:
            return ghost._replace(confirming=True, confirmed=ghost.confirmed or boot.confirmed)
        return ghost._replace(undone=True, reverted=ghost.reverted or boot.reverted)

    # --- what it started -----------------------------------------------------------------------------------------

    def _jumped(self, ghost: Ghost, jump: Jump, cuts: int) -> tuple[Ghost, str, bool]:
        number, weak = self._image_of(ghost, jump)
        if number < 0:
            return ghost, MIXED, weak
        if jump.trial:
            return (*self._on_trial(ghost, jump, number, cuts), weak)
        if self._single:
            return (*self._in_place(ghost, number, weak), weak)
        return (*self._for_good(ghost, number), weak)

    def _image_of(self, ghost: Ghost, jump: Jump) -> tuple[int, bool]:
        """The image in the primary slot (-1: none whole), and whether bits of it are undecided."""
        found = self._found.get(jump.state)
        if found is None:
            found = self._found[jump.state] = list(self._images_in(jump.state))
        if len(found) < 2:
            return found[0] if found else (-1, False)
        by_number = dict(found)
        likely = (ghost.running, *ghost.pending, *by_number)
        return next((number, by_number[number]) for number in likely if number in by_number)

    def _images_in(self, state: int) -> Iterator[tuple[int, bool]]:
        """Every image that the primary slot may read as."""
        values, weak = self._machine.cells(state)
        for number, image in enumerate(self._images):
            count = len(image.span)
            mask = weak[:count]
            if not any(mask):
                if values.startswith(image.span):
                    yield number, False
            elif not (_number(values[:count]) ^ _number(image.span)) & ~_number(mask):
                yield number, True

    def _on_trial(self, ghost: Ghost, jump: Jump, number: int, cuts: int) -> tuple[Ghost, str]:
        if number not in ghost.pending or ghost.banned >> number & 1 or ghost.confirmed or ghost.reverted:
            wrong = NOT_ON_TRIAL
        elif not self._way_back(ghost, jump):
            wrong = WAY_BACK
        else:
            wrong = MORE_TRIALS if ghost.jumps + 1 > self._most_trials(cuts) else ""
        return ghost._replace(pending=(number,), seen=True, jumps=ghost.jumps + 1), wrong

    def _most_trials(self, cuts: int) -> int:
        """N boots and one for each cut. Where a first cut tears the walk's last mark and a second the seal of the
        record that supersedes it, that seal may read as clear for N boots and as set later: N boots twice."""
        return max(self._trials + cuts, 2 * self._trials if cuts > 1 else 0)

    def _way_back(self, ghost: Ghost, jump: Jump) -> bool:
        """The old image stands whole in the secondary slot, and surely so."""
        key = (jump.state, ghost.running)
        if key not in self._backs:
            at, span = self._secondary, self._images[ghost.running].span
            values, weak = self._machine.cells(jump.state)
            self._backs[key] = values.startswith(span, at) and not any(weak[at : at + len(span)])
        return self._backs[key]

    def _for_good(self, ghost: Ghost, number: int) -> tuple[Ghost, str]:
        if number == ghost.running:
            if ghost.confirmed or ghost.banned >> number & 1:
                return ghost, NOT_APPROVED
            return (self._reverted(ghost) if ghost.seen or ghost.reverted else ghost), ""
        if number not in ghost.pending or not ghost.confirming or ghost.reverted or ghost.banned >> number & 1:
            return ghost, NOT_APPROVED
        banned = ghost.banned | 1 << ghost.running
        return Ghost(running=number, next=ghost.next, banned=banned, undone=ghost.undone), ""

    def _in_place(self, ghost: Ghost, number: int, weak: bool) -> tuple[Ghost, str]:
        """In single-slot mode: the image that ran, as long as it is whole, or one that was applied."""
        if number == ghost.running:
            return ghost, ""
        if number not in ghost.pending:
            return ghost, NOT_APPROVED
        later = ghost.pending[ghost.pending.index(number) + 1 :]  # its record may be torn, and not have been seen
        return Ghost(running=number, next=ghost.next, pending=later, given_up=weak or bool(later)), ""

    def _reverted(self, ghost: Ghost) -> Ghost:
        banned = ghost.banned
        for number in ghost.pending:
            banned |= 1 << number
        return Ghost(running=ghost.running, next=ghost.next, banned=banned, undone=True)


def _number(cells: bytes) -> int:
    return int.from_bytes(cells, "little")


def _secondary_at(machine: Machine) -> int:
    """Where the secondary slot begins in the cells that count."""
    return machine.pages.index(machine.profile.slot_pages) * machine.profile.page_bytes


def _with_offer(ghost: Ghost, number: int) -> Ghost:
    """The host has offered and applied `number`: until a jump says which, this one or one before it may come."""
    pending = (*(other for other in ghost.pending if other != number), number)
    banned = ghost.banned & ~(1 << number)  # reverted before, it was asked for again
    following = max(ghost.next, number + 1)
    return ghost._replace(next=following, pending=pending, banned=banned, seen=False, jumps=0, undone=False)
