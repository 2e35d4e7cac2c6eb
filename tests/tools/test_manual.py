"""The manual page: made of the commands, and in a form that every man reads."""

from __future__ import annotations

import re

from documenting.manual import escaped, page

from otaflash.cli.commands import otaflash as top
from otaflash.errors import ExitCode

PAGE = page()
MACROS = {"TH", "SH", "SS", "PP", "TP", "B", "nf", "fi", "RS", "RE"}


def test_only_macros_of_man_7_begin_a_line() -> None:
    assert {line.split()[0].removeprefix(".") for line in PAGE.splitlines() if line.startswith(".")} <= MACROS
    assert not re.search(r"^'", PAGE, re.MULTILINE)


def test_a_hyphen_can_be_copied_as_it_is_typed() -> None:
    assert escaped("--port 'a\\b'") == r"\-\-port 'a\eb'"
    assert escaped(".hex") == r"\&.hex"
    body = "\n".join(line for line in PAGE.splitlines() if not line.startswith(".TH"))
    assert not re.search(r"(?<!\\)-", body)


def test_each_exit_code_and_each_command_stands_in_it() -> None:
    for code in ExitCode:
        assert f"\\fB{int(code)}\\fR" in PAGE
    for name in top.entries:
        assert f".SS otaflash {name}" in PAGE
