"""Which processor a chip has, by its name; and whether a program can be for a board. Knows no file format.

Boards that are called after their chip (``atmega328p``, ``nrf52832``) can be told apart from programs for others. Of a
board with a name of its own nothing is known here, and nothing is refused.
"""

from __future__ import annotations

from typing import Final

from otaflash.errors import ImageError
from otaflash.image.data import About

AVR: Final = "AVR"
ARM: Final = "ARM"
MSP430: Final = "MSP430"
RISCV: Final = "RISC-V"
XTENSA: Final = "Xtensa"

_BY_PREFIX: Final[dict[str, str]] = {
    **dict.fromkeys(("atmega", "attiny", "atxmega", "at90", "avr"), AVR),
    **dict.fromkeys(("nrf5", "nrf9", "stm32", "samd", "same", "saml", "rp2040", "lpc", "mimxrt", "gd32"), ARM),
    **dict.fromkeys(("esp32c", "esp32h", "esp32p", "gd32vf", "ch32v"), RISCV),
    **dict.fromkeys(("esp32", "esp8266"), XTENSA),
    "msp430": MSP430,
}


def machine_of(name: str) -> str | None:
    """The processor of the chip that a name begins with, the longest match; None: not known."""
    name = name.lower()
    matching = [prefix for prefix in _BY_PREFIX if name.startswith(prefix)]
    return _BY_PREFIX[max(matching, key=len)] if matching else None


def check_made_for(about: About, board: str) -> None:
    """Checks that a program that says so much of itself can be for this board.

    Raises ImageError: wrong-board (it names another), wrong-machine (another processor or chip).
    """
    remedy = f"Build the program for {board}, or choose the other board."
    if about.board is not None and about.board != board:
        text = f"the program says that it is for {about.board}, the board is {board}"
        raise ImageError("wrong-board", text, remedy=remedy)
    machine = machine_of(board)
    if machine is None:
        return
    if about.machine is not None and about.machine != machine:
        text = f"the program is for the processor {about.machine}, {board} has {machine}"
        raise ImageError("wrong-machine", text, remedy=remedy)
    if about.chip is not None and not board.lower().startswith(about.chip):
        raise ImageError("wrong-machine", f"the program is for {about.chip}, not for {board}", remedy=remedy)
