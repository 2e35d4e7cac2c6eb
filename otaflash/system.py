"""What operating systems do each in their own way, and calls that only some of them have. Knows nothing of boards."""

from __future__ import annotations

import os
import secrets
import select
import stat
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import termios

    TerminalError: type[Exception] = termios.error
    """What the calls for terminals raise: no OSError."""
except ImportError:  # Windows
    TerminalError = OSError

HAS_PTYS = hasattr(os, "openpty")
"""True on POSIX: there are pseudo-terminals, and select can wait for any file. False on Windows."""

OPENING_RAISES_LINES = os.name != "nt"
"""True where the system itself raises DTR and RTS of a serial port that is opened, before any program can say no."""

_GROUP_USES = stat.S_IRGRP | stat.S_IWGRP
_PROCESSES = Path("/proc")
_USB_DEVICES = Path("/sys/bus/usb/devices")


# --- serial ports -------------------------------------------------------------------------------------------------


def leave_lines_at_close(fileno: int) -> None:
    """Lets DTR and RTS of an open serial port stay as they are when it is closed: what opens it next then raises
    nothing, and so resets no board. POSIX only."""
    with suppress(TerminalError):
        attributes = termios.tcgetattr(fileno)
        attributes[2] &= ~termios.HUPCL
        termios.tcsetattr(fileno, termios.TCSANOW, attributes)


def calling_device(device: str) -> str:
    """macOS gives each port two names, of which /dev/tty.* waits for a carrier: its twin /dev/cu.*, if it is there."""
    twin = device.replace("/dev/tty.", "/dev/cu.", 1)
    return twin if sys.platform == "darwin" and os.path.exists(twin) else device


def open_pty() -> tuple[int, int, str]:
    """A new pseudo-terminal in raw mode: our end (which never blocks), the client's end, and its path.

    Raises ImportError on Windows.
    """
    import tty  # noqa: PLC0415

    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    return ours, theirs, os.ttyname(theirs)


# --- who may, who does --------------------------------------------------------------------------------------------


def group_of(path: str | Path) -> str | None:
    """The group whose members may read and write `path`, if there is one."""
    try:
        import grp  # noqa: PLC0415  # there is none on Windows

        found = os.stat(path)
        open_to_group = found.st_mode & _GROUP_USES == _GROUP_USES
        return grp.getgrgid(found.st_gid).gr_name if open_to_group else None
    except (ImportError, OSError, KeyError):
        return None


def joins_at_next_login(group: str) -> bool:
    """True if the user is a member of `group`, but was not yet when this session began."""
    try:
        import grp  # noqa: PLC0415
        import pwd  # noqa: PLC0415

        entry, user = grp.getgrnam(group), pwd.getpwuid(os.getuid()).pw_name
        return user in entry.gr_mem and entry.gr_gid not in os.getgroups()
    except (ImportError, OSError, KeyError):
        return False


