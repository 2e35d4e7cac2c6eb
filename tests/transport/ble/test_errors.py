"""Bad input of a BLE link: one sentence, a remedy and an exit code each, and never a hang.

Those of the computer's Bluetooth come from bleak's own BlueZ backend over the fake org.bluez, in real time; those of
the board from the fake GATT device, in virtual time.
"""

from __future__ import annotations

import ast
import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bleak.exc import BleakDBusError

from otaflash import session
from otaflash.engine import Operation
from otaflash.errors import OtaflashError, UsageError
from otaflash.transport.ble_link import open_ble
from otaflash.transport.ble_services import KNOWN, OWN, module_of, parse_ble
from tests.transport.ble.air import Air, Device, FakeClient, FakeScanner
from tests.transport.ble.bluez.bed import FakeBed, make_peer
from tests.transport.ble.bluez.bus import DBusError
from tests.transport.ble.pushing import Bench
from tests.transport.ble.virtual import VirtualLoop

SILENCE_S = 10.0
SOURCES = sorted(Path("otaflash/transport").resolve().glob("ble*.py"))


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBed]:
    bed = FakeBed(tmp_path, Device(make_peer()))
    for name, value in bed.environment.items():
        monkeypatch.setenv(name, value)
    yield bed
    bed.close()


def ask(port: str) -> None:
    link = open_ble(parse_ble(port), KNOWN)
    try:
        session.request(link, Operation.INFO)
    finally:
        link.close()


def refusal(port: str = "ble:lamp") -> tuple[str, int, str]:
    """Reason, exit code and sentence with which opening or asking ends."""
    with pytest.raises(OtaflashError) as caught:
        ask(port)
    error = caught.value
    assert error.remedy
    assert "\n" not in error.text
    return error.reason, int(error.exit_code), error.text


# --- this computer


def test_bluetooth_that_is_switched_off_is_told(fake: FakeBed) -> None:
    fake.thread.call(lambda: fake.bluez.set_powered(False))
    assert refusal() == ("ble-off", 3, "Bluetooth is switched off")


def test_a_computer_without_an_adapter_is_told(fake: FakeBed) -> None:
    fake.thread.call(fake.bluez.remove_adapter)
    assert refusal() == ("ble-no-adapter", 3, "this computer has no Bluetooth LE adapter")


def test_a_bus_that_turns_us_away_is_told_as_missing_permission(fake: FakeBed) -> None:
    fake.bluez.bus.refuses = True
    assert refusal() == ("ble-permission", 3, "you may not use Bluetooth")


@pytest.mark.parametrize("method", ["GetManagedObjects", "StartDiscovery"])
def test_a_policy_that_denies_is_told_as_missing_permission(fake: FakeBed, method: str) -> None:
    fake.bluez.errors[method] = DBusError("org.freedesktop.DBus.Error.AccessDenied", "Rejected send message")
    assert refusal()[:2] == ("ble-permission", 3)


def test_a_bus_without_bluetoothd_is_told(fake: FakeBed) -> None:
    fake.bluez.bus.name = None
    assert refusal() == ("ble-no-system", 3, "no Bluetooth service runs on this computer")


def test_a_computer_without_a_bus_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/nothing")
    assert refusal()[:2] == ("ble-no-system", 3)


def test_a_missing_bleak_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bleak", None)
    with pytest.raises(OtaflashError) as caught:
        open_ble(parse_ble("ble:lamp"), KNOWN)
    assert (caught.value.reason, caught.value.exit_code) == ("ble-not-installed", 3)
    assert "pip install 'otaflash[ble]'" in caught.value.remedy


@pytest.mark.parametrize("name", ["org.bluez.Error.NotPermitted", "org.bluez.Error.AuthenticationFailed"])
def test_a_board_that_demands_a_pairing_is_told(fake: FakeBed, name: str) -> None:
    fake.bluez.errors["StartNotify"] = DBusError(name, "whatever it says")
    reason, code, text = refusal()
    assert (reason, code) == ("ble-pairing", 3)
    assert text.endswith("demands a pairing")


@pytest.mark.parametrize("code", [0x05, 0x08, 0x0C, 0x0F])
def test_an_att_error_that_asks_for_a_bond_is_told_as_pairing(fake: FakeBed, code: int) -> None:
    text = f"Operation failed with ATT error: 0x{code:02x}"
    fake.bluez.errors["StartNotify"] = DBusError("org.bluez.Error.Failed", text)
    assert refusal()[:2] == ("ble-pairing", 3)


