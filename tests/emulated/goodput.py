"""Goodput of a full slot at 115,200 baud: the shipped loader on an emulated ATmega328P, and the simulated board of
the same name. Payload from the first question to the report that every block is held, over what the line carries."""

from __future__ import annotations

from dataclasses import dataclass

from otaflash.bench.link import BAUD, bring_into_loader, push_to_end
from otaflash.engine import LinkShape, Push
from otaflash.sim.boards import add_board
from otaflash.sim.profiles import profile
from otaflash.sim.radio import LinkModel, Way
from otaflash.sim.world import World
from tests.emulated.avr_host import BYTES_PER_S, drive, full_slot
from tests.emulated.far import FarBoard

UP_US = 200_000
"""A loader without an image looks for one first; the question is put to one that listens, as `bench link` does."""


@dataclass(frozen=True, slots=True)
class Measured:
    """`ratio` of the line; seconds from the first question to Apply, and of them those after the last report; bytes
    that the UART had no room for."""

    ratio: float
    apply_s: float
    verify_s: float
    lost: int


def emulated(delay_us: int, loss: float, seed: int) -> Measured:
    """A push to the chip, behind a radio that is late by `delay_us` and loses that part of the packets, each way."""
    board, image = FarBoard(delay_us=delay_us, loss=loss, seed=seed), full_slot()
    board.run(UP_US)
    outcome = drive(board, Push(LinkShape(BYTES_PER_S), 0x1234, confirm=False), image, until_phase="start")
    times = dict(outcome.phases)
    ratio = image.image_bytes / (times["verify"] - times["inspect"]) / BYTES_PER_S
    return Measured(ratio, times["apply"] - times["inspect"], times["apply"] - times["verify"], board.lost)


def simulated(delay_us: int, loss: float, seed: int) -> float:
    """The ratio of the same push to the simulated board. Raises AssertionError where it fails."""
    world = World(f"goodput/{seed}")
    way = Way(rate=float(BAUD), delay_s=delay_us / 1e6, loss=loss)
    port, _ = add_board(world, profile("atmega328p"), LinkModel(way, way))
    bring_into_loader(world, [port.station])
    result, error = push_to_end(world, Push(LinkShape(BYTES_PER_S), 0x1234 + seed), port, full_slot(), 60.0)
    assert result is not None, error
    assert result.goodput_ratio is not None
    return result.goodput_ratio
