"""Which algorithm, on which flash, with which images: the one that binds, its extensions, and simpler forms that are
wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from modelling.cells import FlashRules, Layout, Part, parts_of

LETTERS = "ABC"


class Counter(StrEnum):
    """When the security counter of the device rises."""

    IN_CONFIRM = "in-confirm"
    """the core: in the CONFIRM record itself"""
    BY_LEVEL = "by-level"
    """whenever a CONFIRM record stands, the counter is at least its image's; the next record writes that down"""
    AT_APPLY = "at-apply"
    """wrong: with the decision to try"""
    AFTER_CONFIRM = "after-confirm"
    """wrong: by a record of its own, once, after the CONFIRM"""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the boot record's algorithm does. The defaults are the algorithm that binds."""

    refresh_body: bool = True
    """program the standing record's body again before it is believed"""
    refresh_seal: bool = True
    """... and its seal"""
    application_refreshes: bool = True
    """an application does so, too"""
    application_looks: bool = True
    """an application that finds an APPLY looks whether its image is in the slot"""
    supersede: bool = True
    """an interrupted walk goes on under a new record"""
    last_mark_again: bool = True
    """program the last mark that read set again where no record supersedes it"""
    offer_waits: bool = True
    """no Offer is taken during a trial"""
    offer_erases: bool = True
    """an Offer erases the other record"""
    erase_always: bool = True
    """... not only where a unit reads as used"""
    copy_always: bool = True
    """no page is left alone because it looks right"""
    copy_then_mark: bool = True
    check_before_jump: bool = True
    single_says_so: bool = True
    """a single-slot image is received under a record that says there is nothing to start"""
    single_marks_pages: bool = True
    """... with a mark for each page that is whole: a survey believes no other that came before this boot"""
    single_supersedes: bool = True
    """... and written anew before the first erase of each boot, and before the erase of a page that it vouches for"""
    single_mark_again: bool = True
    """... whose last mark that read set is programmed again before it is believed"""
    decisions_are_records: bool = True
    """Confirm and Revert; False: marks in the record of the update"""
    counter: Counter = Counter.IN_CONFIRM
    units: int = 2
    layout: Layout = Layout.WHOLE
    parts: tuple[Part, ...] = ()
    """of an erase of a unit, where no layout fits"""
    faults: bool = False
    """torn words cannot be read"""


@dataclass(frozen=True)
class Case:
    """What is explored."""

    pages: tuple[int, ...]
    """of the images A (there at first), B and C (offered)"""
    cuts: int
    """in one history, at most"""
    trials: int = 2
    single: bool = False
    """offers for a single slot are made, too"""
    misreads: int = 0
    """wrong reads in one history, at most"""
    counters: tuple[int, ...] = (1, 2, 3)
    """of the images"""
    rules: Rules = field(default_factory=Rules)

    @cached_property
    def slot_pages(self) -> int:
        """Of the primary slot: as short as fits all images, so that the longest fills it. In the single-slot case image
        B also takes the whole of both."""
        return max(pages for number, pages in enumerate(self.pages) if not self.is_long(number))

    def is_long(self, number: int) -> bool:
        """It only fits where both slots are one."""
        return self.single and number > 0 and self.pages[number] > self.pages[0]

    @cached_property
    def flash_pages(self) -> int:
        return 2 * self.slot_pages + 1

    @cached_property
    def marks(self) -> int:
        """Of one unit: seal, steps, trials; with decisions as marks those two and the steps of the way back."""
        more = 0 if self.rules.decisions_are_records else 2 + 2 * self.slot_pages
        return 1 + 2 * self.slot_pages + self.trials + more

    @cached_property
    def flash(self) -> FlashRules:
        return FlashRules(self.rules.parts or parts_of(self.rules.layout, self.marks), self.rules.faults)

    @cached_property
    def spans(self) -> dict[str, tuple[str, ...]]:
        """The pages of each image."""
        named = zip(LETTERS, self.pages, strict=False)
        return {"": ()} | {image: tuple(f"{image}{page}" for page in range(size)) for image, size in named}

    def size(self, image: str) -> int:
        """Pages of an image; none has none."""
        return len(self.spans[image])

    def counter(self, image: str) -> int:
        return self.counters[LETTERS.index(image)] if image else 0


@dataclass(frozen=True, slots=True)
class Variant:
    """A change of the rules, or a kind of flash, and what is known of it."""

    why: str
    rules: Rules
    pages: tuple[int, ...] = (2, 2, 2)
    """where it is shown"""
    caught: int = -1
    """cuts that are enough for something to go wrong; -1: nothing does"""
    single: bool = False


RIGHT = Rules()
ECC = replace(RIGHT, refresh_body=False)
"""Words with ECC are programmed once, or to zero: a seal can be programmed again, a body cannot."""

