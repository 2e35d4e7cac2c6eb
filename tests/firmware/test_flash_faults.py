"""Flash that fails, blocks that lie, restarts in the middle: the board knows what it holds and keeps the old image."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from otaflash.sim.native import BoardEvent, Cut, Weak, Wear
from otaflash.sim.profiles import PROFILES, Profile, profile
from otaflash.wire import messages as m
from tests.firmware.bench import (
    CHUNKS,
    SMALL,
    STAGINGS,
    STALLS,
    Bench,
    Image,
    board_running,
    make_image,
    on_trial,
    on_trial_in_loader,
)

OLD = make_image(1, 5)
NEW = make_image(2, 6)
STAGED = pytest.mark.parametrize("of", STAGINGS.values(), ids=list(STAGINGS))
WORN = pytest.mark.parametrize("wear", [Wear.ERASE_FAILS, Wear.STUCK_ONES])


def open_offer(of: Profile = SMALL) -> tuple[Bench, Image]:
    image = make_image(2, 6, of=of)
    bench = board_running(make_image(1, 5, of=of))
    bench.accept(image)
    return bench, image


def wrong_block(bench: Bench, image: Image, place: int, count: int = 1) -> None:
    data = bytearray(image.block(place, count))
    data[0] ^= 0x10
    assert bench.say(m.Block(place, bytes(data))) is None


def rest_of(bench: Bench) -> list[tuple[int, int]]:
    return [(place, 1) for place in bench.missing()]


@STAGED
@WORN
def test_a_page_that_does_not_take_is_asked_for_again_and_in_the_end_given_up(of: Profile, wear: Wear) -> None:
    bench, image = open_offer(of)
    bench.board.wear_out(bench.staged_page + 2, wear)
    for _ in range(8):
        bench.block(image, 32, of.chunk_bytes // of.block_bytes)
        report = bench.report()
        assert report.state == m.TransferState.RECEIVING
        assert report.gaps[0].place == 0
        assert 32 in bench.missing()
    bench.block(image, 32, of.chunk_bytes // of.block_bytes)
    assert bench.report().state == m.TransferState.FAILED
    assert bench.ask(m.Apply(), m.ApplyReply).reason == m.Reason.FLASH_FAILED
    bench.power_on()
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(make_image(1, 5, of=of))


@STAGED
@WORN
def test_a_page_that_recovers_within_the_budget_ends_well(of: Profile, wear: Wear) -> None:
    bench, image = open_offer(of)
    bench.board.wear_out(bench.staged_page, wear)
    for _ in range(5):
        bench.block(image, 0, of.chunk_bytes // of.block_bytes)
    assert set(range(16)) & set(bench.missing())
    bench.board.wear_out(bench.staged_page, Wear.NONE)
    assert bench.give(image, rest_of(bench)).state == m.TransferState.VERIFIED


def test_blocks_after_failed_are_not_taken() -> None:
    bench, image = open_offer()
    bench.board.wear_out(bench.staged_page, Wear.ERASE_FAILS)
    for _ in range(9):
        bench.block(image, 0, 16)
    bench.board.wear_out(bench.staged_page, Wear.NONE)
    assert bench.untouched_by(lambda: bench.give(image))
    assert bench.report().state == m.TransferState.FAILED


@STAGED
def test_a_wrong_byte_is_found_by_the_digest_and_its_page_alone_is_sent_again(of: Profile) -> None:
    bench, image = open_offer(of)
    wrong_block(bench, image, 35)
    assert bench.give(image, rest_of(bench)).state == m.TransferState.DAMAGED
    assert bench.ask(m.Apply(), m.ApplyReply).reason == m.Reason.DIGEST_MISMATCH
    assert bench.survey(image) == [True, True, False, True, True, True]
    assert bench.missing() == list(range(32, 48))
    assert bench.give(image, [(32, 16)]).state == m.TransferState.VERIFIED
    assert bench.apply() is BoardEvent.JUMPED
    assert bench.runs(image)


def test_a_survey_in_parts_repairs_too() -> None:
    bench, image = open_offer()
    wrong_block(bench, image, 90)
    assert bench.give(image, rest_of(bench)).state == m.TransferState.DAMAGED
    agree = [bench.survey(image, page, 1)[0] for page in range(6)]
    assert agree == [True] * 5 + [False]
    assert bench.give(image, rest_of(bench)).state == m.TransferState.VERIFIED


def test_repairs_have_a_budget_of_eight_pages() -> None:
    bench, image = open_offer()
    bench.give(image)
    for _ in range(8):
        assert bench.ask(m.Survey(0, bytes(4)), m.SurveyReply).agree == b"\0"
        assert bench.give(image, [(0, 16)]).state == m.TransferState.VERIFIED
    bench.ask(m.Survey(0, bytes(4)), m.SurveyReply)
    assert bench.report().state == m.TransferState.FAILED


def test_another_session_with_the_same_offer_has_a_budget_of_its_own() -> None:
    bench, image = open_offer()
    bench.give(image)
    for _ in range(2):
        for _ in range(8):
            bench.ask(m.Survey(0, bytes(4)), m.SurveyReply)
            assert bench.give(image, [(0, 16)]).state == m.TransferState.VERIFIED
        bench.session += 1
        bench.accept(image)


def test_failed_stays_failed_however_often_a_report_is_asked_for() -> None:
    bench, image = open_offer(STALLS)
    bench.board.wear_out(bench.staged_page + 2, Wear.ERASE_FAILS)
    for place in range(0, 36, 4):
        bench.ask(m.BlockReport(place, image.block(place, 4)), m.ReportReply)
    asked = m.BlockReport(32, image.block(32, 4))
    states = [bench.ask(asked, m.ReportReply).state for _ in range(600)]
    assert set(states[20:]) == {m.TransferState.FAILED}
    assert bench.report().state == m.TransferState.FAILED
    assert max(bench.board.erases) <= 9, "eight pages may be voided, not the same one for ever"


@pytest.mark.parametrize("held", [range(10), [3], [0, 1, 8, 9], range(15), range(1, 16)], ids=str)
def test_a_page_held_in_part_is_left_alone_by_a_survey(held: Sequence[int]) -> None:
    bench, image = open_offer()
    for place in held:
        bench.block(image, place)
    assert bench.survey(image) == [False] * 6
    rest = [place for place in range(image.places) if place not in held]
    assert bench.missing() == rest
    assert bench.give(image, [(place, 1) for place in rest]).state == m.TransferState.VERIFIED
    assert bench.board.erases[bench.staged_page] == 1


def test_a_second_write_does_not_replace_the_first_until_a_survey_voids_it() -> None:
    bench, image = open_offer()
    wrong_block(bench, image, 0, 16)
    bench.block(image, 0, 16)
    assert bench.survey(image)[0] is False
    bench.block(image, 0, 16)
    assert bench.survey(image)[0] is True


@STAGED
def test_after_a_restart_the_map_is_void_and_a_survey_rebuilds_it(of: Profile) -> None:
    bench, image = open_offer(of)
    bench.give(image, [(0, 16), (32, 16), (80, 16)])
    bench.power_on()
    bench.enter()
    assert bench.refusal(m.Report(0)) == "no_session"
    bench.accept(image)
    assert bench.missing() == list(range(image.places))
    assert bench.survey(image) == [True, False, True, False, False, True]
    erases = list(bench.board.erases)
    assert bench.give(image, rest_of(bench)).state == m.TransferState.VERIFIED
    fresh = [page for page, count in enumerate(bench.board.erases) if count != erases[page]]
    assert fresh == [bench.staged_page + page for page in (1, 3, 4)]


def test_a_page_half_written_before_a_restart_is_erased_before_it_is_written() -> None:
    image = make_image(2, 6, of=CHUNKS)
    bench, _ = open_offer(CHUNKS)
    bench.block(image, 0, 4)
    bench.power_on()
    bench.enter()
    bench.accept(image)
    assert bench.survey(image) == [False] * 6
    assert bench.give(image).state == m.TransferState.VERIFIED


@pytest.mark.parametrize("how", [Cut.BEFORE, Cut.TORN, Cut.AFTER])
@pytest.mark.parametrize("weak", [Weak.OLD, Weak.NEW, Weak.RANDOM])
def test_a_cut_while_staging_costs_at_most_what_was_not_yet_whole(how: Cut, weak: Weak) -> None:
    image = make_image(2, 6, of=CHUNKS)
    for operation in range(0, 24, 3):
        bench, _ = open_offer(CHUNKS)
        bench.board.plan_cut(bench.board.operations + operation, how)
        for place in range(0, image.places, 16):
            bench.block(image, place, 16)
        assert bench.board.run(bench.board.now_s) is BoardEvent.CUT
        bench.power_on(weak)
        assert bench.info().image_crc == make_image(1, 5, of=CHUNKS).crc
        bench.enter()
        bench.accept(image)
        bench.survey(image)
        assert bench.give(image, rest_of(bench)).state == m.TransferState.VERIFIED
        assert bench.apply() is BoardEvent.JUMPED
        assert bench.runs(image)


def test_a_misread_byte_at_the_end_of_programming_costs_one_page_again() -> None:
    bench, image = open_offer()
    bench.board.plan_read_error(bench.staged_page, 0, 0x01)
    bench.block(image, 0, 16)
    assert bench.missing() == list(range(image.places))
    assert bench.give(image).state == m.TransferState.VERIFIED


def test_a_page_whose_last_chunk_fails_while_it_is_digested_is_sent_again_and_nothing_else() -> None:
    bench, image = open_offer()
    bench.block(image, 8, 8)
    bench.block(image, 16, 4)
    bench.board.wear_out(bench.staged_page, Wear.STUCK_ONES)
    bench.block(image, 0, 8)
    bench.work()
    assert bench.missing() == [*range(16), *range(20, image.places)]
    bench.board.wear_out(bench.staged_page, Wear.NONE)
    assert bench.give(image, rest_of(bench)).state == m.TransferState.VERIFIED


def test_a_swap_retries_a_page_and_reports_a_worn_one() -> None:
    bench, image = open_offer()
    bench.give(image)
    bench.board.wear_out(0, Wear.ERASE_FAILS)
    assert bench.ask(m.Apply(), m.ApplyReply).reason == m.Reason.OK
    assert bench.run(5.0) is BoardEvent.IDLE
    assert bench.info().boot_state == m.BootState.SWAPPING
    assert bench.board.erases[0] == 3
    bench.board.wear_out(0, Wear.NONE)
    bench.power_on()
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(image)


@pytest.mark.parametrize("page", [0, SMALL.slot_pages], ids=["new image", "way back"])
def test_a_copy_that_does_not_take_stops_the_swap_before_anything_is_lost(page: int) -> None:
    bench, image = open_offer()
    bench.give(image)
    bench.board.wear_out(page, Wear.STUCK_ONES)
    assert bench.ask(m.Apply(), m.ApplyReply).reason == m.Reason.OK
    assert bench.run(5.0) is BoardEvent.IDLE
    assert bench.info().boot_state == m.BootState.SWAPPING
    bench.board.wear_out(page, Wear.NONE)
    bench.power_on()
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(image)
    bench.start_app()
    assert bench.revert(image) == m.Reason.OK
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(OLD)


def wear_records(bench: Bench, wear: Wear = Wear.ERASE_FAILS) -> None:
    for page in range(bench.record_page, bench.record_page + 2 * bench.profile.record_pages):
        bench.board.wear_out(page, wear)


def test_an_offer_is_refused_where_the_record_cannot_be_erased() -> None:
    bench = board_running(OLD)
    wear_records(bench)
    reply = bench.offer(NEW)
    assert (reply.reason, reply.next, reply.limit) == (m.Reason.FLASH_FAILED, 0, 0)
    assert bench.refusal(m.Report(0)) == "no_session"


@WORN
def test_apply_confirm_and_revert_that_cannot_be_recorded_change_nothing(wear: Wear) -> None:
    bench, image = open_offer()
    bench.give(image)
    wear_records(bench, wear)
    assert bench.ask(m.Apply(), m.ApplyReply).reason == m.Reason.FLASH_FAILED
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(OLD)
    for trial in (on_trial(OLD, NEW), on_trial_in_loader(OLD, NEW)):
        wear_records(trial, wear)
        assert trial.confirm(NEW) == m.Reason.FLASH_FAILED
        assert trial.runs(NEW)
        for page in range(trial.record_page, trial.record_page + 2 * SMALL.record_pages):
            trial.board.wear_out(page, Wear.NONE)
        trial.reset()
        assert trial.info().boot_state == m.BootState.TRIAL
        wear_records(trial, wear)
        assert trial.revert(NEW) == m.Reason.FLASH_FAILED
        trial.reset()
        assert trial.info().boot_state == m.BootState.TRIAL
        assert trial.runs(NEW)


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_a_wrong_block_is_repaired_on_every_profile(name: str) -> None:
    of = profile(name)
    pages = min(of.slot_pages, 5)
    image = make_image(2, pages, of=of, padding=1)
    bench = board_running(make_image(1, 1, of=of, padding=1))
    bench.accept(image)
    wrong_block(bench, image, 0)
    step = min(of.frame_bytes - 10, 512) // of.block_bytes
    for _ in range(2):
        for _ in range(60):
            gaps = bench.report().gaps
            if not gaps:
                break
            bench.block(image, gaps[0].place, min(step, gaps[0].count))
        bench.work()
        if bench.report().state == m.TransferState.DAMAGED:
            assert bench.survey(image) == [False] + [True] * (pages - 1)
    assert bench.report().state == m.TransferState.VERIFIED
    assert bench.apply() is BoardEvent.JUMPED
    assert bench.runs(image)


@pytest.mark.parametrize("reset", ["before any record", "confirmed", "on trial"])
def test_one_byte_misread_at_a_start_costs_neither_the_image_nor_its_way_back(reset: str) -> None:
    bench = board_running(OLD) if reset == "before any record" else on_trial(OLD, NEW)
    if reset == "confirmed":
        assert bench.confirm(NEW) == m.Reason.OK
    bench.board.power_on()
    bench.board.plan_read_error(1, 5, 0x01)
    bench.run(0.02)
    kept = NEW if reset != "before any record" else OLD
    assert bench.info().image_crc == kept.crc
    bench.board.plan_read_error(1, 5, 0x01)
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(kept)
    assert bench.board.jump_trial == (reset == "on trial")


@STAGED
@pytest.mark.parametrize("offset", [0, 70])
def test_a_byte_misread_while_two_pages_change_places_spoils_neither_image(of: Profile, offset: int) -> None:
    old, new = make_image(1, 5, of=of), make_image(2, 6, of=of)
    bench = board_running(old)
    bench.stage(new)
    bench.board.plan_read_error(2, offset, 0x40)
    assert bench.apply() is BoardEvent.JUMPED
    assert bench.board.read_span(of.slot_pages, old.pages) == old.span
    bench.start_app()
    bench.enter_from_app()
    bench.board.plan_read_error(of.slot_pages + 2, offset, 0x40)
    assert bench.revert(new) == m.Reason.OK
    bench.work()
    assert bench.runs(old)


@pytest.mark.parametrize("offset", [0, 2, 13, 30, 48])
def test_one_bit_misread_in_the_record_brings_back_no_record_that_was_superseded(offset: int) -> None:
    """All boots of the trial are used up: the record before would revert what was confirmed."""
    bench = on_trial(OLD, NEW)
    for _ in range(SMALL.trials - 1):
        bench.reset()
        assert bench.boot() is BoardEvent.JUMPED
    bench.start_app()
    assert bench.confirm(NEW) == m.Reason.OK
    unit = 0 if bench.area("record 0")[2] == 5 else 1
    bench.board.power_on()
    bench.board.plan_read_error(bench.record_page + unit * SMALL.record_pages, offset, 0x04)
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.record()[0] == "CONFIRM"
    assert bench.runs(NEW)
    assert not bench.board.jump_trial


def test_a_step_of_a_swap_misread_as_not_done_is_not_done_twice() -> None:
    """Done again, the third step would put the new image where the old one is kept."""
    bench, image = open_offer()
    bench.give(image)
    bench.board.plan_cut(bench.board.operations + 20, Cut.BEFORE)
    bench.ask(m.Apply(), m.ApplyReply)
    assert bench.run(1.0) is BoardEvent.CUT
    bench.board.power_on()
    unit = 0 if bench.area("record 0")[2] == 4 else 1
    bench.board.plan_read_error(bench.record_page + unit * SMALL.record_pages, 48 + 1 + 2, 0x04)
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(image)
    assert bench.board.read_span(SMALL.slot_pages, OLD.pages) == OLD.span
