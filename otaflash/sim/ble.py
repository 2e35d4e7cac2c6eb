"""What a BLE connection is set to, and what follows from it by calculation. Numbers only; knows no clock and no board.

Volumes and parts are those of the Bluetooth Core Specification 5.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

T_IFS_S = 150e-6
"""Between two packets of one connection event, either way (Vol 6, Part B, 4.1.1)."""
LL_OVERHEAD_BYTES = {1: 10, 2: 11}
"""By PHY in Mbit/s: preamble (1, or 2 at 2M), access address (4), header (2), CRC (3) (Vol 6, Part B, 2.1)."""
MIC_BYTES = 4
"""Message integrity check of every encrypted packet that carries something (Vol 6, Part B, 2.4)."""
L2CAP_HEADER_BYTES = 4
"""Vol 3, Part A, 3.1."""
ATT_HEADER_BYTES = 3
"""Opcode and handle of a write or a notification (Vol 3, Part F, 3.4.5 and 3.4.7)."""
VALUE_BYTES_MOST = 512
"""Longest attribute value (Vol 3, Part F, 3.2.9); a device discards a longer one in silence."""
VALUE_BYTES_LEAST = 20
"""At the MTU of 23 that every connection begins with."""
LL_BYTES = 27
LL_BYTES_EXTENDED = 251
"""Payload of one packet, without and with data-length extension (Vol 6, Part B, 2.4)."""
HANDOVER_BAUD = 4_000_000
"""What passes between a radio's stack and the loader on the same chip, as if it were a line: 400 kB/s."""
EVENTS_MOST = 2000
"""So many connection events are counted out at most where packets of several lengths alternate."""


class HostKind(Enum):
    """How an operating system treats writes without response."""

    BLUEZ = "bluez"
    """takes every one at once, as many as there are"""
    MAC = "mac"
    """drops in silence what is beyond its queue"""
    WINDOWS = "windows"
    """takes every one at once; tells of 20-byte writes first, of longer ones later"""
    ANDROID = "android"
    """makes the caller wait until the few before are out"""


@dataclass(frozen=True, slots=True)
class Host:
    """A kind of host with its sizes; each such figure is an assumption, on the cautious side."""

    queue_writes: int | None
    """held between program and air; None: without end"""
    drops: bool
    """True: beyond the queue a write is lost; False: its caller waits"""
    late_mtu_s: float
    """after a connection is up, the time for which writes of 20 bytes are all that there is"""
    latency_s: float
    """between program and radio, each way"""

    @property
    def sure_writes(self) -> int | None:
        """What a transport on such a host takes its queue for."""
        return SURE_WRITES if self.drops else None


SURE_WRITES = 16
HOSTS: dict[HostKind, Host] = {
    HostKind.BLUEZ: Host(None, False, 0.0, 0.001),
    HostKind.MAC: Host(20, True, 0.0, 0.001),
    HostKind.WINDOWS: Host(None, False, 0.6, 0.002),
    HostKind.ANDROID: Host(4, False, 0.0, 0.002),
}


@dataclass(frozen=True)
class BleModel:
    """One connection between a host and a board. Times in seconds, chances from 0 to 1."""

    phy: int = 1
    """Mbit/s on the air: 1 or 2"""
    mtu: int = 247
    """ATT MTU, 23 to 517"""
    interval_s: float = 0.03
    packets: int | None = None
    """exchanges in one connection event; None: as many as fit"""
    extended: bool = True
    """data-length extension"""
    encrypted: bool = False
    host: HostKind = HostKind.BLUEZ
    loss: float = 0.0
    """of a packet on the air: it is sent again in the next event, so all that is lost is time"""
    dup: float = 0.0
    """of a notification, by the host"""
    supervision_s: float = 2.0
    """silence after which an end takes the connection for lost"""
    disconnect_every_s: float | None = None
    """the connection falls silent so long after each coming up"""
    disconnect_at_s: float | None = None
    """the connection falls silent once, at this time"""
    keeps_table: bool = False
    """a host that never looks at the services again after its first connection"""
    uart: int | None = None
    """the board sits behind a UART module of this rate in bits per second; None: it has a radio of its own"""

    @property
    def value_bytes(self) -> int:
        """The longest value of one write or notification."""
        return min(self.mtu - ATT_HEADER_BYTES, VALUE_BYTES_MOST)

    # --- packets

    @property
    def ll_bytes(self) -> int:
        """Payload bytes of a link-layer packet: 27, or 251 with data-length extension."""
        return LL_BYTES_EXTENDED if self.extended else LL_BYTES

    def fragments(self, value_bytes: int) -> list[int]:
        """Payloads of the packets that carry a value of that length."""
        left = value_bytes + ATT_HEADER_BYTES + L2CAP_HEADER_BYTES
        whole, rest = divmod(left, self.ll_bytes)
        return [self.ll_bytes] * whole + ([rest] if rest else [])

    def air_s(self, payload_bytes: int) -> float:
        """Time of one packet on the air; a payload of 0 is the empty packet that only acknowledges."""
        mic = MIC_BYTES if self.encrypted and payload_bytes else 0
        return (LL_OVERHEAD_BYTES[self.phy] + payload_bytes + mic) * 8 / (self.phy * 1e6)

    def exchange_s(self, payload_bytes: int) -> float:
        """A packet, the empty one that answers it, and the gap behind each."""
        return self.air_s(payload_bytes) + T_IFS_S + self.air_s(0) + T_IFS_S

    # --- ceilings, in bytes of values per second, one way

    def endless_ceiling(self, value_bytes: int) -> float:
        """If connection events had no end: what the air alone allows, in bytes per second."""
        return value_bytes / sum(self.exchange_s(payload) for payload in self.fragments(value_bytes))

    def ceiling(self, value_bytes: int) -> float:
        """With the ends of connection events, which no exchange may reach into (Vol 6, Part B, 4.5.1), and with
        `packets` of them in each."""
        costs = [self.exchange_s(payload) for payload in self.fragments(value_bytes)]
        sent = events = 0
        while events < EVENTS_MOST and (events == 0 or sent % len(costs)):
            sent += self._fill_event(costs, sent)
            events += 1
        return sent / len(costs) * value_bytes / (events * self.interval_s)

    def _fill_event(self, costs: list[float], first: int) -> int:
        """How many exchanges fit one event, the first of them with the cost numbered so."""
        used_s, count = 0.0, 0
        while self.packets is None or count < self.packets:
            used_s += costs[(first + count) % len(costs)]
            if used_s > self.interval_s + 1e-12:
                break
            count += 1
        return count

    def response_ceiling(self, value_bytes: int) -> float:
        """Of writes with response, in bytes per second: the answer comes in the event after the write, the next write
        in the one after."""
        return value_bytes / (2 * self.interval_s)

    # --- what a world asks of every model

    @property
    def message(self) -> bool:
        """True: each write is one frame."""
        return self.uart is None

    @property
    def queue_writes(self) -> int | None:
        return HOSTS[self.host].sure_writes

    @property
    def baud(self) -> int:
        """Of the board's line: its UART, or what passes between stack and loader on one chip."""
        return self.uart or HANDOVER_BAUD

    @cached_property
    def line_bytes_per_s(self) -> float:
        """The most that values of any length, or a module's UART, can carry."""
        header = ATT_HEADER_BYTES + L2CAP_HEADER_BYTES
        lengths = [count * self.ll_bytes - header for count in (1, 2)]
        fitting = [length for length in lengths if length <= self.value_bytes]
        ceiling = max(self.ceiling(length) for length in (self.value_bytes, *fitting))
        return ceiling if self.uart is None else min(self.uart / 10, ceiling)
