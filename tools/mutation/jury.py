"""Puts mutants through what must catch them, and the right code through the same. Prints nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutation.catalogue import Exploration, Mutant, Unusable
from mutation.workshop import Workshop

INSIDE = Path(__file__).with_name("inside.py")
PATIENCE_S = 600
"""For one process; the explorer gives up by itself long before. A hang is no catch: it says nothing of a test."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`by`: the node id of the test that failed, or the explorer's violation with its replay; None: not caught."""

    mutant: Mutant
    by: str | None


def judge_all(mutants: list[Mutant]) -> Iterator[Verdict]:
    """A verdict each, in order. Raises Unusable, also where the right code fails what mutants are put through."""
    folder = Path(tempfile.mkdtemp(prefix="otaflash-mutants-"))
    try:
        workshop = Workshop(folder, cores=any(mutant.is_core for mutant in mutants))
        control(workshop, {test for mutant in mutants for test in mutant.tests})
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            yield from pool.map(lambda mutant: _judge(workshop, mutant), mutants)
    finally:
        shutil.rmtree(folder)


def control(workshop: Workshop, tests: set[str]) -> None:
    """Every test that a mutant names passes without it, in a tree and with a core that were made the same way."""

    def passes(test: str) -> None:
        by = _inside(workshop.right, f"the right code, {test}", "test", "", test)["by"]
        if by is not None:
            raise Unusable(f"{by} fails without any mutant")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(passes, sorted(tests)))


def _judge(workshop: Workshop, mutant: Mutant) -> Verdict:
    root = workshop.make(mutant)
    try:
        if mutant.exploration is not None:
            return Verdict(mutant, _explore(workshop, root, mutant.name, mutant.exploration))
        modules = [change.file for change in mutant.changes if change.file.endswith(".py")]
        names = ",".join(file.removesuffix(".py").replace("/", ".") for file in modules)
        return Verdict(mutant, _inside(root, mutant.name, "test", names, *mutant.tests)["by"])
    finally:
        shutil.rmtree(root)


def _explore(workshop: Workshop, root: Path, name: str, where: Exploration) -> str | None:
    """What is found must be the mutant's: the same history on the right core goes well."""
    pages = "/".join(str(count) for count in where.pages)
    found = _inside(root, name, "explore", where.board, pages, str(where.depth))
    if found["by"] is None:
        return None
    right = _inside(workshop.right, name, "replay", where.board, str(where.depth), found["replay"])
    if right["by"] is not None:
        raise Unusable(f"{name}: {found['by']}; but the right core does the same: {right['by']}")
    return str(found["by"])


def _inside(root: Path, name: str, what: str, *arguments: str) -> dict[str, Any]:
    """Runs inside.py in the tree at `root`. A process that dies was killed by the test that was running."""
    verdict = root.parent / f"{re.sub(r'[^a-z0-9_]+', '-', name)}-{what}.json"
    command = [sys.executable, str(INSIDE), what, str(verdict), *arguments]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise Unusable(f"{name}: no end after {PATIENCE_S} s") from None
    facts: dict[str, Any] = json.loads(verdict.read_text(encoding="utf-8")) if verdict.exists() else {}
    if done.returncode < 0 and "running" in facts:
        return {"by": f"{facts['running']} (killed by signal {-done.returncode})"}
    if done.returncode != 0 or facts.get("broken") or "by" not in facts:
        raise Unusable(f"{name}: {facts.get('broken') or done.stderr or done.stdout}")
    return facts
