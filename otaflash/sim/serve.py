"""A simulated board for other programs, in real time, at a pty or a TCP port. Prints nothing, knows no message."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol

from otaflash.errors import TargetError, UsageError
from otaflash.sim.app import Applications
from otaflash.sim.ble import BleModel
from otaflash.sim.boards import add_board, save_state
from otaflash.sim.profiles import Profile
from otaflash.sim.radio import LinkModel
from otaflash.sim.station import Power
from otaflash.sim.world import World
from otaflash.system import HAS_PTYS, open_pty

TICK_S = 0.1
"""Longest time between two looks at `stop`."""

SAVE_EVERY_S = 1.0
_CHUNK_BYTES = 4096


class Door(Protocol):
    """Where clients come in. What the board says while nobody is there is lost, as on a real line."""

    @property
    def name(self) -> str:
        """The port that leads here, as typed after --port."""
        ...

    def handles(self) -> list[int]:
        """What to wait for."""
        ...

    def read(self, ready: list[int]) -> bytes:
        """What clients have sent; `ready` as `select` gave it."""
        ...

    def write(self, data: bytes) -> None:
        """Sends to whoever is there."""
        ...

    def close(self) -> None:
        """Lets everybody go."""
        ...


def serve(
    profile: Profile,
    model: LinkModel | BleModel,
    *,
    pty: bool = False,
    tcp_port: int | None = None,
    on_ready: Callable[[str], None],
    stop: Callable[[], bool] = lambda: False,
    seed: int = 0,
    applications: Applications | None = None,
    power: Power | None = None,
    image: Path | bytes | None = None,
    state: Path | None = None,
    key: bytes = b"",
) -> None:
    """Serves one board until `stop()` is true or Ctrl-C; returns normally on both.

    Exactly one of `pty` and `tcp_port` (0: any free one; on 127.0.0.1 only). `on_ready` gets what a client takes as its
    --port: the path of the pty, or ``socket://127.0.0.1:PORT``. The board lives on while clients come and go, one at a
    time. `image`, `state` and `key` are those of add_board; `state` is saved every second and at the end. Raises
    UsageError, TargetError.
    """
    if pty == (tcp_port is not None):
        raise UsageError("serve-where", "a board is served at one place", remedy="Give either --pty or --tcp PORT.")
    if model.message:
        raise UsageError(
            "serve-message-link", "a board with a BLE service of its own has no byte stream", remedy="Add uart=115200."
        )
    with ExitStack() as stack:
        door: Door = PtyDoor() if tcp_port is None else TcpDoor(tcp_port)
        stack.callback(door.close)
        world = World(seed)
        port, board = add_board(
            world, profile, model, applications=applications, power=power, image=image, state=state, key=key
        )
        port.on_receive = door.write
        if state is not None:
            stack.callback(save_state, board, state)
        save = None if state is None else (lambda: save_state(board, state))
        on_ready(door.name)
        with suppress(KeyboardInterrupt):
            run(world, port.write, door, stop, save)


def run(
    world: World,
    to_board: Callable[[bytes], None],
    door: Door,
    stop: Callable[[], bool],
    save: Callable[[], None] | None = None,
) -> None:
    """Runs `world` in real time until `stop()`; what comes in at `door` goes to the board. Calls `save` each second.

    Virtual time follows the monotonic clock; a late loop catches up event by event, at their own times.
    """
    start = time.monotonic()
    saved_s = 0.0
    while not stop():
        due = world.clock.next_time()
        wait_s = TICK_S if due is None else min(TICK_S, due - (time.monotonic() - start))
        ready, _, _ = select.select(door.handles(), [], [], max(0.0, wait_s))
        world.run_until(time.monotonic() - start)
        if ready and (data := door.read(ready)):
            to_board(data)
        if save is not None and world.now >= saved_s + SAVE_EVERY_S:
            saved_s = world.now
            save()


class PtyDoor:
    """A pseudo-terminal in raw mode. Our own open end of the client's side keeps it alive, and raw, between clients."""

    def __init__(self) -> None:
        if not HAS_PTYS:
            raise UsageError("serve-no-pty", "this system has no ptys", remedy="Use --tcp PORT.")
        self._ours, self._theirs, self._name = open_pty()

    @property
    def name(self) -> str:
        return self._name

    def handles(self) -> list[int]:
        return [self._ours]

    def read(self, ready: list[int]) -> bytes:
        with suppress(OSError):
            return os.read(self._ours, _CHUNK_BYTES)
        return b""

    def write(self, data: bytes) -> None:
        with suppress(OSError):  # full: nobody reads
            os.write(self._ours, data)

    def close(self) -> None:
        os.close(self._ours)
        os.close(self._theirs)


class TcpDoor:
    """A TCP port on this machine; one client at a time, the next one waits its turn."""

    def __init__(self, port: int) -> None:
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._client: socket.socket | None = None
        try:
            self._listener.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            self._listener.close()
            raise TargetError(
                "serve-port",
                f"port {port} cannot be served ({error})",
                remedy="Take another port, or 0 for any free one.",
            ) from error
        self._listener.listen()

    @property
    def name(self) -> str:
        return f"socket://127.0.0.1:{self._listener.getsockname()[1]}"

    def handles(self) -> list[int]:
        return [self._listener.fileno() if self._client is None else self._client.fileno()]

    def read(self, ready: list[int]) -> bytes:
        if self._client is None:
            self._client, _ = self._listener.accept()
            self._client.setblocking(False)
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return b""
        data = b""
        try:
            data = self._client.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return b""
        except OSError:  # reset by the client: the same as its end
            pass
        if not data:
            self._drop_client()
        return data

    def write(self, data: bytes) -> None:
        if self._client is not None:
            with suppress(OSError):  # full or gone: the next read shows which
                self._client.send(data)

    def close(self) -> None:
        self._drop_client()
        self._listener.close()

    def _drop_client(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
