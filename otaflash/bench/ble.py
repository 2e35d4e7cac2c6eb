"""`bench ble`: the modelled air against its formulae, and whole updates over it against the bars. Prints nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from otaflash.bench.link import holds, make_image, push_to_end
from otaflash.engine import LinkShape, Push, Result
from otaflash.sim.ble import HOSTS, BleModel, HostKind
from otaflash.sim.ble_air import Air
from otaflash.sim.ble_link import BleLink
from otaflash.sim.boards import add_board
from otaflash.sim.clock import Clock
from otaflash.sim.profiles import Profile, profile
from otaflash.sim.station import Place
from otaflash.sim.world import Port, World
from otaflash.wire.messages import Trailer

IMAGE_BYTES = 240 * 1024 - Trailer.BYTES
LIMIT_S = 900.0
AIR_S = 20.0
VALUE_BYTES = 244
FRAME_OVERHEAD = 10
AGREEMENT = 0.95
"""How well the model must agree with a formula, either way."""
RESENT_MOST = 0.05

FAST_FLASH = replace(
    profile("nrf52832"), erase_page_ns=1_000_000, program_unit_ns=2_000, rx_in_erase=1, erase_stalls=0, stall_ms=110
)
"""An nRF52832 whose flash keeps up with any air: with its own (90 ms to erase 4 KiB, the CPU halted), 26 kB/s are all
that it can store, and the link would not be measured."""


@dataclass(frozen=True, slots=True)
class AirCell:
    """Values alone, as fast as the air takes them, against what a formula without ends of events says."""

    name: str
    model: BleModel
    ceiling: Callable[[int], float]
    with_response: bool = False


@dataclass(frozen=True, slots=True)
class PushCell:
    """A whole update. The ratio is image bytes by the time from the first question to the report that all is held, over
    the ceiling in bytes of values per second; `bar` its least."""

    name: str
    model: BleModel
    bar: float
    board: Profile = FAST_FLASH
    image_bytes: int = IMAGE_BYTES
    framed: bool = False
    """The ceiling counts the image's bytes in full frames, not the values' bytes."""

    @property
    def ceiling(self) -> float:
        """What the line can carry, in bytes per second."""
        if not self.framed:
            return self.model.line_bytes_per_s
        block_bytes = self.board.block_bytes
        carried = (self.model.value_bytes - FRAME_OVERHEAD) // block_bytes * block_bytes
        return self.model.ceiling(carried + FRAME_OVERHEAD) * carried / (carried + FRAME_OVERHEAD)


_WIDE = BleModel(2, 247, 0.015)
_PHONE = BleModel(1, 247, 0.03, 6)
_NARROW = BleModel(1, 23, 0.03, extended=False)
_SLOW_1M, _SLOW_2M = BleModel(1, 247, 0.05), BleModel(2, 247, 0.05)
_RESPONSE = BleModel(1, 247, 0.03)

CELLS: tuple[AirCell | PushCell, ...] = (
    AirCell("air-1m-dle", _SLOW_1M, _SLOW_1M.endless_ceiling),
    AirCell("air-2m-dle", _SLOW_2M, _SLOW_2M.endless_ceiling),
    AirCell("air-write-with-response", _RESPONSE, _RESPONSE.response_ceiling, with_response=True),
    PushCell("2m-247-15ms", _WIDE, 0.90),
    PushCell("1m-247-30ms-6", _PHONE, 0.90),
    PushCell("mtu-23", _NARROW, 0.90, framed=True),
    PushCell("mac-15ms", replace(_WIDE, host=HostKind.MAC), 0.85),
    PushCell("mac-30ms", replace(_WIDE, host=HostKind.MAC, interval_s=0.03), 0.85),
    PushCell("android", replace(_WIDE, host=HostKind.ANDROID), 0.0),
    PushCell("windows", replace(_WIDE, host=HostKind.WINDOWS), 0.0),
    PushCell("disconnect-5s", replace(_PHONE, disconnect_every_s=5.0), 0.0),
    PushCell("disconnect-5s-mtu-23", replace(_NARROW, disconnect_every_s=5.0), 0.0, framed=True),
    PushCell("uart-module", replace(_WIDE, uart=115200), 0.90),
    PushCell("nrf52832", _WIDE, 0.0, profile("nrf52832")),
    PushCell("nrf52832-disconnect-5s", replace(_WIDE, disconnect_every_s=5.0), 0.0, profile("nrf52832")),
)


def run_cells(cells: Sequence[AirCell | PushCell] | None = None, seed: int = 0) -> Iterator[dict[str, Any]]:
    """One row for each cell, as `bench ble` prints it. The first fields are the same for all."""
    for cell in CELLS if cells is None else cells:
        yield air_row(cell) if isinstance(cell, AirCell) else push_row(cell, run_push(cell, seed))


# --- the air alone ----------------------------------------------------------------------------------------------


def air_row(cell: AirCell) -> dict[str, Any]:
    """How the model's rate compares with the formula's: `ok` if it is near, above or below."""
    goodput = air_rate(cell.model, with_response=cell.with_response)
    ceiling = cell.ceiling(VALUE_BYTES)
    ratio = goodput / ceiling
    return _row(cell.name, ceiling, goodput, AGREEMENT, ok=AGREEMENT <= ratio <= 2 - AGREEMENT)


def air_rate(model: BleModel, *, with_response: bool = False) -> float:
    """Bytes of values per second over a connection that is kept full, or with a response to each before the next."""
    clock = Clock()
    value = bytes(VALUE_BYTES)
    arrived = 0
    latency_s = HOSTS[model.host].latency_s

    def later(call: Callable[[bytes], None], what: bytes) -> None:
        clock.at(clock.now + latency_s, partial(call, what))

    def take(_: bytes) -> None:
        nonlocal arrived
        arrived += 1
        if with_response:
            later(air.give_up, b"\0")

    air = Air(clock, model, on_down=take, on_up=lambda _: later(air.give_down, value))
    if not with_response:
        air.down_left = lambda: air.give_down(value)
    for _ in range(1 if with_response else 8):
        air.give_down(value)
    clock.run_until(AIR_S)
    return arrived * VALUE_BYTES / AIR_S


# --- whole updates ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Try:
    """How one update ended; `right`: the primary slot holds the image, seen from outside the engine."""

    result: Result | None
    error: str
    right: bool
    resent_ratio: float
    """Blocks sent more than once, over the image's."""
    dropped_writes: int
    lost_connections: int
    """After the update had begun."""


