"""The kept corpus, and that tools/fuzz finds what is wrong. tools/test runs it besides, on every target."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
FILES_MAX, BYTES_MAX = 200, 300_000

KEPT = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.parametrize("target", TARGETS)
def test_the_python_side_takes_what_the_corpus_holds(target: str) -> None:
    inputs = [path.read_bytes() for path in KEPT if path.parent.name == target]
    assert inputs
    for content in [*inputs, *seeds(target)]:
        TARGETS[target](content)


def test_the_kept_corpus_is_small_and_serves_every_target() -> None:
    assert len(KEPT) <= FILES_MAX
    assert sum(path.stat().st_size for path in KEPT) <= BYTES_MAX
    assert {path.parent.name for path in KEPT} == {*TARGETS, "frames", "offers", "record", "flash"}


def wrong_core(folder: Path) -> Path:
    """A copy of what tools/fuzz needs, whose core believes any record with a right CRC."""
    for name in (
        "firmware/core",
        "firmware/ports/host",
        "firmware/app/blink",
        "otaflash",
        "protocol",
        "tests",
        "tools",
    ):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    record = folder / "firmware" / "core" / "record.c"
    right = record.read_text(encoding="utf-8")
    assert right.count("&& is_possible(body) &&") == 1
    record.write_text(right.replace("&& is_possible(body) &&", "&& (is_possible(body) || true) &&"), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_a_core_that_believes_impossible_records_is_found_and_the_finding_replays(tmp_path: Path) -> None:
    root = wrong_core(tmp_path)
    environment = {key: value for key, value in os.environ.items() if key not in ("LD_PRELOAD", "PYTHONPATH")}
    command = [sys.executable, "tools/fuzz", "--target", "record", "--seconds", "20", "--json"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=300, check=False)
    target, result = (json.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == 1, done.stderr
    assert (result["event"], result["ok"], result["code"], result["findings"]) == ("result", False, 1, 1)
    (replay,) = target["replay"]
    again = subprocess.run(replay.split(), cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode != 0
    assert "finding: the core broke a rule of the flash" in again.stderr
