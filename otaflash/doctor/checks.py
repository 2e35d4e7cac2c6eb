"""The checks: each a function of the computer that it is shown. Reads no file and runs no program by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from otaflash.doctor.computer import Computer
from otaflash.doctor.finding import Finding, ok, problem, warning

CLOCK_RESOLUTION_S: Final = 0.005
"""A monotonic clock coarser than that makes round trips on a wire, of a few milliseconds, look like none."""

BRIDGES: Final = {
    "0403:6001": ("FTDI FT232", "ftdi_sio"),
    "0403:6015": ("FTDI FT231X", "ftdi_sio"),
    "10c4:ea60": ("Silicon Labs CP210x", "cp210x"),
    "1a86:7523": ("WCH CH340", "ch341"),
    "1a86:55d4": ("WCH CH9102", "ch343 or cdc_acm"),
    "067b:2303": ("Prolific PL2303", "pl2303"),
}
"""Common USB bridges by VID:PID, each with the Linux driver that makes a serial port of it."""

GRABBERS: Final = {
    "ModemManager": (
        "tries every new serial port for a modem, and holds it for half a minute",
        "stop it while you flash, or for good if this computer has no modem",
        "sudo systemctl stop ModemManager",
    ),
    "brltty": (
        "takes CH340 and CP210x bridges for Braille displays, and their ports vanish",
        "remove it if nobody here reads Braille with this computer",
        "sudo systemctl stop brltty-udev; sudo apt remove brltty",
    ),
}
"""Programs on Linux that take serial ports, by the name of the process."""

COMPILERS: Final = ("avr-gcc", "arm-none-eabi-gcc")


def check_libraries(computer: Computer) -> Iterator[Finding]:
    """Python and the packages that otaflash needs, at least as new as it asks for."""
    wrong = False
    for name, least, there in computer.libraries():
        remedy = "install otaflash again: pip install --force-reinstall otaflash"
        if there is None:
            wrong = True
            yield problem("libraries", f"the package {name} is missing", remedy)
        elif _numbers(there) < _numbers(least):
            wrong = True
            yield problem("libraries", f"{name} {there} is older than the {least} that is needed", remedy)
    if not wrong:
        shown = ", ".join(f"{name} {there}" for name, _, there in computer.libraries())
        yield ok("libraries", f"Python {computer.python_version()}, {shown}")


def check_native(computer: Computer) -> Iterator[Finding]:
    """The simulated boards load."""
    failure = computer.native_failure()
    if failure is None:
        yield ok("simulated-boards", "they load: the bootloader core is compiled for this computer")
    else:
        yield problem("simulated-boards", failure[0], failure[1])


def check_compilers(computer: Computer) -> Iterator[Finding]:
    """A C compiler for the simulated boards; those for chips are only mentioned."""
    missing = computer.compiler_failure()
    if missing is None:
        yield ok("compiler", "a C compiler is there, to build the simulated boards with")
    else:
        remedy = "only needed to build otaflash from its sources: Debian: sudo apt install gcc python3-dev"
        yield warning("compiler", missing, remedy)
    there = [name for name in COMPILERS if computer.has_program(name)]
    shown = " and ".join(there) if there else "neither avr-gcc nor arm-none-eabi-gcc"
    yield ok("cross-compilers", f"{shown}: needed only to build loaders and programs for chips")


def check_ports(computer: Computer) -> Iterator[Finding]:
    """The serial ports there are: whether this user may open them, and whether nobody else has them open."""
    ports = [port for port in computer.ports() if port.usb]
    if not ports:
        remedy = "plug the board in; if it is, try another cable: some only charge"
        yield warning("ports", "no USB serial port is there", remedy)
    for port in ports:
        if not computer.may_open(port.device):
            yield _no_permission(computer, port.device, port.usb)
        elif holders := computer.holders_of(port.device):
            text = f"{port.device} is in use by {' and '.join(holders)}"
            yield problem("port-busy", text, "end that program before you flash")
        else:
            yield ok("ports", f"{port.device} ({port.usb}) is free, and you may open it")


def check_drivers(computer: Computer) -> Iterator[Finding]:
    """Linux: USB bridges that no driver has made a port of, and programs that take ports away."""
    if computer.system != "linux":
        return
    found = False
    with_port = {port.usb.lower().removeprefix("usb:")[:9] for port in computer.ports()}
    for usb in computer.usb_ids():
        if usb in BRIDGES and usb not in with_port:
            found = True
            name, driver = BRIDGES[usb]
            remedy = f"load the driver; if brltty runs, it may have taken the bridge: sudo modprobe {driver}"
            yield problem("drivers", f"a {name} ({usb}) is plugged in, and there is no serial port for it", remedy)
    running = computer.processes()
    for name, (what, remedy, paste) in GRABBERS.items():
        if name in running:
            found = True
            yield warning("drivers", f"{name} runs: it {what}", remedy, paste)
    if not found:
        yield ok("drivers", "every USB bridge that is plugged in has its port, and nothing runs that takes ports away")


def check_bluetooth(computer: Computer) -> Iterator[Finding]:
    """Whether this computer can look for boards over Bluetooth LE."""
    failure = computer.bluetooth_failure()
    if failure is None:
        yield ok("bluetooth", "the adapter is there, switched on, and listens")
        return
    reason, text, remedy = failure
    if reason == "ble-not-installed":
        yield ok("bluetooth", "not set up; needed only for ports of the kind ble: (pip install 'otaflash[ble]')")
    elif reason == "ble-permission":
        yield problem("bluetooth", text, remedy)
    else:
        yield warning("bluetooth", text, f"{remedy}; needed only for ports of the kind ble:")


def check_clocks(computer: Computer) -> Iterator[Finding]:
    """The time of day is not before otaflash was made; the clock of time-outs is fine enough."""
    if computer.now_s() < computer.made_s():
        text = "the time of day is before this otaflash was installed: versions and logs will be dated wrongly"
        yield problem("clocks", text, "set the clock of this computer: Linux: sudo timedatectl set-ntp true")
    else:
        yield ok("clocks", "the time of day is plausible")
    resolution = computer.clock_resolution_s()
    if resolution > CLOCK_RESOLUTION_S:
        text = f"the clock of time-outs goes in steps of {1000 * resolution:.1f} ms: transfers will be slower"
        yield warning("clocks", text, "nothing to be done but a newer Python or system")
    else:
        yield ok("clocks", "the clock of time-outs is fine enough")


def check_folders(computer: Computer) -> Iterator[Finding]:
    """The folders in which otaflash keeps what it knows can be written."""
    for what, folder in computer.folders():
        failure = computer.write_failure(folder)
        if failure is None:
            yield ok("folders", f"{what}: {folder} can be written")
        else:
            yield problem("folders", f"{what}: {folder} cannot be written ({failure})", f"make it yours: {folder}")


CHECKS: Final[tuple[Callable[[Computer], Iterable[Finding]], ...]] = (
    check_libraries,
    check_native,
    check_compilers,
    check_ports,
    check_drivers,
    check_bluetooth,
    check_clocks,
    check_folders,
)


def examine(computer: Computer) -> Iterator[Finding]:
    """What all checks find, as they find it; one that fails itself is a finding, too, and the others go on."""
    for check in CHECKS:
        try:
            yield from check(computer)
        except Exception as error:  # a doctor that dies of the illness helps nobody
            name = check.__name__.removeprefix("check_")
            text = f"the check itself failed ({type(error).__name__}: {error})".replace("\n", " ")
            yield warning(name, text, "this is our bug: send us this line")


def _no_permission(computer: Computer, device: str, usb: str) -> Finding:
    group = computer.group_of(device)
    if group is not None and computer.joins_at_next_login(group):
        text = f"{device} is for the group {group}, of which you became a member after you logged in"
        return problem("permissions", text, "log out and in again")
    vendor, product = usb.removeprefix("usb:").split(":")[:2]
    rule = f'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="{vendor}", ATTRS{{idProduct}}=="{product}", TAG+="uaccess"'
    udev = f"/etc/udev/rules.d/60-otaflash.rules:\n{rule}" if computer.system == "linux" else None
    if group is None:
        text = f"you may not open {device}, and no group may"
        remedy = "let the udev rule below give it to whoever sits at this computer, then plug the board in again"
        return problem("permissions", text, remedy if udev else "ask who administers this computer", udev)
    text = f"{device} may only be opened by members of the group {group}"
    remedy = f"sudo usermod -aG {group} $USER, then log in again; or the udev rule below, then plug the board in again"
    return problem("permissions", text, remedy, udev)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
