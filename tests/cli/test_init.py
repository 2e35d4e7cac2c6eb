"""`otaflash init` and `otaflash config show`: set up once, by what is plugged in, and told who states what."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from otaflash.sim.app import Application
from otaflash.sim.serve import PtyDoor
from tests.cli.desk import clear_desk
from tests.cli.running import otaflash, otaflash_apart
from tests.transport.ports import Listed, present
from tests.transport.wired import DEAF, ConsoleDoor, wired

FILE = Path("otaflash.toml")


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clear_desk(tmp_path, monkeypatch)


def usb(port: str, serial: str | None) -> Listed:
    return Listed(port, "FT232R", 0x0403, 0x6001, serial)


# --- init ---------------------------------------------------------------------------------------------------------


def test_the_board_that_answers_is_written_down_and_the_file_holds_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with wired(lambda station: PtyDoor(), application=Application()) as (port, _):
        present(monkeypatch, usb(port, "A1"))
        ended = otaflash("init", "--json")
        assert ended.code == 0, ended.err
        assert ended.result["boards"] == 1
        assert ended.result["written"] == FILE.read_text()
        shown = {event["key"]: event for event in otaflash("config", "show", "--json").events[:-1]}
        assert (shown["port"]["value"], shown["board"]["value"]) == ("usb:0403:6001:A1", "atmega328p")
        assert otaflash("info", "--json").result["board"] == "atmega328p"


def test_two_adapters_of_one_kind_are_named_by_their_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Application()
    with (
        wired(lambda _: PtyDoor(), application=good) as (one, _),
        wired(lambda _: PtyDoor(), application=good) as (two, _),
    ):
        present(monkeypatch, usb(one, None), usb(two, None))
        ended = otaflash("init", "--json")
    assert ended.result["boards"] == 2
    boards = otaflash("config", "show", "--json").result["boards"]
    assert boards == {"atmega328p": min(one, two), "atmega328p-2": max(one, two)}


def test_a_board_that_is_silent_is_noted_and_not_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    with wired(lambda station: PtyDoor(), application=DEAF) as (port, _):
        present(monkeypatch, usb(port, "A1"))
        assert otaflash("init").out.count("No board answers") == 1
    assert "#   usb:0403:6001:A1  # FT232R, silent" in FILE.read_text()
    assert otaflash("config", "show", "--json").result["ok"] is True


def test_options_that_were_needed_to_reach_the_board_are_stated() -> None:
    with wired(lambda station: PtyDoor(), application=Application()) as (port, _):
        assert otaflash("init", "--port", port, "--baud", "57600", "--enter", "none").code == 0
    text = FILE.read_text()
    assert f'port = "{port}"' in text
    assert "\nbaud = 57600 " in text
    assert '\nenter = "none" ' in text


def test_a_port_that_was_named_must_lead_to_a_board() -> None:
    ended = otaflash("init", "--port", "/dev/ttyNone99")
    assert ended.code == 3
    assert "error 3 port-missing" in ended.err
    assert not FILE.exists()


def test_a_board_that_is_deaf_is_brought_into_its_loader_to_be_written_down() -> None:
    with wired(ConsoleDoor) as (port, _):
        assert otaflash("init", "--port", port, "--enter", r"text:reboot\r\n").code == 0
        assert otaflash("info", "--json").result["mode"] == "loader"


def test_what_a_variable_states_already_is_not_said_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTAFLASH_BAUD", "57600")
    assert otaflash("init").code == 0
    assert "\n# baud = " in FILE.read_text()


def test_a_file_that_is_there_is_kept_unless_asked() -> None:
    FILE.write_text("counter = 7\n")
    ended = otaflash("init")
    assert ended.code == 2
    assert "error 2 config-exists" in ended.err
    assert "--force" in ended.err
    assert FILE.read_text() == "counter = 7\n"
    assert otaflash("init", "--force").code == 0
    assert "counter = 7" not in FILE.read_text()
    assert [path.name for path in Path.cwd().iterdir() if path.name.startswith(FILE.name)] == [FILE.name]


def test_no_question_is_asked_where_nobody_can_answer() -> None:
    """Standard input is at its end."""
    ended = otaflash_apart("init", "--port", "sim:tiny2", stdin=subprocess.DEVNULL)
    assert ended.code == 0, ended.err
    assert 'board = "tiny2"' in FILE.read_text()


# --- config show --------------------------------------------------------------------------------------------------


def test_every_setting_is_shown_with_who_states_it(monkeypatch: pytest.MonkeyPatch) -> None:
    FILE.write_text('board = "uno"\n\n[boards.lamp]\nport = "/dev/lamp"\n')
    monkeypatch.setenv("OTAFLASH_BAUD", "57600")
    lines = otaflash("config", "show", "--port", "lamp", "--enter", "dtr").out.splitlines()
    where = Path.cwd() / FILE
    assert [line.split()[-1] for line in lines[1:6]] == [
        f"{where}:1",
        f"{where}:4",
        "OTAFLASH_BAUD",
        "--enter",
        "default",
    ]
    assert "* the board lamp is at /dev/lamp" in lines
    assert lines[-1] == f"Files read: {where}."


def test_a_variable_that_is_misspelt_is_told_with_the_one_that_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTAFLASH_BUAD", "57600")
    ended = otaflash("config", "show", "--json")
    assert ended.code == 0
    assert ended.err == "warning: OTAFLASH_BUAD states nothing; perhaps OTAFLASH_BAUD is meant\n"
    assert ended.events[0]["id"] == "environment-unknown"


def test_without_any_file_the_defaults_are_shown() -> None:
    events = otaflash("config", "show", "--json").events
    assert {event["origin"] for event in events[:-1]} == {"default"}
    assert {event["value"] for event in events[:-1]} == {None}
    assert events[-1]["files"] == []
