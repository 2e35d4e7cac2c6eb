"""The flash of an nRF51 or nRF52 as cells: pages are erased, words only lose bits, a torn operation leaves bits of
chance, a worn cell stays what it is. Knows no CPU, no controller and no time."""

from __future__ import annotations

import ctypes
import random
from typing import Any

BLOCK_BYTES = 512
"""What the nRF52832 counts writes in."""


class Cells:
    """`bytes` and `at` are the same memory, to read, to write and for a CPU to run from."""

    def __init__(self, count: int, page_bytes: int, chances: random.Random) -> None:
        self._page_bytes = page_bytes
        self._random = chances
        self._memory = ctypes.create_string_buffer(count + 4096)
        self.at = -(-ctypes.addressof(self._memory) // 4096) * 4096
        cells: Any = ctypes.c_uint8 * count
        self.bytes: Any = cells.from_address(self.at)
        self.words = (ctypes.c_uint32 * (count // 4)).from_address(self.at)
        ctypes.memset(self.at, 0xFF, count)
        self.writes: dict[int, int] = {}
        """How often each word was written since its page was erased, by address."""
        self._stuck: tuple[int, int] | None = None
        self._landing: dict[int, int] = {}
        """Words that were written and not settled yet, and what they are then."""

    @property
    def block_writes(self) -> dict[int, int]:
        """The same for blocks of 512 bytes, by the block's address."""
        counted: dict[int, int] = {}
        for address, times in self.writes.items():
            start = address & ~(BLOCK_BYTES - 1)
            counted[start] = counted.get(start, 0) + times
        return counted

    def stick(self, address: int, bit: int) -> None:
        self._stuck = (address, bit)

    def erase(self, address: int, *, torn: bool) -> None:
        """The page around `address`."""
        start = address & ~(self._page_bytes - 1)
        for at in range(start, start + self._page_bytes, 4):
            self.words[at >> 2] |= self._random.getrandbits(32) if torn else 0xFFFFFFFF
            self.writes.pop(at, None)
        self._wear(start, self._page_bytes)

    def write(self, address: int, value: int, *, torn: bool) -> None:
        """Only says what the word is to become: the emulator goes on to store `value`, so it is settled after that."""
        keep = self._random.getrandbits(32) if torn else 0
        self._landing[address >> 2] = self._as_it_is(address) & (value & 0xFFFFFFFF | keep)
        self.writes[address] = self.writes.get(address, 0) + 1

    def leave(self, address: int) -> None:
        """The same of a word that nothing comes of."""
        self._landing[address >> 2] = self._as_it_is(address)

    def _as_it_is(self, address: int) -> int:
        return self._landing.get(address >> 2, self.words[address >> 2])

    def settle(self) -> None:
        """What was written since stands in flash as the cells took it."""
        for word, cells in self._landing.items():
            self.words[word] = cells
            self._wear(4 * word, 4)
        self._landing.clear()

    def _wear(self, start: int, count: int) -> None:
        """What a worn cell makes of an operation on its place."""
        if self._stuck is not None and start <= self._stuck[0] < start + count:
            self.bytes[self._stuck[0]] = self.bytes[self._stuck[0]] & 0xFE | self._stuck[1]
