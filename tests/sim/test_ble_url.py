"""The BLE keys of sim: URLs: what they mean, and how each wrong one is refused."""

from __future__ import annotations

import pytest

from otaflash.errors import ExitCode, UsageError
from otaflash.sim.ble import BleModel, HostKind
from otaflash.sim.url import parse_sim_url


def model(query: str) -> BleModel:
    found = parse_sim_url(f"sim:nrf52832?{query}").model
    assert isinstance(found, BleModel)
    return found


def test_three_words_say_what_air_it_is() -> None:
    assert model("ble=2M,247,15ms&seed=1") == BleModel(phy=2, mtu=247, interval_s=0.015)


def test_a_fourth_word_bounds_the_packets_of_an_event() -> None:
    assert model("ble=1M,247,30ms,6") == BleModel(phy=1, mtu=247, interval_s=0.03, packets=6)


def test_every_other_key_is_understood() -> None:
    found = model(
        "ble=1M,23,7.5ms&dle=no&encrypted=yes&host=mac&disconnect=5s&supervision=420ms&table=kept&uart=57600"
        "&loss=5%&dup=1%"
    )
    assert found == BleModel(
        phy=1,
        mtu=23,
        interval_s=0.0075,
        extended=False,
        encrypted=True,
        host=HostKind.MAC,
        loss=0.05,
        dup=0.01,
        supervision_s=0.42,
        disconnect_every_s=5.0,
        keeps_table=True,
        uart=57600,
    )
    assert model("ble=1M,247,30ms&disconnect=at:3s").disconnect_at_s == 3.0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("ble=2M,247", "PHY,MTU,interval"),
        ("ble=3M,247,15ms", "not 3M"),
        ("ble=2M,22,15ms", "23 to 517, not 22"),
        ("ble=2M,518,15ms", "23 to 517, not 518"),
        ("ble=2M,many,15ms", "a whole number"),
        ("ble=2M,247,15", "its unit"),
        ("ble=2M,247,5ms", "7.5ms to 4s"),
        ("ble=2M,247,15ms,0", "at least one packet"),
        ("ble=2M,247,15ms&dle=maybe", "yes or no"),
        ("ble=2M,247,15ms&encrypted=1", "yes or no"),
        ("ble=2M,247,15ms&host=amiga", "bluez, mac, windows, android"),
        ("ble=2M,247,15ms&disconnect=0", "such as 5s"),
        ("ble=2M,247,15ms&disconnect=often", "its unit"),
        ("ble=2M,247,15ms&supervision=10ms", "100ms to 32s"),
        ("ble=2M,247,15ms&table=old", "fresh or kept"),
        ("ble=2M,247,15ms&uart=100", "300 to 4000k"),
        ("ble=2M,247,15ms&loss=100%", "below 100%"),
        ("ble=2M,247,15ms&rate=57600", "rate does not go with ble"),
        ("ble=2M,247,15ms&up.loss=1%", "up.loss does not go with ble"),
        ("host=mac", "host says nothing without ble"),
        ("ble=2M,247,15ms&ble=1M,247,15ms", "twice"),
    ],
)
def test_a_wrong_value_is_refused_by_name(query: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_sim_url(f"sim:nrf52832?{query}")
    assert said in caught.value.text
    assert caught.value.exit_code is ExitCode.USAGE
