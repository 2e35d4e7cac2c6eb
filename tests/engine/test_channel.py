"""Which transmission a reply answers, and which replies are heard at all."""

from __future__ import annotations

import pytest

from otaflash.engine.channel import SERIALS, Channel, Heard, LinkShape, with_lead
from otaflash.wire import encode, on_stream
from otaflash.wire.messages import AbortReply, Message, Report

RATE = 11520.0


def channel(sent: int, session: int = 7) -> Channel:
    """After so many requests, one each second."""
    made = Channel(LinkShape(RATE), session)
    for second in range(sent):
        made.send(Report(0), float(second))
    made.take_outgoing()
    return made


def hear(made: Channel, message: Message, serial: int, session: int = 7) -> list[Heard]:
    return made.receive(on_stream(encode(message, session, serial)), float(made.next_sequence))


@pytest.mark.parametrize("back", [0, 1, 2, 100, SERIALS // 2, SERIALS - 1])
@pytest.mark.parametrize("sent", [SERIALS, SERIALS + 1, 3 * SERIALS - 1, 3 * SERIALS, 1000])
def test_a_reply_answers_the_newest_transmission_of_its_serial(sent: int, back: int) -> None:
    answered = sent - 1 - back
    (heard,) = hear(channel(sent), AbortReply(0), answered % SERIALS)
    assert heard.sequence == answered


@pytest.mark.parametrize("back", [0, 1, 7])
def test_the_round_trip_is_that_of_the_transmission_answered(back: int) -> None:
    (heard,) = hear(channel(20), AbortReply(0), 19 - back)
    assert heard.round_trip_s == pytest.approx(1 + back, abs=0.01)


def test_a_serial_that_was_not_sent_yet_is_not_heard() -> None:
    assert hear(channel(3), AbortReply(0), 3) == []


def test_replies_in_another_session_and_echoes_are_not_heard() -> None:
    made = channel(3)
    assert hear(made, AbortReply(0), 2, session=8) == []
    assert hear(made, Report(0), 2) == []
    assert made.echoes == 1
    assert made.heard_at is None
    assert len(hear(made, AbortReply(0), 2)) == 1


def test_a_new_session_hears_nothing_of_what_was_asked_before_it() -> None:
    made = channel(3)
    made.new_session()
    made.send(Report(0), 3.0)
    assert hear(made, AbortReply(0), 2, session=8) == []
    assert len(hear(made, AbortReply(0), 3, session=8)) == 1


def test_sessions_come_round_to_1_and_are_never_0() -> None:
    made = channel(0, session=65534)
    assert [made.new_session() or made.session for _ in range(3)] == [65535, 1, 2]


@pytest.mark.parametrize("answered", [0, 5, 127, 128, 255, 256, 1000])
@pytest.mark.parametrize("away", [-127, -1, 0, 1, 127])
def test_a_serial_in_a_report_is_the_nearest_to_what_is_answered(answered: int, away: int) -> None:
    assert channel(0).sequence_of((answered + away) % SERIALS, answered) == answered + away


def test_a_zero_goes_in_front_only_where_padding_is_to_spare() -> None:
    assert with_lead(b"\x02a\0\0\0") == b"\0\x02a\0\0"
    assert with_lead(b"\x02a\0") == b"\x02a\0"
