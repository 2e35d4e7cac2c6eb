"""One direction of a link: host UART, modem, air, far modem, far UART. Carries bytes and knows no message and no board.

A transparent packet radio, as an XBee: the modem gathers what comes over its UART into packets of `packet_bytes`, or
fewer after a silence of three characters; each packet flies or is lost as a whole; the far modem sends it on over its
own UART. With `packet_bytes` 0 the link is a plain wire: no modem, no buffer and no second UART; bytes then travel in
pieces of up to 100, shorter ones when the line falls idle, and loss, duplication and reordering act on these pieces.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from otaflash.sim.clock import Clock, Timer

BITS_PER_CHARACTER = 10
"""Start bit, eight data bits, stop bit."""

SILENCE_CHARACTERS = 3
"""After which an XBee sends what it has (its parameter RO)."""

WIRE_PIECE_BYTES = 100
FRAME_BYTES = 1056
"""The protocol's greatest: a byte link has no limit of its own."""


@dataclass(frozen=True, slots=True)
class Way:
    """One direction of a link. Times in seconds, chances from 0 to 1."""

    rate: float = 115200.0
    """UART bits per second at both ends; a character takes ten."""
    delay_s: float = 0.0
    jitter_s: float = 0.0
    """Uniform from 0 to this, added to the delay. Alone it never changes the order."""
    loss: float = 0.0
    biterr: float = 0.0
    """Chance of each bit of a delivered packet to be flipped."""
    dup: float = 0.0
    reorder: float = 0.0
    """Chance of a packet to fly outside the queue: it overtakes or is overtaken, within the jitter or four packets."""
    burst_good_s: float = 0.0
    burst_bad_s: float = 0.0
    """Good and bad stretches alternate; the seed draws where it begins. 0: no bursts."""
    burst_loss: float = 1.0
    outage_from_s: float = 0.0
    outage_s: float = 0.0
    """One window of this length; 0: none."""
    outage_loss: float = 1.0
    packet_bytes: int = 100
    buffer_bytes: int = 202
    """What the modem holds between UART and air; what comes while it is full is dropped. Unused on a plain wire."""
    air_rate: float | None = None
    """Bits per second on the air, eight a byte (no start and stop bits there). None: takes no time of its own."""

    @property
    def character_s(self) -> float:
        """Seconds of one byte on the line, with start and stop bit."""
        return BITS_PER_CHARACTER / self.rate

    @property
    def is_wire(self) -> bool:
        """Whether bytes travel one by one, without radio packets."""
        return self.packet_bytes == 0

    def loss_at(self, time_s: float, phase_s: float) -> float:
        """Chance of loss for a packet that leaves at `time_s`; the worst of what holds then."""
        loss = self.loss
        if self.burst_bad_s > 0 and (time_s + phase_s) % (self.burst_good_s + self.burst_bad_s) >= self.burst_good_s:
            loss = max(loss, self.burst_loss)
        if self.outage_s > 0 and self.outage_from_s <= time_s < self.outage_from_s + self.outage_s:
            loss = max(loss, self.outage_loss)
        return loss


@dataclass(frozen=True, slots=True)
class LinkModel:
    """Both directions: `down` from host to board, `up` from board to host."""

    down: Way = field(default_factory=Way)
    up: Way = field(default_factory=Way)

    # --- what a world asks of every model

    message: ClassVar[bool] = False
    queue_writes: ClassVar[int | None] = None

    @property
    def baud(self) -> int:
        """Of the board's line."""
        return round(self.down.rate)

    @property
    def line_bytes_per_s(self) -> float:
        """What the line to the board carries, in bytes per second."""
        return 1.0 / self.down.character_s


@dataclass(slots=True)
class Counters:
    """What became of every byte: written + doubled = delivered + dropped + lost + in flight."""

    written_bytes: int = 0
    dropped_bytes: int = 0
    """by the full buffer of the modem"""
    lost_bytes: int = 0
    doubled_bytes: int = 0
    delivered_bytes: int = 0
    packets: int = 0
    lost_packets: int = 0
    doubled_packets: int = 0
    flipped_bits: int = 0

    @property
    def in_flight_bytes(self) -> int:
        """Bytes that were written and have neither arrived nor been lost."""
        gone = self.delivered_bytes + self.dropped_bytes + self.lost_bytes
        return self.written_bytes + self.doubled_bytes - gone


