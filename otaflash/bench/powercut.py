"""`otaflash bench powercut`: which histories are explored for a board, and what came of them as events. Prints nothing.

A history is a chain of boots of the real core: an update from image A to B by the messages of a host, trials, Confirm
by host or application, Revert, boots that run out, offers given up half-way, a new offer (C), the same in single-slot
mode, and cuts of power before, in and after every erase and program of every one of these boots. What a cut tore reads
as before, as done, or drawn, in each boot that follows. The oracle looks at the flash when an image is started, and at
what the host was told.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from itertools import repeat

from otaflash.bench.explorer.cases import Case, Step
from otaflash.bench.explorer.catalogue import Family, cases, families
from otaflash.bench.explorer.geometries import board_of
from otaflash.bench.explorer.oracle import KINDS
from otaflash.bench.explorer.search import SAMPLED_FROM, Search, Tally, Violation
from otaflash.errors import UsageError

__all__ = ["COUNTERS", "board_of", "cases", "run_powercut"]

COUNTERS = ("unbootable", "way_back_lost", "wrong_image", "rule_broken", "worn")
"""What must be 0."""
_SAMPLE_SECONDS = 60.0
"""Of all cores together, where nothing is said: depth 3 has no end."""


def run_powercut(
    board: str, depth: int, *, seconds: float | None = None, seed: int = 1, replay: str | None = None
) -> Iterator[dict[str, object]]:
    """Explores what the catalogue has of a board: a `case` event each, a `violation` with its replay for each thing
    wrong, last `result`.

    `board` is a profile's name, a geometry's, or "all": every geometry, at each depth up to `depth`, on all cores.
    `depth` is 0 to DEPTH_MAX faults in one history; `seconds` bounds the whole (then `exhaustive` is false). From
    SAMPLED_FROM faults on histories are drawn by the seed. With `replay`, as a violation gives it, that one history is
    run, a `boot` event each. `ok` is false where a case saw no update get through: an explorer that explores nothing
    finds nothing. Deterministic in `seed` but for the time. Raises TargetError, UsageError.
    """
    if replay is not None:
        yield from _run_again(board, depth, seed, replay)
        return
    chosen = families(board, depth)
    if depth >= SAMPLED_FROM and seconds is None:
        seconds = _SAMPLE_SECONDS
    began = time.monotonic()
    total, wrong, explored = Tally(), Counter[str](), True
    with closing(_tallies(chosen, seed, seconds)) as tallies:
        for family, (tally, took) in zip(chosen, tallies, strict=True):
            counted = Counter(KINDS[violation.wrong] for violation in tally.violations)
            yield _case_event(family, tally, counted, took)
            for violation in tally.violations:
                yield _violation_event(family, seed, violation)
            total.add(tally)
            wrong.update(counted)
            explored &= tally.trial_boots > 0 or family.cases[0].fails
    yield {**_result(board, depth, total, wrong, time.monotonic() - began), "ok": explored and not wrong}


def _tallies(chosen: list[Family], seed: int, seconds: float | None) -> Generator[tuple[Tally, float]]:
    """What the search in each family came to, in their order, and its CPU time; the heaviest begin first."""
    jobs = min(os.cpu_count() or 1, len(chosen))
    share = None if seconds is None else seconds * jobs / len(chosen)
    if jobs == 1:
        yield from map(_explore, chosen, repeat(seed), repeat(share))
        return
    with ProcessPoolExecutor(jobs) as pool:
        order = sorted(range(len(chosen)), key=lambda at: -chosen[at].weight)
        futures = {at: pool.submit(_explore, chosen[at], seed, share) for at in order}
        try:
            for at in range(len(chosen)):
                yield futures[at].result()
        finally:
            pool.shutdown(cancel_futures=True)


def _explore(family: Family, seed: int, seconds: float | None) -> tuple[Tally, float]:
    total, began = Tally(), time.process_time()
    for case in family.cases:
        until = None if seconds is None else time.monotonic() + seconds / len(family.cases)
        tally = Search(case, seed).run(until)
        tally.exhaustive &= case.every == 1
        total.add(tally)
    return total, time.process_time() - began


def _case_event(family: Family, tally: Tally, wrong: Counter[str], seconds: float) -> dict[str, object]:
    case = family.cases[0]
    return {
        "event": "case",
        "board": case.profile.name,
        "pages": case.sizes if len(family.cases) == 1 else "/".join(map(str, case.pages)),
        "depth": case.depth,
        "faults": family.faults,
        "boards": len(family.cases),
        "cut_every": case.every,
        "scenarios": tally.scenarios,
        "states": tally.states,
        **{name: wrong[name] for name in COUNTERS},
        "max_erases_per_page": tally.max_erases,
        "cpu_seconds": round(seconds, 3),
        "exhaustive": tally.exhaustive,
    }


def _violation_event(family: Family, seed: int, violation: Violation) -> dict[str, object]:
    board, depth = family.cases[0].profile.name, family.cases[0].depth
    return {
        "event": "violation",
        "wrong": violation.wrong,
        "counted_as": KINDS[violation.wrong],
        "history": [str(step) for step in violation.steps],
        "replay": f"run_powercut({board!r}, {depth}, seed={seed}, replay={violation.replay!r})",
    }


def _result(board: str, depth: int, total: Tally, wrong: Counter[str], seconds: float) -> dict[str, object]:
    """`exhaustive`: every case was explored to its end, and the cuts of none were a sample."""
    return {
        "event": "result",
        "ok": not wrong,
        "board": board,
        "depth": depth,
        "scenarios": total.scenarios,
        "states": total.states,
        **{name: wrong[name] for name in COUNTERS},
        "trial_boots": total.trial_boots,
        "weak_jumps": total.weak_jumps,
        "max_erases_per_page": total.max_erases,
        "max_erases_clean": total.max_erases_clean,
        "seconds": round(seconds, 3),
        "scenarios_per_s": round(total.scenarios / max(seconds, 1e-9)),
        "exhaustive": total.exhaustive,
    }


def _parse_replay(board: str, depth: int, replay: str) -> tuple[Case, list[Step]]:
    profile = board_of(board)
    try:
        sizes, *words = replay.split()
        return Case.parse(sizes, profile, depth), [Step.parse(word) for word in words]
    except (ValueError, KeyError, IndexError):
        raise _bad_replay(replay) from None


def _bad_replay(replay: str) -> UsageError:
    return UsageError(
        "bad-replay",
        f"{replay!r} is no history of the explorer",
        remedy="Give the text that stands behind replay= in a violation, in quotes.",
    )


def _run_again(board: str, depth: int, seed: int, replay: str) -> Iterator[dict[str, object]]:
    case, steps = _parse_replay(board, depth, replay)
    search = Search(case, seed)
    node, began = search.root(), time.monotonic()
    for step in steps:
        try:
            boot, node, wrong = search.step(node, step)
        except (KeyError, ValueError):
            raise _bad_replay(replay) from None
        yield {
            "event": "boot",
            "step": str(step),
            "operations": boot.operations,
            "jumps": ["trial" if jump.trial else "idle" for jump in boot.jumps],
            "wrong": wrong,
        }
    counted = Counter(KINDS[violation.wrong] for violation in search.tally.violations)
    search.tally.exhaustive = False
    yield _result(board, depth, search.tally, counted, time.monotonic() - began)