def anyone_may_write(folder: Path) -> bool:
    """True if every user of this machine may make files in `folder`, as in /tmp. On Windows not told: False."""
    try:
        return os.name != "nt" and bool(folder.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return False


def holders_of(device: str) -> list[str]:
    """The processes that have `device` open, as ``picocom (process 4711)``; of other users' only root sees any.

    Empty where the system does not tell (there is no /proc).
    """
    wanted = os.path.realpath(device)
    found = []
    for process in _processes():
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            handles = {handle.name: os.readlink(handle) for handle in os.scandir(process / "fd")}
            if wanted in handles.values() and not _serves(process, handles, wanted):
                found.append(f"{(process / 'comm').read_text().strip()} (process {process.name})")
    return found


def _serves(process: Path, handles: dict[str, str], device: str) -> bool:
    """True if the other end of the pty `device` is in this process: it is what the port leads to, no user of it."""
    number = device.removeprefix("/dev/pts/")
    masters = [name for name, target in handles.items() if target.endswith("/ptmx")]
    return any(f"tty-index:\t{number}\n" in (process / "fdinfo" / name).read_text() for name in masters)


def process_names() -> set[str]:
    """What runs, by the short names of the processes. Empty where the system does not tell (there is no /proc)."""
    names = set()
    for process in _processes():
        with suppress(OSError):  # it has ended meanwhile
            names.add((process / "comm").read_text().strip())
    return names


def usb_ids() -> list[str]:
    """``vid:pid`` of every USB device, in lower case. Empty where the system does not tell (there is no /sys)."""
    found = []
    for device in sorted(_USB_DEVICES.glob("*/idVendor")):
        with suppress(OSError):  # it was pulled out meanwhile
            found.append(f"{device.read_text().strip()}:{(device.parent / 'idProduct').read_text().strip()}".lower())
    return found


def _processes() -> Iterator[Path]:
    """All but this one."""
    if _PROCESSES.is_dir():
        yield from (each for each in _PROCESSES.iterdir() if each.name.isdigit() and int(each.name) != os.getpid())


# --- the keyboard -------------------------------------------------------------------------------------------------


@contextmanager
def keys_as_typed() -> Iterator[Callable[[], bytes] | None]:
    """Gives keys one by one and unseen while it is open; Ctrl-C still interrupts.

    Yields what returns the bytes typed since its last call, b"" for none; None where standard input is no terminal.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        yield None
    elif os.name == "nt":
        yield _keys_on_windows
    else:
        fileno = sys.stdin.fileno()
        before = termios.tcgetattr(fileno)
        raw = termios.tcgetattr(fileno)
        raw[0] &= ~termios.ICRNL
        raw[3] &= ~(termios.ICANON | termios.ECHO)
        try:
            termios.tcsetattr(fileno, termios.TCSADRAIN, raw)
            yield lambda: os.read(fileno, _KEYS) if select.select([fileno], [], [], 0)[0] else b""
        finally:
            termios.tcsetattr(fileno, termios.TCSADRAIN, before)


def _keys_on_windows() -> bytes:
    import msvcrt  # noqa: PLC0415

    typed = ""
    while msvcrt.kbhit():  # type: ignore[attr-defined,unused-ignore]
        typed += msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
    return typed.encode()


_KEYS = 1024

# --- this process -------------------------------------------------------------------------------------------------


def peak_memory_bytes() -> int | None:
    """The most memory that this process ever had resident; None where the system does not tell (Windows)."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


# --- folders of the user ------------------------------------------------------------------------------------------


def config_folder() -> Path | None:
    """Where the user's own settings lie; it need not be there. None: this user has no home."""
    import platformdirs  # noqa: PLC0415  # slow, and not every command asks

    try:
        return Path(platformdirs.user_config_dir("otaflash", appauthor=False))
    except RuntimeError:
        return None


def state_folder() -> Path | None:
    """Where the user's programs keep what they remember (~/.local/state/otaflash on Linux); it need not be there.
    None: this user has no home."""
    import platformdirs  # noqa: PLC0415

    try:
        return Path(platformdirs.user_state_dir("otaflash", appauthor=False))
    except RuntimeError:
        return None


def runtime_folder() -> Path | None:
    """A folder of this user's alone for what lives as long as a process; it is there. None: there can be none."""
    import platformdirs  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that XDG_RUNTIME_DIR is not set is no news here
            folder = Path(platformdirs.user_runtime_dir("otaflash", appauthor=False))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Below /tmp another user may have been faster.
        return folder if all(_is_ours_alone(each) for each in (folder.parent, folder)) else None
    except (RuntimeError, OSError):
        return None


def _is_ours_alone(folder: Path) -> bool:
    if not hasattr(os, "getuid"):
        return True
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & stat.S_IWOTH


def user_home() -> Path | None:
    """None where the system does not tell."""
    try:
        return Path.home()
    except RuntimeError:
        return None


# --- files --------------------------------------------------------------------------------------------------------


def replace_file(target: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Puts a file of this content and mode (less the umask) in the place of `target`, whole or not at all: into a
    neighbour first, to the disk, then renamed. Only `sync_folder` brings the rename to the disk. Raises OSError."""
    beside = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would write CR before each LF


def sync_folder(folder: Path) -> None:
    """Brings the names in a folder to the disk: without it a rename may be lost with the power. Does nothing on
    Windows, which opens no folder. Raises OSError."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- signs of life ------------------------------------------------------------------------------------------------


def hold(file: IO[str]) -> bool:
    """Locks an open file for as long as this process has it open, however it ends. False: another process holds it."""
    return _lock(file, shared=False)


def is_held(file: IO[str]) -> bool:
    """True if a process that still lives holds the file."""
    return not _lock(file, shared=True)  # shared: two who look at once are not taken for the holder


def _lock(file: IO[str], *, shared: bool) -> bool:
    try:
        import fcntl  # noqa: PLC0415  # there is none on Windows
    except ImportError:
        return _hold_on_windows(file)
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _hold_on_windows(file: IO[str]) -> bool:
    import msvcrt  # noqa: PLC0415

    file.seek(_BEHIND_ALL_BYTES)  # the lock of Windows also keeps others from reading what it covers
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return False
    finally:
        file.seek(0)
    return True


_BEHIND_ALL_BYTES = 1 << 20