class Uart:
    """The sender's UART with the unbounded queue of its operating system: which byte is through at what time."""

    __slots__ = ("_character_s", "_runs", "end_s")

    def __init__(self, character_s: float) -> None:
        self._character_s = character_s
        self._runs: deque[tuple[float, memoryview]] = deque()
        self.end_s = -math.inf
        """when the last byte queued is through"""

    def write(self, now: float, data: bytes) -> None:
        start = max(now, self.end_s)
        self._runs.append((start, memoryview(data)))  # consumed from the front without copies
        self.end_s = start + len(data) * self._character_s

    def time_of(self, count: int) -> float | None:
        """When the `count`-th byte from here on is through; None: so many are not queued."""
        for start, data in self._runs:
            if count <= len(data):
                return start + count * self._character_s
            count -= len(data)
        return None

    def take(self, now: float) -> bytes:
        """The bytes that are through by now."""
        taken = bytearray()
        while self._runs:
            start, data = self._runs[0]
            # The nudge: a byte whose time was computed by time_of is through at that time, rounding or not.
            through = min(len(data), int((now - start) / self._character_s + 1e-6))
            if through <= 0:
                break
            taken += data[:through]
            self._runs.popleft()
            if through < len(data):
                self._runs.appendleft((start + through * self._character_s, data[through:]))
                break
        return bytes(taken)


