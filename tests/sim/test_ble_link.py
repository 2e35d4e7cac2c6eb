"""The BLE link around the air: queues of hosts, connections that break, boards that move, modules."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from otaflash.sim.ble import HOSTS, BleModel, HostKind
from otaflash.sim.ble_link import BleLink
from otaflash.sim.clock import Clock
from otaflash.wire import on_stream

FOUND_S = 0.6
"""A board on the air is connected to before this."""


class Rig:
    """A link with a board of paper: what it hears is noted, without COBS where it has a service of its own."""

    def __init__(self, model: BleModel, *, ring_bytes: int = 4096) -> None:
        self.clock = Clock()
        self.heard: list[bytes] = []
        self.got: list[bytes] = []
        self.changes: list[tuple[float, int, int]] = []
        self.busy_until = 0.0
        self.link = BleLink(
            self.clock,
            model,
            ring_bytes=ring_bytes,
            streams=lambda name: random.Random(f"1/{name}"),
            to_board=lambda first, data: self.heard.append(data),
            to_host=lambda at, data: self.got.append(data),
            busy_until=lambda: self.busy_until,
        )
        self.link.on_change = lambda: self.changes.append(
            (self.clock.now, self.link.connections, self.link.frame_bytes)
        )

    def connected(self) -> Rig:
        self.moves("loader")
        self.wait(FOUND_S)
        assert self.link.connections == 1
        return self

    def moves(self, place: str) -> None:
        self.link.moved(place, self.clock.now)
        self.wait(0.0)

    def wait(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now + seconds)


def test_a_board_is_found_once_it_is_on_the_air() -> None:
    rig = Rig(BleModel())
    rig.wait(3.0)
    assert rig.link.connections == 0
    rig.moves("loader")
    rig.wait(FOUND_S)
    assert rig.link.connections == 1
    assert rig.link.frame_bytes == 244


def test_one_write_is_one_frame_for_the_board_and_one_frame_is_one_notification() -> None:
    rig = Rig(BleModel()).connected()
    rig.link.write(b"to\0board")
    rig.link.say(on_stream(b"to\0host")[:3])
    rig.link.say(on_stream(b"to\0host")[3:] + on_stream(b"second"))
    rig.wait(0.2)
    assert rig.heard == [on_stream(b"to\0board")]
    assert rig.got == [b"to\0host", b"second"]


def test_a_lost_connection_is_silence_for_the_supervision_time_and_then_one_more_connection() -> None:
    rig = Rig(BleModel(supervision_s=2.0)).connected()
    rig.link.fall_silent()
    broke_s = rig.clock.now
    rig.wait(1.99)
    assert rig.link.linked
    assert len(rig.changes) == 1
    rig.wait(0.02)
    assert not rig.link.linked
    rig.wait(FOUND_S)
    assert [change[1] for change in rig.changes] == [1, 2]
    assert rig.changes[1][0] > broke_s + 2.0


def test_what_was_under_way_when_a_connection_broke_never_arrives() -> None:
    rig = Rig(BleModel(supervision_s=0.5)).connected()
    for number in range(8):
        rig.link.write(bytes([number + 1]) * 200)
    rig.link.fall_silent()
    rig.link.write(b"into silence")
    rig.wait(0.51)
    rig.link.write(b"into nothing")
    rig.wait(FOUND_S)
    assert rig.link.connections == 2
    assert rig.heard == []
    assert rig.link.counters.unsent_writes == 10
    rig.link.write(b"heard again")
    rig.wait(0.1)
    assert rig.heard == [on_stream(b"heard again")]


def test_a_connection_breaks_so_long_after_each_coming_up() -> None:
    rig = Rig(BleModel(disconnect_every_s=5.0, supervision_s=0.5)).connected()
    rig.wait(20.0)
    times = [change[0] for change in rig.changes]
    assert len(times) == 4
    assert all(5.5 < later - earlier < 5.5 + FOUND_S for earlier, later in pairwise(times))


def test_a_connection_breaks_once_at_a_time() -> None:
    rig = Rig(BleModel(disconnect_at_s=3.0, supervision_s=0.5)).connected()
    rig.wait(30.0)
    assert rig.link.connections == 2


def test_a_mac_drops_in_silence_what_is_beyond_its_queue() -> None:
    rig = Rig(BleModel(host=HostKind.MAC)).connected()
    held = HOSTS[HostKind.MAC].queue_writes
    for number in range(50):
        rig.link.write(bytes([number + 1]))
    assert not rig.link.must_wait
    rig.wait(1.0)
    assert rig.heard == [on_stream(bytes([number + 1])) for number in range(held or 0)]
    assert rig.link.counters.dropped_writes == 50 - len(rig.heard)


@pytest.mark.parametrize("host", [HostKind.BLUEZ, HostKind.WINDOWS, HostKind.ANDROID])
def test_other_hosts_drop_nothing(host: HostKind) -> None:
    rig = Rig(BleModel(host=host)).connected()
    for number in range(200):
        rig.link.write(bytes([number + 1]))
    assert rig.link.must_wait == (host is HostKind.ANDROID)
    rig.wait(5.0)
    assert rig.heard == [on_stream(bytes([number + 1])) for number in range(200)]
    assert not rig.link.must_wait


def test_windows_begins_with_writes_of_twenty_bytes() -> None:
    rig = Rig(BleModel(host=HostKind.WINDOWS)).connected()
    assert rig.link.frame_bytes == 20
    rig.link.write(bytes(21))
    rig.wait(HOSTS[HostKind.WINDOWS].late_mtu_s)
    assert rig.heard == []
    assert rig.link.counters.refused_writes == 1
    assert [change[2] for change in rig.changes] == [20, 244]


def test_loader_and_application_differ_in_table_and_address() -> None:
    rig = Rig(BleModel(supervision_s=0.5)).connected()
    before = (rig.link.peripheral.handle, rig.link.peripheral.address)
    rig.moves("library")
    assert rig.link.peripheral.handle != before[0]
    assert rig.link.peripheral.address != before[1]
    rig.wait(0.5 + FOUND_S)
    rig.link.write(b"found anew")
    rig.wait(0.1)
    assert rig.heard == [on_stream(b"found anew")]


def test_a_host_that_keeps_its_table_writes_into_nothing_after_a_restart() -> None:
    rig = Rig(BleModel(supervision_s=0.5, keeps_table=True)).connected()
    rig.moves("library")
    rig.wait(0.5 + FOUND_S)
    assert rig.link.connections == 2
    rig.link.write(b"lost")
    rig.wait(0.1)
    assert rig.heard == []
    assert rig.link.counters.misdirected == 1


def test_a_board_that_is_off_the_air_is_looked_for_until_it_is_back() -> None:
    rig = Rig(BleModel(supervision_s=0.5)).connected()
    rig.moves("off")
    rig.wait(20.0)
    assert (rig.link.connections, rig.link.linked) == (1, False)
    rig.moves("loader")
    rig.wait(FOUND_S)
    assert rig.link.connections == 2


def test_notifications_may_come_twice_and_in_order() -> None:
    rig = Rig(BleModel(dup=0.5)).connected()
    for number in range(1, 101):
        rig.link.say(on_stream(bytes([number])))
    rig.wait(5.0)
    assert sorted(set(rig.got)) == sorted(bytes([number]) for number in range(1, 101))
    assert rig.got == sorted(rig.got)
    assert len(rig.got) == 100 + rig.link.counters.doubled > 110


def test_a_value_beyond_512_bytes_is_discarded_in_silence() -> None:
    rig = Rig(BleModel(mtu=517)).connected()
    assert rig.link.frame_bytes == 512
    rig.link.peripheral.take(bytes(513))
    rig.link.peripheral.take(b"x" * 512)
    assert [len(heard) for heard in rig.heard] == [len(on_stream(b"x" * 512))]


def test_a_board_that_stands_in_an_erase_takes_what_its_ring_holds_and_the_rest_later() -> None:
    rig = Rig(BleModel(2, 247, 0.015), ring_bytes=1000).connected()
    rig.busy_until = rig.clock.now + 0.2
    for _ in range(10):
        rig.link.write(b"x" * 240)
    rig.wait(0.19)
    assert len(rig.heard) == 4
    rig.wait(0.2)
    assert len(rig.heard) == 10


def test_a_module_carries_bytes_and_outlives_the_restarts_of_its_board() -> None:
    rig = Rig(BleModel(uart=115200))
    rig.wait(FOUND_S)
    assert rig.link.connections == 1
    data = bytes(range(256)) * 4
    rig.link.write(data)
    rig.moves("library")
    rig.link.say(data)
    rig.wait(1.0)
    assert b"".join(rig.heard) == b"".join(rig.got) == data
    assert rig.link.connections == 1
    assert max(len(value) for value in rig.got) <= 244


def test_the_bytes_of_a_module_come_no_faster_than_its_uart() -> None:
    rig = Rig(BleModel(2, 247, 0.015, uart=9600))
    rig.wait(FOUND_S)
    rig.link.write(bytes(2000))
    rig.wait(1.0)
    assert 800 < sum(map(len, rig.heard)) <= 960 + 244


def test_the_last_answer_of_a_board_that_restarts_gets_out_and_nothing_gets_in() -> None:
    rig = Rig(BleModel(supervision_s=0.5)).connected()
    rig.link.say(on_stream(b"done"))
    rig.link.moved("library", rig.clock.now + 0.05)
    rig.link.write(b"too late")
    rig.wait(0.3)
    assert rig.got == [b"done"]
    assert rig.heard == []
    rig.wait(0.4 + FOUND_S)
    assert rig.link.connections == 2


def test_a_board_whose_power_fails_says_nothing_more() -> None:
    rig = Rig(BleModel(supervision_s=0.5)).connected()
    rig.link.say(on_stream(b"done"))
    rig.moves("off")
    rig.wait(1.0)
    assert rig.got == []
