"""A board's surroundings with a board of paper in the middle: power, restarts, applications, who hears what."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from otaflash.errors import OtaflashError
from otaflash.sim.app import Application, Applications, Behaviour, RunningImage
from otaflash.sim.radio import LinkModel, Way
from otaflash.sim.station import BoardEvent, Place, Power
from otaflash.sim.world import Port, World

ENTER = b"enter!"


class PaperBoard:
    """A loader that jumps after a second unless asked to stay; loader and library answer each chunk by its echo."""

    def __init__(self, trial: bool = False) -> None:
        self.now_s = 0.0
        self.wake_s = math.inf
        self.operations = 0
        self.jump_trial = trial
        self.log: list[str] = []
        self.events: list[BoardEvent] = []
        self.heard: list[tuple[float, bytes]] = []
        self.confirmed = False
        self._out: list[tuple[float, bytes]] = []
        self._jump_s: float | None = None

    def power_on(self, weak: int) -> None:
        self.log.append(f"power {self.now_s:.3f}")
        self._jump_s = self.now_s + 1.0

    def reset(self) -> None:
        self.log.append(f"reset {self.now_s:.3f}")
        self._jump_s = self.now_s + 1.0

    def plan_cut(self, operation: int, how: int) -> None:
        self.log.append(f"cut {operation} {how}")

    def run(self, until_s: float) -> int:
        if self.events:
            return self.events.pop(0).value
        if self._jump_s is not None and self._jump_s <= until_s:
            self.now_s, self._jump_s, self.wake_s = self._jump_s, None, math.inf
            return BoardEvent.JUMPED.value
        self.wake_s = math.inf if self._jump_s is None else self._jump_s
        return BoardEvent.IDLE.value

    def receive(self, at_s: float, data: bytes) -> int:
        self.heard.append((at_s, data))
        if data == ENTER:
            self.events.append(BoardEvent.RESTARTED)
        self._out.append((at_s + 0.01, data))
        return len(data)

    def sent(self) -> list[tuple[float, bytes]]:
        out, self._out = self._out, []
        return out

    def app_start(self, *, stages: bool = False) -> None:
        self.log.append(f"library {self.now_s:.3f}")

    def app_confirm(self) -> bool:
        self.confirmed = True
        return True


def world_with(
    board: PaperBoard, behaviour: Behaviour = Behaviour.GOOD, power: Power | None = None, **times: float
) -> tuple[World, Port]:
    world = World(1)
    applications = Applications(Application(behaviour, **times))
    port = world.add(board, LinkModel(), applications=applications, power=power, enter_frame=ENTER)
    return world, port


def test_a_good_application_answers_after_the_jump() -> None:
    board = PaperBoard()
    world, port = world_with(board)
    world.run_until(2.0)
    assert port.station.place is Place.LIBRARY
    port.write(b"hello")
    world.run_until(2.1)
    assert port.take() == b"hello"


def test_a_board_gets_the_time_of_the_first_byte() -> None:
    board = PaperBoard()
    world, port = world_with(board)
    port.write(bytes(100))
    world.run_until(0.5)
    character = 10 / 115200
    assert board.heard[0][0] == pytest.approx(101 * character)


def test_a_good_application_confirms_itself_when_told_to() -> None:
    board = PaperBoard()
    world, _ = world_with(board, confirm_after_s=3.0)
    world.run_until(3.9)
    assert not board.confirmed
    world.run_until(4.1)
    assert board.confirmed


def test_a_hang_on_trial_is_ended_by_the_watchdog() -> None:
    board = PaperBoard(trial=True)
    world, _ = world_with(board, Behaviour.HANG)
    world.run_until(3.5)
    assert board.log == ["power 0.000", "reset 3.000"]


def test_a_hang_outside_a_trial_lasts() -> None:
    board = PaperBoard()
    world, port = world_with(board, Behaviour.HANG)
    world.run_until(100.0)
    port.write(b"hello")
    world.run_until(200.0)
    assert board.log == ["power 0.000"]
    assert port.station.counters.unheard_bytes == 5
    assert port.take() == b""


def test_a_crash_resets_at_every_start() -> None:
    board = PaperBoard()
    world, port = world_with(board, Behaviour.CRASH, crash_after_s=0.5)
    world.run_until(4.6)
    assert board.log == ["power 0.000", "reset 1.500", "reset 3.000", "reset 4.500"]
    assert port.station.counters.resets == 3


def test_a_silent_application_runs_and_answers_nothing() -> None:
    board = PaperBoard(trial=True)
    world, port = world_with(board, Behaviour.SILENT)
    world.run_until(50.0)
    port.write(b"hello")
    world.run_until(60.0)
    assert (port.take(), board.log) == (b"", ["power 0.000"])


def test_an_application_may_ask_for_the_loader_by_itself_and_says_nothing_of_it() -> None:
    board = PaperBoard()
    world, port = world_with(board, Behaviour.ENTER, enter_after_s=2.0)
    world.run_until(3.5)
    assert port.station.counters.restarts == 1
    assert port.station.place is Place.LOADER
    assert port.take() == b""


def test_power_that_fails_at_a_time_comes_back_by_itself() -> None:
    board = PaperBoard()
    world, port = world_with(board, power=Power(cut_at_s=3.2, off_s=0.5))
    world.run_until(3.3)
    assert port.station.place is Place.OFF
    world.run_until(4.0)
    assert port.station.place is Place.LOADER
    assert board.log == ["power 0.000", "library 1.000", "power 3.700"]
    assert port.station.counters.cuts == [3.2]


def test_power_that_is_switched_off_stays_away_until_it_is_switched_on() -> None:
    board = PaperBoard()
    world, port = world_with(board, power=Power(off_s=0.5))
    world.run_until(2.0)
    port.station.switch_off()
    world.run_until(9.0)
    assert port.station.place is Place.OFF
    port.station.switch_on()
    assert board.log == ["power 0.000", "library 1.000", "power 9.000"]


def test_power_switched_off_during_a_cut_does_not_come_back_by_itself() -> None:
    board = PaperBoard()
    world, port = world_with(board, power=Power(cut_at_s=2.0, off_s=0.5))
    world.run_until(2.2)
    port.station.switch_off()
    world.run_until(9.0)
    assert port.station.place is Place.OFF
    assert port.station.counters.cuts == [2.0]


def test_power_switched_on_during_a_cut_comes_back_once() -> None:
    board = PaperBoard()
    world, port = world_with(board, power=Power(cut_at_s=2.0, off_s=0.5))
    world.run_until(2.2)
    port.station.switch_on()
    port.station.switch_on()
    world.run_until(9.0)
    assert port.station.counters.power_ups == 2


def test_who_asks_is_told_of_every_power_up_before_the_core_runs() -> None:
    board = PaperBoard()
    world, port = world_with(board, power=Power(cut_at_s=2.0, off_s=0.5))
    port.station.on_power_up = lambda: board.plan_cut(3, 2)
    world.run_until(9.0)
    assert board.log == ["power 0.000", "library 1.000", "power 2.500", "cut 3 2", "library 3.500"]


def test_a_cut_at_a_flash_operation_is_planned_for_the_first_boot_only() -> None:
    board = PaperBoard()
    board.events = [BoardEvent.CUT]
    world, port = world_with(board, power=Power(cut_operation=7, cut_how=2, off_s=1.0))
    world.run_until(1.5)
    assert board.log == ["power 0.000", "cut 7 2", "power 1.000"]
    assert port.station.counters.power_ups == 2


def test_what_the_board_had_not_yet_said_dies_with_the_power() -> None:
    board = PaperBoard()
    world, port = world_with(board, power=Power(cut_at_s=0.505))
    world.run_until(0.5)
    port.write(b"x")
    world.run_until(1.4)
    assert board.heard
    assert port.take() == b""


def test_plans_of_an_application_die_with_its_run() -> None:
    board = PaperBoard()
    world, _ = world_with(board, power=Power(cut_at_s=1.5, off_s=10.0), confirm_after_s=2.0)
    world.run_until(12.0)
    assert not board.confirmed


def test_restarting_for_ever_is_found_out() -> None:
    board = PaperBoard()
    board.events = [BoardEvent.RESTARTED] * 5000
    with pytest.raises(OtaflashError, match="restarts for ever"):
        world_with(board)


def test_images_choose_the_behaviour() -> None:
    board = PaperBoard()
    images = iter([RunningImage("0.0.1", 1), RunningImage("0.0.1", 1), RunningImage("2.0.0", 2)])
    world = World(1)
    applications = Applications(by_image={"new": Application(Behaviour.CRASH)})
    port = world.add(board, LinkModel(), applications=applications, image_of=lambda: next(images))
    world.run_until(1.5)
    assert port.station.place is Place.LIBRARY
    port.station.reset()
    world.run_until(2.55)
    assert port.station.place is Place.DEAF


def traced(seed: int, order: Callable[[list[int]], list[int]] = lambda names: names) -> list[tuple[float, str, bytes]]:
    trace: list[tuple[float, str, bytes]] = []
    world = World(seed, trace=lambda time, name, data: trace.append((time, name, data)))
    way = Way(loss=0.2, jitter_s=0.02, biterr=1e-4, burst_good_s=1, burst_bad_s=0.1)
    ports = {number: world.add(PaperBoard(), LinkModel(way, way), name=f"b{number}") for number in order([0, 1, 2])}
    for number in (0, 1, 2):
        for turn in range(50):
            ports[number].write(bytes([number, turn] * 50))
    world.run_until(20.0)
    return trace


def test_the_same_seed_gives_the_same_trace_and_another_one_another() -> None:
    assert traced(1) == traced(1)
    assert traced(1) != traced(2)


def test_a_board_fares_the_same_whatever_boards_are_beside_it() -> None:
    forward, backward = traced(1), traced(1, lambda names: names[::-1])
    assert [entry for entry in forward if entry[1] == "b1"] == [entry for entry in backward if entry[1] == "b1"]


def test_an_application_that_restarts_answers_in_between() -> None:
    board = PaperBoard()
    world, port = world_with(board, Behaviour.RESTART, crash_after_s=0.5)
    world.run_until(1.2)
    port.write(b"hello")
    world.run_until(3.2)
    assert port.take() == b"hello"
    assert board.log == ["power 0.000", "library 1.000", "reset 1.500", "library 2.500", "reset 3.000"]


@pytest.mark.parametrize("trial", [False, True])
def test_an_application_that_fades_is_reset_by_the_watchdog_of_a_trial_alone(trial: bool) -> None:
    board = PaperBoard(trial=trial)
    world, port = world_with(board, Behaviour.FADE, fade_after_s=0.5)
    world.run_until(3.0)
    assert port.station.place is Place.DEAF
    world.run_until(3.9)
    assert board.log == ["power 0.000", "library 1.000", *(["reset 3.500"] if trial else [])]


def test_every_start_of_an_image_is_told_before_the_application_does_anything() -> None:
    board = PaperBoard(trial=True)
    world, port = world_with(board)
    told: list[tuple[bool, int]] = []
    port.station.on_jump = lambda trial: told.append((trial, len(board.log)))
    world.run_until(2.0)
    assert told == [(True, 1)]


def test_cuts_can_be_planned_for_this_boot_and_for_those_that_follow() -> None:
    board = PaperBoard()
    world, port = world_with(board)
    board.operations = 7
    port.station.plan_cuts(3, 2, again=((5, 1), (0, 3)))
    for _ in range(3):
        port.station.cut_power()
        world.run_until(world.now + 1.5)
    assert [entry for entry in board.log if entry.startswith("cut")] == ["cut 10 2", "cut 5 1", "cut 0 3"]
    port.station.plan_cuts(3, 2, again=((5, 1),))
    port.station.plan_no_cuts()
    port.station.cut_power()
    world.run_until(world.now + 1.5)
    assert board.log[-2:] == ["cut 0 0", f"power {world.now - 0.5:.3f}"]


def test_a_changed_power_says_how_long_it_stays_away() -> None:
    board = PaperBoard()
    world, port = world_with(board)
    port.station.change_power(Power(off_s=4.0))
    world.run_until(0.5)
    port.station.cut_power()
    world.run_until(5.0)
    assert board.log == ["power 0.000", "power 4.500"]


def test_a_changed_link_holds_for_what_is_sent_from_then_on() -> None:
    board = PaperBoard()
    world, port = world_with(board)
    world.run_until(2.0)
    port.write(b"before")
    port.station.change_link(LinkModel(Way(loss=1.0), Way()))
    port.write(b"behind")
    world.run_until(3.0)
    assert port.take() == b"before"


def test_an_application_whose_wish_for_the_loader_was_lost_is_heard_again() -> None:
    board = PaperBoard()
    world, port = world_with(board, Behaviour.ENTER, enter_after_s=1.0)
    port.station._enter_frame = b"lost!!"
    world.run_until(2.1)
    port.write(b"hush")
    world.run_until(2.4)
    assert port.take() == b""
    world.run_until(3.0)
    port.write(b"hello")
    world.run_until(3.1)
    assert port.take() == b"hello"
