"""The link of a board under test, and the seed that all its faults come from."""

from __future__ import annotations

import pytest

from otaflash.engine import Result
from otaflash.errors import UsageError
from otaflash.testing import Link, LinkModel, OtaflashError, make_board
from tests.testing.boards import NEW, OLD, RADIO, old_board

LONG = NEW * 8


def test_a_lossy_link_shows_in_what_was_sent_again() -> None:
    good, lossy = old_board(link=Link(delay_s=0.03)), old_board(link=Link(delay_s=0.03, loss=0.2))
    assert good.push(LONG, version="2.0.0").retransmitted_blocks == 0
    assert lossy.push(LONG, version="2.0.0").retransmitted_blocks > 0
    assert (good.station.link.down.counters.lost_packets, lossy.station.link.down.counters.lost_packets > 0) == (
        0,
        True,
    )
    assert lossy.runs(LONG)


def test_delay_costs_virtual_time() -> None:
    near, far = old_board(link=Link()), old_board(link=Link(delay_s=0.3))
    near.push(NEW, version="2.0.0")
    far.push(NEW, version="2.0.0")
    assert far.now_s > near.now_s + 4 * 0.3


def test_directions_may_differ() -> None:
    deaf = make_board("atmega328p", link=LinkModel(down=Link(), up=Link(loss=1.0)), image=OLD)
    with pytest.raises(OtaflashError):
        deaf.info()
    assert deaf.station.link.up.counters.lost_packets > 0
    assert deaf.station.link.down.counters.lost_packets == 0


def test_a_link_may_fail_under_way_and_come_back() -> None:
    board = old_board()
    board.link = Link(loss=1.0)
    with pytest.raises(OtaflashError) as failed:
        board.push(NEW, version="2.0.0")
    assert failed.value.reason == "no-answer"
    assert board.runs(OLD)
    board.link = Link()
    assert board.push(NEW, version="2.0.0").running_version == "2.0.0"


def test_the_radio_itself_cannot_change_under_way() -> None:
    board = old_board(link=Link(rate=57600))
    with pytest.raises(UsageError) as failed:
        board.link = Link(rate=9600)
    assert failed.value.reason == "link-hardware"
    assert board.link.down.rate == 57600


def pushed(seed: int) -> tuple[Result, bytes, float, list[str]]:
    board = old_board(seed, RADIO)
    board.power.cut_during("transfer")
    result = board.push(LONG, version="2.0.0")
    return result, board.flash, board.now_s, board.story


def test_a_seed_replays_the_same_bytes_at_the_same_times() -> None:
    assert pushed(7) == pushed(7)


def test_another_seed_has_other_faults() -> None:
    assert {pushed(seed)[2] for seed in range(5)} > {pushed(1)[2]}


@pytest.mark.parametrize(
    ("link", "said"),
    [
        (Link(loss=5), "loss=5"),
        (Link(dup=-0.1), "dup=-0.1"),
        (Link(biterr=float("nan")), "biterr=nan"),
        (Link(delay_s=-1), "delay_s=-1"),
        (Link(rate=100), "rate=100"),
        (Link(air_rate=0), "air_rate=0"),
        (Link(packet_bytes=300), "300"),
        (LinkModel(up=Link(loss=2)), "loss=2"),
    ],
)
def test_a_link_that_cannot_be_is_refused_by_the_name_of_the_field(link: Link | LinkModel, said: str) -> None:
    with pytest.raises(UsageError, match=said) as failed:
        make_board("atmega328p", link=link)
    assert failed.value.reason == "bad-link"
