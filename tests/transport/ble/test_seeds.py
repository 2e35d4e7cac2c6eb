"""Hundreds of updates over BLE with everything that goes wrong drawn from a seed, in virtual time: the image is right
in the end, or the failure has a name; nothing ever hangs, and no rule of the radio is broken."""

from __future__ import annotations

import random

import pytest

from otaflash.errors import OtaflashError
from otaflash.sim.boards import running_image
from otaflash.transport.ble_services import NORDIC_UART, OWN
from tests.transport.ble.air import Host
from tests.transport.ble.pushing import Bench

LIMIT_S = 400.0
SEEDS = range(200)


def drawn_host(draw: random.Random) -> Host:
    waits = draw.random() < 0.3
    return Host(
        queue=draw.choice((1, 4, 16)) if waits else 20,
        drops=not waits and draw.random() < 0.5,
        waits=waits,
        mtu_late_s=draw.choice((0.0, 0.0, 0.6, 2.0)),
        doubles=draw.choice((0.0, 0.0, 0.1, 1.0)),
        loses=draw.choice((0.0, 0.0, 0.01, 0.05)),
        forgets_first=draw.choice((0, 0, 0, 1, 3)),
    )


def drawn_bench(seed: int, draw: random.Random) -> Bench:
    mtu = draw.choice((23, 50, 185, 247, 517))
    service, board = draw.choice(((OWN, "nrf52832"), (OWN, "nrf52832"), (OWN, "nrf52832"), (NORDIC_UART, "atmega328p")))
    return Bench(
        board=board,
        service=service,
        seed=seed,
        host=drawn_host(draw),
        image_bytes=1000,
        mtu=mtu,
        true_mtu=draw.choice((None, None, None, None, 23)),
        interval_s=draw.choice((0.0075, 0.015, 0.03, 0.05)),
        packets=draw.choice((1, 4, 6)),
        moves=draw.random() < 0.3,
        boots_s=draw.choice((0.1, 0.5, 2.0)),
    )


def plan_trouble(bench: Bench, draw: random.Random) -> None:
    """Up to three connections lost, up to two resets; now and then the board is gone for good."""
    for _ in range(draw.choice((0, 1, 1, 3))):
        bench.later(draw.uniform(0.0, 12.0), lambda: bench.air.lose(bench.device))
    for _ in range(draw.choice((0, 0, 1, 2))):
        bench.later(draw.uniform(0.0, 12.0), bench.peer.reset)
    if draw.random() < 0.05:
        bench.later(draw.uniform(0.0, 8.0), lambda: leave(bench))


def leave(bench: Bench) -> None:
    bench.device.life += 1
    bench.device.advertising = False
    bench.peer.on_restart = lambda: None
    bench.air.lose(bench.device)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_update_ends_with_the_right_image_or_a_named_failure(seed: int) -> None:
    draw = random.Random(seed)
    bench = drawn_bench(seed, draw)
    plan_trouble(bench, draw)
    began_s = bench.loop.time()
    failure: OtaflashError | None = None
    try:
        assert bench.push().running_version == "2.0.0"
    except OtaflashError as error:
        failure = error
    if failure is None:
        assert bench.peer.is_right()
    else:
        assert failure.exit_code in (3, 4, 6), failure.text
        assert running_image(bench.peer.board) is not None, "there is nothing on the board"
    assert bench.loop.time() - began_s < LIMIT_S
    bench.close()
    assert bench.air.broken == []
