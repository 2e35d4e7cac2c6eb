"""The assembler forms of SHA-256 and CRC-32 against hashlib and zlib, on an emulated ATmega328P."""

from __future__ import annotations

import hashlib
import re
import subprocess
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
BLOCKS = 12
CRC_BYTES = 40
SEEDS = (1, 0x5EED)


def sequence(seed: int, count: int) -> bytes:
    """What the drivers draw."""
    drawn = bytearray()
    for _ in range(count):
        seed = (seed * 1664525 + 1013904223) % (1 << 32)
        drawn.append(seed >> 24)
    return bytes(drawn)


def printed(driver: str, source: str, seed: int, folder: Path) -> str:
    """What the driver says of the routine in `source`."""
    program = folder / "driver.elf"
    flags = ["-mmcu=atmega328p", "-std=c99", "-Os", f"-DSEED={seed}UL"]
    flags += [f"-I{FIRMWARE}/core", f"-I{FIRMWARE}/ports/null"]
    files = [str(Path(__file__).with_name(driver)), str(FIRMWARE / source)]
    subprocess.run(["avr-gcc", *flags, *files, "-o", str(program)], check=True)
    command = ["simavr", "-m", "atmega328p", "-f", "16000000", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("source", ["ports/avr/sha256.S", "core/sha256.c"])
def test_digests_agree_with_hashlib(source: str, seed: int, tmp_path: Path) -> None:
    digests = re.findall(r"[0-9a-f]{64}", printed("sha256_driver.c", source, seed, tmp_path))
    message = sequence(seed, 64 * BLOCKS)
    assert digests == [hashlib.sha256(message[: 64 * blocks]).hexdigest() for blocks in range(BLOCKS)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("source", ["ports/avr/crc32.S", "core/crc32.c"])
def test_crcs_agree_with_zlib(source: str, seed: int, tmp_path: Path) -> None:
    crcs = re.findall(r"([0-9a-f]{8})\.", printed("crc32_driver.c", source, seed, tmp_path))
    message = sequence(seed, CRC_BYTES)
    assert crcs == [f"{zlib.crc32(message[:count]):08x}" for count in range(CRC_BYTES + 1)]
