"""The judge of the soak sees: every promise is broken here once, by an engine that lies, or by a hand in the flash."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otaflash.bench.soak import judging
from otaflash.bench.soak.running import Soak, live
from otaflash.bench.soak.scenario import Scenario
from otaflash.engine import Done, Failed, Push
from otaflash.sim.native import PortCall
from tests.bench.soaking import (
    ON_TRIAL,
    PLAIN,
    REFUSED,
    BlamesItself,
    GivesUp,
    NeverConfirms,
    NeverEnds,
    Raises,
    SaysDone,
    StandsStill,
    lying,
)

Meddle = Callable[[Soak], None]


@pytest.mark.parametrize("scenario", [PLAIN, ON_TRIAL, REFUSED], ids=["kept", "on trial", "refused"])
def test_an_honest_run_breaks_no_promise(scenario: Scenario) -> None:
    lived = live(scenario)
    assert lived.wrongs == []
    assert lived.ends["done"] >= 1


@pytest.mark.parametrize(
    ("liar", "kind", "says"),
    [
        (SaysDone, judging.FALSE_SUCCESS, "does not"),
        (NeverConfirms, judging.FALSE_SUCCESS, "after a power cycle it starts image 1 on trial"),
        (NeverEnds, judging.STUCK, "has not ended"),
        (StandsStill, judging.STUCK, "stands still"),
        (Raises, judging.CRASHED, "IndexError"),
        (BlamesItself, judging.CRASHED, "oops"),
    ],
)
def test_an_engine_that_lies_is_seen(liar: type[Push], kind: str, says: str) -> None:
    found = live(PLAIN, make_push=lying(liar)).wrongs
    assert (found[0].kind, says in found[0].text) == (kind, True), found


def test_done_for_an_image_that_had_to_be_refused_is_seen() -> None:
    found = live(REFUSED, make_push=lying(SaysDone)).wrongs
    assert found[0].kind == judging.FALSE_SUCCESS
    assert "had to be refused" in found[0].text


def test_a_last_push_that_does_not_get_through_is_seen() -> None:
    found = live(PLAIN, make_push=lying(GivesUp, in_first_only=False)).wrongs
    assert [wrong.kind for wrong in found] == [judging.NOT_RECOVERED]


def before_jump(of: int, act: Meddle) -> Meddle:
    """`act` just before the board's start number `of` (1: the factory image)."""

    def meddle(soak: Soak) -> None:
        passed_on, starts = soak.station.on_jump, []

        def jumped(trial: bool) -> None:
            starts.append(trial)
            if len(starts) == of:
                act(soak)
            passed_on(trial)

        soak.station.on_jump = jumped

    return meddle


def after_end(act: Meddle) -> Meddle:
    """`act` once the first host has ended."""

    def meddle(soak: Soak) -> None:
        passed_on, ends = soak.ended, []

        def ended(host: object, end: Done | Failed) -> None:
            passed_on(host, end)  # type: ignore[arg-type]
            ends.append(end)
            if len(ends) == 1:
                act(soak)

        soak.ended = ended  # type: ignore[method-assign]

    return meddle


def flip(place: Callable[[Soak], int]) -> Meddle:
    def act(soak: Soak) -> None:
        soak.board.flash[place(soak)] ^= 0x10

    return act


def in_primary(soak: Soak) -> int:
    return 3


def in_secondary(soak: Soak) -> int:
    return soak.profile.slot_bytes + 3


def put_back_factory(soak: Soak) -> None:
    """As a bootloader would that forgets a confirmed image."""
    blank = b"\xff" * (len(soak.board.flash) - len(soak.images[0].span))
    soak.board.load(b"\0\0" + soak.images[0].span + blank)
    soak.station.reset()


def confirm_by_itself(soak: Soak) -> None:
    """As a bootloader would that takes a trial for a confirmation."""
    assert soak.board.app_confirm()


def wear_a_page(soak: Soak) -> None:
    soak.board.erases[1] = 500


@pytest.mark.parametrize(
    ("scenario", "meddle", "kind", "says"),
    [
        (PLAIN, before_jump(1, flip(in_primary)), judging.WRONG_IMAGE, "no image that was ever offered"),
        (PLAIN, before_jump(2, flip(in_primary)), judging.WRONG_IMAGE, "no image that was ever offered"),
        (PLAIN, before_jump(2, flip(in_secondary)), judging.WAY_BACK, "not whole in the other slot"),
        (PLAIN, after_end(put_back_factory), judging.WRONG_IMAGE, "runs the factory image for good"),
        (ON_TRIAL, after_end(confirm_by_itself), judging.WRONG_IMAGE, "unconfirmed"),
        (PLAIN, after_end(flip(in_primary)), judging.UNBOOTABLE, "starts nothing"),
        (REFUSED, after_end(flip(in_secondary)), judging.REFUSAL, "flash changed"),
        (PLAIN, after_end(wear_a_page), judging.WORN, "erased 500 times"),
    ],
    ids=[
        "another program at the first start",
        "another program on trial",
        "no way back",
        "reverts what was confirmed",
        "keeps what was not confirmed",
        "nothing to start",
        "a refusal that writes",
        "wear",
    ],
)
def test_a_board_that_does_wrong_is_seen(scenario: Scenario, meddle: Meddle, kind: str, says: str) -> None:
    found = live(scenario, meddle=meddle).wrongs
    assert found, "nothing was seen"
    assert (found[0].kind, says in found[0].text) == (kind, True), found


def test_what_the_core_raises_is_a_violation_and_no_traceback() -> None:
    def break_rule(soak: Soak) -> None:
        soak.board.call_port(PortCall.READ, page=soak.profile.pages + 1)

    found = live(PLAIN, meddle=before_jump(1, break_rule)).wrongs
    assert [wrong.kind for wrong in found] == [judging.CRASHED]
    assert "read outside the flash" in found[0].text
