"""Draws a link: how fast, how far, how bad. Knows no board."""

from __future__ import annotations

import random
from dataclasses import replace

from otaflash.sim.radio import Way

RATES = {115200: 60, 57600: 15, 38400: 8, 19200: 5, 9600: 4, 230400: 8}


def draw_link(chance: random.Random) -> tuple[Way, Way]:
    """Down and up: at one rate, mostly alike, sometimes each with faults of its own."""
    rate = chance.choices(list(RATES), list(RATES.values()))[0]
    base = Way(
        rate=float(rate), delay_s=round(chance.choice((0.0, 0.005, 0.03, 0.03, 0.1, 0.3)) * chance.uniform(0.5, 1), 4)
    )
    down = _way(chance, base)
    return down, (_way(chance, base) if chance.random() < 0.2 else down)


def _way(chance: random.Random, base: Way) -> Way:
    kinds = list(_KINDS)
    return chance.choices(kinds, list(_KINDS.values()))[0](chance, base)


def _wire(chance: random.Random, base: Way) -> Way:
    return replace(base, packet_bytes=0, delay_s=0.0)


def _delay(chance: random.Random, base: Way) -> Way:
    return replace(base, jitter_s=round(chance.choice((0, 0.02)) * chance.random(), 4))


def _loss(chance: random.Random, base: Way) -> Way:
    return replace(base, loss=round(chance.choice((0.02, 0.1, 0.25)) * chance.random(), 4))


def _burst(chance: random.Random, base: Way) -> Way:
    good_s, bad_s = round(chance.uniform(0.2, 3), 3), round(chance.uniform(0.05, 0.5), 3)
    return replace(base, burst_good_s=good_s, burst_bad_s=bad_s, burst_loss=0.9)


def _doubled(chance: random.Random, base: Way) -> Way:
    return replace(base, dup=round(0.3 * chance.random(), 4))


def _reordered(chance: random.Random, base: Way) -> Way:
    return replace(base, jitter_s=round(0.05 * chance.random() + 0.001, 4), reorder=round(chance.random(), 3))


def _bit_errors(chance: random.Random, base: Way) -> Way:
    return replace(base, biterr=chance.choice((1e-5, 1e-4, 3e-4)))


def _slow_air(chance: random.Random, base: Way) -> Way:
    return replace(base, air_rate=round(base.rate * chance.uniform(0.3, 0.8)))


def _outage(chance: random.Random, base: Way) -> Way:
    from_s, length_s = round(chance.uniform(1.5, 5), 2), round(chance.choice((0.2, 3, 14)) * chance.random() + 0.01, 3)
    return replace(base, outage_from_s=from_s, outage_s=length_s, outage_loss=chance.choice((1.0, 1.0, 0.5)))


def _all(chance: random.Random, base: Way) -> Way:
    loss, reorder = round(0.12 * chance.random(), 4), round(0.4 * chance.random(), 3)
    return replace(base, loss=loss, dup=0.05, jitter_s=0.02, reorder=reorder, biterr=1e-5)


_KINDS = {
    _wire: 12, _delay: 22, _loss: 22, _burst: 7, _doubled: 6, _reordered: 6, _bit_errors: 7, _slow_air: 5, _outage: 6,
    _all: 7,
}  # fmt: skip
"""Kinds of faults by weight."""
