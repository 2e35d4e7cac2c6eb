"""UF2 -> segments. Knows no board.

Blocks of 512 bytes, each with an address and up to 476 bytes for it, in any order, numbered.
Source of the format and of the families: https://github.com/microsoft/uf2, README.md and utils/uf2families.json.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final, NoReturn

from otaflash.errors import ImageError
from otaflash.image.data import ADDRESS_END, About, Firmware, Overlap, Segment, Warning, joined
from otaflash.image.machine import machine_of
from otaflash.image.refusals import NEW_FILE

BLOCK_BYTES: Final = 512
PAYLOAD_BYTES_MAX: Final = 476
MAGIC: Final = b"UF2\n"

NOT_MAIN_FLASH: Final = 0x0001
FILE_CONTAINER: Final = 0x1000
HAS_FAMILY: Final = 0x2000

_HEADER = Struct("<4sIIIIIII")
_MAGIC_SECOND = 0x9E5D5157
_MAGIC_END = (0x0AB16F30).to_bytes(4, "little")

_FAMILIES: Final[dict[int, str]] = {
    0x16573617: "atmega32",
    0x1851780A: "saml21",
    0x1B57745F: "nrf52",
    0x1C5F21B0: "esp32",
    0x5EE21072: "stm32f1",
    0x647824B6: "stm32f0",
    0x57755A57: "stm32f4",
    0x4C71240A: "stm32g4",
    0x300F5633: "stm32g0",
    0x202E3A91: "stm32l0",
    0x00FF6919: "stm32l4",
    0x55114460: "samd51",
    0x68ED2B88: "samd21",
    0x621E937A: "nrf52833",
    0xADA52840: "nrf52840",
    0xD42BA06C: "esp32c3",
    0xE48BFF56: "rp2040",
}
"""The chips that a board is likely to be called after; of another family only the number is known."""


@dataclass(frozen=True, slots=True)
class _Block:
    family: int | None
    number: int
    count: int
    piece: Segment
    main_flash: bool


def parse_uf2(content: bytes) -> Firmware:
    """The program in a UF2 file: what is for the main flash, of one family.

    Raises ImageError: uf2-truncated, uf2-damaged, uf2-length, uf2-address-range, uf2-files, uf2-families, uf2-count,
    uf2-missing, uf2-overlap, uf2-empty.
    """
    if len(content) % BLOCK_BYTES:
        text = f"the UF2 file has {len(content)} bytes, which is no multiple of {BLOCK_BYTES}: it is cut short"
        raise ImageError("uf2-truncated", text, remedy=NEW_FILE)
    every = list(_blocks(content))
    blocks = [block for block in every if block.main_flash]
    left_out = len(every) - len(blocks)
    if not blocks:
        raise ImageError("uf2-empty", "the UF2 file has nothing for the main flash", remedy="Check how it was made.")
    _check_whole(blocks, every)
    family = blocks[0].family
    chip = None if family is None else _FAMILIES.get(family)
    what = f"{left_out} block{'s are' if left_out != 1 else ' is'} left out: not for the main flash"
    warnings = (Warning("uf2-not-flash", what),) if left_out else ()
    about = About(machine=None if chip is None else machine_of(chip), chip=chip)
    return Firmware(_joined(blocks), None, warnings, kind="uf2", about=about)


def _blocks(content: bytes) -> Iterator[_Block]:
    """The blocks as they stand."""
    for index, at in enumerate(range(0, len(content), BLOCK_BYTES)):
        magic, second, flags, address, size, number, count, family = _HEADER.unpack_from(content, at)
        if (magic, second) != (MAGIC, _MAGIC_SECOND) or content[at + 508 : at + 512] != _MAGIC_END:
            _refuse("uf2-damaged", index, "does not begin and end as a UF2 block does")
        if flags & FILE_CONTAINER:
            _refuse("uf2-files", index, "holds a part of a file, not of flash")
        if not 0 < size <= PAYLOAD_BYTES_MAX:
            _refuse("uf2-length", index, f"says that it holds {size} bytes; 1 to {PAYLOAD_BYTES_MAX} can be")
        if address + size > ADDRESS_END:
            _refuse("uf2-address-range", index, "lies above the 32-bit address space")
        piece = Segment(address, content[at + _HEADER.size : at + _HEADER.size + size])
        yield _Block(family if flags & HAS_FAMILY else None, number, count, piece, not flags & NOT_MAIN_FLASH)


def _check_whole(blocks: list[_Block], every: list[_Block]) -> None:
    """All of one family, agreeing on how many there are, and none missing; a block may come twice."""
    families = list(dict.fromkeys(block.family for block in blocks))
    if len(families) > 1:
        named = ", ".join(_named(family) for family in families)
        text = f"the UF2 file holds programs for several families: {named}"
        raise ImageError("uf2-families", text, remedy="Give the UF2 that is made for your board alone.")
    counts = sorted({block.count for block in blocks})
    if len(counts) > 1 or max(block.number for block in blocks) >= counts[0]:
        text = "the blocks of the UF2 file disagree on how many there are"
        raise ImageError("uf2-count", text, remedy=NEW_FILE)
    # Blocks that are not for the flash are numbered with the others.
    missing = counts[0] - len({block.number for block in every if block.count == counts[0]})
    if missing > 0:
        text = f"{missing} of {counts[0]} blocks are missing in the UF2 file"
        raise ImageError("uf2-missing", text, remedy=NEW_FILE)


def _joined(blocks: list[_Block]) -> tuple[Segment, ...]:
    unique = {(block.number, block.piece): block.piece for block in blocks}
    try:
        return joined(unique.values())
    except Overlap as overlap:
        text = f"two blocks of the UF2 file give the address 0x{overlap.address:08X}"
        raise ImageError("uf2-overlap", text, remedy=NEW_FILE) from overlap


def _named(family: int | None) -> str:
    if family is None:
        return "none stated"
    return _FAMILIES.get(family, f"0x{family:08X}")


def _refuse(reason: str, index: int, text: str) -> NoReturn:
    raise ImageError(reason, f"block {index} of the UF2 file {text}", remedy=NEW_FILE)
