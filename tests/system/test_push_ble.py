"""Whole pushes over modelled BLE links, engine and core as they are: the bars, and what breaks on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.bench.ble import CELLS, PushCell, run_push
from otaflash.bench.link import holds, make_image
from otaflash.engine import Event, Operation, PhaseChanged, Result
from otaflash.errors import LinkError
from otaflash.image.bundle import Bundle, bundle_from_image
from otaflash.session import push, request
from otaflash.sim.ble_link import BleCounters, BleLink
from otaflash.sim.profiles import profile
from otaflash.transport.simlink import SimLink, open_sim
from otaflash.wire.messages import BootState, Info

BY_NAME = {cell.name: cell for cell in CELLS if isinstance(cell, PushCell)}
IMAGE = make_image(profile("nrf52832"), 20_000, 1)
FRAMES = 20_480 / 232


def counters(link: SimLink) -> BleCounters:
    assert isinstance(link.station.link, BleLink)
    return link.station.link.counters


def pushed(query: str, on_event=lambda event: None) -> tuple[Result, SimLink]:  # type: ignore[no-untyped-def]
    """A whole push of 20,000 bytes to an nRF52832 behind that link, seen from outside to be right."""
    link = open_sim(f"sim:nrf52832?{query}&seed=1")

    def bundle(info: Info) -> Bundle:
        return bundle_from_image(IMAGE)

    result = push(link, bundle, on_event)
    assert link.board is not None
    assert holds(link.board, IMAGE.span)
    assert result.info.boot_state == BootState.IDLE
    assert result.running_version == "2.0.0"
    return result, link


@pytest.mark.parametrize("name", ["2m-247-15ms", "1m-247-30ms-6", "mac-15ms", "mac-30ms", "uart-module"])
def test_an_update_reaches_the_bar_of_its_air(name: str) -> None:
    cell = BY_NAME[name]
    tried = run_push(cell, 0)
    assert tried.right
    assert tried.result is not None
    assert tried.result.image_bytes / tried.result.transfer_seconds >= cell.bar * cell.ceiling
    assert (tried.dropped_writes, tried.resent_ratio) == (0, 0.0)


def test_an_update_in_frames_of_twenty_bytes_reaches_its_bar() -> None:
    cell = replace(BY_NAME["mtu-23"], image_bytes=60_000)
    tried = run_push(cell, 0)
    assert tried.right
    assert tried.result is not None
    assert tried.result.image_bytes / tried.result.transfer_seconds >= cell.bar * cell.ceiling


@pytest.mark.parametrize("seed", range(3))
def test_with_a_disconnect_every_five_seconds_less_than_five_percent_is_sent_twice(seed: int) -> None:
    tried = run_push(BY_NAME["disconnect-5s"], seed)
    assert tried.right
    assert tried.lost_connections >= 2
    assert tried.resent_ratio < 0.05


@pytest.mark.parametrize(
    "query",
    [
        "ble=2M,247,15ms",
        "ble=1M,23,30ms&dle=no",
        "ble=1M,247,30ms,6&encrypted=yes",
        "ble=2M,517,15ms",
        "ble=2M,247,15ms&host=mac",
        "ble=2M,247,15ms&host=windows",
        "ble=1M,247,30ms,1&host=android",
        "ble=2M,247,15ms&loss=20%",
        "ble=2M,247,15ms&dup=50%",
        "ble=2M,247,15ms&uart=115200",
        "ble=2M,247,15ms&uart=115200&disconnect=1s&supervision=500ms",
        "ble=2M,247,15ms&disconnect=1s&supervision=500ms",
        "ble=2M,247,15ms&disconnect=at:700ms&supervision=4s",
        "ble=2M,247,15ms&cutat=700ms",
        "ble=2M,247,15ms&confirm=1s",
    ],
)
def test_an_update_ends_with_the_new_image_confirmed_whatever_the_link_does(query: str) -> None:
    pushed(query)


def test_a_mac_that_is_busy_loses_no_write() -> None:
    _, link = pushed("ble=1M,247,30ms,2&host=mac")
    assert counters(link).dropped_writes == 0


def test_a_host_whose_writes_wait_still_hears_the_answers() -> None:
    result, link = pushed("ble=1M,23,50ms,1&host=android")
    assert result.retransmitted_blocks == 0
    assert counters(link).writes < 1.1 * 20_480 / 8


def test_the_wider_writes_of_a_host_that_is_late_with_them_are_used() -> None:
    _, link = pushed("ble=2M,247,15ms&host=windows")
    _, narrow = pushed("ble=2M,23,15ms")
    assert counters(link).writes < 0.4 * counters(narrow).writes


@pytest.mark.parametrize("phase", ["transfer", "verify", "apply", "start", "confirm"])
def test_a_connection_that_breaks_in_any_phase_is_taken_up_again(phase: str) -> None:
    broken: list[BleLink] = []

    def on_event(event: Event) -> None:
        link = links[0].station.link
        if isinstance(event, PhaseChanged) and event.name == phase and not broken and isinstance(link, BleLink):
            broken.append(link)
            link.fall_silent()

    links = [open_sim("sim:nrf52832?ble=2M,247,15ms&seed=1")]
    result = push(links[0], lambda info: bundle_from_image(IMAGE), on_event)
    assert broken
    assert links[0].board is not None
    assert holds(links[0].board, IMAGE.span)
    assert result.info.boot_state == BootState.IDLE
    assert result.retransmitted_blocks * 8 < 0.5 * 20_480


def test_a_broken_connection_costs_its_own_time_and_not_the_engines_timers() -> None:
    whole, _ = pushed("ble=2M,247,15ms")
    broken, link = pushed("ble=2M,247,15ms&disconnect=at:700ms&supervision=4s")
    assert counters(link).lost_connections == 2  # the other is the restart of the board
    away_s = 4.0 + 0.1 + 10 * 0.015
    assert broken.transfer_seconds - whole.transfer_seconds < away_s + 0.3


def test_a_host_that_keeps_the_table_of_the_loader_never_sees_the_new_image_answer() -> None:
    link = open_sim("sim:nrf52832?ble=2M,247,15ms&table=kept&seed=1")
    with pytest.raises(Exception, match="has not answered for 15 s"):
        push(link, lambda info: bundle_from_image(IMAGE))


def test_a_board_that_is_off_the_air_ends_in_silence_with_a_name() -> None:
    link = open_sim("sim:nrf52832?ble=2M,247,15ms&app=silent&seed=1")
    link.world.run_until(5.0)
    with pytest.raises(LinkError) as caught:
        request(link, Operation.INFO)
    assert caught.value.reason == "no-answer"
    assert link.now() < 16.0
