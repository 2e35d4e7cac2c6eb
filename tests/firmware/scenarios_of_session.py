"""Scenarios for the rows from Block to Apply: what happens in a session."""

from __future__ import annotations

from dataclasses import replace

from otaflash.sim.native import BoardEvent
from otaflash.wire import messages as m
from tests.firmware.bench import STALLS, Bench, Raw, board_running, make_image
from tests.firmware.scenarios import (
    NEW,
    OLD,
    OTHER,
    OTHER_SESSION,
    SINGLE,
    damaged,
    failed,
    in_application,
    in_staging_application,
    receiving,
    row,
    whole,
)
from tests.firmware.state_table import Walk

STALLED = make_image(2, 6, of=STALLS)

FIRST_PAGE = m.Block(0, NEW.block(0, 16))


# --- Block ------------------------------------------------------------------------------------------------


@row(23)
def block_of_another_session() -> Walk:
    """The old host goes on sending."""
    return Walk(receiving(), FIRST_PAGE, session=OTHER_SESSION)


@row(23)
def block_without_an_offer() -> Walk:
    """Nothing was offered."""
    return Walk(board_running(OLD), FIRST_PAGE)


@row(23)
def block_before_the_offer_is_whole() -> Walk:
    """Half the manifest is here."""
    bench = board_running(OLD)
    bench.ask(m.Offer(0, NEW.manifest.pack()[:64]), m.OfferReply)
    return Walk(bench, FIRST_PAGE)


@row(23)
def block_to_the_application() -> Walk:
    """It stages nothing."""
    return Walk(in_application(), FIRST_PAGE)


@row(24)
def block_past_the_image() -> Walk:
    """Its last place is the first that the image does not have."""
    return Walk(receiving(), m.Block(NEW.places - 1, bytes(16)))


@row(24)
def block_far_past_the_image() -> Walk:
    """The greatest place there is."""
    return Walk(receiving(), m.Block(0xFFFF, bytes(8)))


@row(24)
def block_of_half_a_block() -> Walk:
    """Data that is no whole number of blocks."""
    return Walk(receiving(), m.Block(0, bytes(12)))


@row(24)
def block_in_an_unknown_encoding() -> Walk:
    """Reserved: compressed."""
    return Walk(receiving(), m.Block(0, NEW.block(0, 16), encoding=1))


@row(24)
def block_shorter_than_a_place() -> Walk:
    """Not even a place."""
    return Walk(receiving(), Raw(m.Kind.BLOCK, b"\0"))


@row(25)
def block_held() -> Walk:
    """The same bytes again."""
    bench = receiving()
    bench.block(NEW, 0, 16)
    return Walk(bench, FIRST_PAGE)


@row(25)
def block_held_with_other_bytes() -> Walk:
    """The first write of a place wins."""
    bench = receiving()
    bench.block(NEW, 0, 16)
    return Walk(bench, m.Block(0, bytes(128)))


@row(26)
def block_of_a_single_slot_offer() -> Walk:
    """The first of the session."""
    return Walk(receiving(SINGLE), m.Block(0, SINGLE.block(0, 16)), image=SINGLE)


@row(27)
def block_missing() -> Walk:
    """A whole page."""
    return Walk(receiving(), FIRST_PAGE, image=NEW)


@row(27)
def block_missing_out_of_order() -> Walk:
    """The last page but one comes first."""
    return Walk(receiving(), m.Block(64, NEW.block(64, 16)), image=NEW)


@row(27)
def block_missing_to_the_application_that_stages() -> Walk:
    """Beyond its credit, which a host may not know yet."""
    return Walk(staging_application(), FIRST_PAGE, image=NEW)


@row(28)
def block_that_asks_for_a_report() -> Walk:
    """A whole page, and a word on what is missing."""
    return Walk(receiving(), m.BlockReport(16, NEW.block(16, 16)), image=NEW)


@row(28)
def block_that_uses_up_the_credit() -> Walk:
    """Erases stall: the next pages are erased before the host hears that they may be sent."""
    last = m.BlockReport(31, STALLED.block(31))
    return Walk(board_with_credit_used_up(), last, image=STALLED, watched=False, second="report")


@row(28)
def block_beyond_the_credit() -> Walk:
    """After an offer there is none: a block sent alone makes room for itself and for what follows."""
    bench = board_running(make_image(1, 5, of=STALLS))
    bench.accept(STALLED)
    return Walk(bench, m.BlockReport(0, STALLED.block(0)), image=STALLED, watched=False)


# --- Report, Survey ---------------------------------------------------------------------------------------


@row(29)
def report_of_the_application() -> Walk:
    """It stages nothing."""
    return Walk(in_application(), m.Report(0))


@row(30)
def report_of_another_session() -> Walk:
    """The session was taken over."""
    return Walk(receiving(), m.Report(0), session=OTHER_SESSION)


@row(30)
def report_without_an_offer() -> Walk:
    """Nothing was offered."""
    return Walk(board_running(OLD), m.Report(0))


