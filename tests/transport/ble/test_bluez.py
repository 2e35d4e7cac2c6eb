"""The transport over bleak's own BlueZ backend: the same sentences for a fake org.bluez and, where a virtual machine
with it is installed (tools/ble_vm), for the real bluetoothd and kernel: so the fake stays honest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otaflash import session
from otaflash.engine import Event, Operation, PhaseChanged, Progress, Result
from otaflash.errors import OtaflashError
from otaflash.image.bundle import bundle_from_image
from otaflash.transport.ble_finding import scan_boards
from otaflash.transport.ble_link import BleLink, open_ble
from otaflash.transport.ble_services import KNOWN, NORDIC_UART, OWN, parse_ble
from tests.transport.ble.air import Device
from tests.transport.ble.bluez.bed import Bed, FakeBed, make_peer
from tests.transport.ble.vm.bed import Vm, VmBed, is_installed, machine

BATTERY = "0000180f-0000-1000-8000-00805f9b34fb"
PAGE_BYTES = 4096
MakeBed = Callable[..., Bed]


@pytest.fixture(scope="session")
def vm() -> Iterator[Vm]:
    made = machine()
    yield made
    made.close()


@pytest.fixture(params=["fake", *(["bluetoothd"] if is_installed() else [])])
def bed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeBed]:
    made: list[Bed] = []

    def make(*, stream: bool = False, image_bytes: int = 9000, **device: object) -> Bed:
        peer = make_peer(image_bytes=image_bytes, stream=stream)
        service = NORDIC_UART if stream else OWN
        described = Device(peer, service=service, drops_on_restart=not stream, **device)  # type: ignore[arg-type]
        if request.param == "fake":
            made.append(FakeBed(tmp_path, described))
        else:
            made.append(VmBed(request.getfixturevalue("vm"), described))
        for name, value in made[0].environment.items():
            monkeypatch.setenv(name, value)
        return made[0]

    yield make
    for each in made:
        each.close()


def opened(port: str = "ble:lamp") -> BleLink:
    return open_ble(parse_ble(port), KNOWN)


def push(bed: Bed, on_event: Callable[[Event], None] = lambda event: None) -> Result:
    link = opened()
    try:
        return session.push(link, lambda info: bundle_from_image(bed.peer.image), on_event)
    finally:
        link.close()


@pytest.mark.parametrize(
    "port", ["ble:lamp", "ble:{address}", f"ble:?service={OWN.uuid}", f"ble:lamp?service={OWN.uuid}"]
)
def test_a_board_is_found_by_its_name_its_address_and_its_service(bed: MakeBed, port: str) -> None:
    made = bed()
    link = opened(port.format(address=made.device.address))
    assert session.request(link, Operation.INFO).info.uid == made.peer.board.uid
    link.close()


@pytest.mark.parametrize(("mtu", "frame_bytes"), [(23, 20), (247, 244)])
def test_a_frame_is_as_long_as_the_mtu_lets_it_be(bed: MakeBed, mtu: int, frame_bytes: int) -> None:
    bed(mtu=mtu)
    link = opened()
    assert (link.stream, link.frame_bytes) == (False, frame_bytes)
    link.close()


def test_a_scan_tells_name_address_signal_and_service(bed: MakeBed) -> None:
    made = bed()
    seen = {each.address: each for each in scan_boards(2.0)}[made.device.address]
    assert seen.name == "lamp"
    assert -127 < seen.rssi < 0
    assert OWN.uuid in seen.services


def test_a_whole_update_ends_with_the_new_program_confirmed(bed: MakeBed) -> None:
    made = bed()
    phases: list[str] = []
    result = push(made, lambda event: phases.append(event.name) if isinstance(event, PhaseChanged) else None)
    assert result.running_version == "2.0.0"
    assert phases[-1] == "confirm"
    assert made.is_right()


def test_a_reset_in_the_middle_is_found_again_and_the_rest_is_sent(bed: MakeBed) -> None:
    made = bed(image_bytes=30_000)
    seen: list[int] = []
    reset_at: list[int] = []

    def reset_once(event: Event) -> None:
        if isinstance(event, Progress):
            seen.append(event.done_bytes)
            if event.done_bytes > event.total_bytes // 2 and not reset_at:
                reset_at.append(len(seen))
                made.reset()

    push(made, reset_once)
    assert made.is_right()
    (at,) = reset_at
    assert min(seen[at:]) > seen[at - 1] - PAGE_BYTES  # a page that was not whole is lost


def test_a_connection_that_breaks_comes_back_and_the_update_goes_on(bed: MakeBed) -> None:
    made = bed(image_bytes=30_000)
    broken: list[int] = []

    def break_once(event: Event) -> None:
        if isinstance(event, Progress) and event.done_bytes > event.total_bytes // 3 and not broken:
            broken.append(event.done_bytes)
            made.lose()

    push(made, break_once)
    assert made.is_right()
    assert broken


def test_a_board_that_comes_back_under_another_address_is_updated(bed: MakeBed) -> None:
    made = bed(moves=True)
    before = made.device.address
    push(made)
    assert made.is_right()
    assert made.device.address != before


def test_a_board_behind_a_uart_service_is_updated(bed: MakeBed) -> None:
    made = bed(stream=True, image_bytes=3000)
    push(made)
    assert made.is_right()


def test_a_board_that_is_not_there_is_named_within_ten_seconds(bed: MakeBed) -> None:
    bed()
    began = time.monotonic()
    with pytest.raises(OtaflashError, match="lump is not in reach") as caught:
        opened("ble:lump")
    assert caught.value.reason == "ble-none"
    assert "lamp" in caught.value.remedy
    assert time.monotonic() - began < 30  # a machine may be slow; what counts is that it ends


def test_a_board_without_the_service_is_told_apart(bed: MakeBed) -> None:
    bed(table=((BATTERY, (OWN.to_device, OWN.to_host)),))
    with pytest.raises(OtaflashError, match="no service that leads to a bootloader") as caught:
        opened()
    assert caught.value.reason == "ble-no-service"
    assert BATTERY in caught.value.text
