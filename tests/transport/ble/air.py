"""What is on the air, and bleak backends that reach it: GATT as hosts show it, with what hosts do wrong (T1).

The fake keeps the rules that a radio and its hosts have, and remembers each that was broken in `Air.broken`: writing
before subscribing, a value longer than allowed, more than 16 writes in flight, a characteristic of another connection,
a connection without a scan before it.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError

from otaflash.transport.ble import Radio
from otaflash.transport.ble_services import OWN, Service
from tests.transport.ble.peer import Peer

IN_FLIGHT_MOST = 16
ADVERTISES_S = 0.1
SUPERVISION_S = 0.7
VALUE_MOST = 512
"""A peer discards what is longer, though the host took it."""


@dataclass(slots=True)
class Host:
    """How the computer's own stack behaves. `queue`: values that it holds; beyond them it waits, or drops silently."""

    queue: int = 10_000
    drops: bool = False
    waits: bool = False
    mtu_late_s: float = 0.0
    doubles: float = 0.0
    """Chance of a notification to be handed over twice."""
    loses: float = 0.0
    """Chance of a value in either direction to be lost in a queue."""
    forgets_first: int = 0
    """Connections that come to nothing."""


BLUEZ = Host()
MAC = Host(queue=20, drops=True)
WINDOWS = Host(queue=12, waits=True, mtu_late_s=0.6)
ANDROID = Host(queue=1, waits=True)


@dataclass(slots=True)
class Device:
    """A peripheral: what it advertises, what its table holds, and the board behind it."""

    peer: Peer | None
    name: str = "lamp"
    address: str = "C0:FF:EE:00:00:01"
    service: Service = OWN
    advertised: tuple[str, ...] | None = None
    """UUIDs in its advertisement; None: that of its service."""
    table: tuple[tuple[str, tuple[str, str]], ...] | None = None
    """(service, its two characteristics); None: its service alone."""
    rssi: int = -55
    mtu: int = 247
    true_mtu: int | None = None
    """What really gets through, if the MTU is a lie."""
    interval_s: float = 0.015
    packets: int = 6
    boots_s: float = 0.3
    """From a restart until it advertises."""
    moves: bool = False
    """Comes back under another address, with another table."""
    drops_on_restart: bool = True
    """False for a UART module: it keeps its connection while the board behind it restarts."""
    advertising: bool = True
    life: int = 0
    connection: Any = None
    values: list[int] = field(default_factory=list)
    """Lengths of all that was written to it."""


class Air:
    """Everything in reach, on one loop, from one seed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int = 0, host: Host | None = None) -> None:
        self.loop = loop
        self.host = host or Host()
        self.devices: list[Device] = []
        self.broken: list[str] = []
        self.dropped = 0
        self.connects = 0
        self.scans = self.scans_before = 0
        self.start_error: Exception | None = None
        self.random = random.Random(seed)
        self.on_connect: Callable[[Device], None] = lambda device: None

    def add(self, device: Device) -> Device:
        self.devices.append(device)
        if device.peer is not None:
            device.peer.put_on(self.loop)
            device.peer.on_value = lambda value: self._notify(device, value)
            device.peer.on_restart = lambda: restarted(device, self.loop, lambda: self.lose(device))
        return device

    def radio(self) -> Radio:
        """This air, as the transport sees it."""
        return Radio(scanner=_bound(FakeScanner, self), client=_bound(FakeClient, self))

    def lose(self, device: Device) -> None:
        """The connection breaks: silence for the supervision time-out, then both ends know."""
        if device.connection is not None:
            device.connection.cut()

    def _notify(self, device: Device, value: bytes) -> None:
        if device.connection is not None:
            device.connection.notify(value)


def restarted(device: Device, loop: asyncio.AbstractEventLoop, lose: Callable[[], None]) -> None:
    """What a restart of the board does to its radio: the connection is lost, and it advertises again a little later."""
    if not device.drops_on_restart:
        return
    lose()
    device.life += 1
    device.advertising = False
    if device.moves:
        device.address = f"C0:FF:EE:00:{device.life // 256:02X}:{device.life % 256:02X}"
    life = device.life

    def up() -> None:
        if device.life == life:
            device.advertising = True

    loop.call_later(device.boots_s, up)


def _bound(kind: type, air: Air) -> type:
    """bleak makes the backend's instances itself: the air goes into a class of its own."""
    return type(kind.__name__, (kind,), {"air": air})