@row(31)
def report_in_a_session() -> Walk:
    """Nothing is due."""
    return Walk(receiving(), m.Report(5))


@row(31)
def report_where_erases_stall() -> Walk:
    """Whoever only looks costs no page."""
    return Walk(board_with_credit_used_up(), m.Report(0))


def board_with_credit_used_up() -> Bench:
    """What was erased ahead is held, but for its last block."""
    bench = board_running(make_image(1, 5, of=STALLS))
    bench.accept(STALLED)
    bench.ask(m.BlockReport(0, STALLED.block(0, 16)), m.ReportReply)
    bench.block(STALLED, 16, 15)
    return bench


@row(32)
def survey_of_the_application() -> Walk:
    """It stages nothing."""
    return Walk(in_application(), m.Survey(0, NEW.table))


@row(33)
def survey_of_another_session() -> Walk:
    """The session was taken over."""
    return Walk(receiving(), m.Survey(0, NEW.table), session=OTHER_SESSION)


@row(33)
def survey_without_an_offer() -> Walk:
    """Nothing was offered."""
    return Walk(board_running(OLD), m.Survey(0, NEW.table))


@row(34)
def survey_with_nothing_held() -> Walk:
    """The secondary slot is blank."""
    return Walk(receiving(), m.Survey(0, NEW.table))


@row(34)
def survey_after_a_restart() -> Walk:
    """All pages are in flash, and the map is void."""
    bench = whole()
    bench.power_on()
    bench.accept(NEW)
    return Walk(bench, m.Survey(0, NEW.table), then=_verified)


@row(34)
def survey_by_the_application_that_stages() -> Walk:
    """Some of it was staged by its loader."""
    bench = whole()
    bench.power_on()
    assert bench.boot() is BoardEvent.JUMPED
    bench.start_app(stages=True)
    bench.accept(NEW)
    return Walk(bench, m.Survey(0, NEW.table), then=_verified)


@row(34)
def survey_of_a_damaged_image() -> Walk:
    """One page does not agree."""
    return Walk(damaged(), m.Survey(0, NEW.table), then=_first_page_is_missing)


@row(34)
def survey_of_a_verified_image() -> Walk:
    """All agrees, and nothing changes."""
    return Walk(whole(), m.Survey(1, NEW.table[4:]), then=_verified)


def staging_application() -> Bench:
    bench = in_staging_application()
    bench.accept(NEW)
    return bench


def _verified(walk: Walk) -> None:
    assert walk.after.transfer is m.TransferState.VERIFIED


def _first_page_is_missing(walk: Walk) -> None:
    assert walk.bench.missing() == list(range(16))


# --- Apply ------------------------------------------------------------------------------------------------


@row(35)
def apply_in_the_application() -> Walk:
    """It does not swap."""
    return Walk(in_application(), m.Apply())


@row(37)
def apply_in_the_application_that_stages() -> Walk:
    """It has heard an offer, and no block."""
    return Walk(staging_application(), m.Apply())


@row(36)
def apply_of_another_session() -> Walk:
    """Verified, but another host's."""
    return Walk(whole(), m.Apply(), session=OTHER_SESSION)


@row(36)
def apply_after_a_restart() -> Walk:
    """Verified in an earlier boot: the host offers again."""
    bench = whole()
    bench.power_on()
    return Walk(bench, m.Apply())


@row(37)
def apply_with_blocks_missing() -> Walk:
    """One page is here."""
    bench = receiving()
    bench.block(NEW, 0, 16)
    return Walk(bench, m.Apply())


@row(37)
def apply_with_one_block_missing() -> Walk:
    """All but the last."""
    bench = receiving()
    bench.give(NEW, [(at, 16) for at in range(0, NEW.places - 16, 16)] + [(NEW.places - 16, 15)])
    return Walk(bench, m.Apply())


@row(38)
def apply_of_a_damaged_image() -> Walk:
    """The digest is wrong."""
    return Walk(damaged(), m.Apply())


@row(39)
def apply_where_the_flash_failed() -> Walk:
    """Nothing more is tried."""
    return Walk(failed(), m.Apply())


@row(40)
def apply_with_a_wrong_crc_in_the_manifest() -> Walk:
    """The digest is right, and the record would name another image."""
    wrong = replace(NEW, manifest=replace(NEW.manifest, image_crc=NEW.crc ^ 1))
    return Walk(whole(wrong), m.Apply())


@row(41)
def apply() -> Walk:
    """Verified, over a smaller image."""
    return Walk(whole(), m.Apply(), image=NEW, old=OLD, second="refused in_application")


@row(41)
def apply_of_a_smaller_image() -> Walk:
    """Verified, over a larger image."""
    bench = board_running(NEW)
    bench.stage(OTHER)
    return Walk(bench, m.Apply(), image=OTHER, old=NEW, second="refused in_application")


@row(42)
def apply_in_single_slot_mode() -> Walk:
    """Verified in place."""
    return Walk(whole(SINGLE), m.Apply(), image=SINGLE, second="refused in_application")