class Modem:
    """The near end: UART in, packets out to `depart`, with a bounded buffer between."""

    def __init__(self, clock: Clock, way: Way, counters: Counters, depart: Callable[[bytes], None]) -> None:
        self._clock = clock
        self._counters = counters
        self._depart = depart
        self._packet_bytes = way.packet_bytes or WIRE_PIECE_BYTES
        self._silence_s = 0.0 if way.is_wire else SILENCE_CHARACTERS * way.character_s
        self._buffer_bytes = 1 << 30 if way.is_wire else way.buffer_bytes
        self._air_rate = None if way.is_wire else way.air_rate
        self._uart = Uart(way.character_s)
        self._pending = bytearray()
        self._on_air: deque[bytes] = deque()
        self._held_bytes = 0
        self._timer: Timer | None = None
        self._waits_for_full = False

    def write(self, data: bytes) -> None:
        self._uart.write(self._clock.now, data)
        if not self._waits_for_full:  # a packet that will be full at a known time cannot be changed by later bytes
            self._plan()

    def _plan(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        need = self._packet_bytes - len(self._pending)
        room = self._buffer_bytes - self._held_bytes - len(self._pending)
        full_at = self._uart.time_of(need) if need <= room else None
        self._waits_for_full = full_at is not None
        if full_at is not None:
            self._timer = self._clock.at(full_at, self._form)
        elif self._pending or self._uart.time_of(1) is not None:
            self._timer = self._clock.at(self._uart.end_s + self._silence_s, self._flush)

    def _absorb(self) -> None:
        """Moves what the UART has brought into the buffer. Comes before each change of the room: the drop is exact."""
        data = self._uart.take(self._clock.now)
        room = self._buffer_bytes - self._held_bytes - len(self._pending)
        self._pending += data[:room]
        self._counters.dropped_bytes += max(0, len(data) - room)

    def _form(self) -> None:
        self._absorb()
        while len(self._pending) >= self._packet_bytes:
            self._emit(self._packet_bytes)
        self._plan()

    def _flush(self) -> None:
        self._absorb()
        while self._pending:
            self._emit(min(len(self._pending), self._packet_bytes))
        self._plan()

    def _emit(self, count: int) -> None:
        packet = bytes(self._pending[:count])
        del self._pending[:count]
        if self._air_rate is None:
            self._depart(packet)
            return
        self._held_bytes += count
        self._on_air.append(packet)
        if len(self._on_air) == 1:
            self._transmit()

    def _transmit(self) -> None:
        assert self._air_rate is not None
        self._clock.at(self._clock.now + len(self._on_air[0]) * 8 / self._air_rate, self._transmitted)

    def _transmitted(self) -> None:
        self._absorb()
        packet = self._on_air.popleft()
        self._held_bytes -= len(packet)
        if self._on_air:
            self._transmit()
        self._depart(packet)
        self._form()


class FarModem:
    """The far end: packets in, bytes out over its UART.

    A packet is handed over in one piece, with the time at which its first byte is whole; the others follow a character
    apart. `early` says when: with the first byte, for a board that keeps the true time of each byte by itself, or with
    the last, for a host. What waits here for the UART is not bounded: both UARTs have one rate, so only duplicates and
    reordering can pile up. On a plain wire the bytes have had their time already.
    """

    def __init__(self, clock: Clock, way: Way, deliver: Callable[[float, bytes], None], early: bool) -> None:
        self._clock = clock
        self._wire = way.is_wire
        self._character_s = way.character_s
        self._deliver = deliver
        self._early = early
        self._free_s = 0.0

    def accept(self, packet: bytes) -> None:
        """Takes a packet that has come through the air now."""
        now = self._clock.now
        start = now - len(packet) * self._character_s if self._wire else max(now, self._free_s)
        first = start + self._character_s
        self._free_s = start + len(packet) * self._character_s
        self._clock.at(first if self._early else self._free_s, lambda: self._deliver(first, packet))


class Direction:
    """One way of a link, whole: `write` at one end, `deliver(first_byte_s, bytes)` is called at the other.

    Each kind of fault draws from its own stream (`streams(name)`): switching one on leaves the others as they were.
    """

    def __init__(
        self,
        clock: Clock,
        way: Way,
        streams: Callable[[str], random.Random],
        deliver: Callable[[float, bytes], None],
        *,
        burst_phase_s: float = 0.0,
        early: bool = False,
    ) -> None:
        self.way = way
        self.counters = Counters()
        self._clock = clock
        self._streams = streams
        self._drawn: dict[str, random.Random] = {}
        self._deliver = deliver
        self._burst_phase_s = burst_phase_s
        self._floor_s = 0.0
        self._modem = Modem(clock, way, self.counters, self._depart)
        self._far = FarModem(clock, way, self._arrive, early)

    def write(self, data: bytes) -> None:
        """The near device gives bytes to its UART now."""
        if data:
            self.counters.written_bytes += len(data)
            self._modem.write(data)

    def _chance(self, name: str) -> float:
        stream = self._drawn.get(name)
        if stream is None:
            stream = self._drawn[name] = self._streams(name)
        return stream.random()

    def _depart(self, packet: bytes) -> None:
        counters = self.counters
        counters.packets += 1
        loss = self.way.loss_at(self._clock.now, self._burst_phase_s)
        if loss > 0 and self._chance("loss") < loss:
            counters.lost_packets += 1
            counters.lost_bytes += len(packet)
            return
        self._fly(packet)
        if self.way.dup > 0 and self._chance("dup") < self.way.dup:
            counters.doubled_packets += 1
            counters.doubled_bytes += len(packet)
            self._fly(packet)

    def _fly(self, packet: bytes) -> None:
        way = self.way
        damaged = self._damage(packet) if way.biterr > 0 else packet
        arrival = self._clock.now + way.delay_s
        if way.reorder > 0 and self._chance("reorder") < way.reorder:
            arrival += self._chance("late") * (way.jitter_s or 4 * WIRE_PIECE_BYTES * way.character_s)
        else:
            arrival += self._chance("jitter") * way.jitter_s if way.jitter_s > 0 else 0.0
            arrival = self._floor_s = max(self._floor_s, arrival)
        self._clock.at(arrival, lambda: self._far.accept(damaged))

    def _damage(self, packet: bytes) -> bytes:
        """Flips bits: the distance to the next flipped bit is geometric, so that clean packets cost one draw."""
        damaged = bytearray(packet)
        position = -1
        while True:
            position += 1 + self._clean_bits()
            if position >= 8 * len(damaged):
                return bytes(damaged)
            damaged[position // 8] ^= 1 << position % 8
            self.counters.flipped_bits += 1

    def _clean_bits(self) -> int:
        if self.way.biterr >= 1:
            return 0
        return int(math.log(1.0 - self._chance("biterr")) / math.log1p(-self.way.biterr))

    def _arrive(self, first_s: float, packet: bytes) -> None:
        self.counters.delivered_bytes += len(packet)
        self._deliver(first_s, packet)


class RadioLink:
    """Both directions of one board's link, and what every kind of link has. It has no connection that could break."""

    connections = 1
    frame_bytes = FRAME_BYTES
    linked = True
    must_wait = False

    def __init__(
        self,
        clock: Clock,
        model: LinkModel,
        streams: Callable[[str], random.Random],
        to_board: Callable[[float, bytes], None],
        to_host: Callable[[float, bytes], None],
    ) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self.character_s = model.down.character_s
        phase = streams("burst").random() * (model.down.burst_good_s + model.down.burst_bad_s)
        self.down = Direction(
            clock, model.down, lambda s: streams(f"down/{s}"), to_board, burst_phase_s=phase, early=True
        )
        self.up = Direction(clock, model.up, lambda s: streams(f"up/{s}"), to_host, burst_phase_s=phase)
        self.write = self.down.write
        self.say = self.up.write

    def moved(self, place: str, at_s: float) -> None:
        """A restart of the board changes nothing on the air."""
