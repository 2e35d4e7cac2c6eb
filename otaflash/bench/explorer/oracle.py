"""What a board may do, judged from outside: by the flash at each jump and by what the host was told. Knows no core."""

from __future__ import annotations

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
RULE = "rule of the flash broken"
STUCK = "no end"
WORN = "a page was erased too often"
STRAY = "flash was written outside slots and record"

KINDS: dict[str, str] = {
    MIXED: "wrong_image", NOT_APPROVED: "wrong_image", NOT_ON_TRIAL: "wrong_image", MORE_TRIALS: "wrong_image",
    WAY_BACK: "way_back_lost", UNBOOTABLE: "unbootable", STUCK: "unbootable", RULE: "rule_broken", WORN: "worn",
    STRAY: "rule_broken",
}  # fmt: skip
"""Counter of the result that each violation counts in."""


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """The ghost after a boot, and what was wrong with it ("": nothing)."""

    ghost: Ghost
    wrong: str = ""
    weak_jump: bool = False
    """it started an image with bits that may read otherwise at the next boot"""


class Oracle:
    """Judges boots of one machine with these images; image 0 is the factory's."""

    def __init__(self, machine: Machine, images: list[Image], trials: int) -> None:
        self._machine = machine
        self._images = images
        self._trials = trials

    def after(self, ghost: Ghost, plan: Plan, boot: Boot, cuts: int) -> Verdict:
        """`cuts`: how many this history has had, a cut in this boot included."""
        ghost, wrong = self._offered(ghost, plan, boot)
        if wrong:
            return Verdict(ghost, wrong)
        ghost, weak = self._told(ghost, plan, boot), False
        for jump in boot.jumps:
            ghost, wrong, jump_weak = self._jumped(ghost, jump, cuts)
            weak |= jump_weak
            if wrong:
                return Verdict(ghost, wrong, weak)
        return Verdict(self._acted(ghost, plan, boot), self._ended(boot), weak)

    def _ended(self, boot: Boot) -> str:
        if boot.event == BoardEvent.RULE:
            return RULE
        if boot.event == BoardEvent.STUCK:
            return STUCK
        return UNBOOTABLE if boot.event != BoardEvent.CUT and boot.jumped_at < 0 else ""

    # --- what the host did and was told ------------------------------------------------------------------------

    def _offered(self, ghost: Ghost, plan: Plan, boot: Boot) -> tuple[Ghost, str]:
        """An Offer that is taken says that the image in the primary slot runs for good, and ends what was pending."""
        if boot.offered_on is None or boot.refused:
            return ghost, ""
        number, _ = self._image_of(ghost, boot.offered_on)
        ghost, wrong = self._for_good(ghost, number) if number >= 0 else (ghost, UNBOOTABLE)
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
        return (*self._for_good(ghost, number), weak)

    def _image_of(self, ghost: Ghost, jump: Jump) -> tuple[int, bool]:
        """The image in the primary slot (-1: none whole), and whether bits of it are undecided."""
        for number in (ghost.running, *ghost.pending, *range(len(self._images))):
            span = self._images[number].span
            mask = jump.weak[: len(span)]
            if any(mask):
                found = int.from_bytes(jump.flash[: len(span)], "little") ^ int.from_bytes(span, "little")
                if not found & ~int.from_bytes(mask, "little"):
                    return number, True
            elif jump.flash.startswith(span):
                return number, False
        return -1, False

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
        at, span = self._machine.secondary_at(), self._images[ghost.running].span
        return jump.flash.startswith(span, at) and not any(jump.weak[at : at + len(span)])

    def _for_good(self, ghost: Ghost, number: int) -> tuple[Ghost, str]:
        if number == ghost.running:
            if ghost.confirmed or ghost.banned >> number & 1:
                return ghost, NOT_APPROVED
            return (self._reverted(ghost) if ghost.seen or ghost.reverted else ghost), ""
        if number not in ghost.pending or not ghost.confirming or ghost.reverted or ghost.banned >> number & 1:
            return ghost, NOT_APPROVED
        banned = ghost.banned | 1 << ghost.running
        return Ghost(running=number, next=ghost.next, banned=banned, undone=ghost.undone), ""

    def _reverted(self, ghost: Ghost) -> Ghost:
        banned = ghost.banned
        for number in ghost.pending:
            banned |= 1 << number
        return Ghost(running=ghost.running, next=ghost.next, banned=banned, undone=True)


def _with_offer(ghost: Ghost, number: int) -> Ghost:
    """The host has offered and applied `number`: until a jump says which, this one or one before it may come."""
    pending = (*(other for other in ghost.pending if other != number), number)
    banned = ghost.banned & ~(1 << number)  # reverted before, it was asked for again
    following = max(ghost.next, number + 1)
    return ghost._replace(next=following, pending=pending, banned=banned, seen=False, jumps=0, undone=False)
