"""Frames and messages: what is encoded decodes to itself, and what does not fit is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otaflash.wire import Frame, WireError, decode, encode, messages, on_stream
from otaflash.wire.frames import OVERHEAD_BYTES
from otaflash.wire.messages import FRAME_GREATEST, FRAME_LEAST, Block, Gap, Inspect, Kind, Message, Report, ReportReply

BITS = {"B": 8, "H": 16, "I": 32}
sessions = st.integers(0, 0xFFFF)
serials = st.integers(0, 0xFF)


def strategy_of(message: type[typing.Any]) -> st.SearchStrategy[typing.Any]:
    """Any value of a message or record, drawn from the struct that packs it and the types of its fields."""
    types = typing.get_type_hints(message)
    codes = struct_codes(message)
    values: dict[str, st.SearchStrategy[typing.Any]] = {}
    for field in dataclasses.fields(message):
        if field.name == "encoding":
            values[field.name] = st.integers(0, 15)
        elif codes:
            values[field.name] = codes.pop(0)
        else:
            values[field.name] = (
                st.binary(max_size=300)
                if types[field.name] is bytes
                else st.lists(strategy_of(Gap), max_size=9).map(tuple)
            )
    return st.builds(message, **values)


def struct_codes(message: type) -> list[st.SearchStrategy[typing.Any]]:
    name = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in message.__name__)
    layout = getattr(messages, name).format[1:]
    found: list[st.SearchStrategy[typing.Any]] = []
    digits = ""
    for code in layout:
        if code.isdigit():
            digits += code
        elif code == "s":
            found.append(st.binary(min_size=int(digits), max_size=int(digits)))
            digits = ""
        else:
            found.append(st.integers(0, (1 << BITS[code]) - 1))
    return found


every_message = st.one_of([strategy_of(each) for each in typing.get_args(Message)])


@given(every_message, sessions, serials)
def test_every_message_comes_back_as_it_went(message: Message, session: int, serial: int) -> None:
    frame = encode(message, session, serial)
    assert decode(frame) == Frame(message.kind, session, serial, message)


@given(st.binary(max_size=64))
def test_any_bytes_decode_or_raise_the_wire_error(data: bytes) -> None:
    with contextlib.suppress(WireError):
        frame = decode(data)
        assert encode(frame.message, frame.session, frame.serial) == data


@given(st.integers(0, 255), st.binary(max_size=40))
def test_any_body_of_any_kind_unpacks_to_what_packs_to_it_or_raises(kind: int, body: bytes) -> None:
    with contextlib.suppress(WireError):
        message = messages.unpack(kind, body)
        assert (message.kind, message.pack()) == (kind, body)


@pytest.mark.parametrize("wrong", [{"session": 65536}, {"session": -1}, {"serial": 256}, {"serial": -1}])
def test_a_header_that_does_not_fit_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(WireError) as caught:
        encode(Report(0), **({"session": 1, "serial": 1} | wrong))
    assert caught.value.fault == "value"


@pytest.mark.parametrize(
    "message",
    [
        Report(65536),
        Report(-1),
        Inspect(20, 0, bytes(7)),
        Inspect(20, 0, bytes(9)),
        Block(0, b"", encoding=16),
        Block(0, b"", encoding=-1),
        ReportReply(0, 0, 0, 0, 0, (Gap(0, 65536),)),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_refused_not_cut(message: Message) -> None:
    with pytest.raises(WireError) as caught:
        encode(message, 1, 1)
    assert caught.value.fault == "value"


def test_a_frame_over_the_greatest_is_neither_written_nor_read() -> None:
    fits = Block(0, bytes(FRAME_GREATEST - OVERHEAD_BYTES - 2))
    assert len(encode(fits, 1, 1)) == FRAME_GREATEST
    with pytest.raises(WireError) as caught:
        encode(dataclasses.replace(fits, data=fits.data + b"\0"), 1, 1)
    assert caught.value.fault == "too-long"


def test_the_fixed_part_of_every_request_and_a_gap_fit_the_least_frame() -> None:
    target = bytes(8)
    for message in (Inspect(20, 0, target), messages.Enter(target), ReportReply(0, 0, 0, 0, 0, (Gap(0, 1),))):
        assert len(encode(message, 1, 1)) <= FRAME_LEAST


def test_padding_fills_up_and_never_cuts() -> None:
    frame = encode(Report(1), 1, 1)
    plain = on_stream(frame)
    assert on_stream(frame, 100) == plain + bytes(100 - len(plain))
    assert on_stream(frame, 5) == plain


def test_a_reply_has_its_requests_kind_with_bit_7_set() -> None:
    for request in typing.get_args(messages.Request):
        reply = getattr(messages, request.__name__ + "Reply", None)
        if reply is not None:
            assert reply.kind == request.kind | messages.REPLY
    assert messages.Refused.kind == Kind.REFUSED | messages.REPLY
