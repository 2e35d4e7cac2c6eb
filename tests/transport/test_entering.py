"""Ways into the loader, as boards are wired in the field: a deaf application, the real core behind it, real time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from otaflash import session
from otaflash.engine import Event, Operation, Waiting
from otaflash.errors import LinkError, TargetError, UsageError
from otaflash.sim.station import Place, Station
from otaflash.transport import open as opening
from otaflash.transport import xbee
from otaflash.transport.open import open_link
from tests.transport.wired import Adapter, ConsoleDoor, DarkDoor, Rfc2217Door, XBeeDoor, wired

# What pyserial does in its rfc2217://, whose threads are older than Python's words for them.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")

XBEE = f"xbee:{XBeeDoor.ADDRESS:016X}"
LOADER = 0


def asked(port: str, enter: str | None, told: list[str] | None = None, seen: list[Event] | None = None) -> int:
    """The mode in which the board answers Inspect."""
    link = open_link(port, enter=enter, tell=(told if told is not None else []).append)
    try:
        found = session.request(link, Operation.INFO, (seen if seen is not None else []).append)
        return found.info.mode
    finally:
        link.close()


@pytest.fixture
def _quick_xbee(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake XBees need no guard time."""
    monkeypatch.setattr(xbee, "GUARD_S", 0.02)
    monkeypatch.setattr(xbee, "ANSWER_S", 0.2)


# --- lines --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("holds_reset", [False, True], ids=["capacitor", "direct"])
def test_a_board_whose_reset_hangs_on_dtr_comes_into_its_loader(holds_reset: bool) -> None:
    adapters: list[Adapter] = []

    def door(station: Station) -> Rfc2217Door:
        adapters.append(Adapter(station, holds_reset))
        return Rfc2217Door(adapters[0])

    with wired(door) as (port, station):
        assert asked(port, "dtr") == LOADER
        assert station.counters.resets + station.counters.power_ups >= 2
    assert adapters[0].moved == [("dtr", False), ("dtr", True), ("dtr", False)]


def test_opening_and_closing_resets_no_board_whose_reset_hangs_on_dtr() -> None:
    adapters: list[Adapter] = []

    def door(station: Station) -> Rfc2217Door:
        adapters.append(Adapter(station))
        return Rfc2217Door(adapters[0])

    with wired(door) as (port, station):
        for _ in range(2):
            open_link(port).close()
        assert station.place is Place.DEAF
        assert station.counters.resets == 0
    assert adapters[0].moved == []


def test_steps_of_one_s_own_move_both_lines_in_their_order() -> None:
    adapters: list[Adapter] = []

    def door(station: Station) -> Rfc2217Door:
        adapters.append(Adapter(station))
        return Rfc2217Door(adapters[0])

    with wired(door) as (port, _):
        assert asked(port, "lines:rts=0,dtr=0,10ms,dtr=1,10ms,rts=1") == LOADER
    assert adapters[0].moved == [("rts", False), ("dtr", False), ("dtr", True), ("rts", True)]


