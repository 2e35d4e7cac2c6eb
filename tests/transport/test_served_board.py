"""A board served in real time, reached as a stranger would: through its pty or its TCP port, by the serial link."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from otaflash.errors import TargetError, UsageError
from otaflash.sim.profiles import PROFILES
from otaflash.sim.radio import LinkModel, Way
from otaflash.sim.serve import serve
from otaflash.transport.link import Link
from otaflash.transport.open import open_link
from otaflash.wire import FrameReader, decode, encode, on_stream
from otaflash.wire.messages import Inspect, InspectReply

BOARD = PROFILES["atmega328p"]
FAST = LinkModel(Way(packet_bytes=0), Way(packet_bytes=0))


@contextmanager
def served(**options: Any) -> Iterator[str]:
    """A board in a thread; gives the name to open."""
    ready, stop = threading.Event(), threading.Event()
    names: list[str] = []

    def on_ready(name: str) -> None:
        names.append(name)
        ready.set()

    options.setdefault("model", FAST)
    thread = threading.Thread(target=lambda: serve(BOARD, **options, on_ready=on_ready, stop=stop.is_set), daemon=True)
    thread.start()
    assert ready.wait(5.0)
    try:
        yield names[0]
    finally:
        stop.set()
        thread.join(5.0)
        assert not thread.is_alive()


def inspected(link: Link, tries: int = 10) -> bool:
    reader = FrameReader()
    for serial in range(tries):
        link.write(on_stream(encode(Inspect(200, 0, bytes(8)), 5, serial)))
        deadline = link.now() + 0.3
        while data := link.read(deadline):
            if any(isinstance(decode(frame).message, InspectReply) for frame in reader.feed(data)):
                return True
    return False


@pytest.mark.parametrize("where", [{"pty": True}, {"tcp_port": 0}])
def test_clients_come_and_go_and_the_board_stays(where: dict[str, Any]) -> None:
    with served(**where) as name:
        for _ in range(3):
            link = open_link(name)
            assert inspected(link)
            link.close()


def test_a_pty_carries_every_byte_value_unchanged() -> None:
    model = LinkModel(Way(packet_bytes=0), Way(packet_bytes=0))
    with served(pty=True, model=model) as name:
        link = open_link(name)
        link.write(bytes(range(256)) * 2)  # not a frame: the board drops it, and hears the next one all the same
        link.write(b"\0")
        assert inspected(link)
        link.close()


def test_delay_and_rate_are_those_of_the_model() -> None:
    way = Way(delay_s=0.1, packet_bytes=0)
    with served(tcp_port=0, model=LinkModel(way, way)) as name:
        link = open_link(name)
        started = link.now()
        link.write(on_stream(encode(Inspect(200, 0, bytes(8)), 5, 1)))
        assert link.read(started + 5.0)
        assert 0.2 < link.now() - started < 0.6
        link.close()


def test_the_second_client_waits_for_the_first_to_leave() -> None:
    with served(tcp_port=0) as name:
        first, second = open_link(name), open_link(name)
        assert inspected(first)
        second.write(on_stream(encode(Inspect(200, 0, bytes(8)), 5, 1)))
        assert second.read(second.now() + 0.3) == b""
        first.close()
        assert inspected(second)
        second.close()


def test_the_state_outlives_the_server(tmp_path: Path) -> None:
    state = tmp_path / "board.state"
    with served(tcp_port=0, state=state) as name:
        link = open_link(name)
        assert inspected(link)
        link.close()
    before = state.read_bytes()
    with served(pty=True, state=state, seed=9) as name:
        link = open_link(name)
        assert inspected(link)
        link.close()
    assert state.read_bytes() == before


def test_a_port_in_use_and_a_port_that_is_none_are_told() -> None:
    with served(tcp_port=0) as name:
        used = int(name.rpartition(":")[2])
        for number in (used, 99999):
            with pytest.raises(TargetError):
                serve(BOARD, FAST, tcp_port=number, on_ready=lambda name: None)


def test_a_board_is_served_at_one_place() -> None:
    for where in ({}, {"pty": True, "tcp_port": 0}):
        with pytest.raises(UsageError):
            serve(BOARD, FAST, on_ready=lambda name: None, **where)  # type: ignore[arg-type]


def test_ctrl_c_ends_it_quietly(tmp_path: Path) -> None:
    def interrupted() -> bool:
        raise KeyboardInterrupt

    state = tmp_path / "board.state"
    serve(BOARD, FAST, pty=True, on_ready=lambda name: None, stop=interrupted, state=state)
    assert state.exists()
