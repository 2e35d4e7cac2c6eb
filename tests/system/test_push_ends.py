"""Pushes over every fault at once, each drawn from one seed: they end, and what they say is so."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from otaflash.bench.link import make_image
from otaflash.engine import Progress
from otaflash.sim.profiles import PROFILES
from otaflash.sim.radio import Way
from otaflash.sim.station import Power
from tests.system.pushing import Bench

REAL = sorted(name for name, made in PROFILES.items() if made.real)
BOUND_S = 1200.0


def drawn_way(draws: random.Random) -> Way:
    """A link with each kind of fault or without it."""
    faults: list[dict[str, Any]] = [
        {"loss": draws.choice([0.01, 0.1, 0.3, 0.5])},
        {"biterr": draws.choice([1e-5, 3e-4])},
        {"dup": draws.choice([0.05, 0.3])},
        {"jitter_s": draws.choice([0.005, 0.04, 0.2])},
        {"reorder": draws.choice([0.05, 1.0])},
        {"burst_good_s": 2.0, "burst_bad_s": draws.choice([0.2, 1.0]), "burst_loss": 0.9},
        {"outage_from_s": draws.uniform(0, 6), "outage_s": draws.uniform(0.1, 20)},
        {"packet_bytes": 0},
    ]
    way = Way(rate=draws.choice([9600.0, 115200.0, 500_000.0]), delay_s=draws.choice([0.0, 0.03, 0.3]))
    for fault in faults:
        if draws.random() < 0.3:
            way = replace(way, **fault)
    return replace(way, air_rate=way.rate * draws.choice([0.24, 0.5, 0.7])) if draws.random() < 0.2 else way


def drawn_power(draws: random.Random) -> Power | None:
    return draws.choice(
        [
            None,
            Power(cut_at_s=draws.uniform(0.05, 8), off_s=draws.choice([0.1, 1, 5])),
            Power(cut_operation=draws.randrange(400), cut_how=draws.choice([1, 2, 3]), off_s=draws.choice([0.1, 5])),
        ]
    )


@pytest.mark.parametrize("seed", range(30))
def test_a_push_ends_and_claims_only_what_the_flash_holds(seed: int) -> None:
    draws = random.Random(f"push-ends/{seed}")
    bench = Bench(drawn_way(draws), board=draws.choice(REAL), image_bytes=3000, seed=seed, power=drawn_power(draws))
    if draws.random() < 0.5:
        bench.push(until_s=draws.uniform(0.05, 8))  # the host is killed then, and started again
    outcome = bench.push(until_s=BOUND_S)
    assert outcome.result is not None or outcome.error is not None
    assert outcome.result is None or bench.is_right()


def test_a_device_that_answers_and_gets_nowhere_is_given_up_with_what_was_awaited() -> None:
    """Frames of 20 bytes, half of them lost, on a long way: the loader leaves before the offer is whole."""
    bench = Bench(Way(delay_s=0.3, loss=0.5), frame_bytes=20, image_bytes=500)
    outcome = bench.push(until_s=BOUND_S)
    assert outcome.error is not None
    assert outcome.error.reason == "no-progress"
    assert "180 s" in outcome.error.text


def test_a_slow_line_is_no_standstill() -> None:
    bench = Bench(Way(rate=1200.0, delay_s=0.03), image_bytes=9000)
    outcome = bench.push(until_s=BOUND_S)
    assert outcome.result is not None, outcome.error
    assert bench.is_right()
    assert [event for event in outcome.events if isinstance(event, Progress)]


def test_a_refusal_leaves_little_behind_in_the_queues_of_a_line_whose_rate_is_not_known() -> None:
    """What was written there keeps everybody else from being heard until the line has sent it."""
    bench = Bench(Way(rate=9600.0))
    large = replace(bench.board.profile, slot_pages=12 * bench.board.profile.slot_pages)
    outcome = bench.push(image=make_image(large, 60_000, 1), knows_rate=False)
    assert outcome.error is not None
    assert outcome.error.reason == "too-large"
    assert bench.push(knows_rate=False).result is not None


def test_on_a_line_whose_rate_is_not_known_a_push_takes_little_longer() -> None:
    took = []
    for knows_rate in (True, False):
        bench = Bench(Way(rate=57600.0, delay_s=0.03), board="atmega1284p", image_bytes=30_000)
        outcome = bench.push(knows_rate=knows_rate)
        assert outcome.result is not None
        took.append(outcome.result.transfer_seconds)
    assert took[1] < 1.1 * took[0]
