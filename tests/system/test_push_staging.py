"""A push to an application that takes the update while it runs: no Enter, and down for the swap alone."""

from __future__ import annotations

import pytest

from otaflash.bench.link import make_image
from otaflash.engine import PhaseChanged
from otaflash.sim.app import Application, Applications, Behaviour
from otaflash.sim.profiles import PROFILES
from otaflash.sim.radio import Way
from otaflash.sim.station import Place
from otaflash.wire.messages import BootState, Mode
from tests.system.pushing import Bench, Outcome

REAL = sorted(name for name, made in PROFILES.items() if made.real)
STAGES = Applications(Application(Behaviour.STAGES))
UP_S = 2.0
"""The entry window is over, the application runs."""


def running(way: Way | None = None, *, board: str = "atmega328p", applications: Applications = STAGES) -> Bench:
    bench = Bench(way, board=board, applications=applications)
    bench.world.run_until(UP_S)
    assert bench.port.station.place is Place.LIBRARY
    return bench


def phases(outcome: Outcome) -> list[str]:
    return [event.name for event in outcome.events if isinstance(event, PhaseChanged)]


@pytest.mark.parametrize("board", REAL)
def test_the_update_is_staged_without_enter_and_confirmed(board: str) -> None:
    bench = running(Way(delay_s=0.02), board=board)
    outcome = bench.push()
    assert outcome.result is not None, outcome.error
    assert "enter" not in phases(outcome)
    assert bench.is_right()
    assert (outcome.result.info.mode, outcome.result.info.boot_state) == (Mode.STAGING, BootState.IDLE)


def test_the_board_is_without_its_program_for_the_swap_alone() -> None:
    """Against one that has to enter its loader: there the program is gone from Enter on."""
    slow = Way(rate=9600.0)
    stages, enters = running(slow), running(slow, applications=Applications())
    times = [bench.push().result for bench in (stages, enters)]
    assert times[0] is not None
    assert times[1] is not None
    assert times[0].downtime_seconds < 4.0 < times[0].transfer_seconds
    assert times[1].downtime_seconds > times[1].transfer_seconds


@pytest.mark.parametrize("delay_s", [0.0, 0.03, 0.3])
def test_a_program_that_has_just_started_is_asked_until_it_heeds_enter(delay_s: float) -> None:
    bench = Bench(
        Way(rate=230400.0, delay_s=delay_s), board="tiny2", image_bytes=90, frame_bytes=100, applications=Applications()
    )
    while bench.port.station.place is not Place.LIBRARY:
        bench.world.run_until(bench.world.now + 0.01)
    outcome = bench.push()
    assert outcome.result is not None, outcome.error
    assert "enter" in phases(outcome)
    assert bench.is_right()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("loss", [0.05, 0.3])
def test_a_bad_link_costs_time_and_nothing_else(seed: int, loss: float) -> None:
    bench = running(Way(delay_s=0.03, loss=loss))
    outcome = bench.push()
    assert outcome.result is not None, outcome.error
    assert bench.is_right()


def test_a_host_that_was_killed_resumes_in_the_application() -> None:
    bench = running()
    killed = bench.push_until(0.6)
    outcome = bench.push()
    assert outcome.result is not None, outcome.error
    assert outcome.progress()[0] >= killed.progress()[-1] - bench.board.profile.page_bytes
    assert "enter" not in phases(outcome)


def test_an_image_for_the_single_slot_makes_it_enter_its_loader() -> None:
    bench = running(board="nrf51822")
    single = make_image(bench.board.profile, 9000, 3, single_slot=True)
    outcome = bench.push(image=single)
    assert outcome.result is not None, outcome.error
    assert "enter" in phases(outcome)


def test_a_second_push_while_the_first_is_on_trial_is_refused_by_name() -> None:
    bench = running()
    outcome = bench.push(on_event=lambda event, now: isinstance(event, PhaseChanged) and event.name == "start")
    assert outcome.result is None
    other = make_image(bench.board.profile, 5000, 9)
    refused = bench.push(image=other)
    assert refused.error is not None
    assert refused.error.reason == "trial-pending"
