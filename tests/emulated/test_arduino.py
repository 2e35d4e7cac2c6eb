"""Programs that others wrote, on the Arduino core as Debian ships it, pushed to the emulated ATmega328P: they run."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from otaflash.engine import Operation
from otaflash.wire.messages import BootState
from tests.emulated import arduino
from tests.emulated.avr import AvrBoard
from tests.emulated.avr_apps import image_of
from tests.emulated.avr_host import ask, push
from tests.emulated.board import run_until


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
    arduino_core: list[Path], tmp_path: Path, which: tuple[str, ...], words: bytes
) -> None:
    board, image = AvrBoard(), image_of(arduino.example(arduino_core, tmp_path, *which), 1)
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
