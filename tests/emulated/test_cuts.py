"""Cuts of power on the emulated chips: the short form of `tools/emulated_cuts`, and that its judge can see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.emulated.board import CutKind
from tests.emulated.chips import CHIPS, atmega328p
from tests.emulated.cuts import Campaign, Cut, any_cycle, every_operation, sampled


@pytest.fixture(scope="module")
def avr() -> Campaign:
    return Campaign(atmega328p())


@pytest.fixture(scope="module", params=["nrf51822", "nrf52832"])
def cortex_m(request: pytest.FixtureRequest) -> Campaign:
    return Campaign(CHIPS[request.param]())


def torn(operations: int) -> list[tuple[Cut, ...]]:
    return [(cut,) for (cut,) in every_operation(operations) if cut.kind == "torn"]


def test_every_operation_of_an_update_torn_leaves_the_atmega328p_with_an_approved_image(avr: Campaign) -> None:
    operations, _ = avr.operations("upgrade")
    tally = avr.run("upgrade", torn(operations))
    assert tally.scenarios == operations
    assert tally.wrong == []
    assert set(tally.ended_with) == {"old", "new"}, "which one, the decision says"


@pytest.mark.parametrize("history", ["revert", "confirm"])
def test_torn_operations_of_a_decision_leave_the_atmega328p_with_an_approved_image(avr: Campaign, history: str) -> None:
    operations, _ = avr.operations(history)
    assert avr.run(history, torn(operations)[::3]).wrong == []


def test_cuts_at_any_moment_leave_the_atmega328p_with_an_approved_image(avr: Campaign) -> None:
    _, micros = avr.operations("upgrade")
    assert avr.run("upgrade", any_cycle(micros, 20, 2, seed=1)).wrong == []


@pytest.mark.parametrize("history", ["upgrade", "revert", "confirm"])
def test_two_cuts_leave_a_cortex_m_with_an_approved_image(cortex_m: Campaign, history: str) -> None:
    operations, micros = cortex_m.operations(history)
    assert cortex_m.run(history, sampled(operations, 4, 2, seed=1)).wrong == []
    assert cortex_m.run(history, any_cycle(micros, 2, 2, seed=1)).wrong == []


@pytest.mark.parametrize("kind", ["before", "torn", "after"])
def test_a_cut_is_read_as_it_is_written(kind: CutKind) -> None:
    assert Cut.parse(str(Cut(17, kind))) == Cut(17, kind)
    assert Cut.parse(str(Cut(micros=900))) == Cut(micros=900)


@pytest.mark.parametrize("name", CHIPS)
def test_the_judge_sees_a_lost_way_back_and_a_mixed_image(name: str) -> None:
    """A board on trial, judged as if another image had been the old one; and as if another had been pushed, too."""
    campaign = Campaign(CHIPS[name]())
    campaign.scenario("revert", (), 1)
    assert campaign.tally.wrong == []
    other = replace(campaign.chip.old, span=bytes(len(campaign.chip.old.span)))
    campaign.chip = replace(campaign.chip, old=other)
    campaign.scenario("revert", (), 2)
    campaign.chip = replace(campaign.chip, new=other)
    campaign.scenario("revert", (), 3)
    assert campaign.tally.wrong == [
        "revert 2  -> the way back is lost at the first boot",
        "revert 3  -> a mixed image is started at the first boot",
    ]
