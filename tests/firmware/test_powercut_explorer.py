"""The explorer itself: what it reports, and that it repeats. What it finds is shown by tests/mutants."""

from __future__ import annotations

import pytest

from otaflash.bench.explorer.cases import Case, Step
from otaflash.bench.explorer.catalogue import cases, families
from otaflash.bench.explorer.geometries import board_of
from otaflash.bench.explorer.machine import Defect
from otaflash.bench.powercut import COUNTERS, run_powercut
from otaflash.errors import TargetError, UsageError


def without_time(events: list[dict[str, object]]) -> list[dict[str, object]]:
    return [
        {key: event[key] for key in event if key not in {"seconds", "cpu_seconds", "scenarios_per_s"}}
        for event in events
    ]


def test_the_last_event_is_the_result_with_the_fixed_names() -> None:
    *found, result = run_powercut("small", 0)
    assert [event["event"] for event in found] == ["case"] * 5
    assert {event["board"] for event in found} == {"small"}
    fixed = {
        "board",
        "depth",
        "scenarios",
        "unbootable",
        "way_back_lost",
        "wrong_image",
        "max_erases_per_page",
        "seconds",
    }
    assert fixed | {"states", "scenarios_per_s", "exhaustive", "weak_jumps"} <= set(result)
    assert result["event"] == "result"
    assert result["ok"] is True
    assert [result[name] for name in COUNTERS] == [0] * len(COUNTERS)


def test_the_same_seed_finds_the_same() -> None:
    assert without_time(list(run_powercut("small", 0, seed=3))) == without_time(list(run_powercut("small", 0, seed=3)))


def test_time_that_runs_out_is_said() -> None:
    *_, result = run_powercut("tiny2", 2, seconds=0.2)
    assert result["exhaustive"] is False


def test_all_boards_are_at_least_six_geometries_each_with_one_cut_and_with_two() -> None:
    explored = {(case.profile.name, case.depth) for family in families("all", 2) for case in family.cases}
    assert {depth for _, depth in explored if depth} == {1, 2}
    assert len({name for name, depth in explored if depth == 2}) >= 6
    assert {name for name, depth in explored if depth == 1} == {name for name, depth in explored if depth == 2}


def test_three_cuts_are_a_sample_and_say_so() -> None:
    *found, result = run_powercut("tiny1", 3, seconds=2)
    assert result["exhaustive"] is False
    assert result["unbootable"] == 0
    assert any(event["scenarios"] != 0 for event in found)


def test_a_history_of_a_worn_board_is_run_again_on_such_a_board() -> None:
    *boots, result = run_powercut("tiny1", 1, replay="1/1,single,cut+half,worn.0.1.0 update-B:old:3:half silent:new")
    assert [boot["step"] for boot in boots] == ["update-B:old:3:half", "silent:new"]
    assert result["ok"] is True


@pytest.mark.parametrize(
    "case",
    [
        Case(board_of("tiny1"), (1, 0, 1), 1),
        Case(board_of("tiny1"), (1, 3), 1, single=True),
        Case(board_of("tiny1"), (1, 1), 1, faults=("reset",), defect=Defect("stuck", (3, 48, 16, 0))),
    ],
)
def test_a_case_reads_back_as_it_was_written(case: Case) -> None:
    assert Case.parse(case.sizes, case.profile, case.depth) == case


def test_a_history_can_be_run_again() -> None:
    words = "2/2 update-B:old:9:torn silent:new confirm-B:old silent:old"
    *boots, result = run_powercut("small", 1, replay=words)
    assert [boot["step"] for boot in boots] == words.split()[1:]
    assert boots[1]["jumps"] == ["trial"]
    assert boots[-1]["jumps"] == ["idle"]
    assert result["ok"] is True


@pytest.mark.parametrize(
    "text",
    [
        "silent:old",
        "update-B:whole2",
        "app-confirm-B:flicker:4:torn",
        "silent:old:3:reset-after",
        "silent:old:9:misread-none",
    ],
)
def test_a_step_reads_back_as_it_was_written(text: str) -> None:
    assert str(Step.parse(text)) == text


def test_a_real_board_is_explored_with_small_images_and_with_a_full_slot() -> None:
    chosen = cases("atmega328p", 1)
    assert [case.pages for case in chosen] == [(2, 2, 2), (1, 2), (2, 1), (81, 81)]
    assert [case.every == 1 for case in chosen] == [True, True, True, False]


def test_a_board_that_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(TargetError, match="no simulated board"):
        next(run_powercut("atmega9", 1))


def test_a_depth_out_of_range_is_refused() -> None:
    with pytest.raises(UsageError, match="0 to 3 cuts"):
        next(run_powercut("tiny1", 4))


@pytest.mark.parametrize(
    "replay", ["xx", "1/1 xx", "1/1 xx:old", "1/1 update-B:sideways", "1/1 update-Z:old", "1/1,odd.3 silent:old"]
)
def test_a_replay_that_is_no_history_is_a_mistake_in_the_command(replay: str) -> None:
    with pytest.raises(UsageError, match="is no history"):
        list(run_powercut("tiny1", 1, replay=replay))
