"""A link into a simulated world: reading lets virtual time pass. Knows no message."""

from __future__ import annotations

from otaflash.errors import LinkError
from otaflash.sim.ble import BleModel
from otaflash.sim.boards import add_target, save_state
from otaflash.sim.native import NativeBoard
from otaflash.sim.radio import FRAME_BYTES
from otaflash.sim.station import Station
from otaflash.sim.url import SimTarget, parse_sim_url
from otaflash.sim.world import Port, World
from otaflash.transport.link import PATIENCE_S

SAVE_EVERY_S = 1.0
"""Virtual seconds between two savings of the flash: what a killed process may lose."""


CONNECT_S = 10.0
"""A board that is on the air is found long before; one that is not stays silent."""


class SimLink:
    """A `Link` (otaflash.transport.link) over a world; times are the world's virtual seconds."""

    def __init__(
        self, name: str, port: Port, board: NativeBoard | None = None, target: SimTarget | None = None
    ) -> None:
        self.name = name
        self.port = port
        self.world: World = port.world
        self.rate_bytes_per_s: float | None = port.station.model.line_bytes_per_s
        self.queue_writes: int | None = port.station.model.queue_writes
        self.stream = not port.station.model.message
        self.patience_s = PATIENCE_S
        self.reconnects = isinstance(port.station.model, BleModel)
        self._known = self._now_known()
        self.board = board
        """The simulated board, for tests and benches: its flash and counters."""
        self._target = target
        self._saved_s = 0.0
        self._closed = False

    @property
    def station(self) -> Station:
        """The board at the far end, with what surrounds it."""
        return self.port.station

    @property
    def frame_bytes(self) -> int:
        return self.station.link.frame_bytes if not self.stream else FRAME_BYTES

    @property
    def connections(self) -> int:
        return self.station.link.connections

    def now(self) -> float:
        return self.world.now

    def read(self, deadline: float) -> bytes:
        """Lets events happen until bytes are here, the connection changes, or `deadline` is reached."""
        self._check_open()
        clock = self.world.clock
        while not self.port.has_data and not self._changed():
            due = clock.next_time()
            if due is None or due > deadline:
                clock.run_until(deadline)
                break
            clock.step()
        if self.world.now >= self._saved_s + SAVE_EVERY_S:
            self._save()
        return self.port.take()

    def write(self, data: bytes) -> None:
        """Queues bytes before the host's UART or radio; lets time pass where a queue of the host has no room."""
        self._check_open()
        self.port.write(data)
        while self.station.link.must_wait and self.world.step():
            pass

    def close(self) -> None:
        """Saves the flash where the URL named a state file. May be called twice."""
        if not self._closed:
            self._closed = True
            self._save()

    def _now_known(self) -> tuple[int, int]:
        return self.connections, self.frame_bytes

    def _changed(self) -> bool:
        """True once after each change of the connection or of the size of its frames."""
        before, self._known = self._known, self._now_known()
        return before != self._known

    def _save(self) -> None:
        self._saved_s = self.world.now
        if self.board is not None and self._target is not None and self._target.state is not None:
            save_state(self.board, self._target.state)

    def _check_open(self) -> None:
        if self._closed:
            raise LinkError("link-closed", f"{self.name} is closed", remedy="Open the port again.")


def open_sim(url: str) -> SimLink:
    """The link of a `sim:` URL: a fresh world with one board in it, connected. Raises UsageError."""
    target = parse_sim_url(url)
    world = World(target.seed)
    port, board = add_target(world, target)
    while not port.station.link.connections and world.now < CONNECT_S:
        world.step()
    return SimLink(url, port, board, target)
