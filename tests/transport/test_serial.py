"""Serial links: through a real pty and a real socket, and every way in which opening one may fail."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import serial
from serial.tools import list_ports

from otaflash.errors import ExitCode, LinkError, TargetError, UsageError
from otaflash.transport.open import find_port, find_ports, open_link
from otaflash.transport.serial import SerialLink, find_usb, open_serial


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    yield ours, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def soon(link: SerialLink, seconds: float = 2.0) -> float:
    return link.now() + seconds


# --- carrying bytes -----------------------------------------------------------------------------------------------


def test_bytes_go_both_ways_through_a_pty(pty: tuple[int, str]) -> None:
    ours, path = pty
    link = open_serial(path)
    assert link.rate_bytes_per_s == 11520
    link.write(bytes(range(256)))
    assert os.read(ours, 1000) == bytes(range(256))
    os.write(ours, bytes(range(256)))
    assert link.read(soon(link)) == bytes(range(256))
    link.close()


def test_reading_returns_at_the_first_byte_and_otherwise_at_the_deadline(pty: tuple[int, str]) -> None:
    ours, path = pty
    link = open_serial(path)
    started = time.monotonic()
    assert link.read(link.now() + 0.1) == b""
    assert 0.09 < time.monotonic() - started < 0.5
    threading.Timer(0.05, lambda: os.write(ours, b"x")).start()
    started = time.monotonic()
    assert link.read(soon(link)) == b"x"
    assert time.monotonic() - started < 0.5
    link.close()


def test_a_port_that_goes_away_is_a_lost_link() -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    link = open_serial(os.ttyname(theirs))
    os.close(theirs)
    os.close(ours)
    with pytest.raises(LinkError) as caught:
        link.read(soon(link))
    assert caught.value.reason == "link-lost"
    with pytest.raises(LinkError) as caught:
        link.write(b"x")
    assert caught.value.reason == "link-lost"
    assert caught.value.exit_code is ExitCode.LINK_LOST
    link.close()
    link.close()


def test_a_closed_link_is_a_lost_link(pty: tuple[int, str]) -> None:
    link = open_serial(pty[1])
    link.close()
    with pytest.raises(LinkError):
        link.write(b"x")
    with pytest.raises(LinkError):
        link.read(soon(link))


def test_a_port_that_takes_nothing_ends_in_time(pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otaflash.transport.serial.WRITE_TIMEOUT_S", 0.1)
    link = open_serial(pty[1])
    with pytest.raises(LinkError) as caught:
        link.write(bytes(1 << 20))
    assert caught.value.reason == "link-blocked"
    link.close()


def test_a_second_opener_is_told_that_the_port_is_busy(pty: tuple[int, str]) -> None:
    first = open_serial(pty[1])
    with pytest.raises(TargetError) as caught:
        open_serial(pty[1])
    assert caught.value.reason == "port-busy"
    first.close()
    open_serial(pty[1]).close()


def test_the_baud_rate_may_stand_behind_the_name(pty: tuple[int, str]) -> None:
    link = open_serial(f"{pty[1]}?baud=57600", baud=9600)
    assert link.rate_bytes_per_s == 5760
    link.close()
    link = open_serial(pty[1], baud=9600)
    assert link.rate_bytes_per_s == 960
    link.close()


@pytest.mark.parametrize("query", ["speed=9600", "baud=", "baud=fast", "baud=0"])
def test_anything_else_behind_the_name_is_refused(query: str) -> None:
    with pytest.raises(UsageError):
        open_serial(f"/dev/ttyX?{query}")


def test_bytes_go_both_ways_through_a_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = open_serial(f"socket://127.0.0.1:{server.getsockname()[1]}")
        peer, _ = server.accept()
        assert link.rate_bytes_per_s is None
        link.write(b"down" * 1000)
        got = b""
        while len(got) < 4000:
            got += peer.recv(4096)
        assert got == b"down" * 1000
        peer.sendall(b"up")
        assert link.read(soon(link)) == b"up"
        assert link.read(link.now() + 0.05) == b""
        peer.close()
        with pytest.raises(LinkError):
            link.read(soon(link))
        link.close()


def test_a_socket_that_nobody_serves_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    for scheme in ("socket", "rfc2217"):
        with pytest.raises(TargetError) as caught:
            open_serial(f"{scheme}://127.0.0.1:{number}")
        assert caught.value.reason == "port-unreachable"


def test_bytes_come_back_through_a_loop() -> None:
    link = open_link("loop://")
    link.write(b"round")
    got = b""
    while len(got) < 5:
        got += link.read(link.now() + 1.0)
    assert got == b"round"
    assert link.read(link.now() + 0.05) == b""
    link.close()


# --- opening ------------------------------------------------------------------------------------------------------


def test_dtr_and_rts_are_released_before_opening(pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[tuple[bool, bool]] = []
    really_open = serial.Serial.open

    def noting(self: serial.Serial) -> None:
        lines.append((self.dtr, self.rts))
        really_open(self)

    monkeypatch.setattr(serial.Serial, "open", noting)
    open_serial(pty[1]).close()
    open_serial(pty[1], assert_lines=True).close()
    assert lines == [(False, False), (True, True)]


def refuse_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def refuse(self: serial.Serial) -> None:
        raise error

    monkeypatch.setattr(serial.Serial, "open", refuse)


def test_a_port_that_is_not_there_is_missing() -> None:
    with pytest.raises(TargetError) as caught:
        open_link("/dev/ttyNone99")
    assert caught.value.reason == "port-missing"
    assert caught.value.exit_code is ExitCode.NO_TARGET


def test_permission_denied_names_the_group_and_the_way_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import grp  # noqa: PLC0415

    device = tmp_path / "ttyX0"
    device.touch()
    device.chmod(0o660)
    group = grp.getgrgid(device.stat().st_gid).gr_name
    refuse_with(monkeypatch, serial.SerialException(errno.EACCES, f"could not open port {device}"))
    with pytest.raises(TargetError) as caught:
        open_serial(str(device))
    assert caught.value.reason == "port-permission"
    assert f"group {group}" in caught.value.text
    assert f"usermod -aG {group}" in caught.value.remedy


def test_a_port_that_no_group_may_open_names_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    device = tmp_path / "ttyX0"
    device.touch()
    device.chmod(0o600)
    refuse_with(monkeypatch, serial.SerialException(errno.EACCES, f"could not open port {device}"))
    with pytest.raises(TargetError) as caught:
        open_serial(str(device))
    assert caught.value.reason == "port-permission"
    assert "usermod" not in caught.value.remedy


@pytest.mark.parametrize(
    "url", ["socket://127.0.0.1", "rfc2217://x", "socket://::", "socket://a:b", "socket://a:99999", "http://foo"]
)
def test_a_url_that_names_no_host_and_port_or_is_of_no_kind_is_a_mistake_in_the_command(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_link(url)
    assert caught.value.reason == "port-bad-url"
    assert url in caught.value.text


def test_a_port_that_is_missing_lists_those_present(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial.tools.list_ports, "comports", lambda: [FTDI, MICROBIT])
    with pytest.raises(TargetError) as caught:
        open_link("/dev/ttyNone99")
    assert "Ports present: /dev/ttyACM0, /dev/ttyUSB0" in caught.value.remedy


def test_permission_denied_without_a_group_is_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_with(monkeypatch, serial.SerialException(errno.EACCES, "could not open port"))
    with pytest.raises(TargetError) as caught:
        open_serial("/dev/ttyGone")
    assert caught.value.reason == "port-permission"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (serial.SerialException(errno.EBUSY, "Device or resource busy"), "port-busy"),
        (
            serial.SerialException("could not open port 'COM9': PermissionError(13, 'Access is denied.', None, 5)"),
            "port-busy",
        ),
        (serial.SerialException("could not open port 'COM9': FileNotFoundError(2, 'no', None, 2)"), "port-missing"),
        (serial.SerialException(errno.ENOTTY, "Could not configure port"), "port-failed"),
        (OSError(errno.EIO, "Input/output error"), "port-failed"),
        (ValueError("Invalid baud rate"), "port-failed"),
    ],
)
def test_every_refusal_of_the_system_has_a_reason(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    refuse_with(monkeypatch, error)
    with pytest.raises(TargetError) as caught:
        open_serial("COM9")
    assert caught.value.reason == reason


def test_a_file_that_is_no_terminal_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TargetError) as caught:
        open_serial(str(tmp_path / "file"))
    assert caught.value.reason == "port-failed"
    assert caught.value.text == f"{tmp_path / 'file'} is no serial port"


# --- names --------------------------------------------------------------------------------------------------------


@dataclass
class Listed:
    """What pyserial lists of a port."""

    device: str
    description: str = "n/a"
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None


FTDI = Listed("/dev/ttyUSB0", "FT232R", 0x0403, 0x6001, "A1")
FTDI_2 = Listed("/dev/ttyUSB1", "FT232R", 0x0403, 0x6001, "A12")
MICROBIT = Listed("/dev/ttyACM0", "micro:bit", 0x0D28, 0x0204, "9900")
PLAIN = Listed("/dev/ttyS0")


def present(monkeypatch: pytest.MonkeyPatch, *ports: Listed) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: list(ports))


def test_a_usb_name_finds_its_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    present(monkeypatch, PLAIN, FTDI, FTDI_2, MICROBIT)
    assert find_usb("usb:0D28:0204") == "/dev/ttyACM0"
    assert find_usb("usb:0403:6001:A1") == "/dev/ttyUSB0"
    assert find_usb("usb:0403:6001:A12") == "/dev/ttyUSB1"


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