def push_row(cell: PushCell, tried: Try) -> dict[str, Any]:
    """The row of one tried cell: goodput in bytes/s against its ceiling and bar, and whether it is right."""
    result = tried.result
    goodput = result.image_bytes / result.transfer_seconds if result is not None else 0.0
    ok = tried.right and goodput >= cell.bar * cell.ceiling
    ok = ok and not tried.dropped_writes and tried.resent_ratio < RESENT_MOST
    more = {
        "board": "nrf52832" if cell.board is not FAST_FLASH else "nrf52832 with a flash that keeps up",
        "image_bytes": cell.image_bytes,
        "gatt_ceiling_bytes_per_s": round(cell.model.ceiling(cell.model.value_bytes)),
        "resent_ratio": round(tried.resent_ratio, 4),
        "dropped_writes": tried.dropped_writes,
        "lost_connections": tried.lost_connections,
        "error": tried.error,
    }
    return _row(cell.name, cell.ceiling, goodput, cell.bar, ok=ok) | more


def run_push(cell: PushCell, seed: int) -> Try:
    """One update, its chances drawn from `seed`."""
    world = World(f"bench-ble/{cell.name}/{seed}")
    port, board = add_board(world, cell.board, cell.model)
    image = make_image(board.profile, cell.image_bytes, seed)
    link = loader_link(world, port)
    lost_before, dropped_before = link.counters.lost_connections, link.counters.dropped_writes
    model = cell.model
    shape = LinkShape(model.line_bytes_per_s, not model.message, link.frame_bytes, model.queue_writes, reconnects=True)
    engine = Push(shape, random.Random(seed).randrange(1, 0x10000))
    result, error = push_to_end(world, engine, port, image, LIMIT_S)
    return Try(
        result,
        error,
        result is not None and holds(board, image.span),
        0.0 if result is None else result.retransmitted_blocks * board.profile.block_bytes / len(image.span),
        link.counters.dropped_writes - dropped_before,
        link.counters.lost_connections - lost_before,
    )


def loader_link(world: World, port: Port) -> BleLink:
    """The factory image comes up and asks for its loader; the connection to that is made anew. Raises TypeError for a
    board behind another kind of link, RuntimeError if the loader is never there."""
    station = port.station
    link = station.link
    if not isinstance(link, BleLink):
        raise TypeError("the board is not behind BLE")
    world.run_until(5.0)  # it heeds no Enter before it has run for 3 s
    lost = link.counters.lost_connections
    station.enter_loader()
    goes = link.model.message  # a module in front of the board keeps its connection
    while station.place is not Place.LOADER or not link.answers or (goes and link.counters.lost_connections == lost):
        if not world.step() or world.now > LIMIT_S:
            raise RuntimeError("the board never came up")
    return link


def _row(name: str, ceiling: float, goodput: float, bar: float, *, ok: bool) -> dict[str, Any]:
    return {
        "name": name,
        "ceiling_bytes_per_s": round(ceiling),
        "goodput_bytes_per_s": round(goodput),
        "ratio": round(goodput / ceiling, 4),
        "bar": bar,
        "ok": ok,
    }
