"""An emulated board at a pty or a TCP port, so that the real `otaflash push --port` updates the emulated chip.

The chip's clock begins when the first host is heard: how long a process takes to start is no fault of the chip's
entry window. Then it follows the wall's and is never let ahead of it: a second of the host's is one of the chip's.
Where the emulator is slower than the chip, the chip lags, as a slow board would.
"""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Callable, Iterator

from otaflash.sim.serve import TICK_S, Door
from tests.emulated.board import Board

SLICE_MICROS = 2000


def serve(
    board: Board, door: Door, stop: Callable[[], bool], on_said: Callable[[bytes], None] = lambda said: None
) -> None:
    """Runs `board` until `stop()`, for whoever comes to `door`. `on_said` gets what the board says, heard or not."""
    while not stop() and not select.select(door.handles(), [], [], TICK_S)[0]:
        pass
    start, first = time.monotonic(), board.micros
    while not stop():
        ahead = (board.micros - first) / 1e6 - (time.monotonic() - start)
        ready, _, _ = select.select(door.handles(), [], [], max(0.0, ahead))
        if ready and (data := door.read(ready)):
            board.send(data)
        board.run(SLICE_MICROS)
        if said := board.recv():
            on_said(said)
            door.write(said)


class Bridge:
    """A door that is served by a thread of its own; an error of the board ends the thread and is kept."""

    def __init__(self, board: Board, door: Door) -> None:
        self._board = board
        self._door = door
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.sent = bytearray()
        """All that the board has sent, so that a test sees what a program said after the host had left."""
        self.error: Exception | None = None

    @property
    def port(self) -> str:
        """For --port."""
        return self._door.name

    def start(self) -> None:
        """Begins to run the board."""
        self._thread.start()

    def close(self) -> None:
        """Stops the board where it is; raises what the board raised."""
        self._stop.set()
        self._thread.join()
        self._door.close()
        if self.error is not None:
            raise self.error

    def _serve(self) -> None:
        try:
            serve(self._board, self._door, self._stop.is_set, self.sent.extend)
        except Exception as error:  # a thread has nobody to raise to: close() does
            self.error = error


@contextlib.contextmanager
def bridged(board: Board, door: Door) -> Iterator[Bridge]:
    """`board` behind `door` while the block lasts."""
    bridge = Bridge(board, door)
    bridge.start()
    try:
        yield bridge
    finally:
        bridge.close()
