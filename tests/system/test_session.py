"""The session: an engine over a Link, as commands use it."""

from __future__ import annotations

import pytest

from otaflash.bench.link import make_image
from otaflash.engine import Event, NeedBundle, Operation, PhaseChanged
from otaflash.errors import OtaflashError
from otaflash.image.bundle import Bundle, bundle_from_image
from otaflash.session import push, request
from otaflash.sim.profiles import profile
from otaflash.transport.simlink import open_sim
from otaflash.wire.messages import Info

URL = "sim:atmega328p?delay=20ms&loss=5%&seed=3"


def bundle(info: Info) -> Bundle:
    assert info.board.startswith(b"atmega328p")
    return bundle_from_image(make_image(profile("atmega328p"), 4000, 1))


def test_a_push_over_a_link_names_its_phases_and_ends_with_what_runs() -> None:
    link = open_sim(URL)
    events: list[Event] = []
    result = push(link, bundle, events.append)
    phases = [event.name for event in events if isinstance(event, PhaseChanged)]
    assert [name for name in phases if name != "enter"] == [
        "inspect", "transfer", "verify", "apply", "start", "confirm"
    ]  # fmt: skip
    assert result.running_version == "2.0.0"
    assert request(link, Operation.INFO).info.image_crc == result.info.image_crc


def test_an_error_of_the_engine_is_raised() -> None:
    with pytest.raises(OtaflashError) as caught:
        request(open_sim(URL), Operation.REVERT)
    assert caught.value.reason == "no-trial"


def test_what_the_bundle_maker_raises_passes_through() -> None:
    def refuse(info: Info) -> Bundle:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(open_sim(URL), refuse)


def test_the_bundle_is_asked_for_once() -> None:
    events: list[Event] = []
    push(open_sim(URL), bundle, events.append)
    assert sum(isinstance(event, NeedBundle) for event in events) == 1
