"""ELF: what lies in flash is taken, and nothing else; what is wrong is refused by name."""

from __future__ import annotations

import subprocess
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otaflash.errors import ImageError
from otaflash.image.data import Segment
from otaflash.image.elffile import parse_elf
from otaflash.image.hexfile import read_hex
from tests.image.elves import ARM, NOTE, RELOCATABLE, X86, Extra, Part, elf

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Part(0x100, b"program!")


def patched(content: bytes, at: int, new: bytes) -> bytes:
    return content[:at] + new + content[at + len(new) :]


def about(text: str) -> bytes:
    return elf([PROGRAM], [Extra(".otaflash", text.encode())])


REFUSED = {
    "a file that ends within its header": (elf([PROGRAM])[:51], "elf-truncated", "header"),
    "a 64-bit file": (patched(elf([PROGRAM]), 4, b"\x02"), "elf-64-bit", "64-bit"),
    "a big-endian file": (patched(elf([PROGRAM]), 5, b"\x02"), "elf-big-endian", "big-endian"),
    "an object file": (elf([PROGRAM], type=RELOCATABLE), "elf-not-linked", "not linked"),
    "a file cut within the program": (elf([Part(0, bytes(900))], sections=False)[:500], "elf-truncated", "500 bytes"),
    "a file cut within its section headers": (elf([PROGRAM])[:-30], "elf-malformed", "headers"),
    "an endless table of programs": (patched(elf([PROGRAM]), 44, b"\xfe\xff"), "elf-malformed", "headers"),
    "a program without bytes": (elf([Part(0, b"", memory=16)]), "elf-no-program", "nothing to load"),
    "a file with notes alone": (elf([Part(0, b"note", kind=NOTE)]), "elf-no-program", "nothing to load"),
    "two parts for one address": (elf([Part(0, b"abcd"), Part(3, b"e")]), "elf-overlap", "0x00000003"),
    "a part above 32 bits": (elf([Part(0xFFFF_FFFE, b"abcd")], machine=X86), "elf-address-range", "32-bit"),
    "data of an ARM without a place in flash": (
        elf([Part(0x8000, b"abcd"), Part(0x2000_0000, b"data")], machine=ARM),
        "elf-in-ram",
        "4 bytes",
    ),
    "data of an AVR without a place in flash": (elf([Part(0, b"ab"), Part(0x80_0100, b"d")]), "elf-in-ram", "RAM"),
    "a statement that is not known": (about("verison=1.2.3\n"), "elf-about", "'verison'"),
    "a version that is none": (about("version=one\n"), "elf-about", "'one'"),
    "a board that is none": (about("board=a-name-that-is-too-long\n"), "elf-about", "board name"),
    "two versions": (about("version=1.0.0\nversion=1.0.1\n"), "elf-about", "two values"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_by_name(what: str) -> None:
    content, reason, words = REFUSED[what]
    with pytest.raises(ImageError) as caught:
        parse_elf(content)
    assert caught.value.reason == reason
    assert words in caught.value.text


def test_data_is_taken_where_it_lies_in_flash_and_bss_is_not_taken() -> None:
    found = parse_elf(
        elf(
            [
                Part(0x8000, bytes(range(64))),
                Part(0x8040, b"data", runs_at=0x2000_0000, name=".data"),
                Part(0x2000_0004, b"", memory=400, name=".bss"),
            ],
            machine=ARM,
            entry=0x8011,
        )
    )
    assert found.segments == (Segment(0x8000, bytes(range(64)) + b"data"),)
    assert (found.start, found.about.machine, found.kind) == (0x8010, "ARM", "elf")  # bit 0 says Thumb


def test_an_elf_header_that_the_linker_loads_too_is_left_out() -> None:
    content = elf([Part(0x8000, b"program!")])
    at = content.index(b"program!")
    whole = patched(content, 52, pack("<6I", 1, 0, 0x8000 - at, 0x8000 - at, at + 8, at + 8))
    assert parse_elf(whole).segments == (Segment(0x8000, b"program!"),)


def test_without_section_headers_the_program_headers_alone_say_what_is_loaded() -> None:
    assert parse_elf(elf([PROGRAM], sections=False)).segments == (Segment(0x100, b"program!"),)


def test_a_start_outside_of_the_program_is_none() -> None:
    assert parse_elf(elf([PROGRAM], entry=0)).start is None


def test_eeprom_fuses_and_lock_bits_of_an_avr_are_left_out_and_told() -> None:
    parts = [PROGRAM, Part(0x81_0000, b"eeprom", name=".eeprom"), Part(0x82_0000, b"fff", name=".fuse")]
    found = parse_elf(elf(parts))
    assert found.segments == (Segment(0x100, b"program!"),)
    assert [warning.id for warning in found.warnings] == ["elf-other-memory"] * 2
    assert "6 bytes for the EEPROM" in found.warnings[0].text
    assert parse_elf(elf(parts, machine=ARM)).segments[1].address == 0x81_0000


def test_what_the_program_says_of_itself_is_read() -> None:
    found = parse_elf(about("version=1.2.0+4\nboard=greenhouse-2\0version=1.2.0+4\n")).about
    assert (found.version, found.board, found.machine, found.chip) == ("1.2.0+4", "greenhouse-2", "AVR", None)


segments = st.lists(st.tuples(st.integers(1, 400), st.binary(min_size=1, max_size=40)), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(segments, st.booleans())
def test_random_programs_come_back_whatever_the_order_of_their_parts(
    gaps: list[tuple[int, bytes]], named: bool
) -> None:
    at, parts = 0, []
    for gap, data in gaps:
        at += gap
        parts.append(Part(at, data, name=".text" if named else ""))
        at += len(data)
    found = parse_elf(elf(parts[::-1]))
    assert [(s.address, s.data) for s in found.segments] == [(part.address, part.data) for part in parts]


SOURCE = """
#include "about.h"
OTAFLASH_ABOUT("version", "3.1.4");
OTAFLASH_ABOUT("board", "greenhouse-2");
volatile int started = 0x1234;
int counted[20];
const char text[] = "a constant that stays in flash";
int main(void) { for (;;) counted[started & 7] += text[started & 3]; }
void _start(void) __attribute__((weak));
void _start(void) { main(); }
"""

TOOLCHAINS = {
    "avr": (["avr-gcc", "-mmcu=atmega328p"], "AVR", "atmega328p"),
    "arm-none-eabi": (
        ["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-nostdlib", "-ffreestanding", "-T", "program.ld"],
        "ARM",
        None,
    ),
}
SCRIPT = """
MEMORY { FLASH : ORIGIN = 0x18000, LENGTH = 64K  RAM : ORIGIN = 0x20000000, LENGTH = 8K }
SECTIONS {
  .text : { *(.text*) *(.rodata*) } > FLASH
  .data : { *(.data*) } > RAM AT > FLASH
  .bss : { *(.bss*) } > RAM
}
ENTRY(_start)
"""


@pytest.mark.parametrize("tools", TOOLCHAINS)
@pytest.mark.parametrize("options", [["-Os"], ["-Os", "-flto", "-Wl,--gc-sections", "-ffunction-sections", "-g"]])
def test_what_compilers_make_is_read_as_objcopy_reads_it(tools: str, options: list[str], tmp_path: Path) -> None:
    compiler, machine, chip = TOOLCHAINS[tools]
    (tmp_path / "program.c").write_text(SOURCE)
    (tmp_path / "program.ld").write_text(SCRIPT)
    include = f"-I{ROOT / 'firmware/app'}"
    run = [*compiler, *options, include, "program.c", "-o", "program.elf"]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)
    subprocess.run([f"{tools}-objcopy", "-O", "ihex", "program.elf", "program.hex"], cwd=tmp_path, check=True)
    found = parse_elf((tmp_path / "program.elf").read_bytes())
    assert found.segments == read_hex(tmp_path / "program.hex").segments
    assert (found.about.version, found.about.board) == ("3.1.4", "greenhouse-2")
    assert (found.about.machine, found.about.chip) == (machine, chip)
