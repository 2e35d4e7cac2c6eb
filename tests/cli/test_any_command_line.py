"""Thousands of command lines with anything in them: each ends with a named error or well, and writes only where it is
told to. Nothing outside is reached: no real port, no radio, no server."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from otaflash.api.scanning import Scan
from otaflash.errors import ExitCode
from otaflash.explained import all_pages
from tests.cli.command_lines import CONFIGS, LEAVES, PORTS, command_lines, make_desk
from tests.cli.running import Ended, otaflash

LINES = 10_200
PARTS = 3
SEED = 31
LIMIT_S = 30.0
"""For one line, in real time: what takes longer hangs."""

BENCHES = {
    "otaflash.cli.bench_ble.run_cells",
    "otaflash.cli.bench_link.run_matrix",
    "otaflash.cli.bench_powercut.run_powercut",
    "otaflash.cli.bench_scale.run_scale",
    "otaflash.cli.bench_soak.run_one",
    "otaflash.cli.bench_soak.run_soak",
}
_WRITING = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.symlink", "os.link", "sqlite3.connect"}
_guarded: list[Path] = []
_strayed: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook, which cannot be taken off again: it looks only while a folder is guarded."""
    if not _guarded:
        return
    if event == "open":
        path, mode, flags = arguments
        if not (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) and "w" not in str(
            mode or ""
        ):
            return
    elif event in _WRITING:
        path = arguments[0]
    else:
        return
    if isinstance(path, str | bytes | os.PathLike):
        whole = Path(os.path.abspath(os.fsdecode(path)))
        if not whole.is_relative_to(_guarded[-1]) and not whole.is_relative_to("/dev") and whole.suffix != ".pyc":
            _strayed.append(f"{event} {whole}")


sys.addaudithook(_watch)


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Notes whatever is written outside of `folder` meanwhile."""
    _strayed.clear()
    _guarded.append(folder)
    try:
        yield
    finally:
        _guarded.pop()


def _leave(*_: object) -> None:
    """What whoever watches a monitor does in the end."""
    raise KeyboardInterrupt


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, on a computer without ports and radio; servers and benches end at once."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "OTAFLASH_STATE_DIR",
        "XDG_CONFIG_HOME",
        "XDG_RUNTIME_DIR",
        "XDG_STATE_HOME",
        "XDG_DATA_HOME",
        "TMPDIR",
    ):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "home"))
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda *_, **__: [])
    monkeypatch.setattr("otaflash.api.scanning.scan", lambda **_: Scan((), 0, (), None))
    monkeypatch.setattr("otaflash.doctor.ThisComputer.bluetooth_failure", lambda _: None)
    monkeypatch.setattr("otaflash.transport.entry.POWER_S", 0.2)  # as soon as nobody switches a board on
    monkeypatch.setattr("otaflash.cli.sim.serve", lambda *_, **__: None)
    monkeypatch.setattr("otaflash.cli.monitor._pass_on", _leave)
    for bench in BENCHES:
        monkeypatch.setattr(bench, lambda *_, **__: iter(()))
    return tmp_path


def run(words: list[str]) -> Ended:
    """Runs one line; one that hangs is ended, and then is a bug of ours like any other."""

    def hangs(*_: object) -> None:
        raise RuntimeError(f"{words} hangs")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        return otaflash(*words)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def wrong_with(words: list[str], ended: Ended) -> list[str]:
    """What no command line may do, and this one does."""
    first = ended.err.splitlines()[-3:][:1] if ended.code else []
    reasons = [line.split()[2].rstrip(":") for line in first if line.startswith("error ")]
    last = ended.out.splitlines()[-1:] if "--json" in words and ended.code else []
    checks = {
        f"ends as a bug of ours: {ended.err}": ended.code == ExitCode.INTERNAL or "internal" in reasons,
        f"ends with {ended.code}": ended.code not in set(ExitCode),
        "prints a traceback": "Traceback" in ended.err + ended.out and "--debug" not in words,
        f"has no page for {reasons}": not all_pages().keys() >= set(reasons),
        f"writes outside of its folder: {_strayed}": bool(_strayed),
        "does not end its JSON with a reason": any("reason" not in json.loads(line) for line in last),
    }
    return [what for what, is_so in checks.items() if is_so]


@pytest.mark.parametrize("part", range(PARTS))
def test_any_command_line_ends_well_or_with_an_error_that_has_a_page(
    part: int, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = random.Random(f"{SEED} {part}")
    make_desk(desk, draws)
    seen: Counter[int] = Counter()
    wrong: dict[str, list[str]] = {}
    for number, words in enumerate(itertools.islice(command_lines(draws), LINES // PARTS)):
        if number % 50 == 0:
            (desk / "otaflash.toml").write_text(draws.choice(CONFIGS))
            monkeypatch.setenv("OTAFLASH_PORT", draws.choice(PORTS))
        with guarded(desk):
            ended = run(words)
        seen[ended.code] += 1
        if what := wrong_with(words, ended):
            wrong[" ".join(words)[:300]] = what
    assert wrong == {}
    assert sum(seen.values()) == LINES // PARTS
    assert seen.keys() >= {0, 2, 3, 4, 5}


def test_every_command_is_among_those_that_are_drawn() -> None:
    drawn = itertools.islice(command_lines(random.Random(SEED)), LINES // PARTS)
    begun = Counter(next((path for path in LEAVES if tuple(words[: len(path)]) == path), None) for words in drawn)
    assert set(LEAVES) - begun.keys() <= {("demo",)}


def test_these_are_more_than_ten_thousand() -> None:
    assert LINES >= 10_000
