"""Every outcome of every check, on computers that are made up; and one look at the one that runs the tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from otaflash.doctor import CHECKS, Finding, State, ThisComputer, checks, examine
from otaflash.transport.serial_names import SerialPort
from tests.cli.running import otaflash

FTDI = SerialPort("/dev/ttyUSB0", "FT232R", "usb:0403:6001:A1")


@dataclass(frozen=True)
class Healthy:
    """A Linux computer on which nothing is wrong; tests replace what shall be."""

    system: str = "linux"
    packages: tuple[tuple[str, str, str | None], ...] = (("pyserial", "3.5", "3.10"),)
    native: tuple[str, str] | None = None
    compiler: str | None = None
    programs: tuple[str, ...] = ("avr-gcc",)
    serial_ports: tuple[SerialPort, ...] = (FTDI,)
    usb: tuple[str, ...] = ("0403:6001", "1d6b:0002")
    running: frozenset[str] = frozenset({"bash"})
    closed: tuple[str, ...] = ()
    group: str | None = "dialout"
    joining: bool = False
    holders: dict[str, list[str]] = field(default_factory=dict)
    bluetooth: tuple[str, str, str] | None = None
    now: float = 2e9
    made: float = 1.9e9
    resolution: float = 1e-9
    read_only: tuple[Path, ...] = ()

    def python_version(self) -> str:
        return "3.11.2"

    def libraries(self) -> list[tuple[str, str, str | None]]:
        return list(self.packages)

    def native_failure(self) -> tuple[str, str] | None:
        return self.native

    def compiler_failure(self) -> str | None:
        return self.compiler

    def has_program(self, name: str) -> bool:
        return name in self.programs

    def ports(self) -> list[SerialPort]:
        return list(self.serial_ports)

    def usb_ids(self) -> list[str]:
        return list(self.usb)

    def processes(self) -> set[str]:
        return set(self.running)

    def may_open(self, device: str) -> bool:
        return device not in self.closed

    def group_of(self, device: str) -> str | None:
        return self.group

    def joins_at_next_login(self, group: str) -> bool:
        return self.joining

    def holders_of(self, device: str) -> list[str]:
        return self.holders.get(device, [])

    def bluetooth_failure(self) -> tuple[str, str, str] | None:
        return self.bluetooth

    def now_s(self) -> float:
        return self.now

    def made_s(self) -> float:
        return self.made

    def clock_resolution_s(self) -> float:
        return self.resolution

    def folders(self) -> list[tuple[str, Path]]:
        return [("history", Path("/home/x/.local/state/otaflash"))]

    def write_failure(self, folder: Path) -> str | None:
        return "read-only file system" if folder in self.read_only else None


WELL = Healthy()


def found(computer: Healthy, state: State) -> list[Finding]:
    return [finding for finding in examine(computer) if finding.state is state]


def test_a_healthy_computer_has_nothing_but_good_findings() -> None:
    findings = list(examine(WELL))
    assert {finding.state for finding in findings} == {State.OK}
    assert {finding.check for finding in findings} >= {
        "libraries",
        "ports",
        "drivers",
        "bluetooth",
        "clocks",
        "folders",
    }


PROBLEMS = {
    "a package that is missing": (replace(WELL, packages=(("cffi", "1.16", None),)), "libraries", "cffi is missing"),
    "a package that is too old": (replace(WELL, packages=(("cffi", "1.16", "1.9"),)), "libraries", "1.9 is older"),
    "boards that are not built": (replace(WELL, native=("not built", "Run: it")), "simulated-boards", "not built"),
    "a port for others": (replace(WELL, closed=(FTDI.device,)), "permissions", "group dialout"),
    "a group since the login": (replace(WELL, closed=(FTDI.device,), joining=True), "permissions", "after you logged"),
    "a port for nobody": (replace(WELL, closed=(FTDI.device,), group=None), "permissions", "no group may"),
    "a port in use": (
        replace(WELL, holders={FTDI.device: ["picocom (process 4711)"]}),
        "port-busy",
        "in use by picocom (process 4711)",
    ),
    "a bridge without a driver": (replace(WELL, usb=("1a86:7523",)), "drivers", "CH340 (1a86:7523)"),
    "Bluetooth that is forbidden": (replace(WELL, bluetooth=("ble-permission", "no", "ask")), "bluetooth", "no"),
    "a clock of 1970": (replace(WELL, now=100.0), "clocks", "before this otaflash"),
    "a folder that is read-only": (
        replace(WELL, read_only=(Path("/home/x/.local/state/otaflash"),)),
        "folders",
        "read-only file system",
    ),
}

WARNINGS = {
    "no compiler": (replace(WELL, compiler="found no C compiler"), "compiler", "no C compiler"),
    "no port": (replace(WELL, serial_ports=(), usb=()), "ports", "no USB serial port"),
    "a port that is no USB": (
        replace(WELL, serial_ports=(SerialPort("/dev/ttyS0", "", ""),), usb=()),
        "ports",
        "no USB",
    ),
    "ModemManager": (replace(WELL, running=frozenset({"ModemManager"})), "drivers", "for a modem"),
    "brltty": (replace(WELL, running=frozenset({"brltty"})), "drivers", "Braille"),
    "Bluetooth that is off": (replace(WELL, bluetooth=("ble-off", "it is off", "switch it on")), "bluetooth", "off"),
    "a coarse clock": (replace(WELL, resolution=0.0156), "clocks", "15.6 ms"),
}


@pytest.mark.parametrize("what", PROBLEMS)
def test_what_will_make_a_command_fail_is_a_problem_with_a_remedy(what: str) -> None:
    computer, check, words = PROBLEMS[what]
    (finding,) = found(computer, State.PROBLEM)
    assert finding.check == check
    assert words in finding.text
    assert finding.remedy


@pytest.mark.parametrize("what", WARNINGS)
def test_what_may_get_in_the_way_is_a_warning_with_a_remedy(what: str) -> None:
    computer, check, words = WARNINGS[what]
    assert found(computer, State.PROBLEM) == []
    (finding,) = found(computer, State.WARNING)
    assert finding.check == check
    assert words in finding.text
    assert finding.remedy


def test_bluetooth_that_was_never_asked_for_is_nothing_wrong() -> None:
    computer = replace(WELL, bluetooth=("ble-not-installed", "BLE needs bleak", "pip install"))
    assert {finding.state for finding in checks.check_bluetooth(computer)} == {State.OK}


def test_a_port_without_permission_comes_with_a_udev_rule_to_paste_on_linux_alone() -> None:
    closed = replace(WELL, closed=(FTDI.device,))
    (finding,) = found(closed, State.PROBLEM)
    assert finding.paste is not None
    assert 'ATTRS{idVendor}=="0403", ATTRS{idProduct}=="6001", TAG+="uaccess"' in finding.paste
    assert "usermod -aG dialout" in str(finding.remedy)
    (finding,) = found(replace(closed, system="darwin", group=None), State.PROBLEM)
    assert finding.paste is None


def test_only_linux_is_asked_for_drivers() -> None:
    assert list(checks.check_drivers(replace(WELL, system="win32", running=frozenset({"brltty"})))) == []


def test_a_check_that_fails_itself_is_told_and_the_others_go_on() -> None:
    class Broken(Healthy):
        def ports(self) -> list[SerialPort]:
            raise RuntimeError("no\nports")

    findings = list(examine(Broken()))
    broken = [finding for finding in findings if "the check itself failed" in finding.text]
    assert [finding.check for finding in broken] == ["ports", "drivers"]
    assert findings[-1].check == "folders"


# --- this computer ------------------------------------------------------------------------------------------------


def test_on_this_computer_every_check_comes_to_an_end_by_itself() -> None:
    findings = list(examine(ThisComputer()))
    assert [finding for finding in findings if "the check itself failed" in finding.text] == []
    assert len({finding.check for finding in findings}) >= len(CHECKS) - 1  # drivers are looked at on Linux alone
    (boards,) = checks.check_native(ThisComputer())
    assert boards.state is State.OK


def test_the_command_prints_a_line_for_each_finding_and_its_exit_code_says_whether_something_is_wrong() -> None:
    ended = otaflash("doctor", "--json")
    states = [event["state"] for event in ended.events if event["event"] == "check"]
    assert (ended.code, ended.result["ok"]) == ((2, False) if "problem" in states else (0, True))
    assert ended.result["warnings"] == states.count("warning")
    lines = otaflash("doctor").out.splitlines()
    assert [line.split()[0] for line in lines[:-1] if not line.startswith(" ")] == states


def test_a_problem_ends_with_its_exit_code_and_tells_what_to_paste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otaflash.cli.doctor.ThisComputer", lambda: replace(WELL, closed=(FTDI.device,)))
    ended = otaflash("doctor")
    assert ended.code == 2
    assert ended.out.endswith("1 problem, 0 warnings.\n")
    assert "    /etc/udev/rules.d/60-otaflash.rules:\n" in ended.out
    assert "Traceback" not in ended.err


def test_a_broken_configuration_does_not_keep_the_doctor_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otaflash.cli.doctor.ThisComputer", lambda: WELL)
    monkeypatch.chdir(tmp_path)
    Path("otaflash.toml").write_text("this is none")
    assert otaflash("doctor").code == 0
