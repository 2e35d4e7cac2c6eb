"""protocol/SECURITY.md scores each threat and each requirement of RFC 9124, and the tests that it names are there."""

from __future__ import annotations

import re

from tests.cli.running import ROOT
from tests.docs.test_promises import functions_of_the_tests

PAGE = (ROOT / "protocol/SECURITY.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ((?:THREAT|REQ)\.[A-Z_.]+): [^|]+\| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)


def test_all_eighteen_threats_and_twenty_one_requirements_have_their_line() -> None:
    names = [name for name, _, _ in ROWS]
    assert len(names) == len(set(names))
    assert sum(name.startswith("THREAT.") for name in names) == 18
    assert sum(name.startswith("REQ.SEC.") for name in names) == 21


def test_a_line_names_tests_or_says_that_there_is_nothing_to_show() -> None:
    honest = ("no", "does not apply", "there are no", "it holds none")
    wrong = [name for name, stands, shown in ROWS if ("`test_" in shown) == stands.startswith(honest)]
    assert wrong == []


def test_every_test_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 25
    assert named - functions_of_the_tests() == set()
