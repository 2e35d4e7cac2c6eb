"""Serial links carry bytes both ways, through a real pty and a real socket, until they are gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import tty

import pytest

from otaflash.errors import ExitCode, LinkError, TargetError, UsageError
from otaflash.transport.open import open_link
from otaflash.transport.serial import SerialLink, open_serial


def soon(link: SerialLink, seconds: float = 2.0) -> float:
    return link.now() + seconds


def test_bytes_go_both_ways_through_a_pty(pty: tuple[int, str]) -> None:
    ours, path = pty
    link = open_serial(path)
    assert link.rate_bytes_per_s == 11520
    link.write(bytes(range(256)))
    assert os.read(ours, 1000) == bytes(range(256))
    os.write(ours, bytes(range(256)))
    assert link.read(soon(link)) == bytes(range(256))
    link.close()


def test_reading_returns_at_the_first_byte_and_otherwise_at_the_deadline(pty: tuple[int, str]) -> None:
    ours, path = pty
    link = open_serial(path)
    started = time.monotonic()
    assert link.read(link.now() + 0.1) == b""
    assert 0.09 < time.monotonic() - started < 0.5
    threading.Timer(0.05, lambda: os.write(ours, b"x")).start()
    started = time.monotonic()
    assert link.read(soon(link)) == b"x"
    assert time.monotonic() - started < 0.5
    link.close()


def test_a_port_that_goes_away_is_a_lost_link() -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    link = open_serial(os.ttyname(theirs))
    os.close(theirs)
    os.close(ours)
    with pytest.raises(LinkError) as caught:
        link.read(soon(link))
    assert caught.value.reason == "link-lost"
    with pytest.raises(LinkError) as caught:
        link.write(b"x")
    assert caught.value.reason == "link-lost"
    assert caught.value.exit_code is ExitCode.LINK_LOST
    link.close()
    link.close()


def test_a_closed_link_is_a_lost_link(pty: tuple[int, str]) -> None:
    link = open_serial(pty[1])
    link.close()
    with pytest.raises(LinkError):
        link.write(b"x")
    with pytest.raises(LinkError):
        link.read(soon(link))


def test_a_port_that_takes_nothing_ends_in_time(pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otaflash.transport.serial.WRITE_TIMEOUT_S", 0.05)
    link = open_serial(pty[1])
    with pytest.raises(LinkError) as caught:
        link.write(bytes(1 << 20))
    assert caught.value.reason == "link-blocked"
    link.close()


def test_a_second_opener_is_told_that_the_port_is_busy(pty: tuple[int, str]) -> None:
    first = open_serial(pty[1])
    with pytest.raises(TargetError) as caught:
        open_serial(pty[1])
    assert caught.value.reason == "port-busy"
    first.close()
    open_serial(pty[1]).close()


def test_the_process_that_holds_a_port_is_named(pty: tuple[int, str]) -> None:
    hold = "import fcntl, sys; fcntl.flock(port := open(sys.argv[1]), fcntl.LOCK_EX); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, pty[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(TargetError) as caught:
            open_serial(pty[1])
        holder.communicate("\n")
    assert caught.value.reason == "port-busy"
    assert f"(process {holder.pid})" in caught.value.text


def test_a_write_that_the_system_takes_piece_by_piece_arrives_whole(pty: tuple[int, str]) -> None:
    ours, path = pty
    link = open_serial(path)
    data = bytes(range(256)) * 256  # sixteen times what a pty holds
    got = bytearray()

    def drain() -> None:
        while len(got) < len(data):
            got.extend(os.read(ours, 1500))

    reader = threading.Thread(target=drain)
    reader.start()
    link.write(data)
    reader.join()
    assert got == data
    link.close()


def test_a_peer_on_a_socket_that_reads_nothing_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otaflash.transport.serial.WRITE_TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = open_serial(f"socket://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(LinkError) as caught:
            link.write(bytes(64 << 20))
        assert caught.value.reason == "link-blocked"
        link.close()


def test_a_signal_in_the_middle_of_a_read_does_not_end_it(pty: tuple[int, str]) -> None:
    ours, path = pty
    link = open_serial(path)
    before = signal.signal(signal.SIGALRM, lambda number, frame: None)
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    threading.Timer(0.1, lambda: os.write(ours, b"x")).start()
    try:
        assert link.read(soon(link)) == b"x"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    link.close()


def test_a_port_that_is_pulled_out_in_the_middle_of_a_read_is_named_once(pty: tuple[int, str]) -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    path = os.ttyname(theirs)
    link = open_serial(path)
    os.close(theirs)
    threading.Timer(0.05, lambda: os.close(ours)).start()
    with pytest.raises(LinkError) as caught:
        link.read(soon(link))
    assert caught.value.text in (
        f"{path} is gone (Input/output error)",
        f"{path} is gone (it was unplugged, or another program reads from it)",
    )
    link.close()


def test_the_baud_rate_may_stand_behind_the_name(pty: tuple[int, str]) -> None:
    link = open_serial(f"{pty[1]}?baud=57600", baud=9600)
    assert link.rate_bytes_per_s == 5760
    link.close()
    link = open_serial(pty[1], baud=9600)
    assert link.rate_bytes_per_s == 960
    link.close()


@pytest.mark.parametrize("query", ["speed=9600", "baud=", "baud=fast", "baud=0"])
def test_anything_else_behind_the_name_is_refused(query: str) -> None:
    with pytest.raises(UsageError):
        open_serial(f"/dev/ttyX?{query}")


def test_bytes_go_both_ways_through_a_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = open_serial(f"socket://127.0.0.1:{server.getsockname()[1]}")
        peer, _ = server.accept()
        assert link.rate_bytes_per_s is None
        link.write(b"down" * 1000)
        got = b""
        while len(got) < 4000:
            got += peer.recv(4096)
        assert got == b"down" * 1000
        peer.sendall(b"up")
        assert link.read(soon(link)) == b"up"
        assert link.read(link.now() + 0.05) == b""
        peer.close()
        with pytest.raises(LinkError):
            link.read(soon(link))
        link.close()


def test_a_socket_that_nobody_serves_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    for scheme in ("socket", "rfc2217"):
        with pytest.raises(TargetError) as caught:
            open_serial(f"{scheme}://127.0.0.1:{number}")
        assert caught.value.reason == "port-unreachable"


def test_bytes_come_back_through_a_loop() -> None:
    link = open_link("loop://")
    link.write(b"round")
    got = b""
    while len(got) < 5:
        got += link.read(link.now() + 1.0)
    assert got == b"round"
    assert link.read(link.now() + 0.05) == b""
    link.close()
