"""An emulated nRF51822 or nRF52832 on Unicorn: the CPU runs the very loader and the very application, from one flash.

Simplified: an instruction takes one cycle (a real CPU takes more); the CPU runs in slices, and what it executed is
counted at a slice's end; interrupts are taken there. A read of a running counter or of a UART that still
sends is a wait, and time goes on to the next event, 0.2 ms at most.
A torn operation leaves firm bits, each drawn once; no cell flickers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from unicorn import (
    UC_ARCH_ARM,
    UC_HOOK_INTR,
    UC_HOOK_MEM_WRITE_PROT,
    UC_MODE_MCLASS,
    UC_MODE_THUMB,
    UC_PROT_EXEC,
    UC_PROT_READ,
)
from unicorn.arm_const import (
    UC_ARM_REG_IPSR,
    UC_ARM_REG_LR,
    UC_ARM_REG_PC,
    UC_ARM_REG_R0,
    UC_ARM_REG_R1,
    UC_ARM_REG_R2,
    UC_ARM_REG_R3,
    UC_ARM_REG_R12,
    UC_ARM_REG_SP,
    UC_ARM_REG_XPSR,
    UC_CPU_ARM_CORTEX_M0,
    UC_CPU_ARM_CORTEX_M4,
)
from unicorn.unicorn import Uc, UcError

from otaflash.sim.profiles import NRF51822, NRF52832, Profile
from tests.emulated.board import CutKind
from tests.emulated.nrf_flash import Cells
from tests.emulated.nrf_parts import LFCLK_NS, Counter, Uart, Watchdog

SLICE_NS = 93_750
"""Time between two looks at the interrupts: about a byte of the line."""
STOPPED_EARLY = 24
"""What a slice that a wait ends is taken to have executed."""
WAIT_NS = 200_000
UID = bytes(range(0xA0, 0xA8))
STACKED = (UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR)
UART_IRQ = 2
JUMP_TO_ITSELF = bytes((0xFE, 0xE7))
HFCLK_NS = 62.5
"""of the timers, on any CPU"""


@dataclass(frozen=True, slots=True)
class Soc:
    """What tells one chip from the other: sizes and times are those of the simulated board."""

    profile: Profile
    cpu: int
    has_vtor: bool


NRF51 = Soc(NRF51822, UC_CPU_ARM_CORTEX_M0, has_vtor=False)
NRF52 = Soc(NRF52832, UC_CPU_ARM_CORTEX_M4, has_vtor=True)


class Nrf:
    """A board (tests.emulated.board.Board). `flash` is the chip's memory: what a test writes there is programmed."""

    def __init__(self, soc: Soc, loader: bytes, seed: int = 1) -> None:
        self._soc = soc
        self._profile = chip = soc.profile
        self._cycle_ns = 1e9 / chip.cpu_hz
        self._slice_count = round(SLICE_NS / self._cycle_ns)
        self._random = random.Random(seed)
        self.cells = Cells(chip.flash_bytes, chip.page_bytes, self._random)
        self.flash: Any = self.cells.bytes
        self.flash[: len(loader)] = loader
        self._now = 0
        self.is_off = True
        self.uart = Uart()
        self.operations = 0
        """Flash operations of all time: page erases and word writes."""
        self.resets: list[str] = []
        self.wrong: list[str] = []
        """Rules of the chip that the program broke."""
        self.lost_in_flash = 0
        """Bytes of the line that came while the CPU was halted for its flash, and did not fit the FIFO."""
        self._cut_at: int | None = None
        self._cut_kind: CutKind = "before"
        self._bites = False
        self._retained = 0
        self._watchdog = Watchdog()

    # --- as a test sees it

    @property
    def micros(self) -> int:
        return self._now // 1000

    def send(self, data: bytes) -> None:
        self.uart.send(data, self._now)

    def recv(self) -> bytes:
        said = bytes(self.uart.said)
        self.uart.said.clear()
        return said

    def cut(self, after_ops: int | None, kind: CutKind = "before") -> None:
        self._cut_at = None if after_ops is None else self.operations + after_ops
        self._cut_kind = kind
        self._bites = False

    def bite(self, after_ops: int) -> None:
        self.cut(after_ops, "torn")
        self._bites = True

    def stick(self, address: int, bit: int) -> None:
        self.cells.stick(address, bit)

    def off(self) -> None:
        self.is_off = True
        self.uart.reset()

    def on(self) -> None:
        self.is_off = False
        self._retained = 0
        self._watchdog = Watchdog()
        self._cut_at = None
        self._reset("power")

    def run(self, micros: int) -> None:
        end = self._now + micros * 1000
        while self._now < end and not self.is_off:
            self._slice()
        self._now = max(self._now, end)
        self.uart.advance(self._now)
        assert not self.wrong, self.wrong

    @property
    def runs_application(self) -> bool:
        return not self.is_off and int(self._uc.reg_read(UC_ARM_REG_PC)) >= self._profile.slot_base

    @property
    def lost(self) -> int:
        return self.uart.lost

    @property
    def watchdog_runs(self) -> bool:
        return self._watchdog.runs

    # --- CPU

    def _reset(self, cause: str) -> None:
        """A new CPU: its translations go with it, so that code which was programmed meanwhile is what runs."""
        self.resets.append(cause)
        self.uart.reset()
        self._config = self._enabled = self._vectors_at = 0
        self._resetting = self._stopped = self._returned = self._bitten = self._locked_up = self._stands = False
        self._rtc, self._timer = Counter(), Counter()
        self._captured = self._waited = 0
        make: Any = Uc
        uc = make(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
        self._uc: Any = uc
        uc.ctl_set_cpu_model(self._soc.cpu)
        uc.mem_map_ptr(0, self._profile.flash_bytes, UC_PROT_READ | UC_PROT_EXEC, self.cells.at)
        uc.mem_map(0x10000000, 0x1000)
        uc.mem_write(0x10000060, UID)
        uc.mem_map(0x20000000, self._profile.ram_bytes)
        if cause == "power":
            self._ram = self._random.randbytes(self._profile.ram_bytes)
        uc.mem_write(0x20000000, self._ram)
        uc.mem_map(0xFFFFF000, 0x1000)
        uc.mmio_map(0x40000000, 0x20000, self._read, None, self._write, None)
        uc.mmio_map(0x50000000, 0x1000, lambda *_: 0, None, lambda *_: None, None)
        uc.mmio_map(0xE000E000, 0x1000, self._read_system, None, self._write_system, None)
        uc.hook_add(UC_HOOK_MEM_WRITE_PROT, self._program)
        uc.hook_add(UC_HOOK_INTR, self._on_exception)
        uc.reg_write(UC_ARM_REG_SP, self.cells.words[0])
        uc.reg_write(UC_ARM_REG_PC, self.cells.words[1])

    def _slice(self) -> None:
        self._stopped = self._returned = False
        uc = self._uc
        if not (self._locked_up or self._stands):
            self._execute(uc)
        self._now += round(STOPPED_EARLY * self._cycle_ns) if self._stopped else SLICE_NS
        self.uart.advance(self._now)
        if self.is_off:
            self.uart.reset()
        elif self._bitten or self._now >= self._watchdog.bites_ns:
            self._watchdog = Watchdog()
            self._ram = bytes(uc.mem_read(0x20000000, self._profile.ram_bytes))
            self._reset("watchdog")
        elif self._resetting:
            self._ram = bytes(uc.mem_read(0x20000000, self._profile.ram_bytes))
            self._reset("soft")
        elif self._returned:
            self._leave_exception()
        elif self.uart.pending() and self._takes_interrupts():
            self._enter_exception(16 + UART_IRQ)

    def _takes_interrupts(self) -> bool:
        enabled = self._enabled >> UART_IRQ & 1
        return bool(enabled) and not self._locked_up and self._uc.reg_read(UC_ARM_REG_IPSR) == 0

    def _execute(self, uc: Any) -> None:
        """A slice. A program that leaves the memory faults, and again in its handler: that locks the CPU up. One that
        has come to a jump to itself stands there until an interrupt."""
        try:
            uc.emu_start(int(uc.reg_read(UC_ARM_REG_PC)) | 1, 0xFFFFFFFE, count=self._slice_count)
            at = int(uc.reg_read(UC_ARM_REG_PC)) & ~1
            self._stands = bytes(self.flash[at : at + 2]) == JUMP_TO_ITSELF and not self._stopped
        except UcError:
            if not self.watchdog_runs:
                raise
            self._locked_up = True
        finally:
            self.cells.settle()

    def _enter_exception(self, number: int) -> None:
        self._stands = False
        uc = self._uc
        sp = int(uc.reg_read(UC_ARM_REG_SP))
        status = int(uc.reg_read(UC_ARM_REG_XPSR))
        frame = [int(uc.reg_read(register)) for register in STACKED]
        frame += [int(uc.reg_read(UC_ARM_REG_PC)) & ~1, status & ~0x200 | (sp & 4) << 7 | 1 << 24]
        sp = (sp - 32) & ~7
        uc.mem_write(sp, b"".join(word.to_bytes(4, "little") for word in frame))
        uc.reg_write(UC_ARM_REG_SP, sp)
        uc.reg_write(UC_ARM_REG_IPSR, number)
        uc.reg_write(UC_ARM_REG_LR, 0xFFFFFFF9)
        uc.reg_write(UC_ARM_REG_PC, self.cells.words[self._vectors_at // 4 + number])

    def _on_exception(self, uc: Any, number: int, _: object) -> None:
        """The CPU has branched to EXC_RETURN (8), or met a fault."""
        if number == 8 and uc.reg_read(UC_ARM_REG_IPSR) != 0:
            self._returned = True
            self._stop()
        else:
            self._fault(f"exception {number} at 0x{int(uc.reg_read(UC_ARM_REG_PC)):08X}")

    def _fault(self, what: str) -> bool:
        """In a trial it is the new image's, wherever that has gone: the CPU stands still until the watchdog bites."""
        if self.watchdog_runs:
            self._locked_up = True
        else:
            self.wrong.append(what)
            self.is_off = True
        self._stop()
        return True

    def _leave_exception(self) -> None:
        uc = self._uc
        sp = int(uc.reg_read(UC_ARM_REG_SP))
        frame = bytes(uc.mem_read(sp, 32))
        words = [int.from_bytes(frame[at : at + 4], "little") for at in range(0, 32, 4)]
        uc.reg_write(UC_ARM_REG_IPSR, 0)
        for register, word in zip(STACKED, words, strict=False):
            uc.reg_write(register, word)
        uc.reg_write(UC_ARM_REG_SP, sp + 32 + (words[7] >> 7 & 4))
        uc.reg_write(UC_ARM_REG_XPSR, words[7] & 0xF1000000)
        uc.reg_write(UC_ARM_REG_PC, words[6] | 1)

    # --- peripherals

    def _wait(self, at: int, until_ns: int) -> None:
        """The program asks for the time, or for the end of something: time goes on, and the slice ends. One that ends
        in a read runs that read again, which then has its answer; none may end in a store: it would be done twice."""
        if self._waited == at:
            self._waited = 0
            return
        self._waited = at
        self._now = max(self._now, until_ns)
        self.uart.advance(self._now)
        self._stop()

    def _idle(self, at: int) -> None:
        self._wait(at, min(self.uart.next_ns(), self._now + WAIT_NS))

    def _stop(self) -> None:
        self._stopped = True
        self._uc.emu_stop()

    def _read(self, uc: Any, at: int, size: int, _: object) -> int:
        block, register = at & ~0xFFF, at & 0xFFF
        if block == 0x2000:
            if register == 0x11C and not self.uart.tx_ready:
                self._idle(at)
            return self.uart.read(register)
        if at == 0x1E400:
            self.cells.settle()
            self._wait(at, self._now)
            return 1
        if at == 0xB504:
            self._idle(at)
            return self._rtc.read(self._now) & 0xFFFFFF
        if at == 0x8540:
            self._idle(at)
            return self._captured & 0xFFFFFFFF
        if at == 0x51C:
            return self._retained
        return 0

    def _write(self, uc: Any, at: int, size: int, value: int, _: object) -> None:
        block, register = at & ~0xFFF, at & 0xFFF
        if block == 0x2000:
            self.uart.write(register, value, self._now)
        elif block == 0x10000:
            self._watchdog.write(register, value, self._now)
        elif at == 0x1E504:
            self._config = value
        elif at == 0x1E508:
            self._erase(value)
        elif at == 0x51C:
            self._retained = value & 0xFF
        elif block in (0xB000, 0x8000):
            self._write_counter(self._rtc if block == 0xB000 else self._timer, register, value, block == 0xB000)

    def _write_counter(self, counter: Counter, register: int, value: int, is_rtc: bool) -> None:
        if register == 0x000:
            counter.start(self._now)
        elif register == 0x004:
            counter.stop(self._now)
        elif register == (0x008 if is_rtc else 0x00C):
            counter.clear(self._now)
        elif register == (0x508 if is_rtc else 0x510):
            counter.set_period(LFCLK_NS * (value + 1) if is_rtc else HFCLK_NS * 2**value)
        elif register == 0x040 and not is_rtc:
            self._captured = counter.read(self._now)

    def _read_system(self, uc: Any, at: int, size: int, _: object) -> int:
        return self._enabled if at in (0x100, 0x180) else 0

    def _write_system(self, uc: Any, at: int, size: int, value: int, _: object) -> None:
        if at == 0x100:
            self._enabled |= value
        elif at == 0x180:
            self._enabled &= ~value
        elif at == 0xD08 and self._soc.has_vtor:
            self._vectors_at = value
        elif at == 0xD0C and value == 0x05FA0004:
            self._resetting = True
            self._stop()

    # --- flash

    def _begin(self, cost_ns: int) -> CutKind | None:
        """Time of an operation passes, the CPU halted: the UART's FIFO holds what it can. Returns the cut, if any."""
        self.operations += 1
        cut = self._cut_kind if self._cut_at is not None and self.operations >= self._cut_at else None
        if cut != "before":
            self._now += cost_ns
            lost = self.uart.lost
            self.uart.advance(self._now)
            self.lost_in_flash += self.uart.lost - lost
        if cut is not None:
            self._cut_at = None
            self._bitten, self.is_off = self._bites, not self._bites
            self._stop()
        return cut

    def _erase(self, address: int) -> None:
        if self.is_off or self._bitten:
            return
        if self._config != 2:
            self.wrong.append(f"page 0x{address:05X} is erased while CONFIG is {self._config}")
        cut = self._begin(self._profile.erase_page_ns)
        if cut != "before":
            self.cells.erase(address, torn=cut == "torn")

    def _program(self, uc: Any, access: int, address: int, size: int, value: int, _: object) -> bool:
        self.cells.leave(address)
        if not (self.is_off or self._bitten or self._locked_up):
            if self._config != 1 or size != 4 or address & 3:
                return self._fault(f"{size} bytes are written to 0x{address:05X} while CONFIG is {self._config}")
            cut = self._begin(self._profile.program_unit_ns)
            if cut != "before":
                self.cells.write(address, value, torn=cut == "torn")
        return True
