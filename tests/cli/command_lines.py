"""Draws command lines: the real commands and options, with values that are right, wrong or nonsense. Runs none."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import click

from otaflash.cli.commands import otaflash as top
from tests.cli.running import BLINK, ROOT
from tests.image.test_mutated_files import KINDS, mutated

LEAVES = {path: found for path, found in top.every_command() if not isinstance(found, click.Group)}
SLOW = {("demo",): 0.02, ("keygen",): 0.1, ("keys",): 0.3, ("sign",): 0.3}
"""Commands that do much or little whatever is said to them: how often they are drawn, against 1 for the others."""

FILES = (
    *(f"{kind}.bin" for kind in KINDS),
    *(f"damaged-{number}" for number in range(6)),
    "blink.hex",
    "loader.hex",
    "empty",
    "folder",
    "missing",
    "folder/missing",
    "/dev/null",
    "blink.hex/no",
    os.fsdecode(b"\xff\xe9.hex"),
    "-",
    "",
    "x" * 300,
)
TARGETS = ("out.otab", "folder", "folder/out", "missing/out", "/dev/full", "/dev/null", "blink.hex", "", "x" * 300)
PORTS = (
    "sim:atmega328p",
    "sim:atmega328p?state=board.bin",
    "sim:nrf52832?ble=2M,247,15ms",
    "sim:tiny1?state=folder",
    "sim:atmega328p?state=missing/board",
    "sim:atmega328p?down.loss=100%",
    "sim:atmega328p?app=new:hang",
    "sim:atmega328p?loss=5%&loss=6%",
    "sim:atmega328p?delay=fast",
    "sim:",
    "sim:arduino",
    "usb:0403:6001",
    "usb:zz",
    "ble:",
    "ble:?service=zz",
    "socket://127.0.0.1:1",
    "socket://",
    "tcp://127.0.0.1:1",
    "/dev/null",
    "/dev/missing",
    "folder",
    "COM3",
    "",
    "?baud=x",
    "\u2603",
)
NUMBERS = ("0", "1", "-1", "4294967295", "4294967296", "9" * 5000, "1.5", "0x10", "1e3", "", "ten", "²")
WORDS = (
    *("1.2.3", "1.2.3+4", "git", "256.0.0", "v1", "1.2", "atmega328p", "nrf52832", "tiny1", "all", "slot", "0x8000"),
    *("hex-no-end", "5", "dtr", "power", "text:x", "xbee:1", "lines:x", "bash", "zsh", "", "--", "-", "--help", "-h"),
    *("--json", "--quiet", "--debug", "--version", "--port", "\u2603\u0301", "\x1b[31m", "a\nb", "%s{0}", "x" * 2000),
)
CONFIGS = (
    "",
    'port = "sim:atmega328p"\nboard = "atmega328p"\n',
    'version = "git"\n',
    "baud = fast\n",
    "unknown = 1\n",
    'port = 5\n[boards.a]\nport = "sim:tiny1"\n',
    "\ufffd\x00",
    "[" * 3000,
)


def make_desk(folder: Path, draws: random.Random) -> None:
    """The files that command lines are about, in `folder`."""
    (folder / "folder").mkdir()
    (folder / "empty").write_bytes(b"")
    (folder / "blink.hex").write_bytes(BLINK.read_bytes())
    (folder / "loader.hex").write_bytes((ROOT / "firmware/ports/atmega328p/atmega328p.hex").read_bytes())
    for kind, (content, _) in KINDS.items():
        (folder / f"{kind}.bin").write_bytes(content)
    for number in range(6):
        (folder / f"damaged-{number}").write_bytes(mutated(draws.choice(list(KINDS.values()))[0], draws))


def command_lines(draws: random.Random) -> Iterator[list[str]]:
    """Without end."""
    paths, weights = list(LEAVES), [SLOW.get(path, 1.0) for path in LEAVES]
    while True:
        (path,) = draws.choices(paths, weights)
        words = [*path, *_words(LEAVES[path], draws)]
        if draws.random() < 0.3:
            words = _spoiled(words, draws)
        yield words


def _words(command: click.Command, draws: random.Random) -> Iterator[str]:
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            if draws.random() < 0.9:
                yield _value(parameter, draws)
        elif isinstance(parameter, click.Option) and draws.random() < 0.2:
            yield draws.choice([*parameter.opts, *parameter.secondary_opts])
            if not parameter.is_flag and draws.random() < 0.95:
                yield _value(parameter, draws)


def _value(parameter: click.Parameter, draws: random.Random) -> str:
    """Of the right kind, most often."""
    if draws.random() < 0.1:
        return draws.choice(WORDS)
    if parameter.name in ("file", "files", "key", "loader"):
        return draws.choice(FILES)
    if parameter.name == "target":
        return draws.choice(TARGETS)
    if parameter.name == "port":
        return draws.choice(PORTS)
    if isinstance(parameter.type, click.IntRange | click.FloatRange) or parameter.type in (click.INT, click.FLOAT):
        return draws.choice(NUMBERS)
    return draws.choice(WORDS)


def _spoiled(words: list[str], draws: random.Random) -> list[str]:
    """One accident: a word too many, too few, misspelt, or at another place."""
    at = draws.randrange(len(words))
    match draws.randrange(4):
        case 0:
            return [*words[:at], *words[at + 1 :]]
        case 1:
            return [*words[:at], draws.choice(WORDS), *words[at:]]
        case 2:
            return [*words[:at], words[at][:-1] + draws.choice("xyz-"), *words[at + 1 :]]
        case _:
            return [*words[at:], *words[:at]]
