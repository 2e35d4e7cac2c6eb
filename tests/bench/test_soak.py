"""The soak itself: a few hundred seeds in every run of the tests, the same result each time, failures that shrink."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import pytest

from otaflash.bench.soak import judging, many
from otaflash.bench.soak.drawing import draw
from otaflash.bench.soak.many import run_one, run_soak
from otaflash.bench.soak.running import live
from otaflash.bench.soak.scenario import Fault, HostSpec, ImageSpec, Kill, Round, Scenario, from_json, to_json
from otaflash.bench.soak.shrinking import shrink
from otaflash.errors import UsageError
from otaflash.sim.radio import Way
from tests.bench.soaking import FIRST, PLAIN, SaysDone, lying

SEEDS = 250
TIMES = ("seconds", "seeds_per_s")


def without_times(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in TIMES}


def test_no_promise_is_broken_in_some_hundred_drawn_scenarios() -> None:
    *events, result = run_soak(0, SEEDS, jobs=1)
    assert [event for event in events if event["event"] == "failure"] == []
    assert result["ok"]
    assert {kind: result[kind] for kind in judging.KINDS} == dict.fromkeys(judging.KINDS, 0)
    assert result["updates"] > 2 * SEEDS
    assert all(result[name] > SEEDS / 8 for name in ("done", "cuts", "resets", "host_kills", "refusals"))


@pytest.mark.parametrize(
    "seed",
    [
        *(1017931, 1023235, 1023906, 1026306, 2020248, 2023041, 2026890, 2029581, 3006114, 3090158, 3130185),
        *(9003820, 9005409),
    ],
)
def test_seeds_that_once_failed_are_right(seed: int) -> None:
    """A trial that ended during a refused push, a chunk that a refused offer wrote, an entry window shorter than a
    question on its line, an answer that was true when it left, an Apply under way while another host reverts, a
    program that heeds no Enter yet."""
    assert live(draw(seed)).wrongs == []


def test_the_result_is_the_same_in_any_number_of_processes() -> None:
    alone, shared = ([*run_soak(5000, 60, jobs=jobs)][-1] for jobs in (1, 2))
    assert without_times(alone) == without_times(shared)


@pytest.mark.parametrize("seed", range(20, 30))
def test_a_seed_tells_the_same_story_each_time(seed: int) -> None:
    assert live(draw(seed), tell=True) == live(draw(seed), tell=True)


def test_a_scenario_goes_to_text_and_back() -> None:
    for seed in range(200):
        assert from_json(to_json(draw(seed))) == draw(seed)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seed":1}', '{"seed":"x","board":{"base":"tiny1"},"images":[]}'])
def test_text_that_is_no_scenario_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        list(run_one(None, text))
    assert caught.value.reason == "bad-scenario"


def test_a_scenario_that_contradicts_itself_is_refused_by_name() -> None:
    too_large = dataclasses.replace(PLAIN, images=(ImageSpec(60), ImageSpec(9000), ImageSpec(90)))
    with pytest.raises(UsageError) as caught:
        list(run_one(None, to_json(too_large)))
    assert caught.value.reason == "bad-scenario"


BUSY = dataclasses.replace(
    PLAIN,
    rounds=(
        Round((HostSpec("info", kills=(Kill("inspect", 0.1),)),), (Fault("reset", after_s=0.3),)),
        Round((HostSpec(image=FIRST, kills=(Kill("transfer", 0.01),)),), (Fault("cut", "transfer", 0.02),), rest_s=3.0),
    ),
    down=Way(delay_s=0.02, loss=0.05),
    cycle_at_end=True,
)


def fails_with_liar(scenario: Scenario) -> bool:
    return any(wrong.kind == judging.FALSE_SUCCESS for wrong in live(scenario, make_push=lying(SaysDone)).wrongs)


def test_a_failure_shrinks_to_what_it_needs() -> None:
    assert fails_with_liar(BUSY)
    small = shrink(BUSY, fails_with_liar)
    assert small == shrink(BUSY, fails_with_liar)
    assert fails_with_liar(small)
    assert small.rounds == ()  # the last push is enough
    assert [image.count for image in small.images] == [1, 1]
    assert (small.down, small.up, small.cycle_at_end) == (Way(), Way(), False)


def test_a_failing_seed_prints_how_to_run_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "live", partial(live, make_push=lying(SaysDone)))
    seed = next(seed for seed in range(50) if many.live(draw(seed)).wrongs)
    failure, result = run_soak(seed, 1, jobs=1)
    assert (failure["event"], failure["seed"]) == ("failure", seed)
    assert failure["replay"] == f"otaflash bench soak --seed {seed}"
    assert not result["ok"]
    assert result["false_successes"] > 0
    *story, again, _ = run_one(None, failure["scenario"])
    assert again["kind"] == failure["kind"]
    assert any("WRONG" in event["text"] for event in story)
