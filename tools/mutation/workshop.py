"""Makes a mutant: a copy of package and tests with its changes, and for C the native core compiled with them."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mutation.catalogue import ROOT, Mutant, Unusable, changed_files

COPIED = ("otaflash", "tests", "pyproject.toml")
"""What a mutant has for itself; the rest of the tree is shared with it by links, and read only."""

EXTENSION = "otaflash/sim/_native.abi3.so"


class Workshop:
    """Compiles the host core once if `cores` are to be made, and for each mutant only what it changes.

    `right` is the copy without a change."""

    def __init__(self, folder: Path, *, cores: bool) -> None:
        self._folder = folder
        self.right = folder / "right"
        _copy_tree(ROOT, self.right)
        self._objects = _compile_all(folder) if cores else {}
        if cores:
            _link_extension(self._objects, self.right / EXTENSION)

    def make(self, mutant: Mutant) -> Path:
        """The root of a tree with the mutant in it; the caller removes it. Raises Unusable."""
        files = changed_files(mutant)
        root = self._folder / "mutants" / mutant.name
        _copy_tree(self.right, root)
        if mutant.is_core:
            (root / "firmware").unlink()
            shutil.copytree(ROOT / "firmware", root / "firmware")
        for file, text in files.items():
            (root / file).write_text(text, encoding="utf-8")
            for stale in (root / file).parent.glob(f"__pycache__/{Path(file).stem}.*"):
                stale.unlink()  # a change within the second that keeps the length would look like none
        if mutant.is_core:
            changed = [root / file for file in files if file.endswith(".c")]
            objects = {source.name: _compile(source, source.with_suffix(".o"), root) for source in changed}
            _link_extension({**self._objects, **objects}, root / EXTENSION)
        return root


def _compile_all(folder: Path) -> dict[str, Path]:
    """The objects of the host core and of its glue, by the name of their source."""
    from otaflash.sim.build_native import make_builder, sources  # noqa: PLC0415  # the script sets the path to it

    glue = folder / "glue.c"
    with contextlib.redirect_stdout(None):  # it tells what it writes
        make_builder(ROOT).emit_c_code(str(glue))
    jobs = [glue, *(ROOT / path for path in sources(ROOT))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = pool.map(lambda source: _compile(source, folder / f"{source.stem}.o", ROOT), jobs)
        return dict(zip((source.name for source in jobs), objects, strict=True))


def _copy_tree(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.name in COPIED and path.is_dir():
            shutil.copytree(path, target / path.name, ignore=shutil.ignore_patterns("_native*.c"))
        elif path.name in COPIED:
            shutil.copy2(path, target / path.name)
        elif not path.name.startswith("."):
            (target / path.name).symlink_to(path.resolve())


def _compile(source: Path, target: Path, root: Path) -> Path:
    folders = [root / "firmware/core", root / "firmware/ports/host", sysconfig.get_path("include")]
    compiler = shlex.split(os.environ.get("CC") or "cc")
    flags = ["-std=c99", "-O2", "-fPIC", "-w", *(f"-I{name}" for name in folders)]
    _run([*compiler, *flags, "-c", str(source), "-o", str(target)])
    return target


def _link_extension(objects: dict[str, Path], target: Path) -> None:
    target.unlink(missing_ok=True)
    linker = shlex.split(str(sysconfig.get_config_var("LDSHARED") or "cc -shared"))
    _run([*linker, *(str(path) for path in objects.values()), "-o", str(target)])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unusable(f"{command[0]} failed:\n{done.stderr}")
