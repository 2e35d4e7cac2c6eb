"""An application takes an update while it runs: by messages, flash and time; the power goes anywhere in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otaflash.sim.native import BoardEvent, Cut, RuleBroken, Weak
from otaflash.wire import messages as m
from tests.firmware.bench import SMALL, STALLS, Bench, Image, make_image
from tests.firmware.scenarios import in_staging_application

OLD = make_image(1, 5)
NEW = make_image(2, 6)
BLOCKS = 16
"""of a page of SMALL"""


def stage_by_credit(bench: Bench, image: Image) -> m.ReportReply:
    """Sends what the credit allows, the last block of it with the question for more; the report once all is held."""
    page = image.profile.page_bytes // image.profile.block_bytes
    report = bench.ask(m.BlockReport(0, image.block(0)), m.ReportReply)
    sent = 1
    while sent < image.places:
        assert sent < report.limit <= sent + page, "a credit of a page"
        while sent < report.limit - 1:
            bench.block(image, sent)
            sent += 1
        report = bench.ask(m.BlockReport(sent, image.block(sent)), m.ReportReply)
        assert report.gaps == (m.Gap(sent + 1, image.places - sent - 1),)[: image.places - sent - 1]
        sent += 1
    bench.work()
    return bench.report()


def swapped(bench: Bench) -> None:
    """From the application's restart to the new image."""
    assert bench.event is BoardEvent.RESTARTED
    assert bench.boot() is BoardEvent.JUMPED


def test_its_info_says_that_it_takes_an_update_while_it_runs() -> None:
    info = in_staging_application(OLD).info()
    assert (info.mode, info.boot_state, info.image_crc) == (m.Mode.STAGING, m.BootState.IDLE, OLD.crc)


def test_the_whole_update_is_taken_while_it_runs_and_swapped_in_by_the_loader() -> None:
    bench = in_staging_application(OLD)
    bench.accept(NEW)
    assert stage_by_credit(bench, NEW).state == m.TransferState.VERIFIED
    assert bench.runs(OLD), "nothing has changed for the program that runs"
    assert bench.record()[0] == "none"
    reply = bench.ask(m.Apply(), m.ApplyReply)
    assert (reply.reason, reply.wait_ms) == (m.Reason.OK, NEW.pages * SMALL.swap_page_ms)
    assert bench.record()[0] == "APPLY"
    assert bench.runs(OLD), "the application walks nothing"
    swapped(bench)
    assert bench.runs(NEW)
    assert bench.board.jump_trial
    bench.start_app(stages=True)
    assert bench.info().way_back_crc == OLD.crc
    assert bench.confirm(NEW) == m.Reason.OK


def test_the_next_update_comes_to_the_image_that_confirmed_itself() -> None:
    bench = in_staging_application(OLD)
    for old, new in ((OLD, NEW), (NEW, OLD)):
        bench.accept(new)
        assert stage_by_credit(bench, new).state == m.TransferState.VERIFIED
        bench.ask(m.Apply(), m.ApplyReply)
        swapped(bench)
        bench.start_app(stages=True)
        assert bench.ask(m.Offer(0, old.manifest.pack()), m.OfferReply).reason == m.Reason.TRIAL_PENDING
        assert bench.board.app_confirm()
        bench.run(0.1)  # deaf while it writes
        bench.session += 1


def test_no_credit_is_given_before_a_block_asks_for_it() -> None:
    bench = in_staging_application(OLD)
    reply = bench.offer(NEW)
    assert (reply.reason, reply.limit) == (m.Reason.OK, 0)
    assert bench.untouched_by(lambda: bench.report().limit)


def test_where_erases_stall_the_loader_by_many_pages_the_application_stands_still_for_one() -> None:
    old, new = make_image(1, 5, of=STALLS), make_image(2, 6, of=STALLS)
    bench = in_staging_application(old)
    bench.accept(new)
    assert stage_by_credit(bench, new).state == m.TransferState.VERIFIED


