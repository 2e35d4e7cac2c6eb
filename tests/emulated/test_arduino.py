"""Programs that others wrote, on the Arduino core as Debian ships it, pushed to the emulated ATmega328P: they run."""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path

import pytest

from otaflash.engine import Operation
from otaflash.image.build import Image
from otaflash.wire.messages import BootState
from tests.emulated.avr import AvrBoard
from tests.emulated.avr_apps import image_of
from tests.emulated.avr_host import ask, push
from tests.emulated.board import run_until

AVR = Path("/usr/share/arduino/hardware/arduino/avr")
"""Debian's arduino-core-avr."""
CORE = AVR / "cores" / "arduino"
UNO = ("-mmcu=atmega328p", "-DF_CPU=16000000L", "-DARDUINO=10819", "-DARDUINO_AVR_UNO", "-DARDUINO_ARCH_AVR")
BOTH = ("-c", "-Os", "-w", "-ffunction-sections", "-fdata-sections", f"-I{CORE}", f"-I{AVR}/variants/standard")
CXX = ("-std=gnu++11", "-fno-exceptions", "-fno-threadsafe-statics", "-DDECIMAL_DIG=__DECIMAL_DIG__")


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The core's objects, with the flags of its platform.txt for an Uno."""
    folder = tmp_path_factory.mktemp("core")
    subprocess.run(["avr-gcc", *UNO, *BOTH, "-std=gnu11", *sorted(CORE.glob("*.c"))], cwd=folder, check=True)
    subprocess.run(["avr-g++", *UNO, *BOTH, *CXX, *sorted(CORE.glob("*.cpp"))], cwd=folder, check=True)
    return sorted(map(str, folder.glob("*.o")))


def sketch(core: list[str], folder: Path, library: str, example: str, prototypes: str = "") -> Image:
    """An example of one of the core's libraries, built as the Arduino IDE does: its prototypes in front."""
    place = AVR / "libraries" / library
    unit = folder / "sketch.cpp"
    unit.write_text(f'#include <Arduino.h>\n{prototypes}\n#include "{place}/examples/{example}/{example}.ino"\n')
    command = ["avr-g++", *UNO, *BOTH, *CXX, f"-I{place}/src", unit, *sorted((place / "src").glob("*.cpp"))]
    subprocess.run(command, cwd=folder, check=True)
    objects = sorted(map(str, folder.glob("*.o")))
    program, made = folder / "sketch.elf", folder / "sketch.hex"
    subprocess.run(["avr-g++", *UNO, "-Wl,--gc-sections", *objects, *core, "-lm", "-o", program], check=True)
    subprocess.run(["avr-objcopy", "-O", "ihex", "-R", ".eeprom", program, made], check=True)
    return image_of(made, 1)


def crc_of_a_blank_eeprom() -> bytes:
    """As the sketch makes it, which inverts once a byte where zlib does so once a call, before and behind."""
    crc = 0xFFFFFFFF
    for _ in range(1024):
        crc = zlib.crc32(b"\xff", crc ^ 0xFFFFFFFF)
    return b"%X" % crc


EEPROM_CRC = ("EEPROM", "eeprom_crc", "unsigned long eeprom_crc(void);")
GOODNIGHT = ("SoftwareSerial", "SoftwareSerialExample")


@pytest.mark.parametrize(
    ("which", "words"),
    [(EEPROM_CRC, b"CRC32 of EEPROM data: 0x" + crc_of_a_blank_eeprom()), (GOODNIGHT, b"Goodnight moon!")],
    ids=["eeprom_crc", "SoftwareSerialExample"],
)
def test_a_sketch_of_others_is_pushed_boots_speaks_and_once_confirmed_runs_on(
    core: list[str], tmp_path: Path, which: tuple[str, ...], words: bytes
) -> None:
    board, image = AvrBoard(), sketch(core, tmp_path, *which)
    assert image.image_bytes > 3000
    push(board, image, confirm=False, limit_s=2.0)
    run_until(board, words, 3_000_000)
    # It knows nothing of the trial's watchdog: the loader comes back after 2 s, and a host may decide in its window.
    resets = board.resets
    while board.resets == resets:
        board.run(10_000)
    board.recv()
    confirmed = ask(board, Operation.CONFIRM)
    assert confirmed.result is not None
    assert confirmed.result.info.boot_state == BootState.IDLE
    board.off()
    board.on()
    run_until(board, words, 3_000_000)
    resets = board.resets
    board.run(4_000_000)
    assert board.runs_application
    assert board.resets == resets, "nothing resets a sketch that is confirmed"
