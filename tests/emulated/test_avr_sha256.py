"""The assembler form of SHA-256 against hashlib, on an emulated ATmega328P."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
BLOCKS = 6


def pattern(blocks: int) -> bytes:
    return bytes((7 * i + 91 * n) % 256 for n in range(blocks) for i in range(64))


@pytest.mark.parametrize("source", ["ports/avr/sha256.S", "core/sha256.c"])
def test_digests_agree_with_hashlib(source: str, tmp_path: Path) -> None:
    program = tmp_path / "driver.elf"
    compile_ = ["avr-gcc", "-mmcu=atmega328p", "-std=c99", "-Os", f"-I{FIRMWARE}/core", f"-I{FIRMWARE}/ports/null"]
    files = [str(Path(__file__).with_name("sha256_driver.c")), str(FIRMWARE / source)]
    subprocess.run([*compile_, *files, "-o", str(program)], check=True)
    command = ["simavr", "-m", "atmega328p", "-f", "16000000", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    printed = re.findall(r"[0-9a-f]{64}", done.stdout + done.stderr)
    assert printed == [hashlib.sha256(pattern(blocks)).hexdigest() for blocks in range(BLOCKS)]
