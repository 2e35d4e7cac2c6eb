"""From trial to a decision: boots are counted, a confirm keeps, everything else leads back, and every boot after that
starts the same image again."""

from __future__ import annotations

import pytest

from otaflash.sim.native import BoardEvent, Cut, Weak, Wear
from otaflash.wire import messages as m
from tests.firmware.bench import CHUNKS, SMALL, STALLS, Bench, Image, board_running, make_image, on_trial

OLD = make_image(1, 5)
NEW = make_image(2, 6)
SMALLER = make_image(3, 3)
NEWER = make_image(4, 5, counter=7)
FULL = make_image(5, 6)
ALL = pytest.mark.parametrize("of", [SMALL, CHUNKS, STALLS], ids=["small", "chunks", "stalls"])
PAIRS = pytest.mark.parametrize(
    ("old", "new"),
    [(OLD, NEW), (NEW, SMALLER), (SMALLER, NEW), (FULL, NEW)],
    ids=["grows", "shrinks", "grows far", "full"],
)


def boots_into(bench: Bench, image: Image, *, trial: bool) -> None:
    """From a reset: the loader starts this image, and no other thing is left to do."""
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(image)
    assert bench.board.jump_trial is trial


def use_up_trials(bench: Bench, image: Image) -> None:
    """The application hangs until the watchdog bites, in each boot that a trial has."""
    for used in range(2, bench.profile.trials + 1):
        bench.reset()
        boots_into(bench, image, trial=True)
        bench.start_app()
        assert bench.info().trials_used == used


@PAIRS
def test_watchdog_resets_in_a_trial_lead_back_to_the_old_image(old: Image, new: Image) -> None:
    bench = on_trial(old, new)
    use_up_trials(bench, new)
    bench.reset()
    boots_into(bench, old, trial=False)
    bench.start_app()
    info = bench.info()
    assert (info.boot_state, info.image_crc, info.way_back_crc) == (m.BootState.IDLE, old.crc, 0)


@PAIRS
def test_the_second_and_third_boot_after_a_revert_start_the_old_image(old: Image, new: Image) -> None:
    bench = on_trial(old, new)
    bench.enter_from_app()
    assert bench.revert(new) == m.Reason.OK
    for _ in range(3):
        bench.power_on()
        boots_into(bench, old, trial=False)


@PAIRS
def test_after_a_revert_another_update_is_possible(old: Image, new: Image) -> None:
    bench = on_trial(old, new)
    assert bench.revert(new) == m.Reason.OK
    assert bench.event is BoardEvent.RESTARTED
    bench.run(0.02)
    bench.enter()
    bench.session += 1
    bench.update(new)
    assert bench.confirm(new) == m.Reason.OK
    bench.power_on()
    boots_into(bench, new, trial=False)


@ALL
def test_a_chain_of_updates_with_every_decision_ends_in_the_right_image(of: object) -> None:
    assert isinstance(of, type(SMALL))
    images = [make_image(10 + seed, 2 + seed, of=of) for seed in range(5)]
    bench = board_running(images[0])
    running = images[0]
    for number, image in enumerate(images[1:] + images[:1]):
        bench.session += 1
        bench.accept(image)
        while (report := bench.report()).gaps:
            gap = report.gaps[0]
            bench.block(image, gap.place, min(gap.count, 8))
        bench.work()
        assert bench.apply() is BoardEvent.JUMPED
        bench.start_app()
        if number % 2 == 0:
            assert bench.confirm(image) == m.Reason.OK
            running = image
        else:
            assert bench.revert(image) == m.Reason.OK
        bench.power_on()
        assert bench.info().image_crc == running.crc
        bench.enter()
    assert bench.runs(running)


def test_a_confirm_holds_over_every_later_boot() -> None:
    bench = on_trial(OLD, NEW)
    assert bench.confirm(NEW) == m.Reason.OK
    for _ in range(SMALL.trials + 2):
        bench.reset()
        boots_into(bench, NEW, trial=False)


def test_confirm_and_revert_may_come_twice_in_every_order() -> None:
    bench = on_trial(OLD, NEW)
    assert [bench.confirm(NEW) for _ in range(3)] == [m.Reason.OK] * 3
    assert bench.untouched_by(lambda: bench.confirm(NEW))
    assert [bench.revert(NEW) for _ in range(2)] == [m.Reason.ALREADY_CONFIRMED] * 2
    bench.power_on()
    assert bench.confirm(NEW) == m.Reason.OK
    assert bench.untouched_by(lambda: bench.revert(NEW))


