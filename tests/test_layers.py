"""The arrows of docs/architecture.md as tables, held against the imports of both languages; how long a thing may be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "otaflash"
CORE = ROOT / "firmware" / "core"

# Folder (or module beside them) -> what it may import of the package. `errors`, `system` and itself are open to all.
ARROWS: dict[str, set[str]] = {
    "__init__": {"api"},
    "errors": set(),
    "system": set(),
    "data": set(),
    "explained": set(),
    "doctor": {"history", "sim", "transport"},
    "wire": set(),
    "image": {"wire.messages"},
    "keys": {"image.scheme_lms", "wire.messages"},
    "engine": {"wire"},
    "transport": set(),
    "sim": {"keys.public", "wire"},
    "config": {"transport.entry"},
    "session": {"engine", "image", "transport.link", "wire"},
    "api": {"engine", "image", "session", "transport", "wire"},
    "history": set(),
    "fleet": {"engine", "session", "transport", "image", "wire"},
    "bench": {"engine", "image", "session", "sim", "transport", "wire"},
    "testing": {"engine", "image", "session", "sim", "transport.simlink", "wire.messages"},
    "pytest_plugin": {"testing"},
    "cli": {"api", "bench", "config", "data", "doctor", "explained", "fleet", "history", "image", "keys", "sim"},
}

# Single arrows that the table above would not let through, each with its reason. The command line talks to boards
# through otaflash.api alone, as any other program would.
ARROWS_OF_ONE_FILE: dict[tuple[str, str], str] = {
    ("cli.sim", "transport.running"): "a simulated board that runs says where",
    ("cli.settings", "transport.ble_services"): "the UART module that the configuration describes",
    ("cli.demo", "transport.simlink"): "it cuts the power of its simulated board from outside",
    ("cli.factory", "wire.messages"): "fields of the boot record in a file",
    ("transport.simlink", "sim"): "the sim: link is a transport whose far end is the simulated world",
    ("transport.ble_services", "wire.ble"): "the UUIDs of our own service, which the wire's description states",
}

# Third-party package -> the only file that may import it.
HOMES: dict[str, str] = {
    "intelhex": "image/hexfile.py",
    "elftools": "image/elffile.py",
    "bincopy": "image/srecfile.py",
    "serial": "transport/serial.py",
    "bleak": "transport/ble.py",
    "cffi": "sim/build_native.py",
    "crcmod": "",  # the reference that the tests hold zlib against
    "setuptools": "",
    "cryptography": "keys/sealing.py",
    "platformdirs": "system.py",
    "pyhsslms": "keys/lms.py",
    "pytest": "pytest_plugin.py",
    # What only POSIX has, or only Windows.
    **dict.fromkeys(("fcntl", "grp", "msvcrt", "pty", "pwd", "termios", "tty"), "system.py"),
}
CLI_ONLY = {"rich", "click"}

MAY_PRINT = {"sim/build_native.py"}

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
GENERATED = {"otaflash/wire/messages.py", "otaflash/wire/ble.py", "firmware/core/messages.h"}
TABLES = {"tests/firmware/scenarios.py", "tests/firmware/scenarios_of_session.py"}
"""One entry after the other; nothing is gained by a cut in the middle."""

CHIPS = re.compile(
    r"\b(avr|arm|atmega\w*|stm32\w*|nrf\d\w*|cortex\w*|__AVR\w*|__ARM\w*|SPM\w*|NVMC\w*)\b", re.IGNORECASE
)
# string.h: what any C compiler links even without a system (memcpy, memset, memmove, memcmp).
CORE_SYSTEM_HEADERS = {"stdint.h", "stdbool.h", "stddef.h", "string.h"}
"""string.h for memcpy, memcmp and memset, which every compiler brings along, even for a chip without a system."""


def python_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    """``cli.push`` of otaflash/cli/push.py, ``cli`` of otaflash/cli/__init__.py."""
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Every import with its line, those inside functions included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are written whole"
            assert node.module is not None
            submodules = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from ((node.lineno, name if is_module(name) else str(node.module)) for name in submodules)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return name.startswith("otaflash.") and (path.with_suffix(".py").exists() or (path / "__init__.py").exists())


def is_under(module: str, allowed: str) -> bool:
    return module == allowed or module.startswith(allowed + ".")


def layer_of(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def is_allowed(module: str, target: str) -> bool:
    own = layer_of(module)
    allowed = ARROWS[own] | {own, "errors", "system"}
    if any(is_under(target, arrow) for arrow in allowed):
        return True
    return any(module == source and is_under(target, arrow) for source, arrow in ARROWS_OF_ONE_FILE)


def test_every_folder_of_the_package_has_its_row_in_the_table() -> None:
    assert {layer_of(module_of(path)) for path in python_files()} <= set(ARROWS)


@pytest.mark.parametrize("path", python_files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_imports_only_along_the_arrows(path: Path) -> None:
    module = module_of(path)
    wrong = []
    for line, name in imports_of(path):
        if name == "otaflash":  # the version number alone
            continue
        if name.startswith("otaflash.") and not is_allowed(module, name.removeprefix("otaflash.")):
            wrong.append(f"{path.relative_to(ROOT)}:{line}: {name}")
    assert wrong == []


def test_each_third_party_package_is_imported_in_one_file_only() -> None:
    wrong = []
    for path in python_files():
        place = path.relative_to(PACKAGE).as_posix()
        for line, name in imports_of(path):
            package = layer_of(name)
            stray_home = package in HOMES and HOMES[package] != place
            stray_cli = package in CLI_ONLY and not place.startswith("cli/")
            if stray_home or stray_cli:
                wrong.append(f"{place}:{line}: {package}")
    assert wrong == []


def test_only_the_command_line_prints_or_exits() -> None:
    wrong = []
    for path in python_files():
        place = path.relative_to(PACKAGE).as_posix()
        if place.startswith("cli/") or place in MAY_PRINT:
            continue
        wrong += [f"{place}:{line}: {what}" for line, what in prints_and_exits(path)]
    assert wrong == []


def prints_and_exits(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"print", "exit", "quit", "input"}
        ):
            yield node.lineno, node.func.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in {"sys.exit", "os._exit", "sys.stdout", "sys.stderr"}:
                yield node.lineno, name
        if isinstance(node, ast.Name) and node.id == "SystemExit":
            yield node.lineno, node.id


def test_the_core_includes_only_its_own_headers_and_the_language() -> None:
    own = {path.name for path in CORE.glob("*.h")}
    wrong = []
    for path in sorted(CORE.glob("*.[ch]")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s*([<"])([^">]+)[">]', line)
            if found is None:
                continue
            kind, name = found.groups()
            fits = name in CORE_SYSTEM_HEADERS if kind == "<" else name in own or name == "port_config.h"
            if not fits:
                wrong.append(f"{path.name}:{number}: {name}")
    assert wrong == []


def test_the_core_names_no_chip() -> None:
    wrong = []
    for path in sorted(CORE.glob("*.[ch]")):
        code = without_comments(path.read_text())
        wrong += [f"{path.name}: {found.group(0)}" for found in CHIPS.finditer(code)]
    assert wrong == []


def test_no_conditional_stands_inside_a_function_of_the_core() -> None:
    wrong = []
    for path in sorted(CORE.glob("*.c")):
        for name, first, lines in c_functions(path):
            wrong += [
                f"{path.name}:{first}: {name}"
                for line in lines
                if re.match(r"\s*#\s*(if|ifdef|ifndef|else|elif)\b", line)
            ]
    assert wrong == []


def test_files_stay_below_four_hundred_lines() -> None:
    wrong = {}
    for path in sources():
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > FILE_LINES_MAX and path.relative_to(ROOT).as_posix() not in GENERATED | TABLES:
            wrong[path.relative_to(ROOT).as_posix()] = lines
    assert wrong == {}


def test_functions_stay_below_sixty_lines() -> None:
    wrong = {}
    for path in sources():
        place = path.relative_to(ROOT).as_posix()
        if place in GENERATED:
            continue
        functions = python_functions(path) if path.suffix in {".py", ""} else c_functions(path)
        wrong |= {
            f"{place}:{first}: {name}": len(lines)
            for name, first, lines in functions
            if len(lines) > FUNCTION_LINES_MAX
        }
    assert wrong == {}


@pytest.mark.parametrize("path", python_files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_says_first_what_lives_in_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def sources() -> list[Path]:
    firmware = [*(ROOT / "firmware").rglob("*.[ch]"), *(ROOT / "tests" / "fuzz").glob("*.[ch]")]
    python = [*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]
    scripts = [path for path in (ROOT / "tools").iterdir() if path.is_file() and not path.suffix and is_python(path)]
    return sorted(path for path in (*firmware, *python, *scripts) if "build" not in path.relative_to(ROOT).parts)


def is_python(path: Path) -> bool:
    return path.read_text(encoding="utf-8").startswith("#!/usr/bin/env python3")


def python_functions(path: Path) -> Iterator[tuple[str, int, list[str]]]:
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, lines[node.lineno - 1 : node.end_lineno]


def c_functions(path: Path) -> Iterator[tuple[str, int, list[str]]]:
    """Functions by the layout of the house: outside them no line ends in ") {", and they close with } in column 0."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start: int | None = None
    for number, line in enumerate(lines):
        if start is None and re.search(r"\)\s*\{$", line):
            start = number
        elif start is not None and line.startswith("}"):
            found = re.search(r"(\w+)\(", lines[start])
            yield (found.group(1) if found else "?"), start + 1, lines[start : number + 1]
            start = None


def without_comments(code: str) -> str:
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", code, flags=re.DOTALL)
