"""A BLE link whole: the host's queue and its search for the board, one connection after the other. Knows no message.

Finding the board again is the transport's work in a real link; here the simulated host does it, so that whoever writes
to it and reads from it sees what `transport.link` promises: silence, then one more connection.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from otaflash.sim.ble import HOSTS, VALUE_BYTES_LEAST, BleModel
from otaflash.sim.ble_air import Air, AirCounters
from otaflash.sim.ble_board import Deliver, Module, OwnRadio, Peripheral
from otaflash.sim.clock import Clock

ADVERTISING_S = 0.1
"""A board advertises so often; a scan finds it within one such time."""
SETUP_EVENTS = 10
"""Connection events spent on the MTU, the services and the subscription, before the link counts as up."""

FLUSH_EVENTS = 2
"""Connection events for which a port waits before it restarts, so that its last answer gets out."""


@dataclass(slots=True)
class BleCounters:
    """What became of the host's writes, over all connections."""

    writes: int = 0
    dropped_writes: int = 0
    """by a full queue that says nothing"""
    unsent_writes: int = 0
    """gone with a connection, or written while there was none"""
    misdirected: int = 0
    """to a handle that the board did not have"""
    refused_writes: int = 0
    """longer than the connection allows"""
    notifications: int = 0
    doubled: int = 0
    lost_connections: int = 0
    air: list[AirCounters] = field(default_factory=list)
    """of each connection"""


