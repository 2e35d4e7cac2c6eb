"""Builds the native boards: firmware/core and firmware/ports/host as the extension otaflash.sim._native. Must import
nothing of otaflash, because the setup script runs this file before the package exists.

`python -m otaflash.sim.build_native` rebuilds in place in a source checkout.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

MODULE = "otaflash.sim._native"
SETUP = "tools/packaging/setup.py"
CORE = Path("firmware/core")
PORT = Path("firmware/ports/host")
HEADERS = ("board.h", "probe.h", "trace.h")

NO_COMPILER = (
    "otaflash builds its simulated boards from C and found no C compiler: install one "
    "(Debian or Ubuntu: apt install gcc; Fedora: dnf install gcc; macOS: xcode-select --install) and try again"
)
NO_PYTHON_HEADERS = (
    "otaflash builds its simulated boards from C and found no Python.h: install the headers of this Python "
    "(Debian or Ubuntu: apt install python3-dev; Fedora: dnf install python3-devel) and try again"
)


def sources(root: Path) -> list[str]:
    """The C files, relative to `root`, as setuptools wants them."""
    return [path.relative_to(root).as_posix() for part in (CORE, PORT) for path in sorted((root / part).glob("*.c"))]


def headers(root: Path) -> list[str]:
    """The headers that the C files include, relative to `root`."""
    return [path.relative_to(root).as_posix() for part in (CORE, PORT) for path in sorted((root / part).glob("*.h"))]


def declarations(root: Path) -> str:
    """What Python sees of the board, read from the headers themselves, so that the two cannot differ.

    Raises ValueError for headers that do not describe the geometry.
    """
    geometry = re.search(r"struct ota_geometry \{.*?\n\};", _text(root / PORT / "port_config.h"), re.DOTALL)
    if geometry is None:
        raise ValueError("port_config.h has no struct ota_geometry")
    return "\n".join([geometry.group(0), *(_without_directives(_text(root / PORT / name)) for name in HEADERS)])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _without_directives(header: str) -> str:
    """A header without its preprocessor lines; board.h and probe.h must need none of them to be read."""
    return re.sub(r"^#(?:.*\\\n)*.*$", "", header, flags=re.MULTILINE)


def missing_tool() -> str | None:
    """One sentence that says what to install before anything can be compiled; None when all is there."""
    if sys.platform == "win32":
        return None  # setuptools finds Visual C++ by the registry, and names it itself when it is not there
    compiler = os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc")
    if shutil.which(compiler.split()[0]) is None:
        return NO_COMPILER
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return NO_PYTHON_HEADERS
    return None


def make_builder(root: Path) -> Any:
    """The cffi builder for the sources under `root`."""
    from cffi import FFI  # type: ignore[import-untyped]  # noqa: PLC0415  # only a build needs it

    builder = FFI()
    builder.cdef(declarations(root))
    builder.set_source(
        MODULE,
        "".join(f'#include "{name}"\n' for name in HEADERS),
        sources=sources(root),
        depends=headers(root),
        include_dirs=[CORE.as_posix(), PORT.as_posix()],
        extra_compile_args=[] if sys.platform == "win32" else ["-std=c99", "-O2"],
        py_limited_api=True,
    )
    return builder


def ffibuilder() -> Any:
    """What the setup script names in cffi_modules; the current folder is then the root of the sources."""
    return make_builder(Path())


def main() -> int:
    """Rebuilds the extension beside this file; exit code 1 where that cannot be done."""
    root = Path(__file__).resolve().parents[2]
    if importlib.util.find_spec("setuptools") is None:
        print("rebuilding needs setuptools: pip install setuptools", file=sys.stderr)
        return 1
    problem = missing_tool() if (root / SETUP).exists() else "only a source checkout can rebuild the simulated boards"
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1
    command = [sys.executable, SETUP, "-q", "build_ext", "--inplace", "--force"]
    return subprocess.run(command, cwd=root, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
