"""What the name of a serial port means, and which port is used where none is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from otaflash import system
from otaflash.errors import TargetError, UsageError
from otaflash.transport.open import find_port, find_ports, open_link
from otaflash.transport.serial import find_serial_ports, find_usb
from tests.transport.ports import FTDI, FTDI_2, MICROBIT, PLAIN, Listed, present


def test_a_usb_name_finds_its_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, PLAIN, FTDI, FTDI_2, MICROBIT)
    assert find_usb("usb:0D28:0204").device == "/dev/ttyACM0"
    assert find_usb("usb:0403:6001:A1").device == "/dev/ttyUSB0"
    assert find_usb("usb:0403:6001:A12").device == "/dev/ttyUSB1"
    assert find_usb("USB:0403:6001:a12").device == "/dev/ttyUSB1"


def test_a_serial_number_with_colons_is_compared_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Listed("/dev/ttyACM1", "ESP32-S3", 0x303A, 0x1001, "48:27:E2:00:00:01")
    two = Listed("/dev/ttyACM2", "ESP32-S3", 0x303A, 0x1001, "48:27:E2:00:00:01:02")
    present(monkeypatch, one, two)
    assert find_usb("usb:303a:1001:48:27:e2:00:00:01").device == "/dev/ttyACM1"
    with pytest.raises(TargetError) as caught:
        find_usb("usb:303a:1001:48:27:E2")
    assert caught.value.reason == "port-missing"


def test_two_ports_of_one_adapter_are_told_apart_by_their_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    twin = Listed("/dev/ttyUSB1", "FT2232H", 0x0403, 0x6001, "A1")
    present(monkeypatch, FTDI, twin)
    with pytest.raises(TargetError) as caught:
        find_usb("usb:0403:6001:A1")
    assert caught.value.reason == "port-ambiguous"
    assert caught.value.remedy == "Name one by its device."


def test_the_device_of_a_usb_name_is_told(monkeypatch: pytest.MonkeyPatch, pty: tuple[int, str]) -> None:
    present(monkeypatch, Listed(pty[1], "FT232R", 0x0403, 0x6001, "A1"))
    told: list[str] = []
    link = open_link("usb:0403:6001", tell=told.append)
    assert told == [f"usb:0403:6001 is {pty[1]} (FT232R)"]
    assert link.name == "usb:0403:6001"
    link.close()


def test_a_port_without_usb_fits_no_usb_name(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, PLAIN)
    assert [port.usb for port in find_serial_ports()] == [""]
    with pytest.raises(TargetError) as caught:
        find_usb("usb:0403:6001")
    assert caught.value.remedy == "USB ports present: none."


def test_on_macos_the_name_that_waits_for_no_carrier_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(system.sys, "platform", "darwin")  # type: ignore[attr-defined]
    monkeypatch.setattr(system.os.path, "exists", lambda path: path == "/dev/cu.usbserial-1")  # type: ignore[attr-defined]
    assert system.calling_device("/dev/tty.usbserial-1") == "/dev/cu.usbserial-1"
    assert system.calling_device("/dev/tty.other") == "/dev/tty.other"


def test_a_usb_name_with_two_ports_lists_them(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, FTDI, FTDI_2)
    with pytest.raises(TargetError) as caught:
        find_usb("usb:0403:6001")
    assert caught.value.reason == "port-ambiguous"
    assert "/dev/ttyUSB0" in caught.value.text
    assert "usb:0403:6001:A12" in caught.value.text


def test_a_usb_name_without_a_port_lists_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, MICROBIT)
    with pytest.raises(TargetError) as caught:
        open_link("usb:0403:6001")
    assert caught.value.reason == "port-missing"
    assert "usb:0d28:0204" in caught.value.remedy


@pytest.mark.parametrize("name", ["usb:", "usb:0403", "usb:403:6001", "usb:xxxx:6001"])
def test_a_usb_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        find_usb(name)


def test_without_a_name_the_only_usb_port_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, PLAIN, MICROBIT)
    assert find_port() == "/dev/ttyACM0"
    assert [port.device for port in find_ports()] == ["/dev/ttyACM0"]


def test_without_a_name_several_ports_are_listed_and_none_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, FTDI, MICROBIT)
    with pytest.raises(TargetError) as caught:
        find_port()
    assert caught.value.reason == "port-ambiguous"
    assert "/dev/ttyUSB0" in caught.value.text
    assert "/dev/ttyACM0" in caught.value.text


def test_without_a_name_and_a_port_there_is_no_target(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, PLAIN)
    with pytest.raises(TargetError) as caught:
        find_port()
    assert caught.value.reason == "port-none"


def test_a_port_without_a_name_is_refused() -> None:
    with pytest.raises(UsageError):
        open_link("")


def test_a_simulated_board_is_a_link_too() -> None:
    link = open_link("sim:atmega328p?rate=57600")
    assert link.rate_bytes_per_s == 5760
    link.close()


def test_a_read_whose_deadline_has_passed_takes_what_is_there_and_waits_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = open_link("loop://")
    link.write(b"here")
    assert link.read(link.now()) == b"here"
    monkeypatch.setattr(link._port, "read", lambda count: pytest.fail("it waits"))  # type: ignore[attr-defined]
    assert link.read(link.now()) == b""
