"""A bed: a board in reach of a Bluetooth stack that bleak's own backend talks to, on an event loop in a thread."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from otaflash.sim.profiles import Profile, profile
from tests.transport.ble.air import Device
from tests.transport.ble.bluez.fake import FakeBluez
from tests.transport.ble.peer import Peer

T = TypeVar("T")
PATIENCE_S = 60.0


class LoopThread:
    """An event loop that runs beside the test."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], T]) -> T:
        """Calls it over there, and waits for what it returns."""

        async def there() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(there(), self.loop).result(PATIENCE_S)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE_S)
        self.loop.close()


class Bed(ABC):
    """What a conformance test needs. The board is running its program when a test begins."""

    device: Device
    peer: Peer
    thread: LoopThread
    environment: dict[str, str]
    """By which bleak finds the bus."""

    @abstractmethod
    def lose(self) -> None:
        """Breaks the connection."""

    @abstractmethod
    def close(self) -> None: ...

    def reset(self) -> None:
        """Resets the board in the middle of whatever it does."""
        self.thread.call(self.peer.reset)

    def leave(self) -> None:
        """Takes the board out of reach."""
        self.thread.call(lambda: setattr(self.device, "advertising", False))

    def is_right(self) -> bool:
        return self.thread.call(self.peer.is_right)


def make_peer(board: Profile | None = None, image_bytes: int = 9000, *, stream: bool = False) -> Peer:
    """A board that has left its loader."""
    peer = Peer(board or profile("nrf52832"), image_bytes=image_bytes, stream=stream)
    peer.world.run_until(2.0)
    return peer


class FakeBed(Bed):
    """T2: the fake org.bluez on a private bus."""

    def __init__(self, folder: Path, device: Device) -> None:
        assert device.peer is not None
        self.device, self.peer = device, device.peer
        self.thread = LoopThread()
        self.bluez = self.thread.call(FakeBluez)
        path = folder / "bus"
        asyncio.run_coroutine_threadsafe(self.bluez.bus.serve(path), self.thread.loop).result(PATIENCE_S)
        self.thread.call(lambda: self.bluez.add(device))
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={path}"}

    def lose(self) -> None:
        self.thread.call(lambda: self.bluez.lose(self.device))

    def close(self) -> None:
        self.thread.call(self.bluez.bus.close)
        self.thread.close()