def test_revert_may_come_twice_and_a_late_confirm_does_not_undo_it() -> None:
    bench = on_trial(OLD, NEW)
    bench.enter_from_app()
    assert bench.revert(NEW) == m.Reason.OK
    assert bench.revert(NEW) == m.Reason.OK
    assert bench.confirm(NEW) == m.Reason.WRONG_IMAGE
    bench.power_on()
    assert bench.revert(NEW) == m.Reason.OK
    assert bench.confirm(OLD) == m.Reason.OK
    boots_into(bench, OLD, trial=False)


def test_the_application_confirms_itself_once() -> None:
    bench = on_trial(OLD, NEW)
    assert bench.board.app_confirm()
    assert bench.untouched_by(bench.board.app_confirm)
    assert bench.info().boot_state == m.BootState.IDLE
    bench.reset()
    boots_into(bench, NEW, trial=False)


def test_an_application_not_on_trial_has_nothing_to_confirm() -> None:
    bench = Bench(SMALL, OLD)
    bench.boot()
    bench.start_app()
    assert bench.untouched_by(bench.board.app_confirm)
    assert not bench.board.app_confirm()


def test_entering_the_loader_during_a_trial_uses_no_boot_up_but_leaving_it_does() -> None:
    bench = on_trial(OLD, NEW)
    bench.enter_from_app()
    assert bench.info().trials_used == 1
    assert bench.run(20.0) is BoardEvent.JUMPED
    bench.start_app()
    assert bench.info().trials_used == 2


def test_an_image_on_trial_that_goes_bad_is_reverted_at_the_next_boot() -> None:
    bench = on_trial(OLD, NEW)
    bench.board.flash[200] ^= 4
    bench.reset()
    boots_into(bench, OLD, trial=False)


def test_an_image_damaged_while_its_loader_listens_is_not_started() -> None:
    bench = board_running(OLD)
    bench.board.flash[200] ^= 4
    assert bench.run(40.0) is BoardEvent.IDLE
    assert bench.info().boot_state == m.BootState.NO_IMAGE
    bench = on_trial(OLD, NEW)
    bench.enter_from_app()
    bench.board.flash[200] ^= 4
    boots_back = bench.run(40.0)
    assert boots_back is BoardEvent.JUMPED
    assert bench.runs(OLD)
    assert not bench.board.jump_trial


def test_a_confirmed_image_that_goes_bad_is_not_started() -> None:
    bench = on_trial(OLD, NEW)
    bench.confirm(NEW)
    bench.board.flash[200] ^= 4
    bench.reset()
    assert bench.boot() is BoardEvent.IDLE
    assert bench.info().boot_state == m.BootState.NO_IMAGE
    bench.session += 1
    bench.update(SMALLER)
    assert bench.info().image_crc == SMALLER.crc


def test_the_first_image_of_a_blank_board_runs_on_trial_and_without_confirm_nothing_is_left() -> None:
    bench = Bench(SMALL)
    bench.update(NEW)
    assert bench.info().way_back_crc == 0
    use_up_trials(bench, NEW)
    bench.reset()
    assert bench.boot() is BoardEvent.IDLE
    assert bench.info().boot_state == m.BootState.NO_IMAGE


def test_a_power_cut_resets_neither_the_trial_nor_its_count() -> None:
    bench = on_trial(OLD, NEW)
    for used in (2, 3):
        bench.power_on()
        boots_into(bench, NEW, trial=True)
        bench.start_app()
        assert bench.info().trials_used == used
    bench.power_on()
    boots_into(bench, OLD, trial=False)


def test_without_a_record_the_trailer_alone_starts_an_image() -> None:
    for image in (OLD, NEW, make_image(8, 1), make_image(9, 13, single=True)):
        boots_into(Bench(SMALL, image), image, trial=False)


@pytest.mark.parametrize(
    "at", [0, 100, 5 * 128 - 33, 5 * 128 - 32, 5 * 128 - 20, 5 * 128 - 8, 5 * 128 - 4, 5 * 128 - 1]
)
def test_without_a_record_an_image_or_trailer_with_one_wrong_bit_stays_in_the_loader(at: int) -> None:
    bench = Bench(SMALL)
    bench.board.flash[: len(OLD.span)] = OLD.span
    bench.board.flash[at] ^= 1
    bench.power_on()
    assert bench.boot() is BoardEvent.IDLE
    assert bench.info().boot_state == m.BootState.NO_IMAGE
    assert bench.board.operations == 0


