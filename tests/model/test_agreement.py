"""Model and real core agree step by step: the same boots, and the same flash after each operation, whole and torn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from modelling.agreement import Agreement, compare
from modelling.cells import Kind
from modelling.core import Core, board_for
from modelling.rules import RIGHT, Case, Rules
from modelling.world import SILENT, Act, Plan

from otaflash.sim.native import Weak

TWO_SLOTS = {act.value for act in Act if not act.value.startswith("single")}


def agreed(found: Agreement) -> Agreement:
    assert found.differences == []
    return found


def test_every_boot_with_a_cut_before_it_is_the_same_in_both() -> None:
    found = agreed(compare(Case((1, 1, 1), 1, 1)))
    assert found.plans == TWO_SLOTS
    assert found.operations > 40_000


def test_images_of_different_length_are_walked_alike() -> None:
    found = agreed(compare(Case((2, 1, 2), 1), sample=0.1))
    assert found.plans == TWO_SLOTS


def test_a_sample_of_histories_with_two_cuts_is_the_same_in_both() -> None:
    found = agreed(compare(Case((2, 2, 2), 2), sample=0.02, seed=1))
    assert found.operations > 500


def test_a_record_of_two_pages_is_erased_alike() -> None:
    case = Case((1, 1, 1), 1)
    assert board_for(case, page_bytes=64, mark_bytes=4).record_pages == 2
    found = agreed(compare(case, sample=0.1, page_bytes=64, mark_bytes=4))
    assert found.operations > 1000


@pytest.mark.parametrize("pages", [(1, 1, 1), (1, 3, 1)])
def test_an_image_received_in_place_is_the_same_in_both(pages: tuple[int, ...]) -> None:
    found = agreed(compare(Case(pages, 1, single=True), sample=0.1))
    assert {"single", "single-survey", "single-leave"} <= found.plans


@pytest.mark.parametrize(
    "other",
    [
        replace(RIGHT, refresh_body=False),
        replace(RIGHT, supersede=False),
        replace(RIGHT, last_mark_again=False),
        replace(RIGHT, offer_erases=False),
        replace(RIGHT, application_refreshes=False),
        replace(RIGHT, copy_then_mark=False),
        replace(RIGHT, copy_always=False),
    ],
    ids=str,
)
def test_an_algorithm_that_differs_in_one_point_does_not_agree(other: Rules) -> None:
    assert compare(Case((1, 1, 1), 1, rules=other)).differences


@pytest.mark.parametrize(
    "other",
    [
        replace(RIGHT, single_marks_pages=False),
        replace(RIGHT, single_supersedes=False),
        replace(RIGHT, single_mark_again=False),
    ],
    ids=str,
)
def test_an_image_received_in_place_by_other_rules_does_not_agree(other: Rules) -> None:
    assert compare(Case((1, 3, 1), 1, single=True, rules=other), sample=0.3).differences


def test_the_cores_flash_is_seen_in_the_models_terms() -> None:
    case = Case((1, 1, 1), 0)
    core = Core(case, board_for(case))
    boot = core.boot(core.first_state(), Plan(Act.UPDATE, "B"), SILENT, Weak.OLD)
    pages, (first, second) = core.see(boot.state).cells
    assert core.jumps(boot) == (("B", True),)
    assert pages == ("B0", "A0", "B0")
    assert first.body is not None
    assert (first.body.kind, first.body.old, first.body.new, first.body.counter) == (Kind.APPLY, "A", "B", 1)
    assert first.marks == "xxxx."
    assert second.body is None
