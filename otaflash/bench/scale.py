"""`bench scale`: what updates cost the host in CPU time and memory, from one board to a hundred. Prints nothing."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from otaflash.bench.link import BAUD, LARGE_BYTES, bring_into_loader, holds, make_image, offerable
from otaflash.engine import Done, Event, Failed, NeedBundle, Push
from otaflash.engine.channel import LinkShape
from otaflash.image.build import Image
from otaflash.sim.boards import add_board
from otaflash.sim.drive import drive
from otaflash.sim.native import NativeBoard
from otaflash.sim.profiles import profile
from otaflash.sim.radio import LinkModel, Way
from otaflash.sim.world import Port, World
from otaflash.system import peak_memory_bytes

FLEETS = (10, 50, 100)
FLEET_BOARD = "atmega328p"
FLEET_BYTES = 10_000
SINGLE_BOARD = "nrf52840"
RATIO_BAR = 1.3
"""CPU time for each board in the largest fleet, by that in the smallest."""
CPU_BAR_S = 1.0
RSS_BAR_MB = 100.0
ROUNDS = 5
"""The least CPU time of so many runs: what else the machine does only adds."""
LIMIT_S = 600.0


def run_scale(fleets: Sequence[int] = FLEETS, seed: int = 0) -> Iterator[dict[str, Any]]:
    """The rows `single`, then one `fleet` for each size, then `result`, each with its name in `event`.

    CPU seconds hold engine, simulated radio and simulated boards together. Memory is the peak of the whole process, so
    that the single push is measured first; None where the system does not tell it (Windows).
    """
    single = _single(seed)
    yield single
    rows = _fleet_rows(fleets, seed)
    yield from rows
    per_board = [row["cpu_seconds_per_board"] for row in rows]
    ratio = per_board[-1] / max(per_board[0], 1e-9)
    ok = bool(single["ok"]) and all(row["completed"] == row["boards"] for row in rows) and ratio <= RATIO_BAR
    yield {"event": "result", "ok": ok, "cpu_ratio": round(ratio, 3), "cpu_ratio_bar": RATIO_BAR}


def _single(seed: int) -> dict[str, Any]:
    cpu_s, right = min(run_fleet(1, seed, SINGLE_BOARD, LARGE_BYTES) for _ in range(ROUNDS))
    peak_bytes = peak_memory_bytes()
    rss_mb = None if peak_bytes is None else round(peak_bytes / 1e6, 1)
    return {
        "event": "single",
        "board": SINGLE_BOARD,
        "image_bytes": LARGE_BYTES,
        "completed": right,
        "cpu_seconds": round(cpu_s, 3),
        "cpu_bar": CPU_BAR_S,
        "peak_rss_mb": rss_mb,
        "rss_bar_mb": RSS_BAR_MB,
        "ok": right == 1 and cpu_s < CPU_BAR_S and (rss_mb is None or rss_mb < RSS_BAR_MB),
    }


def _fleet_rows(fleets: Sequence[int], seed: int) -> list[dict[str, Any]]:
    """Round by round, so that a busy minute of the machine meets every size."""
    rounds = [[run_fleet(boards, seed, FLEET_BOARD, FLEET_BYTES) for boards in fleets] for _ in range(ROUNDS)]
    return [_fleet_row(boards, *min(runs)) for boards, runs in zip(fleets, zip(*rounds, strict=True), strict=True)]


def _fleet_row(boards: int, cpu_s: float, right: int) -> dict[str, Any]:
    return {
        "event": "fleet",
        "board": FLEET_BOARD,
        "image_bytes": FLEET_BYTES,
        "boards": boards,
        "completed": right,
        "cpu_seconds": round(cpu_s, 3),
        "cpu_seconds_per_board": round(cpu_s / boards, 5),
    }


def run_fleet(boards: int, seed: int, board: str, image_bytes: int) -> tuple[float, int]:
    """Updates that many boards at once in one process: CPU seconds, and how many then hold the image and said so."""
    way = replace(Way(rate=float(BAUD), delay_s=0.03), loss=0.01)
    world = World(f"bench-scale/{seed}")
    made: list[tuple[Port, NativeBoard]] = [
        add_board(world, profile(board), LinkModel(way, way)) for _ in range(boards)
    ]
    image = make_image(made[0][1].profile, image_bytes, seed)
    bring_into_loader(world, [port.station for port, _ in made])
    draws = random.Random(seed)
    engines = [Push(LinkShape(BAUD / 10), draws.randrange(1, 0x10000)) for _ in made]
    gc.collect()
    began = time.process_time()
    done = _drive(world, list(zip(engines, (port for port, _ in made), strict=True)), image)
    spent = time.process_time() - began
    right = sum(engine in done and holds(one, image.span) for engine, (_, one) in zip(engines, made, strict=True))
    return spent, right


def _drive(world: World, pairs: Sequence[tuple[Push, Port]], image: Image) -> set[Push]:
    """The engines that said done."""
    offered = offerable(image)
    done: set[Push] = set()

    def on_event(engine: Push, event: Event, now: float) -> bool:
        if isinstance(event, NeedBundle):
            engine.use_bundle(offered, now)
        if isinstance(event, Done):
            done.add(engine)
        return isinstance(event, Done | Failed)

    drive(world, pairs, on_event, limit_s=world.now + LIMIT_S)
    return done
