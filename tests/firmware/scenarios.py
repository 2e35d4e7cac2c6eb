"""One or more scenarios for each row of the state table: the board brought to where the row applies, and the request.
What must come of it is the table's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from otaflash.sim.native import BoardEvent, Wear
from otaflash.wire import messages as m
from tests.firmware.bench import (
    ANY,
    OTHER_UID,
    SMALL,
    Bench,
    Image,
    board_running,
    make_image,
    on_trial,
    on_trial_in_loader,
)
from tests.firmware.state_table import Walk

OLD = make_image(1, 5)
NEW = make_image(2, 6)
OTHER = make_image(3, 4)
WIDE = make_image(4, 9, single=True)
SINGLE = make_image(5, 6, single=True)
OTHER_SESSION = 8

Scenario = Callable[[], Walk]
SCENARIOS: dict[int, list[Scenario]] = {}


def row(*numbers: int) -> Callable[[Scenario], Scenario]:
    def add(scenario: Scenario) -> Scenario:
        for number in numbers:
            SCENARIOS.setdefault(number, []).append(scenario)
        return scenario

    return add


def in_application() -> Bench:
    """The old image runs, not on trial; its library answers."""
    bench = Bench(SMALL, OLD)
    assert bench.boot() is BoardEvent.JUMPED
    bench.start_app()
    return bench


def in_staging_application(image: Image = OLD) -> Bench:
    """The same with a library that takes an update while it runs."""
    bench = Bench(image.profile, image)
    assert bench.boot() is BoardEvent.JUMPED
    bench.start_app(stages=True)
    return bench


def just_started() -> Bench:
    """The application of the first seconds."""
    bench = Bench(SMALL, OLD)
    assert bench.boot() is BoardEvent.JUMPED
    bench.board.app_start()
    return bench


def receiving(image: Image = NEW) -> Bench:
    bench = board_running(OLD)
    bench.accept(image)
    return bench


def whole(image: Image = NEW) -> Bench:
    bench = board_running(OLD)
    bench.stage(image)
    return bench


def damaged() -> Bench:
    """All blocks are held, and one of them is wrong."""
    bench = receiving()
    data = bytearray(NEW.block(0, 16))
    data[3] ^= 0x40
    assert bench.say(m.Block(0, bytes(data))) is None
    rest = [(at, 16) for at in range(16, NEW.places, 16)]
    assert bench.give(NEW, rest).state == m.TransferState.DAMAGED
    return bench


def failed() -> Bench:
    """The flash takes nothing: the budget of voided pages is used up."""
    bench = receiving()
    bench.board.wear_out(bench.staged_page, Wear.ERASE_FAILS)
    for _ in range(9):
        bench.block(NEW, 0, 16)
    assert bench.report().state == m.TransferState.FAILED
    return bench


def swapping() -> Bench:
    """The swap did not get through: a page of the primary slot cannot be erased."""
    bench = whole()
    bench.board.wear_out(2, Wear.ERASE_FAILS)
    assert bench.ask(m.Apply(), m.ApplyReply).reason == m.Reason.OK
    assert bench.run(3.0) is BoardEvent.IDLE
    assert bench.info().boot_state == m.BootState.SWAPPING
    return bench


def reverted() -> Bench:
    bench = on_trial_in_loader(OLD, NEW)
    assert bench.revert(NEW) == m.Reason.OK
    bench.run(0.5)
    return bench


def confirmed() -> Bench:
    bench = on_trial_in_loader(OLD, NEW)
    assert bench.confirm(NEW) == m.Reason.OK
    return bench


def offer_of(**changes: object) -> m.Offer:
    return m.Offer(0, replace(NEW.manifest, **changes).pack())  # type: ignore[arg-type]


def whole_offer(image: Image) -> m.Offer:
    return m.Offer(0, image.manifest.pack())


# --- Inspect, Enter, Reboot -------------------------------------------------------------------------------


@row(1)
def inspect_for_another_device() -> Walk:
    """The unique id is another's."""
    return Walk(board_running(OLD), m.Inspect(200, 0, OTHER_UID))


@row(1)
def inspect_of_the_application_for_another_device() -> Walk:
    """The same in the application."""
    return Walk(in_application(), m.Inspect(200, 0, OTHER_UID))


