"""`otaflash scan`: what answers at ports and simulators, and why others do not."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from otaflash.api import scanning
from otaflash.errors import TargetError
from otaflash.sim.app import Application
from otaflash.sim.serve import PtyDoor
from otaflash.sim.station import Station
from otaflash.transport.serial import open_serial
from tests.cli.desk import clear_desk
from tests.cli.devices import device
from tests.cli.running import otaflash, served_board
from tests.transport.ports import Listed, present
from tests.transport.wired import DEAF, wired


@pytest.fixture(autouse=True)
def _desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clear_desk(tmp_path, monkeypatch)


class CountingDoor(PtyDoor):
    """Counts what is sent to the board."""

    def __init__(self, station: Station) -> None:
        super().__init__()
        self.heard = 0

    def read(self, ready: list[int]) -> bytes:
        data = super().read(ready)
        self.heard += len(data)
        return data


@contextmanager
def plugged_in(application: Application | None = None) -> Iterator[tuple[str, Station, CountingDoor]]:
    """A board behind a port of its own."""
    doors: list[CountingDoor] = []

    def door(station: Station) -> CountingDoor:
        doors.append(CountingDoor(station))
        return doors[0]

    with wired(door, application=application or Application()) as (port, station):
        yield port, station, doors[0]


def usb(port: str, serial: str) -> Listed:
    return Listed(port, "FT232R", 0x0403, 0x6001, serial)


def rows(*words: str) -> dict[str, dict[str, Any]]:
    """What scan lists, by port."""
    ended = otaflash("scan", *words, "--json")
    assert ended.code == 0, ended.err
    found = [event for event in ended.events if event["event"] == "board"]
    assert ended.result["boards"] == len(found)
    return {row["port"]: row for row in found}


def test_a_board_that_answers_is_listed_with_what_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in() as (port, station, _):
        present(monkeypatch, usb(port, "A1"))
        row = rows()[port]
        assert (row["address"], row["name"], row["service"]) == ("usb:0403:6001:A1", "FT232R", "serial")
        assert (row["state"], row["board"], row["running_version"]) == ("answers", "atmega328p", "0.0.1")
        assert (row["uid"], row["mode"], row["boot_state"]) == (station.board.uid.hex(), "application", "idle")
        assert station.counters.resets == station.counters.restarts == 0


def test_a_board_that_does_not_listen_is_silent_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in(DEAF) as (port, station, _):
        present(monkeypatch, usb(port, "A1"))
        assert (rows()[port]["state"], station.counters.resets) == ("silent", 0)


def test_passive_sends_no_byte_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in() as (port, _, door):
        present(monkeypatch, usb(port, "A1"))
        assert rows("--passive")[port]["state"] == "not-asked"
        assert door.heard == 0
        rows()
        assert door.heard > 0


def test_a_port_that_is_neither_usb_nor_named_is_told_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in() as (port, _, door):
        present(monkeypatch, Listed(port))
        assert rows() == {}
        assert otaflash("scan", "--json").result["left_alone"] == [port]
        assert f"Left alone, being no USB devices: {port}." in otaflash("scan").out
        assert door.heard == 0
        Path("otaflash.toml").write_text(f'[boards.lamp]\nport = "{port}"\n')
        row = rows()[port]
        assert (row["state"], row["name"], row["board"]) == ("answers", "lamp", "atmega328p")


def test_a_busy_port_is_listed_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in() as (port, _, _door):
        present(monkeypatch, usb(port, "A1"))
        link = open_serial(port)
        row = rows()[port]
        link.close()
        assert row["state"] == "busy"
        assert port in row["why"]
        assert port in otaflash("scan").out


def test_a_port_that_may_not_be_opened_and_one_that_is_gone_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(port: str, **options: object) -> object:
        raise TargetError("port-permission", f"{port} may only be opened by members of the group dialout", remedy="x")

    present(monkeypatch, usb("/dev/ttyGone", "A1"))
    assert rows()["/dev/ttyGone"]["state"] == "failed"
    monkeypatch.setattr(scanning, "open_link", refuse)
    assert rows()["/dev/ttyGone"]["state"] == "forbidden"
    assert "may only be opened by members of the group dialout." in otaflash("scan").out


def test_running_simulators_are_found_and_asked() -> None:
    with served_board("atmega328p", "--pty") as one, served_board("tiny2", "--tcp", "0") as two:
        found = rows()
        assert {port: (row["service"], row["board"]) for port, row in found.items()} == {
            one: ("simulator", "atmega328p"),
            two: ("simulator", "tiny2"),
        }
    assert rows() == {}


def test_a_board_of_the_configuration_behind_a_network_port_is_asked() -> None:
    with device(lambda data: data) as port:
        Path("otaflash.toml").write_text(f'[boards.shed]\nport = "{port}"\n')
        row = rows()[port]
        assert (row["name"], row["service"], row["state"]) == ("shed", "network", "other")


def test_several_ports_are_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silent ports cost the time of one, by the clock of the longest that a thread was alive."""
    ends = [os.openpty() for _ in range(8)]
    for _, theirs in ends:
        tty.setraw(theirs)
    present(monkeypatch, *(usb(os.ttyname(theirs), str(at)) for at, (_, theirs) in enumerate(ends)))
    began, spans = time.monotonic(), []
    really = scanning.ask_at

    def noting(found: scanning.Found, baud: int | None = None) -> scanning.Found:
        began_s = time.monotonic() - began
        answer = really(found, baud)
        spans.append((began_s, time.monotonic() - began))
        return answer

    monkeypatch.setattr(scanning, "ask_at", noting)
    assert {row["state"] for row in rows().values()} == {"silent"}
    assert max(start for start, _ in spans) < min(end for _, end in spans)
    for handle in sum(ends, ()):
        os.close(handle)


def test_a_driver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "ASKING_S", 0.2)
    monkeypatch.setattr(scanning, "ask_at", lambda found, baud: time.sleep(5) or found)
    present(monkeypatch, usb("/dev/ttyHung", "A1"))
    row = rows()["/dev/ttyHung"]
    assert row["state"] == "failed"
    assert row["why"].startswith("it was not done within")


def test_people_see_a_table_without_empty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    with plugged_in() as (port, _, _door):
        present(monkeypatch, usb(port, "A1"))
        lines = otaflash("scan", "--quiet").out.splitlines()
    assert lines[0].split() == ["PORT", "NAME", "ADDRESS", "SERVICE", "BOARD", "RUNS", "STATE"]
    assert lines[1].split() == [port, "FT232R", "usb:0403:6001:A1", "serial", "atmega328p", "0.0.1", "runs"]