VARIANTS: dict[str, Variant] = {
    "neither-refresh-nor-supersede": Variant(
        "Recovery believes record and marks as they read, and walks on.",
        replace(RIGHT, refresh_body=False, refresh_seal=False, supersede=False, last_mark_again=False),
        caught=1,
    ),
    "nothing-refreshed": Variant(
        "Recovery writes a new record before it walks on, but does not program again the one that it believes.",
        replace(RIGHT, refresh_body=False, refresh_seal=False),
        caught=1,
    ),
    "seal-not-refreshed": Variant(
        "Recovery programs the body again, but not the seal that it believes.",
        replace(RIGHT, refresh_seal=False),
        caught=1,
    ),
    "last-mark-only": Variant(
        "Recovery programs the last mark again and walks on, without a new record that says where it stands.",
        replace(RIGHT, supersede=False),
        caught=2,
    ),
    "body-not-refreshed": Variant(
        "Recovery programs the seal again, but not the body that it seals.",
        replace(RIGHT, refresh_body=False),
        pages=(1, 1),
        caught=2,
    ),
    "application-only-looks": Variant(
        "An application answers by a record that it has read and not made firm.",
        replace(RIGHT, application_refreshes=False),
        caught=1,
    ),
    "application-believes-record": Variant(
        "An application that finds an APPLY takes itself for the image on trial, without a look at the slot.",
        replace(RIGHT, application_looks=False),
        caught=1,
    ),
    "offer-in-trial": Variant(
        "An Offer is taken while an image is on trial: it stages over the way back.",
        replace(RIGHT, offer_waits=False),
        caught=0,
    ),
    "offer-keeps-other-record": Variant(
        "An Offer does not erase the other record: what was torn there may come true after it.",
        replace(RIGHT, offer_erases=False),
        caught=1,
    ),
    "erase-only-if-used": Variant(
        "The other record is erased only if it does not read blank.", replace(RIGHT, erase_always=False), caught=1
    ),
    "skip-equal-pages": Variant(
        "A copy whose page looks right already is left out, to save an erase.",
        replace(RIGHT, copy_always=False),
        caught=1,
    ),
    "mark-before-copy": Variant(
        "A step of the walk is marked before it is done.", replace(RIGHT, copy_then_mark=False), caught=1
    ),
    "jump-unchecked": Variant(
        "An image is started without its CRC being checked.", replace(RIGHT, check_before_jump=False), caught=1
    ),
    "decisions-as-marks": Variant(
        "Confirm and Revert are marks in the record of the update instead of records.",
        replace(RIGHT, decisions_are_records=False, counter=Counter.BY_LEVEL),
        caught=1,
    ),
    "counter-at-apply": Variant(
        "The counter rises before the image is confirmed.", replace(RIGHT, counter=Counter.AT_APPLY), caught=0
    ),
    "counter-after-confirm": Variant(
        "The counter rises by a record of its own, after the CONFIRM.",
        replace(RIGHT, counter=Counter.AFTER_CONFIRM),
        caught=1,
    ),
    "single-unsaid": Variant(
        "A single-slot image is received while the record still names the old one.",
        replace(RIGHT, single_says_so=False),
        caught=0,
        single=True,
    ),
    "single-unmarked": Variant(
        "Pages of a single-slot image are not marked: a survey believes each that reads right.",
        replace(RIGHT, single_marks_pages=False, single_supersedes=False),
        pages=(1, 3, 1),
        caught=1,
        single=True,
    ),
    "single-mark-outlives-erase": Variant(
        "A single-slot image given up and begun again goes on under the record whose marks speak of the pages before.",
        replace(RIGHT, single_supersedes=False),
        pages=(1, 3, 1),
        caught=2,
        single=True,
    ),
    "single-mark-not-again": Variant(
        "A survey in place believes the last mark as it reads, and does not program it again.",
        replace(RIGHT, single_mark_again=False),
        pages=(1, 3, 1),
        single=True,
    ),
    "ecc-uncaught": Variant("A torn word of a record resets the CPU.", replace(ECC, faults=True), caught=1),
    "ecc-body-once": Variant("Faults are caught, and a body is programmed once.", ECC, (1, 1), 2),
    "ecc-third-unit": Variant("... with a third unit.", replace(ECC, units=3), (1, 1), 2),
    "ecc-seal-page-first": Variant(
        "... with the marks in a page of their own, erased before the body.",
        replace(ECC, layout=Layout.SEAL_PAGE_FIRST),
        pages=(1, 1, 1),
    ),
    "eeprom": Variant("Erased byte by byte, the body first.", replace(RIGHT, layout=Layout.BODY_FIRST), (1, 1, 1)),
    "eeprom-marks-first": Variant(
        "Erased byte by byte, the marks first.", replace(RIGHT, layout=Layout.MARKS_FIRST), (1, 1, 1)
    ),
    "counter-by-level": Variant(
        "The counter follows from the CONFIRM record that stands.", replace(RIGHT, counter=Counter.BY_LEVEL), (1, 1, 1)
    ),
}