@row(2)
def inspect_in_the_loader() -> Walk:
    """For whoever hears it."""
    return Walk(board_running(OLD), m.Inspect(200, 0, ANY))


@row(2)
def inspect_in_the_application() -> Walk:
    """By the very id."""
    return Walk(in_application(), m.Inspect(200, 0, b"ABCDEFGH"))


@row(2)
def inspect_without_an_image() -> Walk:
    """There is nothing to start."""
    return Walk(Bench(SMALL), m.Inspect(200, 0, ANY))


@row(2)
def inspect_while_a_swap_is_stuck() -> Walk:
    """The flash failed."""
    return Walk(swapping(), m.Inspect(200, 0, ANY))


@row(3)
def enter_for_another_device() -> Walk:
    """In the loader."""
    return Walk(board_running(OLD), m.Enter(OTHER_UID))


@row(3)
def enter_for_another_application() -> Walk:
    """In the application."""
    return Walk(in_application(), m.Enter(OTHER_UID))


@row(3)
def enter_for_all() -> Walk:
    """An id of zeros is nobody's."""
    return Walk(in_application(), m.Enter(ANY))


@row(3)
def enter_too_early() -> Walk:
    """Before it has done anything of its own."""
    return Walk(just_started(), m.Enter(b"ABCDEFGH"))


@row(4)
def enter_in_the_loader() -> Walk:
    """In the entry window."""
    return Walk(Bench(SMALL, OLD), m.Enter(b"ABCDEFGH"))


@row(5)
def enter_in_the_application() -> Walk:
    """The image is not on trial."""
    return Walk(in_application(), m.Enter(b"ABCDEFGH"))


@row(5)
def enter_on_trial() -> Walk:
    """The image is on trial."""
    return Walk(on_trial(OLD, NEW), m.Enter(b"ABCDEFGH"))


@row(6)
def reboot_for_another_device() -> Walk:
    """Neither another's id nor zeros."""
    return Walk(board_running(OLD), m.Reboot(OTHER_UID))


@row(6)
def reboot_for_all() -> Walk:
    """In the application."""
    return Walk(in_application(), m.Reboot(ANY))


@row(7)
def reboot_in_the_loader() -> Walk:
    """It does not stay afterwards."""
    return Walk(board_running(OLD), m.Reboot(b"ABCDEFGH"), then=_leaves_in_its_entry_window)


@row(7)
def reboot_in_the_application() -> Walk:
    """It does not stay afterwards."""
    return Walk(in_application(), m.Reboot(b"ABCDEFGH"), then=_leaves_in_its_entry_window)


def _leaves_in_its_entry_window(walk: Walk) -> None:
    assert walk.bench.run(1.5) is BoardEvent.JUMPED
    walk.bench.start_app()


# --- Offer ------------------------------------------------------------------------------------------------


@row(8)
def offer_to_the_application() -> Walk:
    """Whole and right."""
    return Walk(in_application(), whole_offer(NEW))


@row(9)
def offer_during_a_trial() -> Walk:
    """The secondary slot holds the way back."""
    return Walk(on_trial_in_loader(OLD, NEW), whole_offer(OTHER))


@row(9)
def offer_during_a_trial_to_the_application_that_stages() -> Walk:
    """It would overwrite its own way back."""
    bench = board_running(OLD)
    bench.stage(NEW)
    assert bench.apply() is BoardEvent.JUMPED
    bench.start_app(stages=True)
    return Walk(bench, whole_offer(OTHER))


@row(10)
def offer_while_a_swap_is_stuck() -> Walk:
    """The flash failed."""
    return Walk(swapping(), whole_offer(OTHER))


@row(11)
def offer_with_a_gap() -> Walk:
    """A part from the middle comes first."""
    return Walk(board_running(OLD), m.Offer(64, NEW.manifest.pack()[64:]))


@row(11)
def offer_with_a_late_first_part() -> Walk:
    """The first part once more when more is here already."""
    bench = board_running(OLD)
    bench.ask(m.Offer(0, NEW.manifest.pack()[:50]), m.OfferReply)
    return Walk(bench, m.Offer(0, NEW.manifest.pack()[:30]))


