"""A link into a simulated world: reading lets virtual time pass. Knows no message."""

from __future__ import annotations

from otaflash.errors import LinkError
from otaflash.sim.boards import add_target, save_state
from otaflash.sim.native import NativeBoard
from otaflash.sim.station import Station
from otaflash.sim.url import SimTarget, parse_sim_url
from otaflash.sim.world import Port, World

SAVE_EVERY_S = 1.0
"""Virtual seconds between two savings of the flash: what a killed process may lose."""


class SimLink:
    """A `Link` (otaflash.transport.link) over a world; times are the world's virtual seconds."""

    stream = True
    frame_bytes = 1056
    connections = 1

    def __init__(
        self, name: str, port: Port, board: NativeBoard | None = None, target: SimTarget | None = None
    ) -> None:
        self.name = name
        self.port = port
        self.world: World = port.world
        self.rate_bytes_per_s: float | None = 1.0 / port.station.model.down.character_s
        self.board = board
        """The simulated board, for tests and benches: its flash and counters."""
        self._target = target
        self._saved_s = 0.0
        self._closed = False

    @property
    def station(self) -> Station:
        return self.port.station

    def now(self) -> float:
        return self.world.now

    def read(self, deadline: float) -> bytes:
        """Lets events happen until bytes are here or `deadline` is reached (then b"")."""
        self._check_open()
        clock = self.world.clock
        while not self.port.has_data:
            due = clock.next_time()
            if due is None or due > deadline:
                clock.run_until(deadline)
                break
            clock.step()
        if self.world.now >= self._saved_s + SAVE_EVERY_S:
            self._save()
        return self.port.take()

    def write(self, data: bytes) -> None:
        """Queues bytes before the host's UART; never blocks, as an operating system's queue that has room."""
        self._check_open()
        self.port.write(data)

    def close(self) -> None:
        """Saves the flash where the URL named a state file. May be called twice."""
        if not self._closed:
            self._closed = True
            self._save()

    def _save(self) -> None:
        self._saved_s = self.world.now
        if self.board is not None and self._target is not None and self._target.state is not None:
            save_state(self.board, self._target.state)

    def _check_open(self) -> None:
        if self._closed:
            raise LinkError("link-closed", f"{self.name} is closed", remedy="Open the port again.")


def open_sim(url: str) -> SimLink:
    """The link of a `sim:` URL: a fresh world with one board in it. Raises UsageError."""
    target = parse_sim_url(url)
    world = World(target.seed)
    port, board = add_target(world, target)
    return SimLink(url, port, board, target)
