"""AVRs on libsimavr that run the loader as it is flashed. Compiles its C part on demand; knows no message."""

from __future__ import annotations

import ctypes
import functools
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from otaflash.image.data import Firmware
from otaflash.image.hexfile import read_hex
from tests.emulated.board import CutKind

ROOT = Path(__file__).resolve().parents[2]
PORTS = ROOT / "firmware" / "ports"
LINE_BYTES = 65536
_CUTS: dict[CutKind, int] = {"before": 1, "torn": 2, "after": 3}
_VIOLATIONS = {
    1: "SPM outside the boot section",
    2: "SPM while one was busy",
    4: "SPM without its command in time",
    8: "a page of the loader written",
    16: "code run in the section that is written",
    32: "a read of the section that is written",
}


class _Kind(ctypes.Structure):
    """struct kind of avrsim.c."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        *((field, ctypes.c_uint32) for field in ("flash_bytes", "page_bytes", "boot", "vectors", "hz")),
    )


@dataclass(frozen=True, slots=True)
class Avr:
    """A kind of chip, with the loader that is flashed to it. `boot`: where its boot section begins."""

    name: str
    flash_bytes: int
    page_bytes: int
    boot: int
    vectors: int
    loader: Path
    hz: int = 16_000_000
    baud: int = 115_200
    """of the line that the tests put there"""


ATMEGA328P = Avr("atmega328p", 32768, 128, 0x7000, 26, PORTS / "atmega328p" / "atmega328p.hex")
ATMEGA328P_LARGE = replace(ATMEGA328P, loader=PORTS / "atmega328p" / "atmega328p-large.hex")
ATMEGA1284P = Avr("atmega1284p", 131072, 256, 0x1E000, 35, PORTS / "atmega1284p" / "atmega1284p.hex")


@functools.cache
def _library() -> ctypes.CDLL:
    """Compiles avrsim.c. Raises CalledProcessError where gcc or libsimavr-dev is missing."""
    folder = tempfile.mkdtemp(prefix="avrsim")
    made = Path(folder) / "libavrsim.so"
    source = Path(__file__).with_name("avrsim.c")
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", str(source), "-o", str(made)]
    subprocess.run([*command, "-lsimavr", "-lelf"], check=True)
    library = ctypes.CDLL(str(made))
    pointer, u32, u64 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64
    kind = ctypes.POINTER(_Kind)
    library.chip_on.argtypes, library.chip_on.restype = [kind, ctypes.c_char_p, u32, u32, u32], pointer
    library.chip_free.argtypes = [pointer]
    library.chip_run.argtypes = [pointer, u64]
    library.chip_send.argtypes = [pointer, ctypes.c_char_p, u32]
    library.chip_recv.argtypes, library.chip_recv.restype = [pointer, ctypes.c_char_p], u32
    library.chip_off.argtypes = [pointer]
    library.chip_cut.argtypes = [pointer, u32, ctypes.c_int, ctypes.c_int]
    library.chip_stick.argtypes = [pointer, u32, ctypes.c_uint8]
    library.chip_flash.argtypes, library.chip_flash.restype = [pointer], pointer
    library.chip_spent.argtypes, library.chip_spent.restype = [pointer], ctypes.POINTER(u32)
    library.chip_cycles.argtypes, library.chip_cycles.restype = [pointer], u64
    library.chip_fact.argtypes, library.chip_fact.restype = [pointer, ctypes.c_int], u32
    return library


def place(flash: bytearray, program: Firmware) -> None:
    """Puts the segments of a HEX file where a programmer would."""
    for segment in program.segments:
        flash[segment.address : segment.address + len(segment.data)] = segment.data


class AvrBoard:
    """A board (tests.emulated.board.Board): the chip with its loader, powered from the start."""

    def __init__(self, kind: Avr = ATMEGA328P, *, seed: int = 1) -> None:
        loader = read_hex(kind.loader)
        self._flash = bytearray(b"\xff" * kind.flash_bytes)
        place(self._flash, loader)
        self.kind = kind
        self.loader_start = loader.lowest
        self.is_off = True
        self._seed = seed
        self._past_us = 0
        self._past_operations = 0
        self._stuck: tuple[int, int] | None = None
        self._chip: int | None = None
        self.on()

    @property
    def micros(self) -> int:
        return self._past_us + (self._library.chip_cycles(self._chip) * 1_000_000 // self.kind.hz if self._chip else 0)

    @property
    def flash(self) -> bytearray:
        """What stands in the flash now. What a test writes there while the power is off is what `on` starts with."""
        if self._chip is not None:
            self._flash[:] = ctypes.string_at(self._library.chip_flash(self._chip), self.kind.flash_bytes)
        return self._flash

    @property
    def operations(self) -> int:
        """Erases and page writes since power-up; without power, those until it went."""
        return self._fact(1) if self._chip is not None else self._past_operations

    @property
    def spent(self) -> list[int]:
        """Cycles since power-up by the instruction that took them: one number a word of the flash."""
        return list(self._library.chip_spent(self._chip)[: self.kind.flash_bytes // 2])

    @property
    def resets(self) -> int:
        """Starts of the loader since power-up, by the watchdog."""
        return self._fact(2)

    @property
    def runs_application(self) -> bool:
        """True if the program counter is in the primary slot."""
        return self._chip is not None and self._fact(3) < self.loader_start

    @property
    def port_b(self) -> int:
        return self._fact(4)

    @property
    def unsent(self) -> int:
        """Bytes for the chip that are not on its line yet."""
        return self._fact(5)

    @property
    def lost(self) -> int:
        """Bytes that came while the loader's receiver was full."""
        return self._fact(6)

    @property
    def _library(self) -> ctypes.CDLL:
        return _library()

    def _fact(self, which: int) -> int:
        return int(self._library.chip_fact(self._chip, which))

    def on(self) -> None:
        """Power comes; RAM holds anything."""
        assert self.is_off
        self._seed += 1
        kind = self.kind
        made = _Kind(kind.name.encode(), kind.flash_bytes, kind.page_bytes, kind.boot, kind.vectors, kind.hz)
        flash = bytes(self._flash)
        self._chip = self._library.chip_on(ctypes.byref(made), flash, self.loader_start, kind.baud, self._seed)
        self.is_off = False
        if self._stuck is not None:
            self._library.chip_stick(self._chip, *self._stuck)

    def off(self) -> None:
        """Power goes; flash stays."""
        if self._chip is None:
            return
        self._library.chip_off(self._chip)
        self._past_us, self._past_operations, _ = self.micros, self.operations, self.flash
        self._library.chip_free(self._chip)
        self._chip = None
        self.is_off = True

    def cut(self, after_ops: int | None, kind: CutKind = "torn") -> None:
        self._library.chip_cut(self._chip, (after_ops or 1) - 1, 0 if after_ops is None else _CUTS[kind], 0)

    def bite(self, after_ops: int) -> None:
        self._library.chip_cut(self._chip, after_ops - 1, _CUTS["torn"], 1)

    def stick(self, address: int, bit: int) -> None:
        self._stuck = (address, bit)
        if self._chip is not None:
            self._library.chip_stick(self._chip, address, bit)

    def send(self, data: bytes) -> None:
        """Puts bytes on the line, which takes them at its rate, one after the other."""
        if self._chip is not None:
            self._library.chip_send(self._chip, data, len(data))

    def recv(self) -> bytes:
        """All that the chip has said since."""
        if self._chip is None:
            return b""
        buffer = ctypes.create_string_buffer(LINE_BYTES)
        count = self._library.chip_recv(self._chip, buffer)
        return buffer.raw[:count]

    def run(self, micros: int) -> None:
        """Runs that long, or until the power goes. Raises AssertionError where a rule of the chip is broken."""
        if self._chip is None:
            self._past_us += micros
            return
        until = self._library.chip_cycles(self._chip) + micros * self.kind.hz // 1_000_000
        ended = self._library.chip_run(self._chip, until)
        broken = self._fact(0)
        assert not broken, [text for bit, text in _VIOLATIONS.items() if broken & bit]
        assert ended != 2, f"the program crashed at {self._fact(3):#06x}"
        if ended:
            self.off()
