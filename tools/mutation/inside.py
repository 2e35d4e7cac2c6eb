"""What happens inside a mutant: this file is run as a process of its own, in the mutant's tree. Tells in JSON, and is
the only one that imports what may be wrong.

    inside.py test VERDICT MODULE,... TEST...        runs the tests up to the first that fails
    inside.py explore VERDICT BOARD PAGES DEPTH      lets the power-cut explorer loose on the core
    inside.py replay VERDICT BOARD DEPTH HISTORY     runs one history that the explorer found
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

SECONDS_MAX = 120
"""For one search, which takes seconds where nothing else runs: a mutant not caught by then has escaped."""
VIOLATIONS_MAX = 50
"""Looked for, so that worse than a worn page is shown where there is worse."""


class Witness:
    """A pytest plug-in that remembers which test is running, and the first that failed."""

    def __init__(self, verdict: Path) -> None:
        self.verdict = verdict
        self.failed: str | None = None
        self.broken: str | None = None

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        tell(self.verdict, running=nodeid)  # is what is left if the process dies in this test

    def pytest_runtest_logreport(self, report: object) -> None:
        if getattr(report, "failed", False):
            if getattr(report, "when", "") == "call":
                self.failed = self.failed or str(getattr(report, "nodeid", ""))
            else:
                self.broken = str(getattr(report, "longrepr", ""))

    def pytest_collectreport(self, report: object) -> None:
        if getattr(report, "failed", False):
            self.broken = str(getattr(report, "longrepr", ""))


def tell(verdict: Path, **facts: object) -> None:
    verdict.write_text(json.dumps(facts), encoding="utf-8")


def test(verdict: Path, modules: str, *tests: str) -> None:
    """A module that cannot be imported, or a test that cannot be collected, catches nothing."""
    import pytest  # noqa: PLC0415

    for module in filter(None, modules.split(",")):
        importlib.import_module(module)
    witness = Witness(verdict)
    code = pytest.main(["-x", "-p", "no:cacheprovider", "--hypothesis-seed=0", *tests], plugins=[witness])
    broken = witness.broken if witness.broken or code in (0, 1) else f"pytest ended with {int(code)}"
    tell(verdict, by=witness.failed, broken=broken)


def explore(verdict: Path, board: str, pages: str, depth: str) -> None:
    from otaflash.bench.explorer.cases import Case  # noqa: PLC0415
    from otaflash.bench.explorer.oracle import WORN  # noqa: PLC0415
    from otaflash.bench.explorer.search import Search  # noqa: PLC0415
    from otaflash.bench.powercut import board_of  # noqa: PLC0415

    case = Case(board_of(board), tuple(int(count) for count in pages.split("/")), int(depth))
    tally = Search(case, seed=1).run(time.monotonic() + SECONDS_MAX, VIOLATIONS_MAX)
    found = min(tally.violations, key=lambda violation: violation.wrong == WORN, default=None)
    by = f"{found.wrong}: {board} {found.replay}" if found else None
    tell(verdict, by=by, replay=found.replay if found else None, scenarios=tally.scenarios)


def replay(verdict: Path, board: str, depth: str, history: str) -> None:
    """A history that the right core does not have, as it refuses what the mutant took, is none that goes wrong."""
    from otaflash.bench.powercut import run_powercut  # noqa: PLC0415
    from otaflash.errors import UsageError  # noqa: PLC0415

    try:
        wrong = [event for event in run_powercut(board, int(depth), replay=history) if event.get("wrong")]
    except UsageError:
        wrong = []
    tell(verdict, by=str(wrong[0]["wrong"]) if wrong else None)


MODES: dict[str, Callable[..., None]] = {"test": test, "explore": explore, "replay": replay}

if __name__ == "__main__":
    sys.path[0] = os.getcwd()
    MODES[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
