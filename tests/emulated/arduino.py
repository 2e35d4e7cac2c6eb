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


def core(folder: Path) -> list[Path]:
    """The core's objects, with the flags of its platform.txt for an Uno. Raises CalledProcessError, as all here."""
    return [_compile(folder, path) for path in (*sorted(CORE.glob("*.c")), *sorted(CORE.glob("*.cpp")))]


def sketch(core: list[Path], folder: Path, source: Path) -> Path:
    """The HEX file of a sketch that uses our library, made in `folder`; warnings count."""
    folder.mkdir(exist_ok=True)
    ours = ("-Wall", "-Wextra", "-Werror", f"-I{LIBRARY / 'src'}")
    objects = [_compile(folder, path, *ours) for path in sorted((LIBRARY / "src").glob("*.c"))]
    program = folder / f"{source.stem}.cpp"
    program.write_text(f"#include <Arduino.h>\n#line 1\n{source.read_text()}", encoding="utf-8")
    return _linked(folder / source.stem, [*core, *objects, _compile(folder, program, *ours)])


def example(core: list[Path], folder: Path, library: str, name: str, prototypes: str = "") -> Path:
    """The HEX file of an example of one of the core's libraries, built as the IDE does: its prototypes in front."""
    place = HARDWARE / "libraries" / library
    theirs = ("-w", f"-I{place / 'src'}")
    objects = [_compile(folder, path, *theirs) for path in sorted((place / "src").glob("*.cpp"))]
    program = folder / f"{name}.cpp"
    program.write_text(f'#include <Arduino.h>\n{prototypes}\n#include "{place}/examples/{name}/{name}.ino"\n')
    return _linked(folder / name, [*core, *objects, _compile(folder, program, *theirs)])


def _linked(place: Path, objects: list[Path]) -> Path:
    program, made = place.with_suffix(".elf"), place.with_suffix(".hex")
    subprocess.run(["avr-gcc", *CHIP, "-Os", "-Wl,--gc-sections", "-o", program, *objects, "-lm"], check=True)
    subprocess.run(["avr-objcopy", "-O", "ihex", "-R", ".eeprom", program, made], check=True)
    return made


def _compile(folder: Path, path: Path, *flags: str) -> Path:
    made = folder / f"{path.name}.o"
    compiler = ["avr-gcc", *C_FLAGS] if path.suffix == ".c" else ["avr-g++", *CPP_FLAGS]
    subprocess.run([*compiler, *(flags or ("-w",)), "-c", path, "-o", made], check=True)
    return made
