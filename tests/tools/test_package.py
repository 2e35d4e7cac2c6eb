"""tools/package: what it builds is complete, holds nothing else, and works where no source tree is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from otaflash import __version__
from otaflash.cli.commands import otaflash as top

ROOT = Path(__file__).resolve().parents[2]
WHEELHOUSE = ROOT / "build/wheelhouse"
BLINK_OLD = ROOT / "firmware/app/blink/blink-1.0.0.hex"
BLINK = ROOT / "firmware/app/blink/blink-1.1.0.hex"
VENV = Path(sys.prefix)
EXAMPLE = ROOT / "docs/examples/update_test/test_update.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with source archive and wheel; the wheel is built out of the archive, in isolation."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([ROOT / "tools/package", folder], check=True, stdout=subprocess.DEVNULL, env=surroundings(VENV))
    return folder


@pytest.fixture(scope="module")
def clean(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that holds the wheel, what it needs, and pytest."""
    home = tmp_path_factory.mktemp("clean")
    venv.create(home, with_pip=False, symlinks=True)
    wheel = next(made.glob("*.whl"))
    words = ["-m", "pip", "--python", home / "bin/python", "install", "-q", "--no-index", "--find-links", WHEELHOUSE]
    subprocess.run([sys.executable, *words, wheel, "pytest"], check=True, env=surroundings(VENV))
    return home


def surroundings(home: Path) -> dict[str, str]:
    """The environment of a shell in which the virtual environment at `home` is active, and nothing else."""
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in ("HOME", "OTAFLASH_STATE_DIR") if name in os.environ}
    return {**kept, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def run(clean: Path, folder: Path, *words: str | Path) -> str:
    """Standard output of a program of the clean environment, run in `folder`; it must end well."""
    ended = subprocess.run(
        [clean / "bin" / str(words[0]), *words[1:]],
        cwd=folder,
        env=surroundings(clean),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_one_wheel_serves_every_python_from_3_11_on(made: Path) -> None:
    wheel = next(made.glob("*.whl")).name
    assert wheel.startswith(f"otaflash-{__version__}-cp311-abi3-")
    assert sys.platform != "linux" or "manylinux" in wheel


def test_the_wheel_holds_the_package_whole_and_nothing_else(made: Path) -> None:
    with zipfile.ZipFile(next(made.glob("*.whl"))) as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "otaflash").rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".so", ".pyd", ".o", ".c", ".md"}
    }
    extension = {name for name in names if re.fullmatch(r"otaflash/sim/_native\.(abi3\.so|pyd)", name)}
    assert len(extension) == 1
    assert {name for name in names if name.startswith("otaflash/")} - extension == ours
    rest = {name.split("/")[0] for name in names if not name.startswith("otaflash/")}
    assert rest == {f"otaflash-{__version__}.dist-info", f"otaflash-{__version__}.data"}


def test_the_source_archive_holds_what_a_build_needs_and_nothing_else(made: Path) -> None:
    with tarfile.open(next(made.glob("*.tar.gz"))) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    folders = {"/".join(name.split("/")[:2]) for name in names if "/" in name and not name.startswith("otaflash")}
    assert folders == {"firmware/core", "firmware/ports", "tools/packaging"}
    assert {name.split("/")[2] for name in names if name.startswith("firmware/ports/")} == {"host"}
    assert [name for name in names if re.search(r"\.(so|pyd|o|pyc)$|__pycache__|(^|/)tests?/", name)] == []
    assert {"LICENSE", "README.md", "pyproject.toml", "tools/packaging/otaflash.1"} <= set(names)


def test_an_installed_otaflash_tells_its_version_and_comes_from_the_wheel(clean: Path, tmp_path: Path) -> None:
    assert run(clean, tmp_path, "otaflash", "--version").strip().endswith(__version__)
    place = run(clean, tmp_path, "python", "-c", "import otaflash; print(otaflash.__file__)").strip()
    assert Path(place).is_relative_to(clean)


def test_an_installed_otaflash_pushes_and_is_asked_what_runs(clean: Path, tmp_path: Path) -> None:
    shutil.copy(BLINK, tmp_path / "firmware.hex")
    port = ("--port", "sim:atmega328p?state=board.bin")
    run(clean, tmp_path, "otaflash", "push", "firmware.hex", "--version", "1.1.0", *port)
    assert re.search(r"version +1\.1\.0", run(clean, tmp_path, "otaflash", "info", *port))


def test_the_data_of_the_package_are_installed_too(clean: Path, tmp_path: Path) -> None:
    assert "Intel HEX" in run(clean, tmp_path, "otaflash", "explain", "hex-character")
    assert "_OTAFLASH_COMPLETE" in run(clean, tmp_path, "otaflash", "completion", "bash")


def test_the_pytest_plug_in_works_in_the_tests_of_others(clean: Path, tmp_path: Path) -> None:
    shutil.copy(EXAMPLE, tmp_path)
    (tmp_path / "build").mkdir()
    shutil.copy(BLINK_OLD, tmp_path / "build" / "v1.hex")
    shutil.copy(BLINK, tmp_path / "build" / "v2.hex")
    assert " passed" in run(clean, tmp_path, "pytest", "-p", "no:cacheprovider")


def test_the_manual_page_is_installed_and_has_every_command(clean: Path) -> None:
    page = (clean / "share/man/man1/otaflash.1").read_text()
    for path, command in top.every_command():
        if not hasattr(command, "commands"):
            assert f".SS otaflash {' '.join(path)} ".replace("-", r"\-") in page + " "


def test_each_extra_that_is_declared_brings_something(clean: Path, tmp_path: Path) -> None:
    code = (
        "import importlib.metadata as m; d = m.metadata('otaflash'); extras = d.get_all('Provides-Extra');"
        "print(*(e for e in extras if not any(f'extra == \"{e}\"' in r for r in d.get_all('Requires-Dist'))))"
    )
    assert run(clean, tmp_path, "python", "-c", code).split() == []