@row(11)
def offer_in_a_session_that_has_one() -> Walk:
    """Another manifest under the number of a running session."""
    return Walk(receiving(), whole_offer(OTHER))


@row(12)
def offer_begun() -> Walk:
    """The first part of several."""
    return Walk(board_running(OLD), m.Offer(0, NEW.manifest.pack()[:50]))


@row(12)
def offer_continued() -> Walk:
    """A part at next."""
    bench = board_running(OLD)
    bench.ask(m.Offer(0, NEW.manifest.pack()[:50]), m.OfferReply)
    return Walk(bench, m.Offer(50, NEW.manifest.pack()[50:127]))


def _bad(**changes: object) -> Scenario:
    """A manifest with one field changed."""

    def scenario() -> Walk:
        return Walk(board_running(OLD), offer_of(**changes))

    scenario.__doc__ = f"A manifest with {changes}."
    return scenario


SIGNED = m.Offer(0, replace(NEW.manifest, signature_bytes=4).pack() + b"sign")

row(13)(_bad(format=2))
row(13)(_bad(reserved=1))
row(13)(_bad(flags=2))
row(13)(_bad(pages=0))
row(13)(_bad(image_bytes=0))
row(13)(_bad(image_bytes=6 * 128 - 31))
row(13)(_bad(image_bytes=2**32 - 1))
row(14)(_bad(board=b"bench2".ljust(16, b"\0")))
row(14)(_bad(board=b"ben".ljust(16, b"\0")))
row(15)(_bad(page_bytes=256))
row(15)(_bad(slot_base=0x2000))
row(16)(_bad(pages=7))
row(16)(_bad(pages=14, flags=1))
row(19)(_bad(scheme=1))
row(19)(_bad(scheme=200))
row(19)(_bad(cipher=1))
row(20)(_bad(signature_bytes=4))


@row(13)
def offer_with_bytes_behind_its_end() -> Walk:
    """More than manifest and signature."""
    return Walk(board_running(OLD), m.Offer(0, NEW.manifest.pack() + b"x"))


@row(16)
def offer_for_the_single_slot_to_the_application_that_stages() -> Walk:
    """It runs there."""
    return Walk(in_staging_application(), whole_offer(SINGLE))


@row(17)
def offer_of_two_slots_while_one_is_in_use() -> Walk:
    """The running image covers more than its slot."""
    bench = board_running(OLD)
    bench.stage(WIDE)
    assert bench.apply() is BoardEvent.JUMPED
    bench.start_app()
    bench.enter_from_app()
    return Walk(bench, whole_offer(OTHER))


@row(18)
def offer_with_a_lower_counter() -> Walk:
    """The running image has counter 5 and no record says otherwise."""
    running = make_image(6, 4, counter=5)
    return Walk(board_running(running), whole_offer(make_image(7, 4, counter=4)))


@row(20)
def offer_with_a_signature_where_none_belongs() -> Walk:
    """Scheme none has no signature."""
    return Walk(board_running(OLD), SIGNED)


@row(21)
def offer_accepted() -> Walk:
    """In one frame, with no record before."""
    return Walk(board_running(OLD), whole_offer(NEW), image=NEW)


@row(21)
def offer_accepted_after_another() -> Walk:
    """Another image than the one staged before; the record of a confirm stands."""
    bench = confirmed()
    bench.session = OTHER_SESSION
    bench.accept(OLD)
    bench.block(OLD, 0, 16)
    bench.session = 9
    return Walk(bench, whole_offer(OTHER), image=OTHER, then=_all_is_missing)


def _all_is_missing(walk: Walk) -> None:
    assert walk.image is not None
    assert walk.bench.missing() == list(range(walk.image.places))


@row(22)
def offer_of_the_same_in_another_session() -> Walk:
    """A host that restarted offers the same again."""
    bench = receiving()
    bench.block(NEW, 0, 16)
    bench.session = OTHER_SESSION
    return Walk(bench, whole_offer(NEW), image=NEW)


@row(22)
def offer_of_the_same_after_abort() -> Walk:
    """In the same session, which the host had aborted."""
    bench = receiving()
    bench.block(NEW, 0, 16)
    assert bench.ask(m.Abort(), m.AbortReply).reason == m.Reason.OK
    return Walk(bench, whole_offer(NEW), image=NEW)
