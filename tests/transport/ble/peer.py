"""A simulated board, the real core inside, behind the glue that a GATT service or a UART module is. Knows no BLE stack.

Its world's virtual time follows the event loop that it is put on: virtual in T1, real in T2 and T3.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from otaflash.bench.link import holds, make_image
from otaflash.image.build import Image
from otaflash.sim.app import Applications
from otaflash.sim.boards import add_board
from otaflash.sim.profiles import Profile, profile
from otaflash.sim.radio import LinkModel, Way
from otaflash.sim.world import World
from otaflash.wire import FrameReader, on_stream

WIRE = Way(rate=4_000_000.0, packet_bytes=0)
"""Between radio and core there is only memory; the fastest line that the model has stands for it."""

ROUNDING_S = 1e-9
"""There and back between two clocks: an event must not be due for ever without happening."""

HURRY_S = 0.002
"""Of the board's time: what a value needs on that line, and a reply."""


def fast(name: str) -> Profile:
    """A board whose flash and CPU cost no time, for figures of the way to it."""
    free = {field: 0 for field in ("erase_page_ns", "program_chunk_ns", "program_unit_ns", "sha_block_ns", "byte_ns")}
    return replace(profile(name), **free, stall_ms=0)  # type: ignore[arg-type]


class Peer:
    """One board. `write` is what a central wrote; `on_value` gets what it is to be notified of."""

    def __init__(
        self,
        board: Profile,
        *,
        stream: bool = False,
        seed: int = 1,
        image_bytes: int = 9000,
        applications: Applications | None = None,
        uart: Way | None = None,
    ) -> None:
        self.stream = stream
        self.hurries = False
        """Deals with each value at once, as if its line and CPU took no time: for figures of the way to it."""
        self.world = World(seed)
        way = uart or WIRE
        self.port, self.board = add_board(self.world, board, LinkModel(way, way), applications=applications)
        self.port.on_receive = self._say
        self.on_value: Callable[[bytes], None] = lambda value: None
        self.on_restart: Callable[[], None] = lambda: None
        self.image: Image = make_image(board, image_bytes, seed)
        self._reader = FrameReader(stream=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._offset_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._lives = self._count_lives()

    def put_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Lets the board live, from now on."""
        self._loop = loop
        self._offset_s = loop.time() - self.world.now
        self._plan()

    def take_off(self) -> None:
        """Lets its time stand still."""
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()

    def write(self, value: bytes) -> None:
        """A value that was written, or bytes that the module got."""
        self._catch_up()
        self.port.write(value if self.stream else on_stream(value))
        if self.hurries:
            self.world.run_until(self.world.now + HURRY_S)
            self.put_on(self._loop or asyncio.get_running_loop())
        self._plan()

    def reset(self) -> None:
        """Pulls the reset pin."""
        self._catch_up()
        self.port.station.reset()
        self._after()

    def is_right(self) -> bool:
        """True if the primary slot holds the image, looked at from outside."""
        return holds(self.board, self.image.span)

    def _say(self, data: bytes) -> None:
        if self.stream:
            self.on_value(data)
            return
        for frame in self._reader.feed(data):
            self.on_value(frame)

    def _catch_up(self) -> None:
        if self._loop is not None:
            self.world.run_until(self._loop.time() - self._offset_s + ROUNDING_S)

    def _tick(self) -> None:
        self._catch_up()
        self._after()

    def _after(self) -> None:
        lives = self._count_lives()
        if lives != self._lives:
            self._lives = lives
            self.on_restart()
        self._plan()

    def _count_lives(self) -> tuple[int, int, int, int]:
        """Grows with everything that costs a radio its connection: restarts, resets, and the jump to a program."""
        counters = self.port.station.counters
        return counters.power_ups, counters.restarts, counters.resets, counters.jumps

    def _plan(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.world.clock.next_time()
        if self._loop is not None and due is not None:
            self._timer = self._loop.call_at(due + self._offset_s, self._tick)
