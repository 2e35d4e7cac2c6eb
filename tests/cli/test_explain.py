"""`otaflash explain`: pages for people and machines, and what a wrong code gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from otaflash.explained import all_pages
from tests.cli.running import BLINK, otaflash


def test_a_page_says_what_it_means_why_what_to_do_and_the_exit_code() -> None:
    ended = otaflash("explain", "port-permission")
    assert ended.code == 0
    page = all_pages()["port-permission"]
    text = " ".join(ended.out.split())
    assert all(said in text for said in (page.means, *page.causes, *page.remedies))
    assert "Exit code 3: no board, several, or it cannot be opened" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def test_without_a_code_every_error_gets_a_line() -> None:
    lines = otaflash("explain").out.splitlines()
    assert [line.split()[1] for line in lines] == list(all_pages())
    assert max(map(len, lines)) <= 100


def test_an_exit_code_lists_the_errors_that_end_so() -> None:
    reasons = {line.split()[1] for line in otaflash("explain", "7").out.splitlines()}
    assert reasons == {"not-confirmed", "new-image-silent"}


def test_machines_get_the_pages_as_fields() -> None:
    (page,) = otaflash("explain", "file-is-directory", "--json").result["pages"]
    assert (page["exit_codes"], page["faults"]) == ([5, 2], ["image", "user"])
    assert page["causes"]
    assert page["remedies"]
    assert len(otaflash("explain", "--json").result["pages"]) == len(all_pages())


@pytest.mark.parametrize(("word", "meant"), [("port-bussy", "port-busy"), ("truncated", "bundle-truncated")])
def test_a_wrong_code_is_refused_and_near_ones_are_named(word: str, meant: str) -> None:
    ended = otaflash("explain", word)
    assert ended.code == 2
    assert ended.err.startswith("error 2 unknown-code")
    assert meant in ended.err


@pytest.mark.parametrize("word", ["qqqqqq", "99", "", "²", pytest.param("9" * 5000, id="longer than an int may be")])
def test_a_code_near_nothing_is_refused_and_the_list_is_named(word: str) -> None:
    ended = otaflash("explain", word)
    assert (ended.code, "'otaflash explain' lists all" in ended.err) == (2, True)


def test_a_broken_configuration_can_be_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("otaflash.toml").write_text("this is none")
    assert otaflash("explain", "config-malformed").code == 0


def test_an_error_with_several_causes_says_where_more_is_to_be_read() -> None:
    several = otaflash("info", "--port", "sim:atmega328p?down.loss=100%")
    assert several.err.endswith("More: otaflash explain no-answer.\n")
    one = otaflash("bundle", BLINK, "--board", "atmega328p", "-o", BLINK)
    assert "explain" not in one.err
