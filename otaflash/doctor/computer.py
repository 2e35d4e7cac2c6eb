"""What the checks ask of a computer, and how this one answers. Judges nothing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Protocol

import otaflash
from otaflash import system
from otaflash.errors import OtaflashError
from otaflash.history.place import history_path
from otaflash.sim.build_native import missing_tool
from otaflash.transport.serial import find_serial_ports
from otaflash.transport.serial_names import SerialPort

BLUETOOTH_S = 0.5
"""How long is listened: whether Bluetooth works at all shows at once."""

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*>=\s*([0-9.]+)$")


class Computer(Protocol):
    """A computer as the checks see it; tests show them others."""

    @property
    def system(self) -> str:
        """As sys.platform says: linux, darwin, win32."""

    def python_version(self) -> str:
        """As 3.11.2."""

    def libraries(self) -> list[tuple[str, str, str | None]]:
        """Packages that otaflash needs: name, least version, the version that is there (None: it is not)."""

    def native_failure(self) -> tuple[str, str] | None:
        """Why the simulated boards do not load, and what to do; None: they do."""

    def compiler_failure(self) -> str | None:
        """What is missing for compiling C; None: nothing."""

    def has_program(self, name: str) -> bool:
        """True if the shell would find it."""

    def ports(self) -> list[SerialPort]:
        """Every serial port that the system lists."""

    def usb_ids(self) -> list[str]:
        """VID:PID of every USB device, in lower case; Linux alone tells."""

    def processes(self) -> set[str]:
        """Names of what runs."""

    def may_open(self, device: str) -> bool:
        """True if this user may read and write it."""

    def group_of(self, device: str) -> str | None:
        """The group whose members may read and write it, if there is one."""

    def joins_at_next_login(self, group: str) -> bool:
        """True if the user was put into the group after this session began."""

    def holders_of(self, device: str) -> list[str]:
        """The processes that have it open, in words."""

    def bluetooth_failure(self) -> tuple[str, str, str] | None:
        """Reason, sentence and remedy for what keeps Bluetooth LE from being used; None: nothing."""

    def now_s(self) -> float:
        """The time of day, in seconds since 1970."""

    def made_s(self) -> float:
        """When this otaflash was installed, in seconds since 1970."""

    def clock_resolution_s(self) -> float:
        """The step of the monotonic clock, in seconds."""

    def folders(self) -> list[tuple[str, Path]]:
        """What is kept where."""

    def write_failure(self, folder: Path) -> str | None:
        """Why nothing can be written there; None: it can."""


class ThisComputer:
    """The one that the command runs on. Changes nothing on it, but for a file that is written and removed."""

    system = sys.platform

    def python_version(self) -> str:
        """As 3.11.2."""
        return platform.python_version()

    def libraries(self) -> list[tuple[str, str, str | None]]:
        """From what the installed package says that it needs; its extras are left out."""
        found = []
        for requirement in metadata.requires("otaflash") or []:
            form = _REQUIREMENT.match(requirement)
            if form is not None:
                found.append((form[1], form[2], _installed(form[1])))
        return found

    def native_failure(self) -> tuple[str, str] | None:
        """Loads them."""
        try:
            from otaflash.sim import native  # noqa: F401, PLC0415
        except OtaflashError as error:
            return error.text, error.remedy
        return None

    def compiler_failure(self) -> str | None:
        """As the build of the simulated boards asks."""
        return missing_tool()

    def has_program(self, name: str) -> bool:
        """By PATH."""
        return shutil.which(name) is not None

    def ports(self) -> list[SerialPort]:
        """As pyserial lists them."""
        return find_serial_ports()

    def usb_ids(self) -> list[str]:
        """From /sys; empty elsewhere."""
        return system.usb_ids()

    def processes(self) -> set[str]:
        """From /proc; empty elsewhere."""
        return system.process_names()

    def may_open(self, device: str) -> bool:
        """By the rights of the device file; opens nothing."""
        return os.access(device, os.R_OK | os.W_OK) or not os.path.exists(device)

    def group_of(self, device: str) -> str | None:
        """By the rights of the device file."""
        return system.group_of(device)

    def joins_at_next_login(self, group: str) -> bool:
        """By the table of groups."""
        return system.joins_at_next_login(group)

    def holders_of(self, device: str) -> list[str]:
        """Of other users' processes only root sees any."""
        return system.holders_of(device)

    def bluetooth_failure(self) -> tuple[str, str, str] | None:
        """Listens for a moment; connects to nothing."""
        from otaflash.transport.ble_finding import scan_boards  # noqa: PLC0415

        try:
            scan_boards(BLUETOOTH_S)
        except OtaflashError as error:
            return error.reason, error.text, error.remedy
        return None

    def now_s(self) -> float:
        """By the system's clock."""
        return time.time()

    def made_s(self) -> float:
        """By the date of the package's own file."""
        return Path(str(otaflash.__file__)).stat().st_mtime

    def clock_resolution_s(self) -> float:
        """As Python knows it."""
        return time.get_clock_info("monotonic").resolution

    def folders(self) -> list[tuple[str, Path]]:
        """Where bundles go by default, where the history is kept, and what lives for the time of a command."""
        return [
            ("this folder", Path.cwd()),
            ("history", history_path().parent),
            ("temporary files", Path(tempfile.gettempdir())),
        ]

    def write_failure(self, folder: Path) -> str | None:
        """Writes a file and removes it; a folder that is not there yet counts as its nearest one that is."""
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        try:
            with tempfile.TemporaryFile(dir=folder):
                return None
        except OSError as error:
            return (error.strerror or str(error)).lower()


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
