"""ELF -> segments, by the `pyelftools` package (imported here only). Knows no board.

What is taken is what `objcopy -O ihex` takes: the sections that are loaded, at the addresses where they lie in flash
(physical, LMA), not where they run. Sections without bytes in the file (.bss) are left out.
Sources: the System V ABI for the layout; AVR's other memories and the note about the device: avr-libc and avr-gcc.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from otaflash.errors import ImageError
from otaflash.image.about import parse_about
from otaflash.image.data import ADDRESS_END, About, Firmware, Overlap, Segment, Warning, joined
from otaflash.image.machine import ARM, AVR, MSP430, RISCV, XTENSA, machine_of
from otaflash.image.refusals import NEW_FILE

MAGIC: Final = b"\x7fELF"
ABOUT_SECTION: Final = ".otaflash"

_MACHINES: Final = {"EM_AVR": AVR, "EM_ARM": ARM, "EM_MSP430": MSP430, "EM_RISCV": RISCV, "EM_XTENSA": XTENSA}
_RAM: Final = {ARM: range(0x2000_0000, 0x4000_0000), AVR: range(0x80_0000, 0x81_0000)}
_AVR_MEMORIES: Final = {0x81: "EEPROM", 0x82: "fuses", 0x83: "lock bits", 0x84: "signature", 0x85: "user row"}
_AVR_NOTE: Final = ".note.gnu.avr.deviceinfo"
_AVR_NOTE_TEXTS: Final = 4 * 4 + 7 * 4 + 4
"""Where the texts of that note begin."""
_HEADER_BYTES: Final = 52
_CLASS, _DATA = 4, 5
_ALLOCATED = 2
_LOADS_MAX: Final = 256
"""Program headers that load; a linker makes a handful."""


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    offset: int
    size: int
    is_loaded: bool
    """It has bytes in the file that belong into memory."""


@dataclass(frozen=True, slots=True)
class _Load:
    """A program header that loads `size` bytes from `offset` in the file to `address`, where they lie in flash."""

    offset: int
    size: int
    address: int


@dataclass(frozen=True, slots=True)
class _Elf:
    """The headers, as far as they are of use."""

    is_linked: bool
    machine: str
    entry: int
    sections: tuple[_Section, ...]
    loads: tuple[_Load, ...]


def parse_elf(content: bytes) -> Firmware:
    """The program in an ELF file, with what it says of itself.

    Raises ImageError: elf-truncated, elf-64-bit, elf-big-endian, elf-not-linked, elf-malformed, elf-in-ram,
    elf-no-program, elf-overlap, elf-address-range, elf-about.
    """
    _check_ident(content)
    elf = _headers(content)
    if len(elf.loads) > _LOADS_MAX:
        text = f"the ELF file has {len(elf.loads)} parts to load, more than any linker makes"
        raise ImageError("elf-malformed", text, remedy=NEW_FILE)
    if not elf.is_linked:
        text = "the ELF file is not linked to addresses: it is an object file or a library"
        raise ImageError("elf-not-linked", text, remedy="Give what the linker wrote.")
    pieces, warnings = _sorted_out(list(_loaded(elf, content)), elf.machine)
    try:
        segments = joined(pieces)
    except Overlap as overlap:
        text = f"two parts of the ELF file are for the address 0x{overlap.address:08X}"
        raise ImageError("elf-overlap", text, remedy="Check the load addresses in the linker script.") from overlap
    if not segments:
        text = "the ELF file has nothing to load into flash"
        raise ImageError("elf-no-program", text, remedy="Check the linker script: no section is loaded (PT_LOAD).")
    start = elf.entry & ~1 if elf.machine == ARM else elf.entry  # bit 0 says Thumb
    inside = segments[0].address <= start < segments[-1].end
    return Firmware(segments, start if inside else None, warnings, kind="elf", about=_about(elf, content))


def _check_ident(content: bytes) -> None:
    """The fields that say how to read the others."""
    if len(content) < 52:
        raise ImageError("elf-truncated", "the ELF file ends within its header", remedy=NEW_FILE)
    if content[_CLASS] == 2:
        text = "the ELF file is for a 64-bit processor: no board that is known here has one"
        raise ImageError("elf-64-bit", text, remedy="Give what the cross compiler made, not the host's.")
    if content[_DATA] == 2:
        text = "the ELF file is for a big-endian processor: no board that is known here has one"
        raise ImageError("elf-big-endian", text, remedy="Build the program for this board.")


def _headers(content: bytes) -> _Elf:
    """All that pyelftools is asked for. Raises ImageError: elf-malformed."""
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - slow to import, and other files need none

    try:
        elf = ELFFile(BytesIO(content))
        sections = [(section.name, section.header) for section in elf.iter_sections()]
        machine = str(elf["e_machine"])
        return _Elf(
            is_linked=elf["e_type"] == "ET_EXEC",
            machine=_MACHINES.get(machine, machine.removeprefix("EM_")),
            entry=int(elf["e_entry"]),
            sections=tuple(
                _Section(
                    name, h["sh_offset"], h["sh_size"], bool(h["sh_flags"] & _ALLOCATED) and _has_bytes(h["sh_type"])
                )
                for name, h in sections
            ),
            loads=tuple(
                _Load(segment["p_offset"], segment["p_filesz"], segment["p_paddr"])
                for segment in elf.iter_segments("PT_LOAD")
            ),
        )
    except Exception as error:  # a malformed file ends pyelftools with nearly any exception there is
        text = f"the headers of the ELF file contradict each other ({type(error).__name__})"
        raise ImageError("elf-malformed", text, remedy=NEW_FILE) from error


def _has_bytes(section_type: object) -> bool:
    return section_type not in ("SHT_NOBITS", "SHT_NULL")


def _loaded(elf: _Elf, content: bytes) -> Iterator[Segment]:
    """What is loaded, cut to the sections in it: a linker may have put the ELF header itself before them."""
    filled = [section for section in elf.sections if section.is_loaded and section.size]
    for load in (load for load in elf.loads if load.size):
        end = load.offset + load.size
        if end > len(content):
            text = f"the ELF file is cut short: it has {len(content)} bytes, and a part of the program ends at {end}"
            raise ImageError("elf-truncated", text, remedy=NEW_FILE)
        if load.address + load.size > ADDRESS_END:
            text = "a part of the ELF file lies above the 32-bit address space"
            raise ImageError("elf-address-range", text, remedy=NEW_FILE)
        inside = [(s.offset, s.size) for s in filled if load.offset <= s.offset and s.offset + s.size <= end]
        for at, count in inside or [(load.offset, load.size)]:
            yield Segment(load.address + at - load.offset, content[at : at + count])


def _sorted_out(pieces: list[Segment], machine: str) -> tuple[list[Segment], tuple[Warning, ...]]:
    """What is for flash, and what was left out. Raises ImageError: elf-in-ram.

    AVR tools put EEPROM, fuses and the like far above the flash: they are for a programmer, not for an update."""
    ram = _RAM.get(machine, range(0))
    stray = next((piece for piece in pieces if piece.address in ram), None)
    if stray is not None:
        text = (
            f"{len(stray.data)} bytes are to be loaded into RAM, at 0x{stray.address:08X}, and have no place in flash"
        )
        remedy = "Give that section a load address in flash: in the linker script, > RAM AT > FLASH."
        raise ImageError("elf-in-ram", text, remedy=remedy)
    if machine != AVR:
        return pieces, ()
    kept = [piece for piece in pieces if piece.address >> 16 not in _AVR_MEMORIES]
    warnings = tuple(
        Warning(
            "elf-other-memory",
            f"{len(piece.data)} bytes for the {_AVR_MEMORIES[piece.address >> 16]} are left out: "
            "an update writes the program only",
        )
        for piece in pieces
        if piece.address >> 16 in _AVR_MEMORIES
    )
    return kept, warnings


def _about(elf: _Elf, content: bytes) -> About:
    said = parse_about(_section(elf, content, ABOUT_SECTION))
    chip = _avr_device(_section(elf, content, _AVR_NOTE))
    return About(version=said.get("version"), board=said.get("board"), machine=elf.machine, chip=chip)


def _section(elf: _Elf, content: bytes, name: str) -> bytes:
    """The bytes of a section; none where there is no such section."""
    found = next((section for section in elf.sections if section.name == name), None)
    return b"" if found is None else content[found.offset : found.offset + found.size]


def _avr_device(note: bytes) -> str | None:
    """The name of the device in avr-gcc's note: behind seven numbers and an offset, the first text."""
    texts = note[_AVR_NOTE_TEXTS:].split(b"\0")
    name = next((text for text in texts if text), b"").decode("ascii", "replace").lower()
    return name if machine_of(name) == AVR else None
