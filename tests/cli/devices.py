"""Devices that do not do what they should, behind a real TCP socket. Knows the wire's Inspect and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from otaflash.wire import FrameReader, decode, encode, on_stream
from otaflash.wire.messages import Info, Inspect, InspectReply

Answer = Callable[[bytes], bytes]
"""Bytes from the host -> bytes to it."""


@contextmanager
def device(answer: Answer) -> Iterator[str]:
    """Serves one client after the other; yields the port that leads there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stopped = threading.Event()
        server.settimeout(0.05)
        thread = threading.Thread(target=_serve, args=(server, answer, stopped), daemon=True)
        thread.start()
        try:
            yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        finally:
            stopped.set()
            thread.join()


def _serve(server: socket.socket, answer: Answer, stopped: threading.Event) -> None:
    while not stopped.is_set():
        with suppress(TimeoutError, OSError):
            client, _ = server.accept()
            with client:
                client.settimeout(0.05)
                _talk(client, answer, stopped)


def _talk(client: socket.socket, answer: Answer, stopped: threading.Event) -> None:
    while not stopped.is_set():
        with suppress(TimeoutError):
            data = client.recv(4096)
            if not data:
                return
            client.sendall(answer(data))


def future_device(lowest: int) -> Answer:
    """A whole and honest device that speaks no protocol below `lowest`."""
    reader = FrameReader(stream=True)
    record = bytes([lowest, lowest]) + bytes(Info.BYTES - 2)

    def answer(data: bytes) -> bytes:
        replies = b""
        for raw in reader.feed(data):
            frame = decode(raw)
            if isinstance(frame.message, Inspect):
                part = record[frame.message.offset :][:40]
                reply = InspectReply(total=len(record), offset=frame.message.offset, part=part)
                replies += on_stream(encode(reply, frame.session, frame.serial))
        return replies

    return answer
