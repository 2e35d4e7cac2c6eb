"""The history's file: rows come back as they were put in, from many at once, and a bad file is told by name."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from otaflash.errors import UsageError
from otaflash.history import Entry, History, history_path, store

PUSH = Entry(
    at="2026-03-01T12:00:00Z", uid="3ceca05150f45f2d", board="atmega328p", operation="push", port="/dev/ttyUSB0",
    file="blink.hex", sha256="ab" * 32, version="1.1.0", code=0, reason=None, seconds=2.6, image_bytes=3352,
    wire_bytes=5312,
)  # fmt: skip
FAILED = replace(PUSH, uid="00ff000000000000", board="nrf52832", code=4, reason="link-lost", wire_bytes=None)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "deep" / "history.sqlite3")


def reason_of(history: History) -> str:
    with pytest.raises(UsageError) as caught:
        history.add(PUSH)
    with pytest.raises(UsageError):
        history.entries()
    assert str(history.path) in caught.value.text
    return caught.value.reason


def test_rows_come_back_as_they_were_put_in_the_oldest_first(history: History) -> None:
    history.add(PUSH)
    history.add(FAILED)
    assert history.entries() == [PUSH, FAILED]


def test_before_the_first_push_there_is_nothing_and_no_file_is_made(history: History) -> None:
    assert history.entries() == []
    assert not history.path.parent.exists()


@pytest.mark.parametrize("board", ["3ceca05150f45f2d", "3ceca", "3CECA0", "atmega328p"])
def test_one_board_is_found_by_its_id_the_beginning_of_it_or_its_kind(history: History, board: str) -> None:
    history.add(FAILED)
    history.add(PUSH)
    assert history.entries(board=board) == [PUSH]


def test_what_is_no_board_finds_nothing(history: History) -> None:
    history.add(PUSH)
    assert history.entries(board="%") == history.entries(board="*") == history.entries(board="'") == []


def test_a_limit_keeps_the_newest(history: History) -> None:
    for code in range(5):
        history.add(replace(PUSH, code=code))
    assert [entry.code for entry in history.entries(limit=2)] == [3, 4]


def test_many_write_at_once_and_no_row_is_lost(history: History) -> None:
    with ThreadPoolExecutor(8) as pool:
        for each in [pool.submit(History(history.path).add, replace(PUSH, code=code)) for code in range(40)]:
            each.result()
    assert sorted(entry.code for entry in history.entries()) == list(range(40))


def test_a_file_that_is_no_database_is_told(history: History) -> None:
    history.path.parent.mkdir()
    history.path.write_bytes(b"no database at all " * 100)
    assert reason_of(history) == "history-unusable"
    assert history.path.read_bytes().startswith(b"no database")


def test_a_damaged_database_is_told(history: History) -> None:
    history.add(PUSH)
    history.path.write_bytes(history.path.read_bytes()[:100] + b"\xff" * 5000)
    assert reason_of(history) == "history-unusable"


def test_a_folder_in_the_place_of_the_file_is_told(history: History) -> None:
    history.path.mkdir(parents=True)
    assert reason_of(history) == "history-unusable"


def test_a_file_in_the_place_of_the_folder_is_told(history: History) -> None:
    history.path.parent.write_text("")
    with pytest.raises(UsageError):
        history.add(PUSH)


def test_a_database_that_another_process_holds_is_told_after_a_while(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_S", 0.01)
    history.add(PUSH)
    other = sqlite3.connect(history.path)
    other.execute("BEGIN EXCLUSIVE")
    assert reason_of(history) == "history-unusable"
    other.close()
    history.add(PUSH)
    assert len(history.entries()) == 2


def test_a_format_of_a_later_version_is_left_alone(history: History) -> None:
    history.add(PUSH)
    with sqlite3.connect(history.path) as database:
        database.execute("PRAGMA user_version = 99")
    before = history.path.read_bytes()
    assert reason_of(history) == "history-unusable"
    assert history.path.read_bytes() == before


def test_the_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OTAFLASH_STATE_DIR", str(tmp_path))
    assert history_path() == tmp_path / "history.sqlite3"


def test_without_one_it_lies_where_the_system_keeps_such_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OTAFLASH_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = history_path()
    assert path.name == "history.sqlite3"
    assert os.path.commonpath([path, tmp_path]) == str(tmp_path)
