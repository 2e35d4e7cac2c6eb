"""The modelled air of BLE against the formulae, and what an air may and may not do to values."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from otaflash.bench.ble import air_rate
from otaflash.sim.ble import BleModel
from otaflash.sim.ble_air import Air
from otaflash.sim.clock import Clock

ONE_M = BleModel(1, 247, 0.05)
TWO_M = BleModel(2, 247, 0.05)


class Rig:
    """A connection with a notebook at each end."""

    def __init__(self, model: BleModel, *, loss: float = 0.0, room: bool = True) -> None:
        self.clock = Clock()
        self.down: list[bytes] = []
        self.up: list[bytes] = []
        self.room = room
        draws = random.Random(1)
        self.air = Air(
            self.clock,
            model,
            on_down=self.down.append,
            on_up=self.up.append,
            has_room=lambda count: self.room,
            lose=lambda: draws.random() < loss,
        )


def numbered(count: int, size: int = 244) -> list[bytes]:
    return [number.to_bytes(4, "little") * (size // 4) for number in range(count)]


@pytest.mark.parametrize(
    ("formula", "kilobytes_per_s"),
    [
        (ONE_M.endless_ceiling, 98.9),
        (TWO_M.endless_ceiling, 175.3),
        (replace(ONE_M, interval_s=0.03).response_ceiling, 4.07),
    ],
)
def test_the_formulae_give_the_ceilings_of_the_field(formula, kilobytes_per_s) -> None:  # type: ignore[no-untyped-def]
    assert formula(244) / 1000 == pytest.approx(kilobytes_per_s, rel=0.001)


def test_a_ceiling_knows_the_ends_of_connection_events() -> None:
    assert BleModel(2, 247, 0.015).ceiling(244) == pytest.approx(10 * 244 / 0.015)
    assert BleModel(1, 247, 0.03, 6).ceiling(244) == pytest.approx(6 * 244 / 0.03)
    assert BleModel(1, 23, 0.03, extended=False).ceiling(20) == pytest.approx(44 * 20 / 0.03)


@pytest.mark.parametrize("model", [ONE_M, TWO_M])
def test_the_air_agrees_with_the_endless_ceilings_within_five_percent(model: BleModel) -> None:
    assert air_rate(model) == pytest.approx(model.endless_ceiling(244), rel=0.05)


@pytest.mark.parametrize(
    "model",
    [
        BleModel(2, 247, 0.015),
        BleModel(1, 247, 0.03, 6),
        BleModel(2, 247, 0.0075, encrypted=True),
        BleModel(1, 247, 0.03, extended=False),
    ],
)
def test_the_air_agrees_with_the_ceiling_of_its_setting(model: BleModel) -> None:
    assert air_rate(model) == pytest.approx(model.ceiling(244), rel=0.01)


def test_a_write_with_response_takes_two_connection_events() -> None:
    model = BleModel(1, 247, 0.03)
    assert air_rate(model, with_response=True) == pytest.approx(model.response_ceiling(244), rel=0.05)


def test_a_long_value_arrives_once_and_whole_with_its_last_packet() -> None:
    rig = Rig(BleModel(1, 247, 0.03, 1, extended=False))
    value = numbered(1)[0]
    rig.air.give_down(value)
    packets = len(rig.air._model.fragments(len(value)))
    rig.clock.run_until(0.03 * packets)
    assert rig.down == []
    rig.clock.run_until(0.03 * packets + 0.01)
    assert rig.down == [value]


def test_an_event_has_no_more_exchanges_than_it_is_set_to() -> None:
    rig = Rig(BleModel(2, 247, 0.03, 4))
    for value in numbered(8):
        rig.air.give_down(value)
    rig.clock.run_until(0.059)
    assert len(rig.down) == 4
    rig.clock.run_until(0.089)
    assert len(rig.down) == 8


def test_both_directions_share_the_air() -> None:
    alone, shared = Rig(TWO_M), Rig(TWO_M)
    for value in numbered(2000):
        alone.air.give_down(value)
        shared.air.give_down(value)
        shared.air.give_up(value)
    alone.clock.run_until(1.0)
    shared.clock.run_until(1.0)
    assert len(shared.down) < 0.7 * len(alone.down)
    assert 0 <= len(shared.down) - len(shared.up) <= shared.air.counters.events  # the last of an event has no room


def test_what_is_said_while_an_event_is_open_goes_in_it() -> None:
    rig = Rig(TWO_M)
    for value in numbered(8):
        rig.air.give_down(value)
    rig.clock.at(0.0525, lambda: rig.air.give_up(b"soon"))
    rig.clock.run_until(0.06)
    assert rig.up == [b"soon"]


def test_what_is_said_after_an_event_has_closed_waits_for_the_next() -> None:
    rig = Rig(TWO_M)
    rig.air.give_down(b"a")
    rig.clock.at(0.0525, lambda: rig.air.give_up(b"late"))
    rig.clock.run_until(0.0999)
    assert rig.up == []
    rig.clock.run_until(0.101)
    assert rig.up == [b"late"]


@pytest.mark.parametrize("model", [BleModel(1, 247, 0.0075), BleModel(1, 247, 0.0075, extended=False)])
def test_a_packet_lost_on_the_air_is_late_and_never_lost(model: BleModel) -> None:
    rig = Rig(model, loss=0.3)
    values = numbered(50)
    for value in values:
        rig.air.give_down(value)
        rig.air.give_up(value)
    rig.clock.run_until(60.0)
    assert (rig.down, rig.up) == (values, values)
    assert rig.air.counters.lost_packets > 20


def test_a_board_without_room_delays_and_loses_nothing() -> None:
    rig = Rig(TWO_M, room=False)
    values = numbered(20)
    for value in values:
        rig.air.give_down(value)
    rig.clock.run_until(1.0)
    assert rig.down == []
    assert rig.air.counters.refused_packets > 0
    rig.room = True
    rig.clock.run_until(1.2)
    assert rig.down == values


def test_after_its_end_a_connection_brings_nothing() -> None:
    rig = Rig(TWO_M)
    for value in numbered(20):
        rig.air.give_down(value)
    rig.clock.run_until(0.055)
    before = len(rig.down)
    rig.air.stop()
    rig.air.give_down(b"more")
    rig.clock.run_until(1.0)
    assert 0 < len(rig.down) == before
