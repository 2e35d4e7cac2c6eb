"""How the native boards are built: warnings, sanitizers, what is missing, what is stale, what a source package has."""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from otaflash.errors import OtaflashError
from otaflash.sim import build_native, native

ROOT = Path(__file__).resolve().parents[2]
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
SANITIZED = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
CLANG = [found for found in map(shutil.which, ("clang", "clang-14", "clang-15", "clang-16")) if found][:1]


@pytest.mark.parametrize("compiler", [shutil.which("gcc") or "cc", *CLANG])
def test_a_board_lives_through_everything_under_the_sanitizers(compiler: str, tmp_path: Path) -> None:
    program = tmp_path / "exercise"
    folders = [f"-I{ROOT / folder}" for folder in (build_native.CORE, build_native.PORT)]
    sources = [str(ROOT / source) for source in build_native.sources(ROOT)]
    exercise = str(Path(__file__).with_name("native_exercise.c"))
    subprocess.run([compiler, *STRICT, *SANITIZED, *folders, *sources, exercise, "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_python_sees_every_function_of_the_headers() -> None:
    for name in build_native.HEADERS:
        header = (ROOT / build_native.PORT / name).read_text()
        for word in header.replace("(", " ( ").replace("*", " ").split(" ( ")[:-1]:
            function = word.split()[-1]
            if function.startswith("board_"):
                assert hasattr(native._lib, function), function


def test_without_a_compiler_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    assert build_native.missing_tool() == build_native.NO_COMPILER
    assert "apt install gcc" in build_native.NO_COMPILER


def test_without_the_headers_of_python_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build_native.sysconfig, "get_path", lambda name: str(tmp_path))
    assert build_native.missing_tool() == build_native.NO_PYTHON_HEADERS


def test_with_all_tools_nothing_is_said_to_be_missing() -> None:
    assert build_native.missing_tool() is None


def checkout(folder: Path) -> Path:
    """A source tree of one file and an extension; returns the extension's path."""
    extension = folder / "otaflash" / "sim" / "_native.abi3.so"
    source = folder / "firmware" / "core" / "ota.c"
    for path in (extension, source):
        path.parent.mkdir(parents=True)
        path.touch()
    os.utime(source, (1000, 1000))
    return extension


def test_an_extension_younger_than_its_sources_is_used(tmp_path: Path) -> None:
    extension = checkout(tmp_path)
    os.utime(extension, (1001, 1001))
    native._require_fresh(extension)


def test_a_stale_extension_is_refused_with_the_command_that_rebuilds_it(tmp_path: Path) -> None:
    extension = checkout(tmp_path)
    os.utime(extension, (999, 999))
    with pytest.raises(OtaflashError, match=r"older than ota\.c") as caught:
        native._require_fresh(extension)
    assert "python -m otaflash.sim.build_native" in caught.value.remedy


def test_an_installed_extension_has_no_sources_to_be_older_than(tmp_path: Path) -> None:
    extension = checkout(tmp_path)
    shutil.rmtree(tmp_path / "firmware")
    native._require_fresh(extension)


def test_an_extension_that_is_not_there_is_missed_in_one_sentence() -> None:
    hidden = "import sys; sys.modules['otaflash.sim._native'] = None; import otaflash.sim.native"
    done = subprocess.run([sys.executable, "-c", hidden], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "OtaflashError: the simulated boards are not built" in done.stderr


def test_a_source_package_holds_the_c_files(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("pyproject.toml", "LICENSE"):
        tree.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tree)
    (tree / "README.md").write_text("otaflash\n")
    for name in ("firmware", "otaflash", "protocol", "tools"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    command = [sys.executable, build_native.SETUP, "-q", "sdist", "--dist-dir", str(tmp_path)]
    subprocess.run(command, cwd=tree, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("otaflash-*.tar.gz"))) as package:
        held = {name.split("/", 1)[1] for name in package.getnames() if "/" in name}
    assert {
        *build_native.sources(ROOT),
        *build_native.headers(ROOT),
        build_native.SETUP,
        "tools/packaging/backend.py",
    } <= held