def test_a_revert_ordered_from_it_is_walked_by_the_loader() -> None:
    bench = in_staging_application(OLD)
    bench.accept(NEW)
    stage_by_credit(bench, NEW)
    bench.ask(m.Apply(), m.ApplyReply)
    swapped(bench)
    bench.start_app(stages=True)
    assert bench.revert(NEW) == m.Reason.OK
    swapped(bench)
    assert bench.runs(OLD)
    assert not bench.board.jump_trial


def test_one_whose_slot_is_not_what_the_record_names_leaves_the_update_to_its_loader() -> None:
    bench = in_staging_application(OLD)
    bench.accept(NEW)
    stage_by_credit(bench, NEW)
    bench.ask(m.Apply(), m.ApplyReply)
    swapped(bench)
    bench.board.flash[0] ^= 0xFF
    bench.start_app(stages=True)
    info = bench.info()
    assert (info.mode, info.boot_state) == (m.Mode.APPLICATION, m.BootState.NO_IMAGE)
    assert bench.refusal(m.Offer(0, OLD.manifest.pack())) == "in_application"


# --- cuts -------------------------------------------------------------------------------------------------


def update(bench: Bench) -> None:
    """The host's part, up to the image on trial; stops where the power goes."""
    steps: list[Callable[[], object]] = [
        *(lambda at=at: bench.say(m.Offer(at, NEW.manifest.pack()[at : at + 64])) for at in (0, 64)),
        *(lambda at=at: bench.say(m.Block(at, NEW.block(at, BLOCKS))) for at in range(0, NEW.places, BLOCKS)),
        bench.work,
        lambda: bench.say(m.Apply()),
        bench.boot,
    ]
    for step in steps:
        step()
        if bench.event is BoardEvent.CUT:
            return


def operations_of_an_update() -> int:
    bench = in_staging_application(OLD)
    before = bench.board.operations
    update(bench)
    assert bench.event is BoardEvent.JUMPED
    return bench.board.operations - before


@pytest.mark.parametrize("weak", Weak)
@pytest.mark.parametrize("how", [Cut.BEFORE, Cut.TORN, Cut.AFTER, Cut.HALF])
def test_a_cut_at_any_operation_leaves_an_image_running_and_the_way_back(how: Cut, weak: Weak) -> None:
    ended: set[str] = set()
    for operation in range(operations_of_an_update()):
        bench = in_staging_application(OLD)
        bench.board.plan_cut(bench.board.operations + operation, how)
        update(bench)
        assert bench.event is BoardEvent.CUT, operation
        bench.board.power_on(weak)
        ended.add(verdict(bench))
    assert ended == {"old", "new"}


@pytest.mark.parametrize("how", [Cut.BEFORE, Cut.TORN, Cut.AFTER])
def test_a_second_cut_while_the_loader_takes_up_what_the_application_decided_does_no_harm(how: Cut) -> None:
    whole = operations_of_an_update()
    for first in range(whole // 2, whole, 5):
        for second in range(0, 40, 3):
            bench = in_staging_application(OLD)
            bench.board.plan_cut(bench.board.operations + first, Cut.TORN)
            update(bench)
            bench.board.power_on(Weak.RANDOM)
            bench.board.plan_cut(second, how)
            if bench.boot() is BoardEvent.CUT:
                bench.board.power_on(Weak.RANDOM)
            verdict(bench)


def verdict(bench: Bench) -> str:
    """Boots twice; which image runs, whole. An image on trial has its way back whole."""
    try:
        for _ in range(2):
            assert bench.boot() is BoardEvent.JUMPED
            assert bench.runs(NEW) or bench.runs(OLD)
            if bench.board.jump_trial:
                assert bench.runs(NEW)
                assert bench.area("secondary").startswith(OLD.span)
            bench.board.power_on(Weak.OLD)
    except RuleBroken as broken:
        raise AssertionError(broken) from broken
    return "new" if bench.runs(NEW) else "old"
