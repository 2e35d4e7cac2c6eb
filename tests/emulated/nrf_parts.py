"""The parts of an nRF51 or nRF52 beside its CPU: UART0 with its FIFO of six bytes, counters, watchdog. Each knows the
time it is told, in nanoseconds, and no other part."""

from __future__ import annotations

from collections import deque

BYTE_NS = 86_806
"""Ten bits at 115,200 baud."""
FIFO_BYTES = 6
BAUD_115200 = 0x01D7E000
LFCLK_NS = 1e9 / 32768
NEVER = 1 << 62


class Uart:
    """UART0 in one direction each: what is on its way to the chip, in its FIFO, and on its way out."""

    def __init__(self) -> None:
        self.coming: deque[tuple[int, int]] = deque()
        """When each byte is whole at the pin, and the byte."""
        self.line_free_ns = 0
        self.said = bytearray()
        self.lost = 0
        self.reset()

    def reset(self) -> None:
        self.fifo: deque[int] = deque()
        self.registers: dict[int, int] = {}
        self.receiving = self.transmitting = False
        self.rx_ready = self.tx_ready = False
        self.interrupts = 0
        self.sending: int | None = None
        self.sent_ns = NEVER

    def send(self, data: bytes, now: int) -> None:
        """Bytes from the host."""
        self.line_free_ns = max(self.line_free_ns, now)
        for byte in data:
            self.line_free_ns += BYTE_NS
            self.coming.append((self.line_free_ns, byte))

    @property
    def works(self) -> bool:
        return self.registers.get(0x500) == 4 and self.registers.get(0x524) == BAUD_115200

    def next_ns(self) -> int:
        """When something happens next on the line."""
        return min(self.coming[0][0] if self.coming else NEVER, self.sent_ns)

    def advance(self, now: int) -> None:
        while self.coming and self.coming[0][0] <= now:
            self._arrive(self.coming.popleft()[1])
        if self.sent_ns <= now and self.sending is not None:
            self.said.append(self.sending)
            self.sending, self.sent_ns, self.tx_ready = None, NEVER, True

    def _arrive(self, byte: int) -> None:
        if not (self.works and self.receiving) or len(self.fifo) == FIFO_BYTES:
            self.lost += 1
            return
        self.fifo.append(byte)
        if len(self.fifo) == 1:
            self.rx_ready = True

    def pending(self) -> bool:
        return self.rx_ready and bool(self.interrupts & 4)

    def read(self, at: int) -> int:
        if at == 0x108:
            return int(self.rx_ready)
        if at == 0x11C:
            return int(self.tx_ready)
        if at == 0x518:
            byte = self.fifo.popleft() if self.fifo else 0
            self.rx_ready = self.rx_ready or bool(self.fifo)
            return byte
        return self.registers.get(at, 0)

    def write(self, at: int, value: int, now: int) -> None:
        if at in (0x000, 0x004):
            self.receiving = at == 0x000
        elif at in (0x008, 0x00C):
            self.transmitting = at == 0x008
        elif at == 0x108:
            self.rx_ready = bool(value)
        elif at == 0x11C:
            self.tx_ready = bool(value)
        elif at == 0x304:
            self.interrupts |= value
        elif at == 0x308:
            self.interrupts &= ~value
        elif at == 0x51C:
            assert self.works, "a byte is sent before the UART is set up"
            assert self.transmitting, "a byte is sent while the transmitter is stopped"
            assert self.sending is None, "a byte is sent before the last one has left"
            self.sending, self.sent_ns = value & 0xFF, now + BYTE_NS
        else:
            self.registers[at] = value


class Counter:
    """A counter that runs from START: RTC0 by the 32,768 Hz clock, TIMER0 by 16 MHz, both divided."""

    def __init__(self) -> None:
        self._period_ns = 0.0
        self._count = 0.0
        self._since: int | None = None

    def set_period(self, period_ns: float) -> None:
        self._period_ns = period_ns

    def start(self, now: int) -> None:
        if self._since is None:
            self._since = now

    def stop(self, now: int) -> None:
        self._count = self._value(now)
        self._since = None

    def clear(self, now: int) -> None:
        self._count = 0.0
        self._since = None if self._since is None else now

    def _value(self, now: int) -> float:
        return self._count if self._since is None else self._count + (now - self._since) / self._period_ns

    def read(self, now: int) -> int:
        return int(self._value(now))


class Watchdog:
    """Runs from START until a reset of its own or a loss of power: a soft reset does not stop it."""

    def __init__(self) -> None:
        self.registers: dict[int, int] = {}
        self.bites_ns = NEVER

    @property
    def runs(self) -> bool:
        return self.bites_ns != NEVER

    def write(self, at: int, value: int, now: int) -> None:
        if (at == 0x000 and not self.runs) or (at == 0x600 and value == 0x6E524635 and self.runs):
            self._reload(now)
        elif at >= 0x500 and at != 0x600 and not self.runs:
            self.registers[at] = value

    def _reload(self, now: int) -> None:
        assert self.registers.get(0x508, 0) & 1, "reload register 0 is not enabled"
        self.bites_ns = now + round((self.registers.get(0x504, 0xFFFFFFFF) + 1) * LFCLK_NS)
