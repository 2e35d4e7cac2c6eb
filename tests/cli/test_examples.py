"""Every command's --help shows examples, and each of them works."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

import click
import pytest

from otaflash.cli.commands import otaflash as top
from otaflash.cli.help import Command
from tests.cli.running import BLINK, ROOT, Ended, otaflash

COMMANDS = dict(top.every_command())
LEAVES = {path: found for path, found in COMMANDS.items() if not isinstance(found, click.Group)}
EXAMPLES = [(path, example) for path, found in LEAVES.items() for example in getattr(found, "examples", ())]
LOADER = ROOT / "firmware/ports/atmega328p/atmega328p.hex"

BEFORE = {
    "confirm": "otaflash push firmware.hex --no-confirm",
    "revert": "otaflash push firmware.hex --no-confirm",
    "inspect": "otaflash bundle firmware.hex --board atmega328p",
    "sign": "otaflash bundle firmware.hex --board atmega328p",
}
"""What must have been done for a command to have something to work on."""

SERVERS = {"sim", "monitor"}
"""They run until Ctrl-C: tests/sim and tests/transport serve boards; here only their words are read."""

MEASURES = {"link", "ble", "scale", "soak", "powercut"}
"""They have tests of their own and take long; here only their words are read."""

RADIO = {"scan", "init"}
"""Needs a radio: tests/transport/ble has it over bleak's own backend."""


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the files that the examples name, and a board to which all ports lead."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(BLINK, "firmware.hex")
    shutil.copy(LOADER, "loader.hex")
    monkeypatch.setenv("OTAFLASH_PORT", f"sim:atmega328p?state={tmp_path / 'board.bin'}")
    monkeypatch.setenv("OTAFLASH_PASSPHRASE", "open")


def run(example: str) -> Ended:
    """Runs an example; a port that it names becomes the simulated one."""
    program, *words = shlex.split(example)
    assert program == "otaflash"
    if "--port" in words:
        at = words.index("--port")
        del words[at : at + 2]
    return otaflash(*words)


@pytest.mark.parametrize("path", sorted(LEAVES), ids=" ".join)
def test_the_help_of_each_command_shows_an_example(path: tuple[str, ...]) -> None:
    assert isinstance(LEAVES[path], Command), "made by otaflash.cli.help.command, with examples"
    shown = otaflash(*path, "--help").out
    assert f"  $ otaflash {' '.join(path)}" in shown


@pytest.mark.parametrize(("path", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_an_example_is_understood(path: tuple[str, ...], example: str) -> None:
    words = shlex.split(example)
    assert words[: 1 + len(path)] == ["otaflash", *path]
    with LEAVES[path].make_context(path[-1], words[1 + len(path) :]) as context:
        assert context.args == []


@pytest.mark.parametrize(
    ("path", "example"),
    [(path, example) for path, example in EXAMPLES if path[-1] not in SERVERS | MEASURES | RADIO],
    ids=[example for path, example in EXAMPLES if path[-1] not in SERVERS | MEASURES | RADIO],
)
def test_an_example_works(path: tuple[str, ...], example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if path[-1] in BEFORE:
        assert run(BEFORE[path[-1]]).code == 0
    if "device.key" in example and path[-1] != "keygen":
        assert run("otaflash keygen device.key --signatures 32").code == 0
        monkeypatch.setenv("OTAFLASH_PORT", os.environ["OTAFLASH_PORT"] + "&key=device.key.pub")
    ended = run(example)
    assert ended.code == 0, ended.err
    assert ended.out
