"""`--port ble:` and `scan` as a user types them, over bleak's own BlueZ backend and the fake org.bluez."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from otaflash.api import scanning
from otaflash.sim.profiles import profile
from otaflash.transport.ble_services import NORDIC_UART, Service
from tests.cli.running import BLINK, otaflash
from tests.transport.ble.air import Device
from tests.transport.ble.bluez.bed import FakeBed, make_peer

MODULE = Service(
    "otaflash.toml", *(f"0000{part}-0000-1000-8000-00805f9b34fb" for part in ("aa00", "aa01", "aa02")), True
)


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBed]:
    made = FakeBed(
        tmp_path, Device(make_peer(profile("atmega328p"), stream=True), service=MODULE, drops_on_restart=False)
    )
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scanning, "LISTEN_S", 0.5)
    yield made
    made.close()


def describe_module(folder: Path) -> None:
    (folder / "otaflash.toml").write_text('ble_service = "aa00"\nble_to_device = "aa01"\nble_to_host = "aa02"\n')


def test_scan_lists_boards_with_name_address_signal_and_service(bed: FakeBed, tmp_path: Path) -> None:
    describe_module(tmp_path)
    lamp = Device(None, name="lamp two", address="C0:FF:EE:00:00:02", service=NORDIC_UART, rssi=-71)
    bed.thread.call(lambda: bed.bluez.add(lamp))
    other = Device(None, name="headphones", address="C0:FF:EE:00:00:03", advertised=())
    bed.thread.call(lambda: bed.bluez.add(other))
    ended = otaflash("scan", "--json")
    assert ended.code == 0, ended.err
    rows = [event for event in ended.events if event["event"] == "board"]
    assert [(row["port"], row["address"], row["service"]) for row in rows] == [
        ("ble:lamp", "C0:FF:EE:00:00:01", "otaflash.toml"),
        ("ble:lamp two", "C0:FF:EE:00:00:02", "Nordic UART"),
    ]
    assert all(-127 < row["signal_dbm"] < 0 for row in rows)
    assert (ended.result["boards"], ended.result["others"]) == (2, 1)


def test_what_scan_prints_is_a_table_for_people(bed: FakeBed, tmp_path: Path) -> None:
    describe_module(tmp_path)
    lines = otaflash("scan", "--quiet").out.splitlines()
    assert lines[0].split() == ["PORT", "NAME", "ADDRESS", "SIGNAL", "SERVICE"]
    assert lines[1].split()[:3] == ["ble:lamp", "lamp", "C0:FF:EE:00:00:01"]


def test_scan_goes_on_without_bluetooth_and_says_why(bed: FakeBed) -> None:
    bed.thread.call(lambda: bed.bluez.set_powered(False))
    ended = otaflash("scan")
    assert ended.code == 0
    assert "No board is in reach." in ended.out
    assert "no board is looked for over Bluetooth: Bluetooth is switched off" in ended.err


def test_a_push_over_a_module_that_the_configuration_describes_ends_with_the_new_program(
    bed: FakeBed, tmp_path: Path
) -> None:
    describe_module(tmp_path)
    ended = otaflash("push", BLINK, "--version", "1.1.0", "--port", "ble:lamp", "--json")
    assert ended.code == 0, ended.err
    assert ended.result["running_version"] == "1.1.0"


def test_a_board_that_is_not_there_is_told_with_exit_code_3(bed: FakeBed) -> None:
    ended = otaflash("info", "--port", "ble:nowhere", "--json")
    assert (ended.code, ended.result["reason"]) == (3, "ble-none")


def test_half_a_module_in_the_configuration_is_refused(bed: FakeBed, tmp_path: Path) -> None:
    (tmp_path / "otaflash.toml").write_text('ble_service = "aa00"\n')
    ended = otaflash("info", "--port", "ble:lamp", "--json")
    assert (ended.code, ended.result["reason"]) == (2, "config-incomplete")