class FakeScanner(BaseBleakScanner):
    air: Air

    def __init__(self, callback: Any, service_uuids: Any, mode: Any, **_: Any) -> None:
        super().__init__(callback, service_uuids)
        self._on = False

    async def start(self) -> None:
        self.air.scans += 1
        if self.air.start_error is not None:
            raise self.air.start_error
        self.seen_devices = {}
        self._on = True
        self._beat()

    async def stop(self) -> None:
        self._on = False

    def _beat(self) -> None:
        if not self._on:
            return
        for device in self.air.devices:
            if device.advertising and device.connection is None:
                self._show(device)
        self.air.loop.call_later(ADVERTISES_S, self._beat)

    def _show(self, device: Device) -> None:
        uuids = list((device.service.uuid,) if device.advertised is None else device.advertised)
        heard = AdvertisementData(device.name or None, {}, {}, uuids, None, device.rssi, ())
        seen = self.create_or_update_device(
            device.address, device.address, device.name or None, (device, device.life), heard
        )
        self.call_detection_callbacks(seen, heard)


class FakeClient(BaseBleakClient):
    air: Air

    def __init__(self, device: BLEDevice, services: Any = None, **options: Any) -> None:
        super().__init__(device, **options)
        assert isinstance(device, BLEDevice), "an address makes bleak scan by itself"
        self.device, self.life = device.details
        self.up = False
        self.silent = False
        self.subscribed: Callable[[bytearray], None] | None = None
        self.in_flight = 0
        self.down: deque[tuple[bytes, asyncio.Future[None] | None]] = deque()
        self.up_queue: deque[bytes] = deque()
        self.began_s = 0.0
        self.armed = False

    @property
    def mtu_size(self) -> int:
        raise AssertionError("BlueZ says 23 whatever the MTU is")

    def _mtu(self) -> int:
        late = self.air.loop.time() < self.began_s + self.air.host.mtu_late_s
        return 23 if late else self.device.mtu

    @property
    def is_connected(self) -> bool:
        return self.up

    @property
    def name(self) -> str:
        return str(self.device.name)

    async def connect(self, pair: bool, **_: Any) -> None:
        air, device = self.air, self.device
        air.connects += 1
        if air.scans == air.scans_before:
            air.broken.append("a second connection after one scan")
        air.scans_before = air.scans
        await asyncio.sleep(6 * device.interval_s)
        if not device.advertising or self.life != device.life or device.connection is not None:
            raise BleakDeviceNotFoundError(self.address)
        if air.host.forgets_first:
            air.host.forgets_first -= 1
            raise BleakError("le-connection-abort-by-local")
        self.up, self.began_s, device.connection = True, air.loop.time(), self
        self.services = self._table()
        air.on_connect(device)

    def _table(self) -> BleakGATTServiceCollection:
        device, handle = self.device, 16 * (1 + self.device.life)
        table = device.table or ((device.service.uuid, (device.service.to_device, device.service.to_host)),)
        found = BleakGATTServiceCollection()
        for uuid, characteristics in table:
            service = BleakGATTService(None, handle, uuid)
            found.add_service(service)
            for each in dict.fromkeys(characteristics):
                handle += 2
                flags: Any = _flags(each, characteristics)
                char = BleakGATTCharacteristic(self, handle, each, flags, lambda: self._mtu() - 3, service)
                found.add_characteristic(char)
            handle += 16
        return found

    def cut(self) -> None:
        """Nothing goes through any more; who waits is told after the supervision time-out."""
        if not self.silent:
            self.silent = True
            self.air.loop.call_later(SUPERVISION_S, self._lost)

    def _lost(self) -> None:
        if not self.up:
            return
        self.up, self.services, self.device.connection = False, None, None
        for _, future in self.down:
            if future is not None and not future.done():
                future.set_exception(BleakError("disconnected"))
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def disconnect(self) -> None:
        if self.up:
            await asyncio.sleep(self.device.interval_s)
            self._lost()

    async def pair(self, *_: Any, **__: Any) -> None: ...

    async def unpair(self) -> None: ...

    async def read_gatt_char(self, *_: Any, **__: Any) -> bytearray:
        raise AssertionError("nothing is read")

    async def read_gatt_descriptor(self, *_: Any, **__: Any) -> bytearray:
        raise AssertionError("nothing is read")

    async def write_gatt_descriptor(self, *_: Any, **__: Any) -> None:
        raise AssertionError("bleak writes the one descriptor that there is")

    async def start_notify(self, characteristic: BleakGATTCharacteristic, callback: Any, **_: Any) -> None:
        self._check(characteristic)
        await asyncio.sleep(2 * self.device.interval_s)
        self.subscribed = callback

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        self.subscribed = None

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: Any, response: bool) -> None:
        if not self.up:
            raise BleakError("Not connected")
        self._check(characteristic)
        self.in_flight += 1
        try:
            await self._queue(bytes(data), response)
        finally:
            self.in_flight -= 1

    async def _queue(self, value: bytes, response: bool) -> None:
        air, host = self.air, self.air.host
        if self.subscribed is None:
            air.broken.append("it wrote before it subscribed")
        if len(value) > self._mtu() - 3:
            air.broken.append(f"a value of {len(value)} bytes at MTU {self._mtu()}")
        if self.in_flight > IN_FLIGHT_MOST:
            air.broken.append("more writes in flight than hosts hold")
        if host.drops and len(self.down) >= host.queue:
            air.dropped += 1
            return
        taken = response or (host.waits and len(self.down) >= host.queue)
        future = air.loop.create_future() if taken else None
        self.down.append((value, future))
        self._arm()
        if future is not None:
            await future
        else:
            await asyncio.sleep(0)

    def _check(self, characteristic: BleakGATTCharacteristic) -> None:
        if characteristic.obj is not self:
            self.air.broken.append("a characteristic of another connection")

    def notify(self, value: bytes) -> None:
        if len(value) > self.device.mtu - 3 and not self.device.service.stream:
            self.air.broken.append(f"a notification of {len(value)} bytes at MTU {self.device.mtu}")
        most = self.device.mtu - 3
        self.up_queue.extend(value[at : at + most] for at in range(0, len(value), most))
        self._arm()

    def _arm(self) -> None:
        """Lets the next connection event happen; those with nothing to carry need not."""
        if not self.armed and (self.down or self.up_queue):
            self.armed = True
            passed = math.floor((self.air.loop.time() - self.began_s) / self.device.interval_s + 1e-6)
            self.air.loop.call_at(self.began_s + (passed + 1) * self.device.interval_s, self._event)

    def _event(self) -> None:
        self.armed = False
        if not self.up:
            return
        if not self.silent:
            for _ in range(min(self.device.packets, len(self.down))):
                self._deliver(*self.down.popleft())
            for _ in range(min(self.device.packets, len(self.up_queue))):
                self._hand_over(self.up_queue.popleft())
            self._arm()

    def _deliver(self, value: bytes, future: asyncio.Future[None] | None) -> None:
        fits = len(value) <= min((self.device.true_mtu or self.device.mtu) - 3, VALUE_MOST)
        self.device.values.append(len(value))
        lost = self.air.random.random() < self.air.host.loses
        if fits and not lost and self.device.peer is not None:
            self.device.peer.write(value)
        if future is not None and not future.done():
            future.set_result(None)

    def _hand_over(self, value: bytes) -> None:
        if self.subscribed is None or self.air.random.random() < self.air.host.loses:
            return
        self.subscribed(bytearray(value))
        if self.up and self.air.random.random() < self.air.host.doubles:
            self.subscribed(bytearray(value))


def _flags(uuid: str, characteristics: Sequence[str]) -> list[str]:
    flags = ["write-without-response", "write"] if uuid == characteristics[0] else []
    return [*flags, "notify"] if uuid == characteristics[-1] else flags
