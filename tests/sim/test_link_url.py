"""sim: URLs: what they mean, and how each wrong one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from otaflash.errors import UsageError
from otaflash.sim.app import Behaviour, RunningImage
from otaflash.sim.url import parse_sim_url


def test_every_key_of_the_link_is_understood() -> None:
    target = parse_sim_url(
        "sim:atmega328p?rate=57600&delay=30ms&loss=5%&seed=7&jitter=40ms&dup=5%&reorder=0.1&biterr=1e-4"
        "&burst=2s/200ms/90%&outage=5s+10s/50%&air=78k&buffer=300&packet=64"
    )
    way = target.model.down
    assert target.board == "atmega328p"
    assert target.seed == 7
    assert target.model.up == way
    assert (way.rate, way.delay_s, way.jitter_s, way.loss, way.dup) == (57600, 0.03, 0.04, 0.05, 0.05)
    assert (way.reorder, way.biterr) == (0.1, 1e-4)
    assert (way.burst_good_s, way.burst_bad_s, way.burst_loss) == (2.0, 0.2, 0.9)
    assert (way.outage_from_s, way.outage_s, way.outage_loss) == (5.0, 10.0, 0.5)
    assert (way.air_rate, way.buffer_bytes, way.packet_bytes) == (78000, 300, 64)


def test_a_direction_by_itself_wins_over_both_in_any_order() -> None:
    for query in ("loss=5%&up.loss=20%&down.delay=1ms", "up.loss=20%&down.delay=1ms&loss=5%"):
        model = parse_sim_url(f"sim:x?{query}").model
        assert (model.down.loss, model.up.loss) == (0.05, 0.2)
        assert (model.down.delay_s, model.up.delay_s) == (0.001, 0.0)


def test_the_rest_is_understood() -> None:
    target = parse_sim_url(
        "sim:x?app=good,new:hang,2.0.0:crash,89abcdef:silent&confirm=2s&cut=12:torn&cutat=3.2s&off=500ms"
    )
    assert (target.power.cut_operation, target.power.cut_how) == (12, 2)
    assert (target.power.cut_at_s, target.power.off_s) == (3.2, 0.5)
    applications = target.applications
    assert applications.default.behaviour is Behaviour.GOOD
    assert applications.default.confirm_after_s == 2.0

    def of(version: str, crc: int, factory: bool = False) -> Behaviour:
        return applications.behaviour_of(RunningImage(version, crc), is_factory=factory).behaviour

    assert of("1.0.0", 1) is Behaviour.HANG
    assert of("1.0.0", 1, factory=True) is Behaviour.GOOD
    assert of("2.0.0", 1) is Behaviour.CRASH
    assert of("2.0.0", 0x89ABCDEF) is Behaviour.SILENT


def test_files_are_taken_as_they_are() -> None:
    target = parse_sim_url("sim:x?state=a/b c.bin&image=p%20.bin")
    assert (target.state, target.image) == (Path("a/b c.bin"), Path("p%20.bin"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sim:", "port-no-board"),
        ("sim:?rate=9600", "port-no-board"),
        ("sim:x?speed=1", "port-unknown-key"),
        ("sim:x?left.loss=1%", "port-unknown-key"),
        ("sim:x?up.seed=1", "port-unknown-key"),
        ("sim:x?loss", "port-bad-value"),
        ("sim:x?loss=", "port-bad-value"),
        ("sim:x?loss=5%&loss=6%", "port-key-twice"),
        ("sim:x?loss=120%", "port-bad-value"),
        ("sim:x?loss=-1%", "port-bad-value"),
        ("sim:x?loss=nan", "port-bad-value"),
        ("sim:x?delay=30", "port-bad-value"),
        ("sim:x?delay=30min", "port-bad-value"),
        ("sim:x?rate=0", "port-bad-value"),
        ("sim:x?rate=100", "port-bad-value"),
        ("sim:x?down.rate=5000k", "port-bad-value"),
        ("sim:x?rate=fast", "port-bad-value"),
        ("sim:x?packet=-1", "port-bad-value"),
        ("sim:x?packet=300", "port-bad-value"),
        ("sim:x?burst=2s/90%", "port-bad-value"),
        ("sim:x?outage=5s/50%", "port-bad-value"),
        ("sim:x?app=sleepy", "port-bad-value"),
        ("sim:x?app=xyz:good", "port-bad-value"),
        ("sim:x?cut=x", "port-bad-value"),
        ("sim:x?cut=3:maybe", "port-bad-value"),
        ("sim:x?seed=1.5", "port-bad-value"),
    ],
)
def test_a_wrong_url_is_refused_by_name(url: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_sim_url(url)
    assert caught.value.reason == reason
    assert caught.value.remedy
