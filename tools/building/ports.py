"""Builds a port of the bootloader from its build.toml: compile, link, count, write as Intel HEX. Knows no chip."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "firmware" / "core"
PORTS = ROOT / "firmware" / "ports"

# Paths and times stay out of the program, so that the same compiler gives the same bytes on any machine.
COMMON_FLAGS = (
    *("-std=c99", "-Os", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections", "-Wl,--build-id=none"),
    *("-Wall", "-Wextra", "-Wconversion", "-Werror"),
)


class BuildError(Exception):
    """A port that cannot be built: its build.toml is wrong, a tool is missing, or the compiler refuses."""


@dataclass(frozen=True, slots=True)
class Port:
    """What build.toml says: the tools of a chip, what is compiled, and what it may take (bytes; 0: no limit)."""

    name: str
    folder: Path
    compiler: str
    size: str
    objcopy: str
    flags: tuple[str, ...]
    sources: tuple[Path, ...]
    features: tuple[str, ...]
    flash_limit: int
    ram_limit: int
    defines: Mapping[str, int]
    """Numbers that a builder may change, by the name that the sources have for them."""

    def defining(self, changed: Mapping[str, int]) -> Port:
        """The same port with other numbers. Raises BuildError where it has no such name."""
        unknown = set(changed) - set(self.defines)
        if unknown:
            known = ", ".join(self.defines) or "none"
            raise BuildError(f"{self.name} defines no {', '.join(sorted(unknown))}; what may be changed: {known}")
        return replace(self, defines={**self.defines, **changed})

    @property
    def hex_path(self) -> Path:
        """The loader as it is kept in the repository, for a programmer."""
        return self.folder / f"{self.name}.hex"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes that a linked program takes: flash is code, constants and first values; RAM is static, without stack."""

    flash_bytes: int
    ram_bytes: int


def read_table(path: Path) -> dict[str, Any]:
    """What a build states. ``build-NAME.toml`` says what it has other than build.toml, and flags that it adds; its
    `scheme` takes the place of ``scheme_none.c`` in a list of the core's files, its `link` that of link.ld."""
    table = tomllib.loads((path.parent / "build.toml").read_text(encoding="utf-8"))
    if path.name == "build.toml":
        return table
    own = tomllib.loads(path.read_text(encoding="utf-8"))
    if "core" in table:
        scheme = f"scheme_{own['scheme']}.c"
        table["core"] = [scheme if name == "scheme_none.c" else name for name in table["core"]]
    script = f"-T{own.get('link', 'link.ld')}"
    flags = [script if flag == "-Tlink.ld" else flag for flag in table["flags"]]
    return {**table, **own, "flags": [*flags, *own["flags"]]}


def read_port(path: Path) -> Port:
    """The port that is built as `path` says. Raises BuildError where a field or a file that it names is missing."""
    folder, name = path.parent, path.parent.name + path.stem.removeprefix("build")
    try:
        table = read_table(path)
        core = [CORE / name for name in table["core"]] if "core" in table else sorted(CORE.glob("*.c"))
        sources = (*core, *(folder / name for name in table["sources"]))
        port = Port(
            name=name,
            folder=folder,
            compiler=str(table["compiler"]),
            size=str(table["size"]),
            objcopy=str(table["objcopy"]),
            flags=tuple(table["flags"]),
            sources=sources,
            features=tuple(table["features"]),
            flash_limit=int(table["flash_limit"]),
            ram_limit=int(table["ram_limit"]),
            defines={name: int(number) for name, number in table.get("defines", {}).items()},
        )
    except (KeyError, tomllib.TOMLDecodeError) as error:
        raise BuildError(f"{folder.name}/{path.name}: {error}") from error
    absent = [source.name for source in sources if not source.is_file()]
    if absent:
        raise BuildError(f"{folder.name}/{path.name}: no such file: {', '.join(absent)}")
    return port


def all_ports() -> list[Port]:
    """Every port of a chip, by name, in every build that it has; those of no chip (host, null) have no build.toml."""
    return sorted((read_port(path) for path in PORTS.glob("*/build*.toml")), key=lambda port: port.name)


def run(command: list[str], folder: Path) -> str:
    """Output of a tool. Raises BuildError with what it said."""
    if shutil.which(command[0]) is None:
        raise BuildError(f"{command[0]} is not installed; tools/test installs it")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{command[0]}: exit {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def link(port: Port, program: Path) -> None:
    """Compiles and links `port` into the ELF file `program`. Raises BuildError."""
    includes = ["-I../../core", "-I."]
    sources = [os.path.relpath(path, port.folder) for path in port.sources]
    defines = [f"-D{name}={number}UL" for name, number in port.defines.items()]
    command = [port.compiler, *COMMON_FLAGS, *defines, *includes, *sources, *port.flags, "-o", str(program)]
    run(command, port.folder)


def sizes(port: Port, program: Path) -> Sizes:
    """What the linked `program` takes, by the size tool in Berkeley's form: text, data, bss."""
    line = run([port.size, str(program)], port.folder).splitlines()[1]
    text, data, bss = (int(word) for word in re.split(r"\s+", line.strip())[:3])
    return Sizes(text + data, data + bss)


def write_hex(port: Port, program: Path, to: Path) -> None:
    """`program` as Intel HEX, what a programmer takes."""
    run([port.objcopy, "-O", "ihex", str(program), str(to)], port.folder)
