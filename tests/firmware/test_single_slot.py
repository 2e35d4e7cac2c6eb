"""Single-slot mode: one image over both slots, received in place. Interrupted it waits and resumes; half an image never
starts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.sim.native import BoardEvent, Cut, Weak
from otaflash.sim.profiles import Profile
from otaflash.wire import messages as m
from tests.firmware.bench import AHEAD, CHUNKS, SMALL, STALLS, Bench, board_running, make_image, on_trial

OLD = make_image(1, 5)
WIDE = make_image(2, 13, single=True, counter=3)
NARROW = make_image(3, 4, single=True)
TWO_SLOT = make_image(4, 4, counter=9)


GEOMETRIES = pytest.mark.parametrize(
    "of", [SMALL, STALLS, AHEAD], ids=["erases as it goes", "erases ahead", "digests meanwhile"]
)


def receiving(of: Profile = SMALL) -> Bench:
    bench = board_running(make_image(1, 5, of=of))
    bench.accept(make_image(2, 13, of=of, single=True, counter=3))
    return bench


def test_an_image_over_both_slots_is_received_in_place_and_started_without_a_trial() -> None:
    bench = receiving()
    assert bench.give(WIDE).state == m.TransferState.VERIFIED
    assert bench.apply() is BoardEvent.JUMPED
    assert bench.runs(WIDE)
    assert not bench.board.jump_trial
    bench.start_app()
    info = bench.info()
    assert (info.boot_state, info.image_crc, info.image_pages) == (m.BootState.IDLE, WIDE.crc, 13)
    assert info.counter == 3
    for _ in range(3):
        bench.power_on()
        assert bench.boot() is BoardEvent.JUMPED
    assert max(bench.board.erases[: bench.record_page]) == 1


@GEOMETRIES
def test_the_offer_alone_destroys_nothing(of: Profile) -> None:
    bench = receiving(of)
    wide = make_image(2, 13, of=of, single=True, counter=3)
    assert bench.survey(wide, 0, 8) == [False] * 8
    assert bench.report().state == m.TransferState.RECEIVING
    assert bench.runs(make_image(1, 5, of=of))
    bench.power_on()
    assert bench.boot() is BoardEvent.JUMPED


@GEOMETRIES
def test_interrupted_it_waits_in_the_loader_and_resumes_by_a_survey(of: Profile) -> None:
    bench = receiving(of)
    wide = make_image(2, 13, of=of, single=True, counter=3)
    for place in range(0, 100, 16):
        bench.ask(m.BlockReport(place, wide.block(place, 16)), m.ReportReply)
    bench.work()
    for _ in range(2):
        bench.power_on()
        assert bench.run(100.0) is BoardEvent.IDLE
        assert bench.info().boot_state == m.BootState.NO_IMAGE
    bench.session += 1
    bench.accept(wide)
    bench.report()
    assert bench.survey(wide, 0, 8) == [True] * 7 + [False]
    runs = [(place, 1) for place in bench.missing()]
    assert bench.give(wide, runs).state == m.TransferState.VERIFIED
    assert bench.apply() is BoardEvent.JUMPED
    assert bench.runs(wide)
    assert max(bench.board.erases[: bench.record_page]) <= 1 + (of is STALLS)


def resumed(bench: Bench, weak: Weak) -> list[bool]:
    """Power comes, the host offers again and surveys."""
    bench.power_on(weak)
    assert bench.boot() is BoardEvent.IDLE
    bench.session += 1
    bench.accept(WIDE)
    return bench.survey(WIDE, 0, 8)


def test_a_survey_does_not_believe_a_page_that_a_cut_tore_however_it_reads() -> None:
    """It may read otherwise at the next boot; two slots have the walk, which writes every page anew."""
    bench = receiving()
    bench.block(WIDE, 0, 16)
    bench.block(WIDE, 16, 16)
    bench.board.plan_cut(bench.board.operations + 1, Cut.TORN)
    bench.block(WIDE, 32, 16)
    assert bench.event is BoardEvent.CUT
    assert resumed(bench, Weak.NEW) == [True] * 2 + [False] * 6
    assert bench.give(WIDE, [(place, 1) for place in bench.missing()]).state == m.TransferState.VERIFIED
    assert bench.apply() is BoardEvent.JUMPED
    bench.power_on(Weak.OLD)
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(WIDE)


def test_a_page_that_is_written_again_is_no_longer_vouched_for() -> None:
    """Another image begins over it, and is cut short; what stood there must not be taken for whole."""
    bench = receiving()
    for place in range(0, 64, 16):
        bench.block(WIDE, place, 16)
    bench.session += 1
    other = make_image(8, 13, single=True, counter=3)
    bench.accept(other)
    bench.block(other, 16, 16)
    assert resumed(bench, Weak.OLD) == [True] + [False] * 7
    assert bench.record()[0] == "SINGLE"


def test_a_page_that_is_repaired_is_no_longer_vouched_for() -> None:
    """Its mark was set when the digest had passed it; it is erased again in the same session, and torn."""
    bench = receiving()
    lie = bytes(len(WIDE.block(16, 1)))
    assert bench.say(m.Block(16, lie)) is None
    assert bench.give(WIDE).state == m.TransferState.DAMAGED
    assert bench.survey(WIDE, 0, 3) == [True, False, True]
    bench.board.plan_cut(bench.board.operations + 4, Cut.TORN)  # record: erase of two pages, body, seal; erase, program
    for place in bench.missing():
        bench.block(WIDE, place)
    assert bench.event is BoardEvent.CUT
    assert resumed(bench, Weak.NEW) == [True] + [False] * 7


def test_interrupted_it_takes_another_image_as_well() -> None:
    bench = receiving()
    bench.block(WIDE, 0, 16)
    bench.power_on()
    bench.session += 1
    bench.update(TWO_SLOT)
    assert bench.info().image_crc == TWO_SLOT.crc


def test_an_image_given_up_for_a_single_slot_offer_is_no_way_back() -> None:
    bench = receiving()
    bench.block(WIDE, 0, 16)
    bench.session += 1
    bench.update(TWO_SLOT)
    info = bench.info()
    assert (info.boot_state, info.way_back_crc) == (m.BootState.TRIAL, 0)


def test_a_whole_image_does_not_start_before_apply() -> None:
    bench = receiving()
    assert bench.give(WIDE).state == m.TransferState.VERIFIED
    assert bench.run(60.0) is BoardEvent.IDLE
    bench.power_on()
    assert bench.boot() is BoardEvent.IDLE
    assert bench.info().boot_state == m.BootState.NO_IMAGE


@pytest.mark.parametrize("how", [Cut.BEFORE, Cut.TORN, Cut.AFTER])
@pytest.mark.parametrize("weak", [Weak.OLD, Weak.NEW, Weak.RANDOM])
def test_a_cut_at_any_operation_leaves_the_old_image_a_waiting_loader_or_the_new_one(how: Cut, weak: Weak) -> None:
    of, pages = CHUNKS, 8
    old, new = make_image(1, 3, of=of), make_image(2, pages, of=of, single=True)
    started = {"old": 0, "waits": 0, "new": 0}
    for operation in range(0, 60, 1):
        bench = board_running(old)
        bench.accept(new)
        bench.board.plan_cut(bench.board.operations + operation, how)
        for place in range(0, new.places, 16):
            bench.block(new, place, 16)
        bench.work()
        if bench.event is not BoardEvent.CUT:
            bench.say(m.Apply())
        if bench.event is BoardEvent.JUMPED:
            break
        bench.power_on(weak)
        if bench.boot() is BoardEvent.JUMPED:
            assert bench.runs(old) or bench.runs(new)
            started["old" if bench.runs(old) else "new"] += 1
            continue
        started["waits"] += 1
        assert bench.info().boot_state == m.BootState.NO_IMAGE
    assert bench.event is BoardEvent.JUMPED
    assert bench.runs(new)
    assert started["old"] >= 1
    assert started["waits"] > 30


def test_the_record_stands_before_the_first_page_is_erased() -> None:
    bench = receiving()
    before = list(bench.board.erases)
    for operation in range(20):
        bench = receiving()
        bench.board.plan_cut(bench.board.operations + operation, Cut.AFTER)
        bench.block(WIDE, 0, 16)
        if bench.board.erases[0] != before[0]:
            break
        assert bench.runs(OLD)
    assert bench.record()[0] == "SINGLE"
    assert not bench.runs(OLD)


def test_an_offer_for_two_slots_is_refused_while_the_image_covers_both() -> None:
    bench = receiving()
    bench.give(WIDE)
    bench.apply()
    bench.start_app()
    bench.enter_from_app()
    bench.session += 1
    assert bench.offer(TWO_SLOT).reason == m.Reason.SLOT_IN_USE
    assert bench.offer(make_image(5, 13, single=True, counter=2)).reason == m.Reason.COUNTER_TOO_LOW
    other = make_image(6, 12, single=True, counter=3)
    bench.stage(other)
    assert bench.apply() is BoardEvent.JUMPED
    assert bench.runs(other)


def test_a_small_single_slot_image_leaves_room_for_two_slots_again() -> None:
    bench = board_running(OLD)
    bench.stage(NARROW)
    assert bench.apply() is BoardEvent.JUMPED
    bench.start_app()
    bench.enter_from_app()
    bench.session += 1
    bench.update(TWO_SLOT)
    info = bench.info()
    assert (info.boot_state, info.image_crc, info.way_back_crc) == (m.BootState.TRIAL, TWO_SLOT.crc, NARROW.crc)
    assert bench.revert(TWO_SLOT) == m.Reason.OK
    bench.run(0.02)
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(NARROW)


def test_a_board_that_offers_no_single_slot_refuses_it_by_size() -> None:
    of = replace(SMALL, single_slot=0)
    bench = board_running(make_image(1, 5, of=of))
    assert bench.info().single_pages == 0
    assert bench.offer(make_image(3, 4, of=of, single=True)).reason == m.Reason.TOO_LARGE


def test_during_a_trial_a_single_slot_offer_is_refused_too() -> None:
    bench = on_trial(OLD, make_image(7, 6))
    bench.enter_from_app()
    assert bench.offer(WIDE).reason == m.Reason.TRIAL_PENDING


@GEOMETRIES
def test_the_first_block_gives_up_the_running_image(of: Profile) -> None:
    bench = receiving(of)
    wide = make_image(2, 13, of=of, single=True, counter=3)
    bench.ask(m.BlockReport(0, wide.block(0, 16)), m.ReportReply)
    assert bench.record()[0] == "SINGLE"
    bench.power_on()
    assert bench.boot() is BoardEvent.IDLE
    assert bench.info().boot_state == m.BootState.NO_IMAGE
