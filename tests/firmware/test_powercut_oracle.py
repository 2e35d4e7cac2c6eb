"""The judge of the explorer is judged: what must not be is seen, and what a boot leaves is what the notes said."""

from __future__ import annotations

import pytest

from otaflash.bench.explorer.cases import READINGS, Case, Step
from otaflash.bench.explorer.geometries import board_of
from otaflash.bench.explorer.machine import Boot, Jump, Notes
from otaflash.bench.explorer.oracle import (
    LEFT,
    MIXED,
    MORE_TRIALS,
    NOT_APPROVED,
    NOT_ON_TRIAL,
    NOT_TAKEN,
    RULE,
    STRAY,
    STUCK,
    UNBOOTABLE,
    WAY_BACK,
    Ghost,
)
from otaflash.bench.explorer.plans import SILENT, all_plans
from otaflash.bench.explorer.search import CUTS, Node, Search
from otaflash.sim.native import BoardEvent


def search(*, single: bool = False, pages: tuple[int, ...] = (1, 1, 1)) -> Search:
    return Search(Case(board_of("tiny1"), pages, 2, single=single), seed=1)


def after(made: Search, *words: str) -> Node:
    node = made.root()
    for word in words:
        _, node, wrong = made.step(node, Step.parse(word))
        assert wrong == ""
    return node


def verdict(made: Search, ghost: Ghost, *jumps: Jump, **boot: bool | int) -> str:
    return made.oracle.after(ghost, SILENT, Boot(event=BoardEvent.JUMPED, jumps=list(jumps), **boot), 0).wrong


def test_a_board_that_waits_in_its_loader_is_a_violation() -> None:
    assert verdict(search(), Ghost(), waits=True) == UNBOOTABLE


def test_a_board_whose_single_slot_push_was_cut_may_wait() -> None:
    assert verdict(search(single=True), Ghost(given_up=True), waits=True) == ""


def test_an_image_received_in_place_ends_the_wait_unless_a_later_offer_was_cut() -> None:
    made = search(single=True)
    jump = Jump(False, after(made, "update-B:old").state)
    for pending, waits in (((1,), UNBOOTABLE), ((1, 2), ""), ((1, LEFT), "")):
        ghost = made.oracle.after(Ghost(pending=pending, given_up=True), SILENT, Boot(jumps=[jump]), 0).ghost
        assert ghost.running == 1
        assert verdict(made, ghost, waits=True) == waits


@pytest.mark.parametrize(
    ("boot", "wrong"),
    [({"event": BoardEvent.RULE}, RULE), ({"event": BoardEvent.STUCK}, STUCK), ({"stray": True}, STRAY)],
)
def test_a_broken_rule_a_hang_and_a_write_elsewhere_are_violations(boot: dict[str, int], wrong: str) -> None:
    made = search()
    assert made.oracle.after(Ghost(), SILENT, Boot(**boot), 0).wrong == wrong


def test_a_jump_to_half_an_image_is_a_violation() -> None:
    made = search()
    states = [after(made, f"update-B:old:{at}:after").state for at in range(16)]
    halves = [state for state in states if not list(made.oracle._images_in(state))]
    assert len(halves) == 2  # the page of the primary slot is erased; half of it is programmed
    assert {verdict(made, Ghost(pending=(1,)), Jump(False, state)) for state in halves} == {MIXED}


def test_an_image_that_was_never_applied_may_not_run() -> None:
    made = search()
    state = after(made, "update-B:old").state
    assert verdict(made, Ghost(), Jump(False, state)) == NOT_APPROVED
    assert verdict(made, Ghost(), Jump(True, state)) == NOT_ON_TRIAL
    assert verdict(made, Ghost(pending=(1,)), Jump(True, state)) == ""


def test_an_image_on_trial_is_not_yet_one_for_good() -> None:
    made = search()
    state = after(made, "update-B:old").state
    assert verdict(made, Ghost(pending=(1,)), Jump(False, state)) == NOT_APPROVED
    assert verdict(made, Ghost(pending=(1,), confirming=True), Jump(False, state)) == ""


def test_an_image_that_was_reverted_may_not_come_back() -> None:
    made = search()
    state = after(made, "update-B:old").state
    assert verdict(made, Ghost(pending=(1,), banned=0b10), Jump(True, state)) == NOT_ON_TRIAL
    assert verdict(made, Ghost(pending=(1,), confirming=True, banned=0b10), Jump(False, state)) == NOT_APPROVED


def test_a_trial_without_the_old_image_in_the_other_slot_is_a_violation() -> None:
    made = search()
    state = after(made, "update-B:old").state
    assert verdict(made, Ghost(running=2, pending=(1,)), Jump(True, state)) == WAY_BACK


def test_more_trials_than_promised_are_a_violation() -> None:
    made = search()
    state = after(made, "update-B:old").state
    assert verdict(made, Ghost(pending=(1,), jumps=2), Jump(True, state)) == MORE_TRIALS


def test_an_offer_refused_for_no_reason_is_a_violation() -> None:
    made = search()
    plan = all_plans(made.case.profile, made.images)["update", 1]
    assert made.oracle.taken(Ghost(), plan, Boot(refused=True)) == NOT_TAKEN
    assert made.oracle.taken(Ghost(pending=(1,)), plan, Boot(refused=True)) == ""


def test_a_single_slot_push_that_does_not_end_in_its_image_is_a_violation() -> None:
    made = search(single=True)
    plan = all_plans(made.case.profile, made.images)["update", 1]
    assert made.oracle.taken(Ghost(), plan, Boot(waits=True)) == NOT_TAKEN


@pytest.mark.parametrize("reading", list(READINGS))
@pytest.mark.parametrize("plan", ["silent", "update-B"])
def test_what_is_noted_of_a_cut_is_what_the_cut_leaves(plan: str, reading: str) -> None:
    made = search()
    node = after(made, "update-B:old:9:torn")
    chosen = made._plan_of(Step(plan))
    whole, _ = made._boot(node, chosen, Step(plan, reading), Notes.ALL)
    noted = {(note.operation, note.how): note.state for note in made.machine.notes()}
    assert len(noted) == 3 * whole.operations
    for operation in range(whole.operations):
        for how in CUTS:
            boot, _, _ = made.step(node, Step(plan, reading, (operation, how)))
            assert boot.event == BoardEvent.CUT
            assert boot.state == noted[operation, how], (operation, how)


def test_what_was_heard_by_a_cut_is_known_at_its_moment() -> None:
    made = search()
    plan = made._plan_of(Step("update-B"))
    made._boot(made.root(), plan, Step("update-B"), Notes.ALL)
    known = made.machine.moments(plan)
    assert [moment.accepted for moment in known] == sorted(moment.accepted for moment in known)
    assert (known[0].applied, known[-1].applied) == (False, True)
    last = {note.moment: note for note in made.machine.notes()}
    for at, note in last.items():
        boot, _, _ = made.step(made.root(), Step("update-B", "old", (note.operation, note.how)))
        assert (boot.accepted, boot.applied, boot.spoken) == (known[at].accepted, known[at].applied, known[at].spoken)
