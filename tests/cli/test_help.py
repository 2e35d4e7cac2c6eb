"""Help, wrong words, and what it costs to start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import suppress

import pytest

from otaflash import __version__
from otaflash.cli.commands import otaflash as top
from tests.cli.running import COMMAND, ROOT, otaflash, otaflash_apart

COMMANDS = ("push", "info", "confirm", "revert", "reboot", "bundle", "factory", "inspect", "sim", "bench", "demo")

HELP_CPU_S = 0.15
"""What --help may cost on the machine that the bound was set for."""
SLACK = 2.0
"""How much slower the machine of this run may be."""


def test_help_lists_every_command() -> None:
    ended = otaflash("--help")
    assert ended.code == 0
    assert all(f" {name} " in ended.out for name in COMMANDS)


def test_without_words_the_help_is_shown() -> None:
    ended = otaflash()
    assert ended.code == 0
    assert "push" in ended.out


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    ended = otaflash(name, "--help")
    assert ended.code == 0
    assert "Usage" in ended.out


def test_the_version_is_told() -> None:
    assert otaflash("--version").out.strip().endswith(__version__)


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["push"],
        ["push", "a.hex", "b.hex"],
        ["push", "a.hex", "--wing"],
        ["push", "a.hex", "--counter", "-1"],
        ["info", "--baud", "fast"],
        ["sim", "atmega328p"],
        ["sim", "atmega328p", "--pty", "--tcp", "0"],
        ["bench"],
        ["config"],
        ["bench", "fly"],
        ["info", "--port", "sim:atmega328p?speed=9"],
        ["info", "--port", ""],
    ],
)
def test_wrong_words_end_with_code_2_and_say_what_to_do(words: list[str]) -> None:
    ended = otaflash(*words)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("error 2 ")
    assert "\nnext:  " in ended.err
    assert len(ended.err.splitlines()) <= 4


def test_what_may_have_been_meant_is_said_in_one_sentence() -> None:
    assert "No such option '--prot'; perhaps you mean '--port'.\n" in otaflash("push", "a.hex", "--prot").err


def test_wrong_words_are_told_to_machines_too() -> None:
    ended = otaflash("push", "a.hex", "--wing", "--json")
    assert ended.code == 2
    assert ended.result["reason"] == "usage"
    assert ended.result["ok"] is False


def test_help_starts_within_its_cpu_budget() -> None:
    costs = [cpu_seconds("--help") for _ in range(3)]
    assert min(costs) < HELP_CPU_S * SLACK


def test_help_loads_neither_boards_nor_links_nor_engine() -> None:
    code = (
        "import sys; from otaflash.cli.main import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    slow = (
        "rich",
        "otaflash.sim",
        "otaflash.engine",
        "otaflash.transport",
        "otaflash.image",
        "serial",
        "intelhex",
        "cffi",
    )
    assert [name for name in slow if f"'{name}'" in ended.stderr] == []


def cpu_seconds(*words: str) -> float:
    """CPU time of one command line in a process of its own, as the system counts it."""
    with subprocess.Popen([*COMMAND, *words], cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


def test_a_reader_that_leaves_is_no_error() -> None:
    command = " ".join((*COMMAND, "--help"))
    ended = subprocess.run(
        ["sh", "-c", f"{command} | head -n 1 >/dev/null; {command} >&-; echo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in ended.stderr
    assert "Exception" not in ended.stderr


def test_the_list_of_commands_is_whole_on_a_narrow_terminal() -> None:
    assert "..." not in otaflash_apart("--help", env={"COLUMNS": "60"}).out.replace("[ARGS]...", "")


def test_each_command_stands_once_in_the_list() -> None:
    shown = otaflash("--help").out
    for name in top.entries:
        assert len(re.findall(rf"^  {name} +\S", shown, re.MULTILINE)) == 1


def on_a_terminal(**environment: str) -> str:
    """What --help writes to a terminal."""
    ours, theirs = os.openpty()
    ended = otaflash_apart("--help", stdout=theirs, env={"TERM": "xterm", **environment})
    os.close(theirs)
    said = b""
    with suppress(OSError):  # how a terminal without a writer ends
        while piece := os.read(ours, 4096):
            said += piece
    os.close(ours)
    assert ended.code == 0
    return said.decode()


def test_help_has_colours_on_a_terminal_that_wants_them() -> None:
    assert "\x1b[36mpush" in on_a_terminal()
    assert "\x1b[" not in on_a_terminal(NO_COLOR="1")
    assert "\x1b[" not in on_a_terminal(TERM="dumb")


def test_no_color_leaves_no_escape_sequences() -> None:
    ended = otaflash_apart("--help", env={"NO_COLOR": "1"})
    assert "\x1b[" not in ended.out
