"""`bench soak` over thousands of seeds: in several processes, with the same result for any number. Prints nothing."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from otaflash.bench.soak.drawing import draw
from otaflash.bench.soak.judging import KINDS
from otaflash.bench.soak.running import Lived, live
from otaflash.bench.soak.scenario import Scenario, bad_scenario, from_json, to_json
from otaflash.bench.soak.shrinking import shrink
from otaflash.errors import OtaflashError

COUNTS = ("updates", "done", "cuts", "resets", "host_kills", "refusals")
CONTRADICTS = (KeyError, IndexError, ValueError, TypeError, OtaflashError)
"""What a scenario raises that cannot be set up; once it runs, live() raises nothing."""

CHUNK = 25
PROGRESS_EVERY_S = 10.0
SHRUNK_MOST = 5
"""So many failures are made small; further ones name their seed only."""


def run_soak(first: int, seeds: int, *, jobs: int | None = None) -> Iterator[dict[str, Any]]:
    """Lives `seeds` scenarios from seed `first` on: a `progress` event now and then, a `failure` for each seed that
    broke a promise, last the `result`. All but the times is the same for any `jobs` (None: one for each core)."""
    began = told = time.monotonic()
    total, wrong, failed = Counter[str](), Counter[str](), list[int]()
    longest_s = 0.0
    for done, (seed, lived) in enumerate(_lives(range(first, first + seeds), jobs or os.cpu_count() or 1), 1):
        total.update({name: getattr(lived, name) for name in COUNTS})
        longest_s = max(longest_s, lived.longest_s)
        if lived.wrongs:
            wrong.update({found.kind for found in lived.wrongs})
            failed.append(seed)
            yield failure(draw(seed), lived, shrinks=len(failed) <= SHRUNK_MOST)
        if time.monotonic() - told >= PROGRESS_EVERY_S:
            told = time.monotonic()
            yield {"event": "progress", "seeds": done, "of": seeds, "failed": len(failed), "seconds": _since(began)}
    yield _result((first, seeds), total, wrong, longest_s, time.monotonic() - began)


def run_one(seed: int | None, scenario: str | None = None) -> Iterator[dict[str, Any]]:
    """One scenario, of a seed or as text, with its story: a `story` event for each thing that happened.
    Raises UsageError."""
    began = time.monotonic()
    given = from_json(scenario) if scenario is not None else draw(seed or 0)
    lived = live_or_refuse(given)
    for at_s, text in lived.story:
        yield {"event": "story", "at_s": round(at_s, 4), "text": text}
    if lived.wrongs:
        yield failure(given, lived, shrinks=scenario is None)
    total = Counter({name: getattr(lived, name) for name in COUNTS})
    wrong = Counter({found.kind for found in lived.wrongs})
    yield _result((given.seed, 1), total, wrong, lived.longest_s, time.monotonic() - began)


def live_or_refuse(scenario: Scenario) -> Lived:
    """With its story. Raises UsageError for a scenario whose parts do not fit each other."""
    try:
        return live(scenario, tell=True)
    except CONTRADICTS as error:
        raise bad_scenario(error) from error


def failure(scenario: Scenario, lived: Lived, *, shrinks: bool) -> dict[str, Any]:
    """What a failing seed prints: what was wrong, how to run it again, and the smallest scenario that fails alike."""
    kind = lived.wrongs[0].kind
    event = {
        "event": "failure",
        "seed": scenario.seed,
        "kind": kind,
        "wrong": [f"{found.at_s:.4f} s: {found.text}" for found in lived.wrongs],
        "replay": f"otaflash bench soak --seed {scenario.seed}",
    }
    if shrinks:
        small = to_json(shrink(scenario, lambda smaller: fails_alike(smaller, kind)))
        event |= {"scenario": small, "replay_shrunk": f"otaflash bench soak --scenario '{small}'"}
    return event


def fails_alike(scenario: Scenario, kind: str) -> bool:
    """True if that promise is broken in it. One that contradicts itself (an image too large for the board) does not."""
    try:
        return any(found.kind == kind for found in live(scenario).wrongs)
    except CONTRADICTS:
        return False


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)


def _result(
    span: tuple[int, int], total: Counter[str], wrong: Counter[str], longest_s: float, seconds: float
) -> dict[str, Any]:
    first, seeds = span
    return {
        "event": "result",
        "ok": not wrong,
        "seeds": seeds,
        "first": first,
        **{name: total[name] for name in COUNTS},
        **{kind: wrong[kind] for kind in KINDS},
        "longest_run_s": round(longest_s, 1),
        "seconds": round(seconds, 3),
        "seeds_per_s": round(seeds / max(seconds, 1e-9), 1),
    }


# --- processes --------------------------------------------------------------------------------------------------


def _live_seed(seed: int) -> tuple[int, Lived]:
    return seed, live(draw(seed))


def _lives(seeds: range, jobs: int) -> Iterator[tuple[int, Lived]]:
    """In the order of the seeds, whoever lives them."""
    if jobs == 1 or len(seeds) <= CHUNK:
        yield from map(_live_seed, seeds)
        return
    with _workers(jobs) as lives:
        yield from lives(seeds)


@contextmanager
def _workers(jobs: int) -> Iterator[Any]:
    pool = multiprocessing.get_context("spawn").Pool(jobs)
    try:

        def lives(seeds: Iterable[int]) -> Iterator[tuple[int, Lived]]:
            return pool.imap(_live_seed, seeds, chunksize=CHUNK)

        yield lives
    finally:
        pool.terminate()
        pool.join()
