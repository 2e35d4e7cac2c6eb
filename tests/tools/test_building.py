"""Building the ports: what build.toml must say, that kept loaders are what the sources give, the budget of bytes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PORTS = sorted(
    path.parent.name + path.stem.removeprefix("build") for path in (ROOT / "firmware" / "ports").glob("*/build*.toml")
)

BUILD = """
compiler = "gcc"
size = "size"
objcopy = "objcopy"
flags = ["-nostdlib", "-static", "-Wl,-emain"]
core = []
sources = ["port.c"]
features = ["raw"]
flash_limit = {limit}
ram_limit = 0
"""


def run(root: Path, tool: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "tools" / tool), *args], capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A checkout with one port, small enough to be built here by the host's own compiler."""
    for name in ("tools", "firmware/core"):
        shutil.copytree(ROOT / name, tmp_path / name)
    folder = tmp_path / "firmware" / "ports" / "mine"
    folder.mkdir(parents=True)
    (folder / "port_config.h").write_text("#define OTA_ROM const\n")
    (folder / "port.c").write_text("int main(void)\n{\n    return 0;\n}\n")
    (folder / "build.toml").write_text(BUILD.format(limit=100_000))
    return tmp_path


def test_a_loader_is_built_and_kept_and_the_same_sources_give_the_same_bytes(house: Path) -> None:
    kept = house / "firmware/ports/mine/mine.hex"
    assert run(house, "build_firmware").returncode == 0
    first = kept.read_bytes()
    assert first.endswith(b":00000001FF\r\n")
    assert run(house, "build_firmware").returncode == 0
    assert kept.read_bytes() == first
    assert run(house, "build_firmware", "--check").returncode == 0


def test_check_names_a_kept_loader_that_is_stale_and_leaves_it_alone(house: Path) -> None:
    kept = house / "firmware/ports/mine/mine.hex"
    kept.write_text(":00000001FF\n")
    done = run(house, "build_firmware", "--check")
    assert done.returncode == 1
    assert "mine.hex is not what its sources give" in done.stderr
    assert kept.read_text() == ":00000001FF\n"


def test_a_loader_over_its_limit_is_refused_with_both_numbers(house: Path) -> None:
    (house / "firmware/ports/mine/build.toml").write_text(BUILD.format(limit=1))
    done = run(house, "build_firmware")
    assert done.returncode == 1
    assert "of flash, its limit is 1 B" in done.stderr
    assert not (house / "firmware/ports/mine/mine.hex").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("size = ", "weight = "), "size"),
        (("port.c", "gone.c"), "no such file: gone.c"),
        (('"gcc"', '"no-such-gcc"'), "no-such-gcc is not installed"),
        (('"-nostdlib"', '"--no-such-flag"'), "--no-such-flag"),
        (("compiler =", "compiler"), "build.toml"),
    ],
)
def test_a_wrong_build_toml_is_named(house: Path, change: tuple[str, str], said: str) -> None:
    path = house / "firmware/ports/mine/build.toml"
    path.write_text(path.read_text().replace(*change))
    done = run(house, "build_firmware")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_port_is_refused_and_the_known_are_listed(house: Path) -> None:
    done = run(house, "build_firmware", "pdp11")
    assert done.returncode == 1
    assert "no port pdp11; there are mine" in done.stderr


@pytest.mark.slow
def test_the_loaders_that_are_kept_are_what_the_sources_give() -> None:
    done = run(ROOT, "build_firmware", "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_no_loader_grew_beyond_the_bytes_that_are_kept() -> None:
    done = run(ROOT, "sizes", "--check")
    assert done.returncode == 0, done.stderr
    assert set(PORTS) < set(tomllib.loads((ROOT / "firmware/sizes.toml").read_text(encoding="utf-8")))


@pytest.mark.slow
def test_growth_is_named_with_the_bytes_before_and_after(tmp_path: Path) -> None:
    for name in ("tools", "firmware"):
        shutil.copytree(ROOT / name, tmp_path / name)
    kept = tmp_path / "firmware/sizes.toml"
    kept.write_text('["core, AVR"]\nflash_bytes = 10\nram_bytes = 100000\n')
    done = run(tmp_path, "sizes", "--check")
    assert done.returncode == 1
    assert "core, AVR: " in done.stderr
    assert "10 B are kept: say why" in done.stderr
