"""The model of swap, boot record and trial: the algorithm holds, what is simpler does not, and what is told is so."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from modelling.rules import ECC, RIGHT, VARIANTS, Case, Counter, Layout
from modelling.search import Found, Search
from modelling.table import AFTER_A_WRONG_READ, case_of
from modelling.world import Wrong

ROOT = Path(__file__).resolve().parents[2]
WRONG = sorted(name for name, variant in VARIANTS.items() if variant.caught >= 0)
RIGHT_ONES = sorted(name for name, variant in VARIANTS.items() if variant.caught < 0)


def search(case: Case) -> Found:
    found = Search(case).run()
    assert found.whole
    return found


@pytest.mark.parametrize("pages", [(1, 1, 1), (1, 2, 1), (2, 1, 2), (2, 2, 2), (3, 3, 2)])
def test_one_cut_anywhere_does_no_harm(pages: tuple[int, ...]) -> None:
    found = search(Case(pages, 1))
    assert found.violations == {}
    assert found.trials_most == 2


def test_two_cuts_anywhere_do_no_harm() -> None:
    found = search(Case((1, 1), 2))
    assert found.violations == {}
    assert found.states > 500


@pytest.mark.parametrize("name", WRONG)
def test_a_simpler_form_is_caught_with_so_many_cuts_and_not_with_fewer(name: str) -> None:
    variant = VARIANTS[name]
    found = Search(case_of(variant, variant.caught)).run(first_only=True)
    assert found.violations
    for history in found.violations.values():
        assert history[-1].endswith(tuple(f"WRONG: {wrong}" for wrong in Wrong))
        assert sum("CUT" in boot for boot in history) <= variant.caught
    if variant.caught > 0:
        assert search(case_of(variant, variant.caught - 1)).violations == {}


@pytest.mark.parametrize("name", RIGHT_ONES)
def test_a_form_that_is_as_good_survives_a_cut(name: str) -> None:
    assert search(case_of(VARIANTS[name], 1)).violations == {}


def test_the_counter_follows_the_confirmed_image_also_where_a_later_image_has_a_lower_one() -> None:
    for counter in (Counter.IN_CONFIRM, Counter.BY_LEVEL):
        case = Case((1, 1, 1), 1, counters=(1, 3, 2), rules=replace(RIGHT, counter=counter))
        assert search(case).violations == {}


def test_torn_words_that_fault_need_the_marks_in_a_page_that_is_erased_first() -> None:
    apart = replace(ECC, layout=Layout.SEAL_PAGE_FIRST)
    assert search(Case((1, 1), 2, rules=apart)).violations == {}
    assert Wrong.AGAIN in search(Case((1, 1), 2, rules=ECC)).violations


def test_a_wrong_read_never_starts_an_image_that_is_not_whole_nor_lowers_the_counter() -> None:
    found = search(Case((1, 1, 1), 0, misreads=1))
    assert set(found.violations) <= AFTER_A_WRONG_READ
    assert {Wrong.WAY_BACK, Wrong.AGAIN, Wrong.NOTHING} <= set(found.violations)  # what it may do is said in the page


@pytest.mark.parametrize("pages", [(1, 3, 1), (1, 3, 3)])
def test_a_single_slot_never_starts_half_an_image_nor_a_torn_one(pages: tuple[int, ...]) -> None:
    found = search(Case(pages, 1, single=True))
    assert found.violations == {}
    assert found.states > 200


def test_a_survey_in_place_that_believes_any_page_starts_a_torn_one() -> None:
    variant = VARIANTS["single-unmarked"]
    assert Wrong.WEAK_IMAGE in search(case_of(variant, 1)).violations


def test_four_trials_show_the_corner_in_which_an_image_is_started_twice_as_often() -> None:
    found = search(Case((1, 1), 2, 4))
    assert found.violations == {}
    assert found.trials_most == 8


def test_records_written_for_ever_give_no_new_states() -> None:
    """An offer in place that is given up and made again writes a record each time."""
    found = search(Case((1, 3), 0, single=True))
    assert found.states < 100


def model(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "model"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_the_command_ends_with_a_result_for_machines() -> None:
    done = model("--pages", "1/1/1", "--cuts", "0", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert {"v", "event", "ok", "code", "states", "boots", "violations", "seconds"} <= set(result)
    assert (result["event"], result["ok"], result["code"], result["violations"]) == ("result", True, "nothing-wrong", 0)


def test_the_command_tells_the_history_of_what_goes_wrong() -> None:
    done = model("--variant", "skip-equal-pages", "--cuts", "1", "--pages", "1/1/1")
    assert done.returncode == 1
    assert "CUT torn program" in done.stdout
    assert f"WRONG: {Wrong.WAY_BACK}" in done.stdout