def test_the_counter_moves_with_the_confirm_and_not_before() -> None:
    bench = on_trial(OLD, NEWER)
    assert (bench.info().counter, bench.info().image_counter) == (0, 7)
    assert bench.confirm(NEWER) == m.Reason.OK
    assert bench.info().counter == 7
    bench.enter_from_app()
    assert bench.info().counter == 7
    bench.session += 1
    assert bench.offer(make_image(6, 4, counter=6)).reason == m.Reason.COUNTER_TOO_LOW
    assert bench.offer(make_image(6, 4, counter=7)).reason == m.Reason.OK


def test_a_revert_leaves_the_counter_so_that_the_old_image_may_be_offered_again() -> None:
    bench = on_trial(OLD, NEWER)
    bench.enter_from_app()
    bench.revert(NEWER)
    assert bench.info().counter == 0
    bench.session += 1
    assert bench.offer(OLD).reason == m.Reason.OK


def test_a_lower_counter_on_trial_never_lowers_the_devices() -> None:
    bench = on_trial(OLD, NEWER)
    bench.confirm(NEWER)
    bench.enter_from_app()
    bench.session += 1
    equal = make_image(6, 4, counter=7)
    bench.update(equal)
    assert bench.confirm(equal) == m.Reason.OK
    assert bench.info().counter == 7


def test_a_clean_update_and_revert_cost_the_erases_that_the_design_allows() -> None:
    bench = board_running(OLD)
    bench.update(NEW)
    slots = slice(0, bench.record_page)
    assert max(bench.board.erases[slots]) <= 2
    bench.enter_from_app()
    bench.revert(NEW)
    assert max(bench.board.erases[slots]) <= 3


@pytest.mark.parametrize("pages", [(6, 1), (1, 6)], ids=["shorter", "longer"])
def test_apply_says_how_long_the_swap_takes_at_most_whichever_image_is_longer(pages: tuple[int, int]) -> None:
    old, new = make_image(1, pages[0]), make_image(2, pages[1])
    bench = board_running(old)
    bench.stage(new)
    wire = bench.wire(m.Apply())
    (reply,) = bench.send(wire)
    assert isinstance(reply.message, m.ApplyReply)
    assert reply.message.wait_ms == 6 * SMALL.swap_page_ms
    assert bench.event is BoardEvent.JUMPED


def test_a_swap_never_skips_a_page_because_it_looks_equal() -> None:
    bench = board_running(OLD)
    bench.stage(OLD)
    erases = list(bench.board.erases)
    assert bench.apply() is BoardEvent.JUMPED
    assert all(bench.board.erases[page] == erases[page] + 1 for page in range(OLD.pages))


def test_a_trial_mark_that_cannot_be_programmed_is_not_a_free_boot() -> None:
    bench = on_trial(OLD, NEW)
    bench.board.wear_out(1, Wear.STUCK_ONES)
    use_up_trials(bench, NEW)
    bench.board.wear_out(1, Wear.NONE)
    bench.reset()
    boots_into(bench, OLD, trial=False)


def test_a_record_without_its_seal_does_not_stand() -> None:
    bench = on_trial(OLD, NEW)
    seal = bench.board.operations + bench.profile.record_pages + 1
    bench.board.plan_cut(seal, Cut.BEFORE)
    assert bench.say(m.Confirm(NEW.crc)) is None
    bench.power_on()
    assert bench.info().boot_state == m.BootState.TRIAL
    bench.enter()
    assert bench.confirm(NEW) == m.Reason.OK


@pytest.mark.parametrize("operation", range(12))
@pytest.mark.parametrize("how", [Cut.BEFORE, Cut.TORN, Cut.AFTER])
def test_a_confirm_cut_anywhere_leaves_trial_or_idle_and_the_new_image(operation: int, how: Cut) -> None:
    bench = on_trial(OLD, NEW)
    bench.board.plan_cut(bench.board.operations + operation, how)
    bench.say(m.Confirm(NEW.crc))
    bench.power_on(Weak.RANDOM)
    assert bench.info().boot_state in (m.BootState.TRIAL, m.BootState.IDLE)
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(NEW)
