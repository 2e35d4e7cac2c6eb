"""`bench link`: whole updates of real boards over modelled links in virtual time, against the bars. Prints nothing."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from otaflash.engine import Done, Event, Failed, NeedBundle, Offerable, Push, Result
from otaflash.engine.channel import LinkShape
from otaflash.image.build import Image, Slot, build_image
from otaflash.image.data import Firmware, Segment
from otaflash.sim.boards import add_board
from otaflash.sim.drive import drive
from otaflash.sim.native import NativeBoard
from otaflash.sim.profiles import Profile, profile
from otaflash.sim.radio import LinkModel, Way
from otaflash.sim.station import Station
from otaflash.sim.world import Port, World
from otaflash.wire.messages import FLAG_SINGLE_SLOT, Trailer, Version

BAUD = 115200
SMALL_BYTES = 30 * 1024 - Trailer.BYTES
"""30 KiB with the trailer that every image gets."""
LARGE_BYTES = 240 * 1024 - Trailer.BYTES
LIMIT_S = 900.0
TRIES = 5
AIR_RATE = 78_000.0
"""Bits per second, eight a byte."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of the matrix. `bar`: the least median goodput ratio; 0: every update must complete and be right."""

    name: str
    way: Way
    bar: float
    board: str = "atmega1284p"
    image_bytes: int = SMALL_BYTES

    @property
    def delay_ms(self) -> float:
        """One-way delay in ms."""
        return self.way.delay_s * 1000


def _way(delay_ms: float, loss: float = 0.0, **more: float) -> Way:
    return replace(Way(rate=float(BAUD), delay_s=delay_ms / 1000, loss=loss), **more)  # type: ignore[arg-type]


def _large(name: str, way: Way, bar: float) -> Cell:
    """240 KiB on a board whose UART receives by DMA during an erase."""
    return Cell(name, way, bar, "nrf52840", LARGE_BYTES)


BURSTS = _way(30, burst_good_s=2.0, burst_bad_s=0.2, burst_loss=0.9)
SLOW_AIR_BAR = round(0.80 * AIR_RATE / 8 / (BAUD / 10), 3)
"""0.80 of what the air carries, stated as a part of the UART's rate like every other ratio."""

CELLS: tuple[Cell, ...] = (
    Cell("clean-0", _way(0), 0.92),
    Cell("clean-30", _way(30), 0.87),
    Cell("clean-100", _way(100), 0.76),
    Cell("loss-1", _way(30, 0.01), 0.82),
    Cell("loss-5", _way(30, 0.05), 0.77),
    Cell("loss-10", _way(30, 0.10), 0.69),
    Cell("loss-20", _way(30, 0.20), 0.57),
    Cell("loss-30", _way(30, 0.30), 0.0),
    _large("large-clean-0", _way(0), 0.95),
    _large("large-clean-30", _way(30), 0.95),
    _large("large-clean-100", _way(100), 0.92),
    _large("large-loss-5", _way(30, 0.05), 0.82),
    _large("outage", _way(30, outage_from_s=10.0, outage_s=10.0, outage_loss=0.5), 0.0),
    Cell("bursts", BURSTS, 0.70),
    _large("large-bursts", BURSTS, 0.70),
    Cell("duplicates", _way(30, dup=0.05), 0.0),
    Cell("reordering", _way(30, jitter_s=0.04, reorder=1.0), 0.0),
    Cell("bit-errors", _way(30, biterr=1e-4), 0.72),
    Cell("slow-air", _way(30, air_rate=AIR_RATE), SLOW_AIR_BAR),
    _large("large-slow-air", _way(30, air_rate=AIR_RATE), SLOW_AIR_BAR),
)


@dataclass(frozen=True, slots=True)
class Try:
    """How one update ended. `right`: the primary slot holds the image, byte for byte, seen from outside the engine."""

    result: Result | None
    error: str
    right: bool


