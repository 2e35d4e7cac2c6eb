"""What a transport over BLE must get right: each fact that was measured on real stacks has a test that is named for it.

In process, in virtual time: the real engine and the real core behind a GATT device that has what stacks do wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from otaflash.engine import Event, Progress
from otaflash.errors import OtaflashError
from otaflash.transport.ble_services import HM_10, MICROCHIP_UART, NORDIC_UART, OWN, Service
from tests.transport.ble.air import ANDROID, BLUEZ, IN_FLIGHT_MOST, MAC, SUPERVISION_S, WINDOWS, FakeClient, Host
from tests.transport.ble.pushing import Bench

HOSTS = {"bluez": BLUEZ, "mac": MAC, "windows": WINDOWS, "android": ANDROID}
MAC_ADDRESSES = ("8F1D3C55-0000-4000-8000-000000000001", "8F1D3C55-0000-4000-8000-000000000002")


@pytest.fixture
def benches() -> Iterator[list[Bench]]:
    made: list[Bench] = []
    yield made
    for bench in made:
        bench.close()
        assert bench.air.broken == []


@pytest.fixture
def bench(benches: list[Bench]) -> Any:
    def make(**settings: Any) -> Bench:
        benches.append(Bench(**settings))
        return benches[-1]

    return make


# --- sizes


@pytest.mark.parametrize(("mtu", "longest"), [(23, 20), (185, 182), (247, 244), (517, 512)])
def test_a_value_is_as_long_as_the_characteristic_takes_and_never_over_512(bench: Any, mtu: int, longest: int) -> None:
    made = bench(mtu=mtu)
    made.push()
    assert 0.94 * longest < max(made.device.values) <= longest
    assert made.peer.is_right()


def test_values_longer_than_512_bytes_that_hosts_take_and_peers_discard_are_never_written(bench: Any) -> None:
    made = bench(mtu=517, image_bytes=30_000)
    assert made.push().image_bytes == 30_000
    assert max(made.device.values) <= 512


def test_the_size_is_asked_of_the_characteristic_and_not_of_the_client(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(FakeClient, "mtu_size", property(lambda _: asked.append("mtu_size") or 23))
    made = bench(mtu=247)
    made.push()
    assert asked == []
    assert max(made.device.values) > 200


def test_the_size_is_read_again_after_the_connection_since_windows_begins_at_20(bench: Any) -> None:
    made = bench(host=Host(mtu_late_s=0.6), mtu=247)
    link = made.open()
    assert link.frame_bytes == 20
    made.push()
    assert max(made.device.values) > 200


def test_an_mtu_that_is_a_lie_is_found_out_and_the_update_completes(bench: Any) -> None:
    made = bench(mtu=517, true_mtu=23)
    made.push()
    assert made.peer.is_right()
    assert any("are not answered; trying 20" in text for text in made.told)


def test_an_mtu_that_is_a_lie_on_a_uart_module_is_found_out_too(bench: Any) -> None:
    made = bench(service=NORDIC_UART, mtu=247, true_mtu=23)
    made.push()
    assert made.peer.is_right()


# --- no flow control


@pytest.mark.parametrize("host", HOSTS)
def test_every_host_carries_a_whole_update(bench: Any, host: str) -> None:
    made = bench(host=HOSTS[host], image_bytes=30_000)
    assert made.push().image_bytes == 30_000
    assert made.peer.is_right()


@pytest.mark.parametrize("mtu", [23, 247])
def test_nothing_is_dropped_by_the_silent_queue_of_macos(bench: Any, mtu: int) -> None:
    made = bench(host=MAC, mtu=mtu, packets=4, image_bytes=12_000)
    made.push()
    assert made.air.dropped == 0


@pytest.mark.parametrize("service", [NORDIC_UART, HM_10], ids=lambda service: service.name)
def test_nothing_is_dropped_by_that_queue_before_a_uart_module(bench: Any, service: Service) -> None:
    made = bench(service=service, host=MAC, mtu=23, packets=1, interval_s=0.05, image_bytes=3000)
    made.push()
    assert made.air.dropped == 0
    assert made.peer.is_right()


def test_at_most_sixteen_writes_are_in_flight(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    most: list[int] = []
    queue = FakeClient._queue

    async def watched(self: FakeClient, value: bytes, response: bool) -> None:
        most.append(self.in_flight)
        await queue(self, value, response)

    monkeypatch.setattr(FakeClient, "_queue", watched)
    made = bench(host=Host(queue=2, waits=True), interval_s=0.05, packets=1)
    made.push()
    assert 4 < max(most) <= IN_FLIGHT_MOST


def test_progress_counts_what_the_board_has_acknowledged_and_not_what_was_written(bench: Any) -> None:
    made = bench(image_bytes=30_000, interval_s=0.05, packets=2)
    delivered = [0]
    told: list[bool] = []
    write = made.peer.write

    def count(value: bytes) -> None:
        delivered[0] += len(value)
        write(value)

    made.peer.write = count

    def check(event: Event) -> None:
        if isinstance(event, Progress):
            told.append(event.done_bytes <= delivered[0])

    made.push(check)
    assert len(told) > 5
    assert all(told)


@pytest.mark.parametrize("seed", range(5))
def test_the_tail_that_a_queue_lost_is_asked_for(bench: Any, seed: int) -> None:
    made = bench(host=Host(loses=0.1), seed=seed)
    made.push()
    assert made.peer.is_right()


# --- what ends a wait


def test_the_end_of_a_connection_is_told_by_the_event_and_not_by_the_text_of_an_error(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bench()
    link = made.open()
    refused = iter([True] * 5)
    queue = FakeClient._queue

    async def refuses(self: FakeClient, value: bytes, response: bool) -> None:
        if next(refused, False):
            raise OSError("device disconnected, not connected, connection lost")
        await queue(self, value, response)

    monkeypatch.setattr(FakeClient, "_queue", refuses)
    for _ in range(5):
        link.write(bytes(20))
        assert link.read(link.now() + 0.1) == b""
    assert (link.connections, made.air.connects) == (1, 1)


def test_link_loss_is_silence_until_the_host_calls_back_and_then_the_way_back(bench: Any) -> None:
    made = bench()
    link = made.open()
    began_s = link.now()
    made.air.lose(made.device)
    for _ in range(40):
        link.write(bytes(8))
    while link.connections == 1:
        assert link.read(link.now() + 0.05) == b""
        assert link.now() < began_s + 5
    assert link.now() - began_s > SUPERVISION_S
    assert made.air.connects == 2


def test_what_was_under_way_when_the_connection_broke_is_not_delivered_after_it_is_back(bench: Any) -> None:
    made = bench()
    link = made.open()
    made.device.connection.subscribed(bytearray(b"of the old connection"))
    made.air.lose(made.device)
    made.later(SUPERVISION_S - 0.01, lambda: made.device.connection.subscribed(bytearray(b"late")))
    link._run(asyncio_sleep(3.0))
    assert link.connections == 2
    assert link.read(link.now()) == b""
    assert link.read(link.now() + 0.5) == b""


async def asyncio_sleep(seconds: float) -> None:
    import asyncio  # noqa: PLC0415

    await asyncio.sleep(seconds)


# --- across a restart


def test_services_of_before_a_restart_are_never_used_after_it(bench: Any) -> None:
    made = bench()
    made.push()
    assert made.air.connects == 3  # the program, the loader, the new program: each with a table of its own
    assert made.peer.is_right()


def test_a_scan_comes_before_every_connection_since_devices_are_perishable(bench: Any) -> None:
    made = bench()
    made.push()
    assert made.air.scans >= made.air.connects


def test_a_board_that_comes_back_under_another_address_is_found_by_service_and_name(bench: Any) -> None:
    made = bench(moves=True)
    made.push()
    assert made.peer.is_right()
    assert made.device.address != "C0:FF:EE:00:00:01"


def test_a_board_that_comes_back_under_another_name_is_found_by_its_service(bench: Any) -> None:
    made = bench(moves=True)
    restarted = made.peer.on_restart

    def renamed() -> None:
        made.device.name = "loader" if made.device.name == "lamp" else "lamp"
        restarted()

    made.peer.on_restart = renamed
    made.push()
    assert made.peer.is_right()


def test_on_macos_where_addresses_are_made_up_service_and_name_say_which_board(bench: Any) -> None:
    made = bench(address=MAC_ADDRESSES[0])
    restarted = made.peer.on_restart

    def moved() -> None:
        restarted()
        made.device.address = MAC_ADDRESSES[made.device.life % 2]

    made.peer.on_restart = moved
    made.push(port="ble:lamp?service=" + OWN.uuid)
    assert made.peer.is_right()


def test_a_neighbour_that_was_there_before_is_not_taken_for_the_board_that_restarts(bench: Any) -> None:
    from tests.transport.ble.air import Device  # noqa: PLC0415

    made = bench(moves=True, boots_s=1.5)
    neighbour = made.air.add(Device(None, name="other", address="C0:FF:EE:00:99:99"))
    made.push()
    assert made.peer.is_right()
    assert neighbour.values == []


# --- before the first command


@pytest.mark.parametrize("service", [OWN, NORDIC_UART], ids=lambda service: service.name)
def test_it_subscribes_before_the_first_command(bench: Any, service: Service) -> None:
    made = bench(service=service)
    made.open()
    assert made.device.connection.subscribed is not None
    assert made.device.values == []


@pytest.mark.parametrize("chance", [1.0, 0.5])
@pytest.mark.parametrize("mtu", [23, 247])
@pytest.mark.parametrize("service", [OWN, NORDIC_UART], ids=lambda service: service.name)
def test_doubled_notifications_do_no_harm(bench: Any, service: Service, mtu: int, chance: float) -> None:
    made = bench(service=service, host=Host(doubles=chance), mtu=mtu, image_bytes=3000)
    made.push()
    assert made.peer.is_right()


@pytest.mark.parametrize(("port", "paired"), [("ble:lamp", False), ("ble:lamp?pair", True)])
def test_pairing_is_an_option_and_never_the_default(
    bench: Any, monkeypatch: pytest.MonkeyPatch, port: str, paired: bool
) -> None:
    asked: list[bool] = []
    connect = FakeClient.connect

    async def watched(self: FakeClient, pair: bool, **more: Any) -> None:
        asked.append(pair)
        await connect(self, pair, **more)

    monkeypatch.setattr(FakeClient, "connect", watched)
    bench().open(port)
    assert asked == [paired]


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_a_connection_is_tried_three_to_five_times_with_longer_and_longer_pauses(bench: Any, failures: int) -> None:
    made = bench(host=Host(forgets_first=failures))
    made.open()
    assert made.air.connects == failures + 1


def test_the_pauses_between_attempts_grow_and_the_fourth_failure_is_the_last(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_s: list[float] = []
    connect = FakeClient.connect

    async def watched(self: FakeClient, pair: bool, **more: Any) -> None:
        at_s.append(self.air.loop.time())
        await connect(self, pair, **more)

    monkeypatch.setattr(FakeClient, "connect", watched)
    made = bench(host=Host(forgets_first=99))
    with pytest.raises(OtaflashError):
        made.open()
    pauses = [later - sooner for sooner, later in pairwise(at_s)]
    assert len(at_s) == 4
    assert pauses == sorted(pauses)


# --- modules


@pytest.mark.parametrize("service", [NORDIC_UART, HM_10, MICROCHIP_UART], ids=lambda service: service.name)
def test_a_bootloader_behind_a_uart_module_speaks_serial(bench: Any, service: Service) -> None:
    made = bench(board="atmega328p", service=service)
    assert made.push().running_version == "2.0.0"
    assert made.peer.is_right()
    assert made.link.stream


def test_the_line_rate_behind_a_module_is_the_users_or_the_modules_own(bench: Any) -> None:
    assert bench(service=HM_10).open().rate_bytes_per_s == 960
    assert bench(service=NORDIC_UART).open().rate_bytes_per_s == 11520
    assert bench(service=NORDIC_UART).open("ble:lamp?baud=57600").rate_bytes_per_s == 5760


def test_our_own_service_is_preferred_where_a_board_offers_both(bench: Any) -> None:
    table = tuple((each.uuid, (each.to_device, each.to_host)) for each in (NORDIC_UART, OWN))
    assert not bench(table=table).open().stream


def test_a_module_that_the_configuration_describes_is_used(bench: Any) -> None:
    module = Service("otaflash.toml", *(f"0000{n}-1111-4000-8000-00805f9b34fb" for n in ("aa00", "aa01", "aa02")), True)
    made = bench(board="atmega328p", service=module)
    made.open(services=(module, OWN))
    made.push()
    assert made.peer.is_right()
