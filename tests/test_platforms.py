"""Windows and macOS, as far as they can be shown here: what only POSIX has is used in one file, and can be missing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "otaflash"
HOME = "system.py"
"""The one file that may use what only POSIX has, behind a function that says what happens elsewhere."""

POSIX_MODULES = {"curses", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}
POSIX_CALLS = {
    "os": {
        *(
            "chown",
            "chroot",
            "ctermid",
            "fchmod",
            "fchown",
            "fork",
            "forkpty",
            "getegid",
            "geteuid",
            "getgid",
            "getgroups",
        ),
        *("getloadavg", "getpgid", "getpgrp", "getpriority", "getsid", "getuid", "killpg", "lchown", "mkfifo", "mknod"),
        *(
            "nice",
            "openpty",
            "posix_spawn",
            "pread",
            "preadv",
            "pwrite",
            "pwritev",
            "register_at_fork",
            "sched_getaffinity",
        ),
        *(
            "sendfile",
            "setgid",
            "setpgid",
            "setpriority",
            "setsid",
            "setuid",
            "statvfs",
            "sync",
            "sysconf",
            "tcgetpgrp",
        ),
        *("ttyname", "uname", "wait", "wait3", "wait4", "waitpid", "O_CLOEXEC", "O_NOCTTY", "O_NONBLOCK", "O_SYNC"),
    },
    "signal": {
        *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP", "SIGUSR1"),
        *("SIGUSR2", "SIGWINCH", "alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait"),
    },
    "asyncio": {"open_unix_connection", "start_unix_server"},
    "socket": {"AF_UNIX", "socketpair"},
    "select": {"poll", "epoll", "kqueue"},
}
"""Names that Python's library has on POSIX only, by the "Availability" notes of its manual."""

WINDOWS = f"""
import asyncio, multiprocessing, os, signal, subprocess, sys
import bleak, click, pytest, rich.console, rich.progress, serial, serial.tools.list_ports  # theirs have Windows forms
import platformdirs
for name in {sorted(POSIX_MODULES)!r}:
    sys.modules[name] = None
for module, names in {POSIX_CALLS!r}.items():
    for name in names & vars(sys.modules[module]).keys():
        delattr(sys.modules[module], name)
"""
"""Takes away, before otaflash is imported, what Windows does not have."""


def uses() -> Iterator[str]:
    """Every use of a POSIX-only name outside its home."""
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if place != HOME:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield from (f"{place}:{getattr(node, 'lineno', 0)}: {name}" for name in posix_names(node))


def posix_names(node: ast.AST) -> list[str]:
    """What this piece of syntax uses that only POSIX has."""
    match node:
        case ast.Import(names):
            return [each.name for each in names if each.name in POSIX_MODULES]
        case ast.ImportFrom(module, names) if module in POSIX_MODULES:
            return [str(module)]
        case ast.ImportFrom(module, names):
            return [each.name for each in names if each.name in POSIX_CALLS.get(module or "", ())]
        case ast.Attribute(ast.Name(module), name) if name in POSIX_CALLS.get(module, ()):
            return [f"{module}.{name}"]
    return []


def text_of_unsaid_encoding() -> Iterator[str]:
    """Calls that read or write a file's text as the system likes, which on Windows is not UTF-8."""
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and place != HOME and leaves_encoding_open(node):
                yield f"{place}:{node.lineno}: {ast.unparse(node)}"


def leaves_encoding_open(call: ast.Call) -> bool:
    """Paths are asked for all of their text; a board's `read_text` says how long to wait."""
    if any(each.arg == "encoding" for each in call.keywords):
        return False
    if isinstance(call.func, ast.Name) and call.func.id == "open":
        mode = ast.unparse(call.args[1]) if len(call.args) > 1 else "r"
        return "b" not in mode and ast.unparse(call.args[0]) != "os.devnull"
    if isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) not in {"board", "self"}:
        return call.func.attr in {"read_text", "write_text"}
    return False


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs code in a Python that lacks what Windows lacks."""
    command = [sys.executable, "-c", WINDOWS + code]
    return subprocess.run(
        command,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "OTAFLASH_STATE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_only_posix_has_is_used_in_one_file() -> None:
    assert list(uses()) == []


def test_text_is_read_and_written_as_utf_8() -> None:
    assert list(text_of_unsaid_encoding()) == []


def test_every_module_can_be_imported_where_there_is_no_posix(tmp_path: Path) -> None:
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in PACKAGE.rglob("*.py")]
    names = sorted({module.removesuffix(".__init__") for module in modules} - {"otaflash.sim.build_native"})
    ended = run(f"import importlib\nfor name in {names!r}: importlib.import_module(name)\nprint('all')", tmp_path)
    assert ended.stdout == "all\n", ended.stderr


def test_a_board_is_updated_where_there_is_no_posix(tmp_path: Path) -> None:
    program = ROOT / "firmware/app/blink/blink-1.1.0.hex"
    port = "sim:atmega328p?state=board.bin"
    code = f"from otaflash.cli.main import main\nprint(main(['push', {str(program)!r}, '--port', {port!r}]))"
    ended = run(code, tmp_path)
    assert ended.stdout.splitlines()[-1:] == ["0"], ended.stderr


def test_a_pseudo_terminal_is_refused_in_one_sentence_where_there_is_none(tmp_path: Path) -> None:
    code = "from otaflash.cli.main import main\nprint(main(['sim', 'atmega328p', '--pty']))"
    ended = run(code, tmp_path)
    assert ended.stdout == "2\n", ended.stderr
    assert "Traceback" not in ended.stderr