def run_matrix(tries: int = TRIES, cells: Sequence[Cell] | None = None, seed: int = 0) -> Iterator[dict[str, Any]]:
    """One `cell` row for each cell, as `bench link` prints it. `tries` at least 1; seeds count up from `seed`."""
    for cell in CELLS if cells is None else cells:
        yield row_of(cell, [run_once(cell, seed + number) for number in range(tries)])


def row_of(cell: Cell, tried: Sequence[Try]) -> dict[str, Any]:
    """What the tries of a cell come to. A wrong image: the engine said done, and the board holds another."""
    done = [one for one in tried if one.result is not None]
    ratios = [one.result.goodput_ratio or 0.0 for one in done if one.result is not None]
    median = statistics.median(ratios) if ratios else 0.0
    wrong = sum(not one.right for one in done)
    return {
        "name": cell.name,
        "board": cell.board,
        "image_bytes": cell.image_bytes,
        "delay_ms": cell.delay_ms,
        "loss": cell.way.loss,
        "rate_baud": BAUD,
        "tries": len(tried),
        "completed": len(done),
        "goodput_ratio": round(median, 4),
        "wrong_images": wrong,
        "errors": sorted({one.error for one in tried if one.error}),
        "bar": cell.bar,
        "ok": len(done) == len(tried) and not wrong and median >= cell.bar,
    }


def run_once(cell: Cell, seed: int) -> Try:
    """One update of one board, its link and flash drawn from `seed`."""
    world = World(f"bench-link/{cell.name}/{seed}")
    port, board = add_board(world, profile(cell.board), LinkModel(cell.way, cell.way))
    image = make_image(board.profile, cell.image_bytes, seed)
    bring_into_loader(world, [port.station])
    engine = Push(LinkShape(BAUD / 10), random.Random(seed).randrange(1, 0x10000))
    result, error = push_to_end(world, engine, port, image, LIMIT_S)
    return Try(result, error, holds(board, image.span))


def push_to_end(world: World, engine: Push, port: Port, image: Image, limit_s: float) -> tuple[Result | None, str]:
    """Drives one update for at most `limit_s` more seconds: its result, or the reason why there is none."""
    ended: list[Done | Failed] = []

    def on_event(_: Push, event: Event, now: float) -> bool:
        if isinstance(event, NeedBundle):
            engine.use_bundle(offerable(image), now)
        if isinstance(event, Done | Failed):
            ended.append(event)
        return bool(ended)

    drive(world, [(engine, port)], on_event, limit_s=world.now + limit_s)
    end = ended[0] if ended else None
    result = end.result if isinstance(end, Done) else None
    error = end.error.reason if isinstance(end, Failed) else "" if result else "time-limit"
    return result, error


def bring_into_loader(world: World, stations: Iterable[Station]) -> None:
    """The factory image comes up, and is entered once it heeds that: no byte of it travels over the link."""
    world.run_until(4.5)
    for station in stations:
        station.enter_loader()
    world.run_until(4.7)


def holds(board: NativeBoard, span: bytes) -> bool:
    """True if the primary slot begins with that span."""
    return bytes(board.flash[: len(span)]) == span


def make_image(made_for: Profile, count: int, seed: int, *, single_slot: bool = False) -> Image:
    """An image of `count` random bytes: nothing in it compresses, nothing is left out."""
    program = random.Random(f"image/{seed}").randbytes(count)
    data = Firmware((Segment(made_for.slot_base, program),), None)
    return build_image(data, slot_of(made_for), version=Version(2, 0, 0, 0), counter=1, single_slot=single_slot)


def slot_of(made_for: Profile) -> Slot:
    """Where an image goes on a board of this profile."""
    return Slot(made_for.name, made_for.slot_base, made_for.slot_pages, made_for.page_bytes, made_for.single_pages)


def offerable(image: Image) -> Offerable:
    """The image as the engine wants it."""
    manifest = image.manifest
    return Offerable(
        offer=manifest.pack(),
        span=image.span,
        page_table=image.page_table,
        image_bytes=image.image_bytes,
        image_crc=image.image_crc,
        page_bytes=image.page_bytes,
        version=manifest.version,
        single_slot=bool(manifest.flags & FLAG_SINGLE_SLOT),
    )
