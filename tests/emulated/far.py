"""An emulated board behind a radio: what is said travels a while, and some of it is lost. Knows no message."""

from __future__ import annotations

import random
from collections import deque

from tests.emulated.avr import AvrBoard

PACKET_BYTES = 100
"""What a radio of the XBee kind carries at once."""


class FarBoard(AvrBoard):
    """Both ways: packets of up to 100 bytes, each late by `delay_us`, or lost. As a radio does it, what the chip says
    goes out when 100 bytes are there or the line is silent."""

    def __init__(self, *, delay_us: int, loss: float, seed: int) -> None:
        self._delay_us = delay_us
        self._loss = loss
        self._draws = random.Random(seed)
        self._down: deque[tuple[int, bytes]] = deque()
        self._up: deque[tuple[int, bytes]] = deque()
        self._said = b""
        super().__init__(seed=seed)

    def _into(self, way: deque[tuple[int, bytes]], data: bytes) -> None:
        for at in range(0, len(data), PACKET_BYTES):
            if self._draws.random() >= self._loss:
                way.append((self.micros + self._delay_us, data[at : at + PACKET_BYTES]))

    def _due(self, way: deque[tuple[int, bytes]]) -> bytes:
        arrived = b""
        while way and way[0][0] <= self.micros:
            arrived += way.popleft()[1]
        return arrived

    def send(self, data: bytes) -> None:
        self._into(self._down, data)

    def recv(self) -> bytes:
        """All that has come from the chip since; to be called at every step, as silence is a step without a byte."""
        more = super().recv()
        self._said += more
        ready = len(self._said) if not more else len(self._said) // PACKET_BYTES * PACKET_BYTES
        self._into(self._up, self._said[:ready])
        self._said = self._said[ready:]
        return self._due(self._up)

    def run(self, micros: int) -> None:
        if arrived := self._due(self._down):
            super().send(arrived)
        super().run(micros)
