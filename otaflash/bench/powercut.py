"""`otaflash bench powercut`: which histories are explored for a board, and what came of them as events. Prints nothing.

A history is a chain of boots of the real core: an update from image A to B by the messages of a host, trials, Confirm
by host or application, Revert, boots that run out, offers given up half-way, a new offer (C), and cuts of power before,
in and after every erase and program of every one of these boots. What a cut tore reads as before, as done, or drawn, in
each boot that follows. The oracle looks at the flash when an image is started, and at what the host was told.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from otaflash.bench.explorer.oracle import KINDS
from otaflash.bench.explorer.search import Case, Search, Step, Tally, Violation
from otaflash.errors import UsageError
from otaflash.sim.profiles import PROFILES, Profile, profile

DEPTH_MAX = 3
COUNTERS = ("unbootable", "way_back_lost", "wrong_image", "rule_broken", "worn")
"""What must be 0."""

SMALL = replace(
    PROFILES["tiny2"],
    name="small",
    page_bytes=64,
    record_pages=2,
    write_bytes=1,
    mark_bytes=1,
    block_bytes=8,
    trials=1,
)
"""One trial, a record unit of two pages, marks of a byte."""

_LARGE_PAGE = 1024
_FULL_CUTS = 12
"""Cuts in one boot where the slot is full: a sample."""


def board_of(name: str) -> Profile:
    """The geometry of that name. Raises TargetError."""
    return SMALL if name == SMALL.name else profile(name)


def cases(board: str, depth: int) -> list[Case]:
    """What is explored for a board. Raises TargetError, UsageError (depth is 0 to DEPTH_MAX)."""
    if not 0 <= depth <= DEPTH_MAX:
        raise UsageError(
            "depth-out-of-range",
            f"the explorer takes 0 to {DEPTH_MAX} cuts in one history, not {depth}",
            remedy="Depth 2 on a small geometry (tiny2) is whole in minutes.",
        )
    chosen = board_of(board)
    if not chosen.real:
        n = chosen.slot_pages
        return [Case(chosen, pages, depth) for pages in dict.fromkeys([(n, n, n), (1, n, 1), (n, 1, n)])]
    if chosen.page_bytes >= _LARGE_PAGE:
        small = [Case(chosen, (1, 1), depth), Case(chosen, (2, 2) if depth < 2 else (1, 2), depth)]
    else:
        small = [Case(chosen, pages, depth) for pages in ((2, 2, 2), (1, 2), (2, 1))]
    return [*small, _full_slot(chosen)]


def _full_slot(chosen: Profile) -> Case:
    """Both images as large as the slot. An update takes about this many operations: stage, swap, their marks."""
    chunks = chosen.page_bytes // chosen.chunk_bytes
    operations = chosen.slot_pages * (3 * (1 + chunks) + 2)
    return Case(chosen, (chosen.slot_pages, chosen.slot_pages), 1, every=max(1, operations // _FULL_CUTS))


def run_powercut(
    board: str, depth: int, *, seconds: float | None = None, seed: int = 1, replay: str | None = None
) -> Iterator[dict[str, object]]:
    """Explores a board's cases: a `case` event each, a `violation` with its replay for each thing wrong, last `result`.

    `board` is a profile's name or "small"; `depth` 0 to DEPTH_MAX cuts in one history; `seconds` bounds the whole (then
    `exhaustive` is false). With `replay`, as a violation gives it, that one history is run, a `boot` event each.
    `ok` is false where a case saw no update get through: an explorer that explores nothing finds nothing.
    Deterministic in `seed` but for the time. Raises TargetError, UsageError.
    """
    chosen = cases(board, depth)
    if replay is not None:
        yield from _run_again(board, depth, seed, replay)
        return
    began = time.monotonic()
    total, wrong, explored = Tally(), Counter[str](), True
    for case in chosen:
        tally = Search(case, seed).run(None if seconds is None else began + seconds)
        wrong.update(KINDS[violation.wrong] for violation in tally.violations)
        yield _case_event(case, tally)
        for violation in tally.violations:
            yield _violation_event(board, depth, seed, violation)
        total.scenarios += tally.scenarios
        total.states += tally.states
        explored &= tally.trial_boots > 0
        total.trial_boots += tally.trial_boots
        total.weak_jumps += tally.weak_jumps
        total.max_erases = max(total.max_erases, tally.max_erases)
        total.max_erases_clean = max(total.max_erases_clean, tally.max_erases_clean)
        total.exhaustive &= tally.exhaustive and case.every == 1
    yield {**_result(board, depth, total, wrong, time.monotonic() - began), "ok": explored and not wrong}


def _case_event(case: Case, tally: Tally) -> dict[str, object]:
    return {
        "event": "case",
        "pages": case.sizes,
        "depth": case.depth,
        "cut_every": case.every,
        "scenarios": tally.scenarios,
        "states": tally.states,
        "exhaustive": tally.exhaustive and case.every == 1,
    }


def _violation_event(board: str, depth: int, seed: int, violation: Violation) -> dict[str, object]:
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


def _parse_replay(replay: str) -> tuple[tuple[int, ...], list[Step]]:
    try:
        sizes, *words = replay.split()
        steps = [Step.parse(word) for word in words]
        return tuple(int(pages) for pages in sizes.split("/")), steps
    except (ValueError, KeyError, IndexError):
        raise _bad_replay(replay) from None


def _bad_replay(replay: str) -> UsageError:
    return UsageError(
        "bad-replay",
        f"{replay!r} is no history of the explorer",
        remedy="Give the text that stands behind replay= in a violation, in quotes.",
    )


def _run_again(board: str, depth: int, seed: int, replay: str) -> Iterator[dict[str, object]]:
    sizes, steps = _parse_replay(replay)
    search = Search(Case(board_of(board), sizes, depth), seed)
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