class BleLink:
    """What a station has in place of a `radio.RadioLink`."""

    def __init__(
        self,
        clock: Clock,
        model: BleModel,
        *,
        ring_bytes: int,
        streams: Callable[[str], random.Random],
        to_board: Deliver,
        to_host: Callable[[float, bytes], None],
        busy_until: Callable[[], float],
    ) -> None:
        self.model = model
        self.counters = BleCounters()
        self.connections = 0
        self.frame_bytes = VALUE_BYTES_LEAST
        self.on_change: Callable[[], None] = lambda: None
        """Called when `connections` or `frame_bytes` has changed."""
        self._clock = clock
        self._host = HOSTS[model.host]
        self._streams = streams
        self._drawn: dict[str, random.Random] = {}
        self._to_host = to_host
        self._air: Air | None = None
        self._queued = 0
        """Writes in the host's queue, those on the air included."""
        self._waiting: deque[bytes] = deque()
        """Writes whose callers wait for room in the queue."""
        self._handle: int | None = None
        """Of the characteristic, as the host found it."""
        self._uart_free_s = 0.0
        """When a module's UART has taken what was written so far."""
        self.peripheral: Peripheral
        if model.uart is None:
            self.peripheral = OwnRadio(clock, ring_bytes, busy_until, to_board, self._notify)
        else:
            self.peripheral = Module(clock, model, to_board, self._notify)
        self.character_s = 10 / model.baud
        if model.disconnect_at_s is not None:
            clock.at(model.disconnect_at_s, self.fall_silent)
        clock.at(clock.now, self._seek)

    @property
    def must_wait(self) -> bool:
        """True while a program that writes would have to wait."""
        return bool(self._waiting)

    @property
    def linked(self) -> bool:
        """True while there is a connection, as far as the host knows: it may be silent already."""
        return self._air is not None

    @property
    def answers(self) -> bool:
        """True while packets get through."""
        return self._air is not None and not self._air.stopped

    # --- the host writes

    def write(self, data: bytes) -> None:
        """One write of the program. For a module it is cut, and what is cut goes no faster than the module's UART."""
        if self.model.message:
            self._write(data)
            return
        for start in range(0, len(data), self.frame_bytes):
            part = data[start : start + self.frame_bytes]
            self._clock.at(self._uart_free_s, partial(self._write, part))
            self._uart_free_s = max(self._uart_free_s, self._clock.now) + len(part) * self.character_s

    def _write(self, value: bytes) -> None:
        counters, host = self.counters, self._host
        counters.writes += 1
        if self._air is None:
            counters.unsent_writes += 1
        elif len(value) > self.frame_bytes:
            counters.refused_writes += 1
        elif host.queue_writes is None or self._queued < host.queue_writes:
            self._enqueue(value)
        elif host.drops:
            counters.dropped_writes += 1
        else:
            self._waiting.append(value)

    def _enqueue(self, value: bytes) -> None:
        assert self._air is not None
        self._queued += 1
        self._clock.at(self._clock.now + self._host.latency_s, partial(self._air.give_down, value))

    def _left_queue(self) -> None:
        self._queued -= 1
        if self._waiting:
            self._enqueue(self._waiting.popleft())

    # --- the board hears and says

    def say(self, data: bytes) -> None:
        """The board sends bytes, the first of which begins on its line now."""
        self.peripheral.say(data)

    def _arrived(self, handle: int | None, value: bytes) -> None:
        if handle == self.peripheral.handle:
            self.peripheral.take(value)
        else:
            self.counters.misdirected += 1

    def _notify(self, value: bytes) -> None:
        if self._air is not None and len(value) <= self.model.value_bytes:
            self._air.give_up(value)

    def _heard(self, known: bool, value: bytes) -> None:
        """The host's radio has a notification; the program gets it a moment later, perhaps twice."""
        if not known:
            return
        self.counters.notifications += 1
        at_s = self._clock.now + self._host.latency_s
        self._clock.at(at_s, partial(self._to_host, at_s, value))
        if self._chance("dup", self.model.dup):
            self.counters.doubled += 1
            self._clock.at(at_s, partial(self._to_host, at_s, value))

    # --- connections

    def moved(self, place: str, at_s: float) -> None:
        """The board will have started what is at `place` by then, or be off. It hears nothing meanwhile; its answers
        get out, unless the power is gone."""
        if not self.peripheral.leave():
            return
        self._clock.at(at_s, partial(self.peripheral.come, place))
        flush_s = 0.0 if place == "off" else FLUSH_EVENTS * self.model.interval_s
        if self._air is not None:
            self._clock.at(at_s + flush_s, partial(self._break, self._air))

    def fall_silent(self) -> None:
        """No packet gets through any more on the connection that there is; both ends find out by themselves."""
        if self._air is not None and not self._air.stopped:
            self._air.stop()
            self._clock.at(self._clock.now + self.model.supervision_s, self._lost)

    def _lost(self) -> None:
        self.counters.lost_connections += 1
        self.counters.unsent_writes += self._queued + len(self._waiting)
        self._air = None
        self._queued = 0
        self._waiting.clear()
        self._seek()

    def _seek(self) -> None:
        """Scans until the board is found; what is found may be gone again when the connection is made."""
        handle = self.peripheral.handle
        wait_s = ADVERTISING_S * (1 - self._stream("scan").random())
        if handle is None:
            self._clock.at(self._clock.now + wait_s, self._seek)
            return
        setup_s = wait_s + SETUP_EVENTS * self.model.interval_s
        self._clock.at(self._clock.now + setup_s, partial(self._connect, handle))

    def _connect(self, handle: int) -> None:
        if self.peripheral.handle != handle:
            self._seek()
            return
        model = self.model
        if self._handle is None or not model.keeps_table:
            self._handle = handle
        self._air = Air(
            self._clock,
            model,
            on_down=partial(self._arrived, self._handle),
            on_up=partial(self._heard, self._handle == handle),
            has_room=self.peripheral.has_room,
            lose=lambda: self._chance("loss", model.loss),
        )
        self._air.down_left = self._left_queue
        self.counters.air.append(self._air.counters)
        self.connections += 1
        self._open_frames(self._air)
        if model.disconnect_every_s is not None:
            self._clock.at(self._clock.now + model.disconnect_every_s, partial(self._break, self._air))
        self.on_change()

    def _open_frames(self, air: Air) -> None:
        """The size of writes, at once or later."""
        self.frame_bytes = self.model.value_bytes
        if self._host.late_mtu_s > 0:
            self.frame_bytes = VALUE_BYTES_LEAST
            self._clock.at(self._clock.now + self._host.late_mtu_s, partial(self._widen, air))

    def _widen(self, air: Air) -> None:
        if air is self._air:
            self.frame_bytes = self.model.value_bytes
            self.on_change()

    def _break(self, air: Air) -> None:
        if air is self._air:
            self.fall_silent()

    # --- chance

    def _chance(self, name: str, chance: float) -> bool:
        return chance > 0 and self._stream(name).random() < chance

    def _stream(self, name: str) -> random.Random:
        if name not in self._drawn:
            self._drawn[name] = self._streams(f"ble/{name}")
        return self._drawn[name]
