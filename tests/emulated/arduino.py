"""Compiles a sketch on the Arduino core of Debian (arduino-core-avr), as the Arduino tools do for an Uno."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.emulated.avr import ROOT

HARDWARE = Path("/usr/share/arduino/hardware/arduino/avr")
CORE = HARDWARE / "cores" / "arduino"
LIBRARY = ROOT / "firmware" / "app" / "otaflash"
CHIP = ("-mmcu=atmega328p", "-DF_CPU=16000000L", "-DARDUINO=10819", "-DARDUINO_AVR_UNO", "-DARDUINO_ARCH_AVR")
FLAGS = ("-Os", "-ffunction-sections", "-fdata-sections", f"-I{CORE}", f"-I{HARDWARE / 'variants' / 'standard'}")
C_FLAGS = ("-std=gnu11", *CHIP, *FLAGS)
# The core names DECIMAL_DIG, which this compiler has in C alone.
DIGITS = "-DDECIMAL_DIG=__DECIMAL_DIG__"
CPP_FLAGS = ("-std=gnu++11", "-fno-exceptions", "-fno-threadsafe-statics", DIGITS, *CHIP, *FLAGS)


def sketch(folder: Path, source: Path) -> Path:
    """The HEX file of a sketch that uses the library, made in `folder`. Raises CalledProcessError; warnings count."""
    folder.mkdir(exist_ok=True)
    objects = [_compile(folder, path) for path in (*sorted(CORE.glob("*.c")), *sorted(CORE.glob("*.cpp")))]
    ours = ("-Wall", "-Wextra", "-Werror", f"-I{LIBRARY / 'src'}")
    objects += [_compile(folder, path, *ours) for path in sorted((LIBRARY / "src").glob("*.c"))]
    program = folder / f"{source.stem}.cpp"
    program.write_text(f"#include <Arduino.h>\n#line 1\n{source.read_text()}", encoding="utf-8")
    objects.append(_compile(folder, program, *ours))
    made = folder / f"{source.stem}.elf"
    subprocess.run(["avr-gcc", *CHIP, "-Os", "-Wl,--gc-sections", "-o", made, *objects, "-lm"], check=True)
    subprocess.run(["avr-objcopy", "-O", "ihex", "-R", ".eeprom", made, made.with_suffix(".hex")], check=True)
    return made.with_suffix(".hex")


def _compile(folder: Path, path: Path, *flags: str) -> Path:
    made = folder / f"{path.name}.o"
    compiler = ["avr-gcc", *C_FLAGS] if path.suffix == ".c" else ["avr-g++", *CPP_FLAGS]
    subprocess.run([*compiler, *(flags or ("-w",)), "-c", path, "-o", made], check=True)
    return made
