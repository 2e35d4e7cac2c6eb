"""Every way in which opening a serial port may fail, and what opening does to its lines."""

from __future__ import annotations

import errno
import fcntl
import os
import termios
from pathlib import Path

import pytest
import serial

from otaflash import system
from otaflash.errors import ExitCode, TargetError, UsageError
from otaflash.transport.open import open_link
from otaflash.transport.serial import open_serial
from otaflash.transport.serial_failures import not_opened
from tests.transport.ports import FTDI, MICROBIT, present


def test_opening_and_closing_a_port_moves_no_line(pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The system itself has raised both lines when pyserial gets the port."""
    moved: list[int] = []
    really = fcntl.ioctl

    def noting(fileno: int, request: int, *rest: object) -> object:
        if request in (termios.TIOCMBIC, termios.TIOCMSET):
            moved.append(request)
        return really(fileno, request, *rest)  # type: ignore[call-overload]

    monkeypatch.setattr(fcntl, "ioctl", noting)
    open_serial(pty[1]).close()
    assert moved == []


def test_the_lines_stay_as_they_are_when_a_port_is_closed(pty: tuple[int, str]) -> None:
    _, path = pty
    client = os.open(path, os.O_RDWR | os.O_NOCTTY)
    attributes = termios.tcgetattr(client)
    attributes[2] |= termios.HUPCL
    termios.tcsetattr(client, termios.TCSANOW, attributes)
    open_serial(path).close()
    assert not termios.tcgetattr(client)[2] & termios.HUPCL
    os.close(client)


def test_where_opening_moves_nothing_the_lines_stay_released(
    pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[tuple[bool, bool]] = []
    really_open = serial.Serial.open

    def noting(self: serial.Serial) -> None:
        lines.append((self.dtr, self.rts))
        really_open(self)

    monkeypatch.setattr(serial.Serial, "open", noting)
    open_serial(pty[1]).close()
    monkeypatch.setattr(system, "OPENING_RAISES_LINES", False)  # as on Windows
    open_serial(pty[1]).close()
    assert lines == [(True, True), (False, False)]


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
    present(monkeypatch, FTDI, MICROBIT)
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


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (serial.SerialException("Could not configure port: (5, 'Input/output error')"), "Input/output error"),
        (termios.error(22, "Invalid argument"), "Invalid argument"),
        (NotImplementedError("non-standard baudrates are not supported on this platform"), "non-standard baudrates"),
    ],
)
def test_what_fails_behind_the_opening_is_told_in_the_words_of_the_system(
    monkeypatch: pytest.MonkeyPatch, error: Exception, text: str
) -> None:
    refuse_with(monkeypatch, error)
    with pytest.raises(TargetError) as caught:
        open_serial("/dev/ttyS9")
    assert caught.value.reason == "port-failed"
    assert caught.value.text.startswith(f"/dev/ttyS9 cannot be opened ({text}")


def test_a_server_that_speaks_no_rfc_2217_is_told_apart_from_one_that_is_not_there() -> None:
    error = serial.SerialException("Remote does not seem to support RFC2217 or BINARY mode [we-BINARY:False(INACTIVE)]")
    told = not_opened("rfc2217://a:1", "rfc2217://a:1", error, lambda: "")
    assert told.text == "rfc2217://a:1 does not answer (what is there did not take up RFC 2217)"
    assert "try socket://" in told.remedy


def test_a_member_of_the_group_since_the_login_is_told_to_log_in_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ttyX0").touch()
    (tmp_path / "ttyX0").chmod(0o660)
    monkeypatch.setattr("otaflash.transport.serial_failures.joins_at_next_login", lambda group: True)
    refuse_with(monkeypatch, serial.SerialException(errno.EACCES, "could not open port"))
    with pytest.raises(TargetError) as caught:
        open_serial(str(tmp_path / "ttyX0"))
    assert "log in again" in caught.value.remedy
    assert "usermod" not in caught.value.remedy


def test_a_file_that_is_no_terminal_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TargetError) as caught:
        open_serial(str(tmp_path / "file"))
    assert caught.value.reason == "port-failed"
    assert caught.value.text == f"{tmp_path / 'file'} is no serial port"
