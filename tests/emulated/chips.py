"""The chips that are emulated, each as what a campaign over all of them must know: a new chip is a row of CHIPS."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from otaflash.image.build import Image, Slot, build_image
from otaflash.image.data import Firmware, Segment
from otaflash.image.hexfile import read_hex
from otaflash.sim.profiles import NRF51822
from otaflash.wire.messages import Version
from tests.emulated.avr import ROOT, AvrBoard
from tests.emulated.board import Board
from tests.emulated.nrf51 import Nrf51


@dataclass(frozen=True, slots=True)
class Chip:
    """What a campaign must know of a chip. Images are of two and three pages: every kind of operation is in them."""

    name: str
    make: Callable[[int], Board]
    """A chip with the loader, by the seed of what its RAM and torn cells hold."""
    slot: Slot
    old: Image
    new: Image


def _image(slot: Slot, code: bytes, major: int, pages: int) -> Image:
    count = pages * slot.page_bytes - 32
    program = code + random.Random(major).randbytes(count - len(code))
    return build_image(Firmware((Segment(slot.base, program),), None), slot, version=Version(major, 0, 0, 0), counter=1)


def _make_avr(seed: int) -> Board:
    board = AvrBoard(seed=seed)
    board.off()
    return board


def atmega328p() -> Chip:
    """Its programs are one instruction that jumps to itself (RJMP .-2, 0xCFFF)."""
    slot, stays = Slot("atmega328p", 0, 81, 128), bytes((0xFF, 0xCF))
    return Chip("atmega328p", _make_avr, slot, _image(slot, stays, 1, 2), _image(slot, stays, 2, 3))


def _make_nrf51(seed: int) -> Board:
    (loader,) = read_hex(ROOT / "firmware" / "ports" / "nrf51" / "nrf51.hex").segments
    return Nrf51(loader.data, seed)


def nrf51822() -> Chip:
    """Its programs are a vector table and one instruction that jumps to itself (B .-0, 0xE7FE)."""
    slot = Slot("nrf51822", NRF51822.slot_base, NRF51822.slot_pages, NRF51822.page_bytes)
    entry = slot.base + 0xC0
    table = (0x20004000).to_bytes(4, "little") + (entry | 1).to_bytes(4, "little") * 47
    code = table + bytes((0xFE, 0xE7))
    return Chip("nrf51822", _make_nrf51, slot, _image(slot, code, 1, 2), _image(slot, code, 2, 3))


CHIPS: dict[str, Callable[[], Chip]] = {"atmega328p": atmega328p, "nrf51822": nrf51822}
