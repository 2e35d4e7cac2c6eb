"""Whole pushes over the real core: what the engine claims is what the flash holds, whatever the link does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.engine import Progress
from otaflash.errors import ExitCode
from otaflash.sim.app import Application, Applications, Behaviour
from otaflash.sim.profiles import PROFILES
from otaflash.sim.radio import Way
from otaflash.wire.messages import BootState
from tests.system.pushing import Bench

REAL = sorted(name for name, made in PROFILES.items() if made.real)

LINKS = {
    "half of the packets lost": Way(delay_s=0.03, loss=0.5),
    "every third packet twice": Way(delay_s=0.03, dup=0.33),
    "packets out of order": Way(delay_s=0.03, jitter_s=0.04, reorder=1.0),
    "bits flipped": Way(delay_s=0.03, biterr=2e-4),
    "all of it at once": Way(delay_s=0.03, loss=0.1, dup=0.1, jitter_s=0.03, reorder=0.5, biterr=1e-5),
    "a plain wire": Way(packet_bytes=0),
    "a slow line": Way(rate=9600.0, delay_s=0.03, loss=0.05),
    "a radio slower than its line": Way(delay_s=0.03, air_rate=60_000.0),
}


@pytest.mark.parametrize("board", REAL)
def test_an_update_ends_with_the_new_image_confirmed_and_running(board: str) -> None:
    bench = Bench(Way(delay_s=0.02), board=board)
    outcome = bench.push()
    assert outcome.error is None
    assert outcome.result is not None
    assert bench.is_right()
    info = outcome.result.info
    assert (info.image_crc, info.boot_state, info.mode) == (bench.image.image_crc, BootState.IDLE, 1)
    assert outcome.result.running_version == "2.0.0"


@pytest.mark.parametrize("way", LINKS.values(), ids=LINKS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_bad_link_costs_time_and_nothing_else(way: Way, seed: int) -> None:
    bench = Bench(way, seed=seed)
    outcome = bench.push()
    assert outcome.result is not None, outcome.error
    assert bench.is_right()


@pytest.mark.parametrize("frame_bytes", [20, 40, 64, 100])
@pytest.mark.parametrize("loss", [0.0, 0.2])
def test_short_frames_suffice_for_every_exchange(frame_bytes: int, loss: float) -> None:
    bench = Bench(Way(delay_s=0.02, loss=loss), frame_bytes=frame_bytes, image_bytes=3000)
    outcome = bench.push()
    assert outcome.result is not None, outcome.error
    assert bench.is_right()


@pytest.mark.parametrize("seed", range(12))
def test_the_fault_that_fooled_sfxb_ends_in_a_right_image_or_an_honest_failure(seed: int) -> None:
    """35 ms one way and one damaged frame: unnumbered acknowledgements then shift by one, and sfxb says success."""
    damaged = replace(Way(delay_s=0.035), outage_from_s=0.25 + 0.07 * seed, outage_s=0.009)
    bench = Bench(damaged, seed=seed)
    outcome = bench.push()
    assert outcome.result is not None, outcome.error
    assert bench.is_right()


def test_progress_counts_acknowledged_bytes_only_and_never_falls() -> None:
    bench = Bench(Way(delay_s=0.03, loss=0.1))
    outcome = bench.push()
    assert outcome.progress() == sorted(outcome.progress())
    last = [event for event in outcome.events if isinstance(event, Progress)][-1]
    assert last.done_bytes == last.total_bytes == 9000


def test_a_push_of_what_runs_already_says_so_and_sends_no_block() -> None:
    bench = Bench()
    bench.push()
    again = bench.push()
    assert again.result is not None
    assert again.result.already_running
    assert again.result.wire_bytes_down < 200


def test_an_image_that_crashes_is_reverted_and_told_as_not_confirmed() -> None:
    crash = Applications(by_image={"2.0.0": Application(Behaviour.CRASH)})
    bench = Bench(Way(delay_s=0.02), applications=crash)
    outcome = bench.push()
    assert outcome.result is None
    assert outcome.error is not None
    assert (outcome.error.reason, outcome.error.exit_code) == ("not-confirmed", ExitCode.NOT_CONFIRMED)
    assert not bench.is_right()


def test_an_image_that_never_answers_is_not_called_a_success() -> None:
    mute = Applications(by_image={"2.0.0": Application(Behaviour.SILENT)})
    outcome = Bench(Way(delay_s=0.02), applications=mute).push()
    assert outcome.error is not None
    assert (outcome.error.reason, outcome.error.exit_code) == ("new-image-silent", ExitCode.NOT_CONFIRMED)


def test_an_application_that_confirms_itself_needs_no_host() -> None:
    own = Applications(by_image={"2.0.0": Application(confirm_after_s=0.01)})
    bench = Bench(Way(delay_s=0.02), applications=own)
    outcome = bench.push()
    assert outcome.result is not None, outcome.error
    assert bench.is_right()