@pytest.mark.parametrize("port", ["sim:atmega328p", "loop://"])
def test_a_port_without_lines_says_so(port: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_link(port, enter="dtr")
    assert caught.value.reason == "enter-not-here"
    assert port in caught.value.text


def test_a_way_in_that_means_nothing_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_link("/dev/ttyNone99", enter="fly")
    assert caught.value.reason == "enter-malformed"


# --- a command, and a hand ----------------------------------------------------------------------------------------


def test_a_command_of_the_user_s_brings_the_application_into_its_loader() -> None:
    with wired(ConsoleDoor) as (port, station):
        assert asked(port, r"text:reboot\r\n") == LOADER
        assert station.counters.resets == 1


def test_a_board_that_somebody_switches_on_is_asked_for_meanwhile() -> None:
    told: list[str] = []
    seen: list[Event] = []
    with wired(lambda station: DarkDoor(station, 150)) as (port, _):
        assert asked(port, "power:40s", told, seen) == LOADER
    assert told == ["switch the board on now; it is waited for 40 s"]
    left = [event.left_s for event in seen if isinstance(event, Waiting)]
    assert left
    assert left == sorted(left, reverse=True)
    assert left[0] <= 40


def test_a_port_that_is_not_there_before_the_board_has_power_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(opening, "LOOK_AGAIN_S", 0.02)
    told: list[str] = []
    with wired(lambda station: DarkDoor(station, 1)) as (port, _):
        plugged = tmp_path / "ttyACM0"
        threading.Timer(0.2, plugged.symlink_to, [port]).start()
        assert asked(str(plugged), "power:40s", told) == LOADER
    assert told == ["switch the board on now; it is waited for 40 s"]


def test_a_port_that_never_comes_is_missing_in_the_end() -> None:
    with pytest.raises(TargetError) as caught:
        open_link("/dev/ttyNone99", enter="power:0.3s")
    assert caught.value.reason == "port-missing"


def test_nobody_switches_it_on_and_the_time_that_was_waited_is_told() -> None:
    with (
        wired(lambda station: DarkDoor(station, 1 << 30)) as (port, _),
        pytest.raises(LinkError) as caught,
    ):
        asked(port, "power:0.5s")
    assert caught.value.reason == "no-answer"
    assert "no answer for 0.5 s while" in caught.value.text


# --- XBee ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_quick_xbee")
@pytest.mark.parametrize("lost", [0, 2])
def test_an_xbee_at_the_board_resets_it_by_its_pin(lost: int) -> None:
    doors: list[XBeeDoor] = []

    def door(station: Station) -> XBeeDoor:
        doors.append(XBeeDoor(station, deaf_to=lost))
        return doors[0]

    told: list[str] = []
    with wired(door) as (port, _):
        assert asked(port, XBEE, told) == LOADER
    assert doors[0].levels == [4, 5]
    assert doors[0].modes == ["command", "api", "transparent"]
    assert told == ["resetting the board by D3 of the XBee 0013A20040522BAA"]


@pytest.mark.usefixtures("_quick_xbee")
def test_an_xbee_that_is_out_of_reach_is_named_and_the_one_here_left_transparent() -> None:
    doors: list[XBeeDoor] = []

    def door(station: Station) -> XBeeDoor:
        doors.append(XBeeDoor(station, deaf_to=99))
        return doors[0]

    with wired(door) as (port, _), pytest.raises(LinkError) as caught:
        asked(port, XBEE)
    assert caught.value.reason == "xbee-no-answer"
    assert "0013A20040522BAA does not answer" in caught.value.text
    assert doors[0].modes[-1] == "transparent"


@pytest.mark.usefixtures("_quick_xbee")
def test_an_xbee_that_refuses_is_told_with_its_reason() -> None:
    with wired(lambda station: XBeeDoor(station, status=4)) as (port, _), pytest.raises(LinkError) as caught:
        asked(port, XBEE)
    assert "refuses: no word from the other XBee" in caught.value.text


@pytest.mark.usefixtures("_quick_xbee")
def test_no_xbee_at_the_port_is_told() -> None:
    with wired(lambda station: XBeeDoor(station, silent=True)) as (port, _), pytest.raises(LinkError) as caught:
        asked(port, XBEE)
    assert caught.value.reason == "xbee-no-command-mode"


# --- frames -------------------------------------------------------------------------------------------------------


def test_a_frame_is_as_the_manual_of_digi_shows_it() -> None:
    """The example for frame 0x17 in the XBee S2C user guide: D1 of a remote module set to an ADC, frame id 1."""
    data = bytes.fromhex("17 01 00 13 A2 00 40 52 2B AA FF FE 02 44 31 02")
    frame = xbee.api_frame(data)
    assert frame[:3] == bytes.fromhex("7E 00 10")
    assert (sum(frame[3:]) & 0xFF) == 0xFF
    assert frame[3:-1] == data


def test_frames_are_found_among_noise_and_byte_by_byte() -> None:
    stream = b"noise\x7e\xff\xff" + xbee.api_frame(b"one") + b"\x7e\xff" + xbee.api_frame(b"two \x7e")
    assert list(xbee.FrameReader().feed(stream)) == [b"one", b"two \x7e"]
    reader = xbee.FrameReader()
    found = [frame for at in range(len(stream)) for frame in reader.feed(stream[at : at + 1])]
    assert found == [b"one", b"two \x7e"]


def test_a_damaged_frame_is_skipped() -> None:
    damaged = bytearray(xbee.api_frame(b"one"))
    damaged[4] ^= 1
    assert list(xbee.FrameReader().feed(bytes(damaged) + xbee.api_frame(b"two"))) == [b"two"]
