"""An emulated board on a TCP port, so that the real `otaflash push --port socket://...` updates the emulated chip.

The chip's clock begins with the first host's connection: how long a process takes to start is no fault of the chip's
entry window. Then it follows the wall's and is never let ahead of it: a second of the host's is one of the chip's.
Where the emulator is slower than the chip, the chip lags, as a slow board would.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator

from tests.emulated.board import Board

SLICE_MICROS = 2000


class Bridge:
    """One host at a time, served by a thread of its own; an error of the board ends the thread and is kept."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.sent = bytearray()
        """All that the board has sent, so that a test sees what a program said after the host had left."""
        self.error: Exception | None = None

    @property
    def url(self) -> str:
        """For --port."""
        return f"socket://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        """Begins to run the board."""
        self._thread.start()

    def close(self) -> None:
        """Stops the board where it is; raises what the board raised."""
        self._stop.set()
        self._thread.join()
        self._listener.close()
        if self.error is not None:
            raise self.error

    def _serve(self) -> None:
        try:
            self._run_board()
        except Exception as error:  # a thread has nobody to raise to: close() does
            self.error = error

    def _run_board(self) -> None:
        host = self._first_host()
        start, first = time.monotonic(), self._board.micros
        while not self._stop.is_set():
            ahead = (self._board.micros - first) / 1e6 - (time.monotonic() - start)
            sources = [self._listener] if host is None else [self._listener, host]
            for ready in select.select(sources, [], [], max(0.0, ahead))[0]:
                host = self._hear(ready, host)
            self._board.run(SLICE_MICROS)
            self._speak(host)
        if host is not None:
            host.close()

    def _first_host(self) -> socket.socket | None:
        while not self._stop.is_set():
            if select.select([self._listener], [], [], 0.1)[0]:
                return self._listener.accept()[0]
        return None

    def _hear(self, ready: socket.socket, host: socket.socket | None) -> socket.socket | None:
        if ready is self._listener:
            if host is not None:
                host.close()
            return ready.accept()[0]
        with contextlib.suppress(ConnectionError):
            data = ready.recv(4096)
            if data:
                self._board.send(data)
                return host
        ready.close()
        return None

    def _speak(self, host: socket.socket | None) -> None:
        data = self._board.recv()
        self.sent += data
        if data and host is not None:
            with contextlib.suppress(OSError):  # the host has gone; its next connection is served
                host.sendall(data)


@contextlib.contextmanager
def bridged(board: Board) -> Iterator[Bridge]:
    """`board` on a port of the loopback while the block lasts."""
    bridge = Bridge(board)
    bridge.start()
    try:
        yield bridge
    finally:
        bridge.close()
