"""The world: one clock, one seed, any number of boards with their links. Knows no message and no engine."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable

from otaflash.sim.app import Applications, RunningImage
from otaflash.sim.ble import BleModel
from otaflash.sim.clock import Clock
from otaflash.sim.radio import LinkModel
from otaflash.sim.station import Board, Power, Station

Trace = Callable[[float, str, bytes], None]
"""Told of every delivery to a host: time, name of the station, bytes."""


class World:
    """Everything in it follows from `seed`: the same seed and the same calls give the same bytes at the same times.

    Each random quantity draws from a stream of its own, named by station and purpose, so that adding a board or
    switching on a fault changes no other draw. An event costs the same however many boards there are (the heap's
    logarithm apart).
    """

    def __init__(self, seed: int | str, *, trace: Trace | None = None) -> None:
        self.seed = seed
        self.clock = Clock()
        self.stations: list[Station] = []
        self._trace = trace

    @property
    def now(self) -> float:
        """Virtual time in seconds."""
        return self.clock.now

    def stream(self, name: str) -> random.Random:
        """A random stream of its own for each name."""
        return random.Random(f"{self.seed}/{name}")

    def add(
        self,
        board: Board,
        model: LinkModel | BleModel,
        *,
        name: str = "",
        applications: Applications | None = None,
        power: Power | None = None,
        image_of: Callable[[], RunningImage | None] = lambda: None,
        enter_frame: bytes = b"",
    ) -> Port:
        """Puts a board into the world and switches it on now; returns the host's end of its link."""
        name = name or f"board{len(self.stations)}"
        station = Station(
            self.clock,
            name,
            board,
            model,
            lambda purpose: self.stream(f"{name}/{purpose}"),
            applications=applications or Applications(),
            power=power or Power(),
            image_of=image_of,
            enter_frame=enter_frame,
        )
        self.stations.append(station)
        port = Port(self, station)
        station.power_up()
        return port

    def step(self) -> bool:
        """Makes the next event happen; False: nothing will ever happen again by itself."""
        return self.clock.step()

    def run_until(self, time_s: float) -> None:
        """Lets time pass up to `time_s`."""
        self.clock.run_until(time_s)

    def told(self, name: str, data: bytes) -> None:
        """Hands what was sent by `name` to the trace, if there is one."""
        if self._trace is not None:
            self._trace(self.now, name, data)


class Port:
    """The host's end of one link. Bytes wait in an inbox, or go to `on_receive` if that is set; messages one by one."""

    def __init__(self, world: World, station: Station) -> None:
        self.world = world
        self.station = station
        self.on_receive: Callable[[bytes], None] | None = None
        self.on_change: Callable[[], None] | None = None
        """Called when the link's connection or the size of its frames has changed."""
        self._message = station.model.message
        self._inbox: deque[bytes] = deque()
        station.to_host = self._arrive
        station.link.on_change = self._changed

    def write(self, data: bytes) -> None:
        """Gives bytes to the host's UART, behind what is queued there."""
        self.station.link.write(data)

    @property
    def has_data(self) -> bool:
        """Whether `take` would give anything."""
        return bool(self._inbox)

    def take(self) -> bytes:
        """What has arrived since the last call; of a message link one message, if any."""
        if self._message:
            return self._inbox.popleft() if self._inbox else b""
        data = b"".join(self._inbox)
        self._inbox.clear()
        return data

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def _arrive(self, data: bytes) -> None:
        self.world.told(self.station.name, data)
        if self.on_receive is None:
            self._inbox.append(data)
        else:
            self.on_receive(data)
