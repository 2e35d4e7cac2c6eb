"""The board's end of a BLE link: a service of its own, or a UART module in front. Knows no host and no air.

A board with a radio of its own has one table of attributes in its loader and another in its application, and may
advertise under another address there; its connection dies with every restart. A module outlives the restarts of the
board behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from otaflash.sim.ble import VALUE_BYTES_MOST, BleModel
from otaflash.sim.clock import Clock
from otaflash.sim.radio import Counters, FarModem, Modem, Way
from otaflash.wire import WireError, on_stream
from otaflash.wire.cobs import cobs_decode

MODULE_BUFFER_BYTES = 1024
"""What a module holds before its UART; then it acknowledges no more on the air."""

Deliver = Callable[[float, bytes], None]
"""Gets the time at which the first byte is whole, and the bytes."""


class Peripheral(Protocol):
    """What a host can reach over the air."""

    handle: int | None
    """Of the characteristic that takes writes; None: off the air, nothing advertises."""

    address: str

    def has_room(self, count: int) -> bool:
        """Whether so many more bytes can be taken now."""
        ...

    def take(self, value: bytes) -> None:
        """A value came over the air."""
        ...

    def say(self, data: bytes) -> None:
        """The board sends bytes, the first of which begins on its line now."""
        ...

    def leave(self) -> bool:
        """The board is about to restart, or off. False: that changes nothing on the air."""
        ...

    def come(self, place: str) -> None:
        """The board has freshly started at `place` ("loader", "library", or anything else: silent)."""
        ...


class OwnRadio:
    """The native service: one frame a value. The core behind it reads a byte stream, so frames are COBS-encoded for it
    and decoded from it here, as the service's glue on a chip does."""

    def __init__(
        self,
        clock: Clock,
        ring_bytes: int,
        busy_until: Callable[[], float],
        deliver: Deliver,
        notify: Callable[[bytes], None],
    ) -> None:
        self.handle: int | None = None
        self.address = ""
        self._clock = clock
        self._ring_bytes = ring_bytes
        self._busy_until = busy_until
        self._deliver = deliver
        self._notify = notify
        self._waiting_bytes = 0
        self._said = b""

    def has_room(self, count: int) -> bool:
        """While the CPU stands in an erase, nobody takes from the ring."""
        if self._busy_until() <= self._clock.now:
            self._waiting_bytes = 0
        return self._waiting_bytes + count + _COBS_MOST <= self._ring_bytes

    def take(self, value: bytes) -> None:
        if len(value) <= VALUE_BYTES_MOST:
            wire = on_stream(value)
            self._waiting_bytes += len(wire)
            self._deliver(self._clock.now, wire)

    def say(self, data: bytes) -> None:
        *whole, self._said = (self._said + data).split(b"\0")
        for encoded in filter(None, whole):
            try:
                self._notify(cobs_decode(encoded))
            except WireError:
                continue  # what a restart broke off

    def leave(self) -> bool:
        self.handle = None
        return True

    def come(self, place: str) -> None:
        self._said = b""
        self._waiting_bytes = 0
        self.handle, self.address = _PLACES.get(place, (None, ""))


_PLACES = {"loader": (0x0010, "C0:00:00:00:00:02"), "library": (0x0020, "C0:00:00:00:00:01")}
"""Handles and addresses differ, as they do where loader and application are different programs."""
_COBS_MOST = 4


class Module:
    """A transparent UART over GATT, as the Nordic UART Service: bytes, cut anywhere."""

    handle: int | None = 0x0010
    address = "C0:00:00:00:00:03"

    def __init__(self, clock: Clock, model: BleModel, deliver: Deliver, notify: Callable[[bytes], None]) -> None:
        way = Way(rate=float(model.uart or 0), packet_bytes=model.value_bytes, buffer_bytes=MODULE_BUFFER_BYTES)
        self._clock = clock
        self._character_s = way.character_s
        self._far = FarModem(clock, way, deliver, early=True)
        self._free_s = 0.0
        self._near = Modem(clock, way, Counters(), notify)

    def has_room(self, count: int) -> bool:
        waiting = max(self._free_s - self._clock.now, 0.0) / self._character_s
        return waiting + count <= MODULE_BUFFER_BYTES

    def take(self, value: bytes) -> None:
        self._free_s = max(self._free_s, self._clock.now) + len(value) * self._character_s
        self._far.accept(value)

    def say(self, data: bytes) -> None:
        self._near.write(data)

    def leave(self) -> bool:
        """Its power is its own."""
        return False

    def come(self, place: str) -> None:
        pass
