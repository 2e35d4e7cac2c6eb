"""One bit of one read is wrong, anywhere: nothing is walked again, copied wrong, counted wrong or given up for it."""

from __future__ import annotations

import pytest

from otaflash.sim.native import BoardEvent
from otaflash.wire import messages as m
from tests.firmware.bench import Bench, board_running, make_image, on_trial, on_trial_in_loader

OLD = make_image(1, 2, counter=1)
NEW = make_image(2, 2, counter=2)


def reads_of_a_boot(bench: Bench) -> int:
    bench.power_on()
    assert bench.boot() is BoardEvent.JUMPED
    return bench.board.reads


def booted_with_a_wrong_read(bench: Bench, read: int, draw: int) -> BoardEvent:
    bench.board.power_on()
    bench.board.plan_wrong_read(read, draw)
    return bench.boot()


@pytest.mark.parametrize("draw", range(8))
def test_a_wrong_read_at_power_up_neither_walks_a_step_again_nor_ends_the_trial(draw: int) -> None:
    first = on_trial(OLD, NEW)
    state, flash = first.board.save(), first.area("primary") + first.area("secondary")
    for read in range(reads_of_a_boot(first)):
        first.board.load(state)
        assert booted_with_a_wrong_read(first, read, draw) is BoardEvent.JUMPED, read
        assert first.board.jump_trial, read
        assert first.area("primary") + first.area("secondary") == flash, read


@pytest.mark.parametrize("draw", range(0, 256, 37))
def test_a_wrong_read_at_power_up_does_not_stop_an_image_that_is_whole(draw: int) -> None:
    bench = board_running(OLD)
    state = bench.board.save()
    for read in range(reads_of_a_boot(bench)):
        bench.board.load(state)
        assert booted_with_a_wrong_read(bench, read, draw) is BoardEvent.JUMPED, read


def test_a_wrong_read_in_a_swap_does_not_reach_the_old_image_that_is_kept() -> None:
    bench = board_running(OLD)
    bench.accept(NEW)
    bench.give(NEW)
    first = bench.board.reads
    assert bench.apply() is BoardEvent.JUMPED
    last = bench.board.reads
    for read in range(first, last):
        other = board_running(OLD)
        other.accept(NEW)
        other.give(NEW)
        other.board.plan_wrong_read(read, read * 8 + read % 8)
        other.ask(m.Apply(), m.ApplyReply)
        other.run(60.0)
        kept = [other.area(name).startswith(OLD.span) for name in ("primary", "secondary")]
        assert any(kept), read


def test_a_wrong_read_at_the_confirm_does_not_raise_the_counter() -> None:
    bench = on_trial_in_loader(OLD, NEW)
    state, first = bench.board.save(), bench.board.reads
    bench.ask(m.Confirm(NEW.crc), m.ConfirmReply)
    last = bench.board.reads
    for read in range(last - first + 400):
        bench.board.load(state)
        bench.board.power_on()
        bench.enter()
        bench.board.plan_wrong_read(bench.board.reads + read, 8 * read + 7)
        bench.ask(m.Confirm(NEW.crc), m.ConfirmReply)
        bench.power_on()
        assert bench.info().counter == 2, read