def test_a_write_that_never_returns_ends_the_link(fake: FakeBed) -> None:
    fake.bluez.hangs.add("WriteValue")
    reason, code, text = refusal()
    assert (reason, code) == ("link-blocked", 4)
    assert "has taken no write for 8 s" in text


@pytest.mark.parametrize("method", ["Hello", "GetManagedObjects", "SetDiscoveryFilter", "StartDiscovery"])
def test_bluetooth_that_does_not_answer_is_told(fake: FakeBed, method: str) -> None:
    fake.bluez.hangs.add(method)
    if method == "Hello":  # a bus that accepts and then says nothing
        fake.bluez.bus.mute = True
    assert refusal() == ("ble-silent", 3, "Bluetooth on this computer does not answer")


def test_a_bus_that_dies_in_the_middle_ends_the_link(fake: FakeBed) -> None:
    link = open_ble(parse_ble("ble:lamp"), KNOWN)
    session.request(link, Operation.INFO)
    fake.thread.call(fake.bluez.bus.close)
    with pytest.raises(OtaflashError) as caught:
        session.request(link, Operation.INFO)
    assert caught.value.exit_code == 4
    link.close()


# --- the board


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**settings: Any) -> Bench:
        made.append(Bench(**settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


def ended(bench: Bench, port: str = "ble:lamp") -> tuple[str, int, str]:
    began_s = bench.loop.time()
    with pytest.raises(OtaflashError) as caught:
        bench.push(port=port)
    assert bench.loop.time() - began_s <= SILENCE_S + 0.5
    return caught.value.reason, int(caught.value.exit_code), f"{caught.value.text}; {caught.value.remedy}"


def test_a_name_that_matches_two_boards_is_refused_and_both_are_listed(bench: Any) -> None:
    made = bench()
    made.air.add(Device(None, address="C0:FF:EE:00:00:02"))
    reason, code, text = ended(made)
    assert (reason, code) == ("ble-ambiguous", 3)
    assert "lamp (C0:FF:EE:00:00:01), lamp (C0:FF:EE:00:00:02)" in text


def test_a_board_that_is_not_in_reach_is_told_with_those_that_are(bench: Any) -> None:
    reason, code, text = ended(bench(), "ble:lump")
    assert (reason, code) == ("ble-none", 3)
    assert "in reach are lamp (C0:FF:EE:00:00:01)" in text


@pytest.mark.parametrize("characteristics", [(), ((OWN.to_device, OWN.to_device),), (("aa", OWN.to_host),)])
def test_a_service_that_is_missing_or_incomplete_is_told(bench: Any, characteristics: tuple[Any, ...]) -> None:
    made = bench(table=tuple((OWN.uuid, pair) for pair in characteristics) or (("bb", ("cc", "dd")),))
    reason, code, text = ended(made)
    assert (reason, code) == ("ble-no-service", 3)
    assert "no service that leads to a bootloader" in text


def test_a_board_that_vanishes_between_scan_and_connection_is_told(bench: Any) -> None:
    made = bench()

    def vanish() -> None:
        made.device.life += 1
        made.device.advertising = False

    made.later(1.4, vanish)
    assert ended(made)[:2] == ("ble-vanished", 3)


def test_a_board_that_says_nothing_is_told_by_what_was_awaited(bench: Any) -> None:
    made = bench()
    made.peer.on_value = lambda value: None
    reason, code, text = ended_within(made, SILENCE_S + 2)
    assert (reason, code) == ("no-answer", 4)
    assert "an answer to Inspect" in text


def ended_within(bench: Bench, seconds: float) -> tuple[str, int, str]:
    began_s = bench.loop.time()
    with pytest.raises(OtaflashError) as caught:
        bench.push()
    assert bench.loop.time() - began_s <= seconds
    return caught.value.reason, int(caught.value.exit_code), caught.value.text


def test_writes_that_are_refused_one_after_the_other_end_the_link(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: Any) -> None:
        raise OSError("no buffer space")

    monkeypatch.setattr(FakeClient, "_queue", refuse)
    reason, code, text = ended_within(bench(), SILENCE_S)
    assert (reason, code) == ("link-refused", 4)
    assert "no buffer space" in text


def test_writes_to_what_has_just_gone_from_the_bus_wait_for_the_end_of_the_connection(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BlueZ takes a characteristic off the bus a moment before it tells of the disconnection."""
    made = bench(image_bytes=30_000)
    writes = 0
    queue = FakeClient._queue

    async def going(client: FakeClient, value: bytes, response: bool) -> None:
        nonlocal writes
        writes += 1
        if 20 <= writes < 60:
            if writes == 20:
                made.later(0.2, lambda: made.air.lose(made.device))
            raise BleakDBusError("org.freedesktop.DBus.Error.UnknownObject", ["there is no such method"])
        await queue(client, value, response)

    monkeypatch.setattr(FakeClient, "_queue", going)
    assert made.push().running_version == "2.0.0"
    assert writes > 60


# --- every wait has an end


def test_nothing_is_awaited_but_through_the_one_helper_that_ends() -> None:
    """`within` itself awaits asyncio.wait with a time limit; everything else awaits `within`, or a coroutine of these
    files, of which this is true in turn."""
    own = {
        node.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AsyncFunctionDef)
    }
    wrong = []
    for path in SOURCES:
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.AsyncFunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.AsyncFor | ast.AsyncWith):
                    wrong.append(f"{path.name}:{node.lineno}")
                if isinstance(node, ast.Await) and not awaits(node, own, inside=function.name):
                    wrong.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")
    assert len(own) > 8
    assert wrong == []


def awaits(node: ast.Await, own: set[str], *, inside: str) -> bool:
    call = node.value
    assert isinstance(call, ast.Call)
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if inside == "within":
        return name == "wait" and any(keyword.arg == "timeout" for keyword in call.keywords)
    theirs = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value).endswith(("client", "scanner"))
    return name in own and not theirs


CALLS = [
    (FakeScanner, "start"),
    (FakeScanner, "stop"),
    (FakeClient, "connect"),
    (FakeClient, "start_notify"),
    (FakeClient, "write_gatt_char"),
    (FakeClient, "disconnect"),
]


@pytest.mark.parametrize("stubborn", [False, True], ids=["heeds a cancel", "heeds no cancel"])
@pytest.mark.parametrize(("kind", "name"), CALLS, ids=[f"{kind.__name__}.{name}" for kind, name in CALLS])
def test_a_call_that_never_returns_ends_in_a_named_error_or_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, bench: Any, kind: type, name: str, stubborn: bool
) -> None:
    async def never(*_: Any, **__: Any) -> None:
        while True:
            try:
                await asyncio.sleep(1e6)
            except asyncio.CancelledError:
                if not stubborn:
                    raise

    monkeypatch.setattr(kind, name, never)
    made = bench()
    began_s = made.loop.time()
    try:
        made.push()
    except OtaflashError as error:
        failure = error.reason
    else:
        failure = ""
    assert failure in {"", "ble-silent", "ble-no-connection", "link-blocked"}
    assert (failure == "") == (name in {"stop", "disconnect"})
    made.close()
    assert made.loop.time() - began_s < 60


def test_ctrl_c_comes_out_of_a_read_and_the_link_closes_after_it(bench: Any) -> None:
    made = bench()
    link = made.open()

    def interrupt() -> None:
        raise KeyboardInterrupt

    made.later(1.0, interrupt)
    with pytest.raises(KeyboardInterrupt):
        link.read(link.now() + 30)
    link.close()
    assert made.device.connection is None


def test_a_closed_link_says_so() -> None:
    loop = VirtualLoop()
    air = Air(loop)
    air.add(Device(None))
    link = open_ble(parse_ble("ble:lamp"), KNOWN, radio=air.radio(), loop=loop)
    link.close()
    link.close()
    with pytest.raises(OtaflashError, match="is closed"):
        link.write(b"x")


# --- what the user writes


@pytest.mark.parametrize(
    ("port", "words"),
    [
        ("ble:", "names no board"),
        ("ble:lamp?colour=red", "'colour=red' is not understood"),
        ("ble:?service=xyz", "no UUID"),
        ("ble:lamp?baud=0", "not understood"),
    ],
)
def test_a_port_that_means_nothing_is_refused_by_name(port: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_ble(port)


def test_a_port_names_a_board_by_name_address_or_service() -> None:
    assert parse_ble("ble:lamp").name == "lamp"
    assert parse_ble("ble:C0:FF:EE:00:00:01").address == "c0:ff:ee:00:00:01"
    assert parse_ble("ble:8F1D3C55-0000-4000-8000-000000000001").address == "8f1d3c55-0000-4000-8000-000000000001"
    assert parse_ble("ble:?service=FFE0").service == "0000ffe0-0000-1000-8000-00805f9b34fb"


def test_a_module_is_described_by_all_of_its_uuids_or_not_at_all() -> None:
    assert module_of(None, None, None) is None
    with pytest.raises(UsageError, match="states no ble_to_host"):
        module_of("aa00", "aa01", None)
    module = module_of("aa00", "aa01", "aa02")
    assert module is not None
    assert module.stream
