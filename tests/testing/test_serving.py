"""A board at a port with a name: for other programs, in real time."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any

import pytest

from otaflash import session
from otaflash.engine import Operation
from otaflash.errors import UsageError
from otaflash.testing import Application, Behaviour, Link, Power, ServePort, served_port
from otaflash.transport.open import open_link
from tests.testing.boards import OLD, ROOT

BLINK = ROOT / "firmware" / "app" / "blink" / "blink-1.1.0.hex"


def command(*words: object) -> dict[str, Any]:
    """The last line of `otaflash ... --json` in a process of its own."""
    line = [sys.executable, "-m", "otaflash.cli.main", *map(str, words), "--json"]
    ended = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
    last: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return last


@pytest.mark.parametrize("tcp", [False, True])
def test_another_process_updates_the_board_at_the_port(otaflash_port: ServePort, tcp: bool) -> None:
    port = otaflash_port("atmega328p", image=OLD, version="1.0.0", tcp=tcp)
    assert port.startswith("socket://127.0.0.1:" if tcp else "/dev/")
    assert command("info", "--port", port)["version"] == "1.0.0"
    assert command("push", BLINK, "--version", "1.1.0", "--port", port)["running_version"] == "1.1.0"
    assert command("info", "--port", port)["version"] == "1.1.0"


def test_a_power_cut_and_a_radio_of_the_port_are_survived(otaflash_port: ServePort) -> None:
    link = Link(loss=0.02, delay_s=0.005)
    port = otaflash_port("atmega328p", image=OLD, link=link, power=Power(cut_operation=40, cut_how=2))
    ended = command("push", BLINK, "--version", "1.1.0", "--port", port)
    assert ended["running_version"] == "1.1.0"


def test_a_program_that_crashes_at_the_port_is_told_by_the_tool(otaflash_port: ServePort) -> None:
    port = otaflash_port("atmega328p", image=OLD, version="1.0.0", application=Application(Behaviour.CRASH))
    ended = command("push", BLINK, "--version", "1.1.0", "--port", port)
    assert (ended["code"], ended["reason"]) == (7, "not-confirmed")


def test_several_boards_are_served_at_once(otaflash_port: ServePort) -> None:
    ports = [otaflash_port("atmega328p", image=OLD, version=f"1.0.{number}", tcp=True) for number in range(3)]
    assert [running_at(port) for port in ports] == ["1.0.0", "1.0.1", "1.0.2"]


def running_at(port: str) -> str:
    link = open_link(port)
    try:
        return session.request(link, Operation.INFO).running_version
    finally:
        link.close()


def test_the_board_goes_when_its_block_ends() -> None:
    before = threading.active_count()
    with served_port("atmega328p", tcp=True) as port:
        assert running_at(port) == "0.0.1"
    assert threading.active_count() == before


def test_a_board_that_cannot_be_served_is_told_where_the_test_waits() -> None:
    with pytest.raises(UsageError) as failed, served_port({"like": "atmega328p", "page_bytes": 3}):
        pass
    assert failed.value.reason == "bad-profile"


def test_what_breaks_the_board_reaches_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise UsageError("serve-no-pty", "this system has no ptys", remedy="Use --tcp PORT.")

    monkeypatch.setattr("otaflash.testing.serving.serve", broken)
    with pytest.raises(UsageError, match="no ptys"), served_port("atmega328p"):
        pass
