"""The chips that are emulated, each as what a campaign over all of them must know: a new chip is a row of CHIPS."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from otaflash.bench.link import slot_of
from otaflash.image.build import Image, Slot, build_image
from otaflash.image.data import Firmware, Segment
from otaflash.image.hexfile import read_hex
from otaflash.sim import profiles
from otaflash.sim.profiles import Profile
from otaflash.wire.messages import Version
from tests.emulated import avr
from tests.emulated.avr import ROOT, Avr, AvrBoard
from tests.emulated.board import Board
from tests.emulated.native import NativeCore
from tests.emulated.nrf import NRF51, NRF52, Nrf, Soc


@dataclass(frozen=True, slots=True)
class Chip:
    """What a campaign must know of a chip. Images are of two and three pages: every kind of operation is in them."""

    name: str
    make: Callable[[int], Board]
    """A chip with the loader, by the seed of what its RAM and torn cells hold."""
    slot: Slot
    code: bytes
    """A program that does nothing, for ever."""
    bad_programs: dict[str, bytes]
    """Programs that leave the image at once, by where they go."""
    old: Image
    new: Image
    baud: int = 115_200

    def image(self, major: int, pages: int, code: bytes | None = None, counter: int = 1) -> Image:
        """As _image; without `code` a program that does nothing, for ever."""
        return _image(self.slot, self.code if code is None else code, major, pages, counter)


def _image(slot: Slot, code: bytes, major: int, pages: int, counter: int = 1) -> Image:
    """Version `major`.0.0: `code` and noise, which with the trailer fill the pages."""
    count = pages * slot.page_bytes - 32
    program = code + random.Random(major).randbytes(count - len(code))
    data = Firmware((Segment(slot.base, program),), None)
    return build_image(data, slot, version=Version(major, 0, 0, 0), counter=counter)


def _chip(name: str, make: Callable[[int], Board], slot: Slot, code: bytes, bad: dict[str, bytes]) -> Chip:
    return Chip(name, make, slot, code, bad, _image(slot, code, 1, 2), _image(slot, code, 2, 3))


def _avr(kind: Avr, known: Profile) -> Chip:
    """Its program is one instruction that jumps to itself (RJMP .-2, 0xCFFF)."""
    slot = slot_of(known)
    bad = {
        "behind its end": 0x1000,
        "into the other slot": slot.pages * slot.page_bytes,
        "into the loader": known.flash_bytes - known.loader_bytes + known.page_bytes,
        "to the reset of the boot section": kind.boot,
        "into the middle of the boot section": kind.boot + 0x800,
    }

    def make(seed: int) -> Board:
        board = AvrBoard(kind, seed=seed)
        board.off()
        return board

    return _chip(known.name, make, slot, bytes((0xFF, 0xCF)), {name: _jmp(to) for name, to in bad.items()})


def atmega328p() -> Chip:
    """The AVR of many boards."""
    return _avr(avr.ATMEGA328P, profiles.ATMEGA328P)


def atmega1284p() -> Chip:
    """An AVR whose flash takes more than 16 bits to address."""
    return _avr(avr.ATMEGA1284P, profiles.ATMEGA1284P)


def _jmp(address: int) -> bytes:
    """JMP, 0x940C and the word address."""
    word = address // 2
    return (0x940C | word >> 16).to_bytes(2, "little") + (word & 0xFFFF).to_bytes(2, "little")


def _nrf(port: str, soc: Soc) -> Chip:
    """Its program is a vector table and one instruction that jumps to itself (B .-0, 0xE7FE)."""
    known = soc.profile
    slot = slot_of(known)
    entry = slot.base + 0xC0
    stays = _vectors(0x20004000, entry | 1) + bytes((0xFE, 0xE7))
    bad = {
        "behind its end": _vectors(0x20004000, slot.base + 0x8001),
        "out of the flash": _vectors(0x20004000, 0xFFFFFFFF),
        "into the loader": _vectors(0x20004000, 0x1001),
        "into its data in RAM": _vectors(0x20004000, 0x20000001),
        "nowhere, for its stack is none": _vectors(0, entry | 1) + bytes((0x01, 0xB4, 0xFE, 0xE7)),  # PUSH {R0}
    }

    def make(seed: int) -> Board:
        (loader,) = read_hex(ROOT / "firmware" / "ports" / port / f"{port}.hex").segments
        return Nrf(soc, loader.data, seed)

    return _chip(known.name, make, slot, stays, bad)


def nrf51822() -> Chip:
    """The Cortex-M0."""
    return _nrf("nrf51", NRF51)


def nrf52832() -> Chip:
    """The Cortex-M4."""
    return _nrf("nrf52", NRF52)


def native() -> Chip:
    """The native core, in the sizes of an ATmega1284P; its programs are never run."""
    known = profiles.ATMEGA1284P
    slot = slot_of(known)
    return _chip(known.name, lambda seed: NativeCore(known, seed), slot, b"", {})


def _vectors(stack: int, entry: int) -> bytes:
    """A table of 48 words in which every exception goes to the entry, too."""
    return stack.to_bytes(4, "little") + entry.to_bytes(4, "little") * 47


CHIPS: dict[str, Callable[[], Chip]] = {
    "atmega328p": atmega328p,
    "atmega1284p": atmega1284p,
    "nrf51822": nrf51822,
    "nrf52832": nrf52832,
}
