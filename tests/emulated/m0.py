"""m0, the example program of the Cortex-M (firmware/app/m0), compiled for the slot of an nRF51822 or an nRF52832."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

from otaflash.bench.link import slot_of
from otaflash.image.build import Image, build_image
from otaflash.image.data import Firmware, Segment
from otaflash.sim.profiles import NRF51822, NRF52832, Profile
from otaflash.wire.messages import Version

ROOT = Path(__file__).resolve().parents[2]
APPLICATION = ROOT / "firmware" / "app" / "m0"
M0 = ("-mthumb", "-std=c99", "-Os", "-ffreestanding", "-nostdlib", "-Wall", "-Wextra", "-Werror")
TARGETS = {
    NRF51822.name: ("-mcpu=cortex-m0", "-I../../ports/nrf51"),
    NRF52832.name: ("-mcpu=cortex-m4", "-I../../ports/nrf52", "-DPIN_TXD=6U", "-DPIN_RXD=8U"),
}
INCLUDES = ("-I../../core", "-I../../ports/nrf", "-ffunction-sections", "-Wl,--gc-sections")
CORE = tuple(str(path) for path in sorted((ROOT / "firmware" / "core").glob("*.c")))
PLAIN = ("m0.c",)
"""Says its name, and knows nothing of the loader."""
ANSWERING = (
    "-I../otaflash/src",
    "-DOTAFLASH_LINKED",
    "answers.c",
    "../linked.c",
    "../../ports/nrf/port.c",
    "../../ports/nrf/memory.S",
    *CORE,
)
"""Answers requests, by the loader's own core."""
STAGING = ("-DM0_RAM_BYTES=OTAFLASH_STAGES_BYTES", "-DM0_KEEPS_AFTER=3", *ANSWERING)
"""The same; takes updates while it runs, and keeps itself."""


def to_binary(program: Path) -> bytes:
    raw = program.with_suffix(".bin")
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", str(program), str(raw)], check=True)
    return raw.read_bytes()


def compiled(folder: Path, version: str, sources: tuple[str, ...] = PLAIN, board: str = NRF51822.name) -> Path:
    """The ELF of m0."""
    program = folder / f"m0-{version}.elf"
    define = f'-DM0_VERSION="{version}"'
    subprocess.run(
        [
            "arm-none-eabi-gcc",
            *TARGETS[board],
            *M0,
            "-Wl,--build-id=none",
            define,
            *INCLUDES,
            *sources,
            "-Tm0.ld",
            "-lgcc",
            "-o",
            str(program),
        ],
        cwd=APPLICATION,
        check=True,
    )
    return program


def application(
    folder: Path, version: str, count: int, sources: tuple[str, ...] = PLAIN, known: Profile = NRF51822
) -> Image:
    """m0, with constants behind it up to `count` bytes."""
    code = to_binary(compiled(folder, version, sources, known.name))
    data = Firmware((Segment(known.slot_base, code + random.Random(version).randbytes(count - len(code))),), None)
    return build_image(data, slot_of(known), version=Version(int(version[0]), 0, 0, 0), counter=1)
