"""COBS and the reader: any bytes in, only whole frames out."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otaflash.wire import FrameReader, WireError, encode, on_stream
from otaflash.wire.cobs import cobs_bound, cobs_decode, cobs_encode
from otaflash.wire.crc import crc_fits
from otaflash.wire.messages import FRAME_GREATEST, Block, InspectReply, Report

# Bytes with many zeros and long runs without: where COBS has its edges.
sparse = st.lists(
    st.one_of(st.binary(max_size=8), st.integers(0, 600).map(lambda n: b"\x11" * n), st.integers(0, 9).map(bytes)),
    max_size=8,
).map(b"".join)
blocks = st.builds(Block, place=st.integers(0, 0xFFFF), data=st.binary(max_size=80))


@given(sparse)
def test_what_is_encoded_decodes_to_itself_without_a_zero_and_within_the_bound(data: bytes) -> None:
    encoded = cobs_encode(data)
    assert 0 not in encoded
    assert len(encoded) <= cobs_bound(len(data))
    assert cobs_decode(encoded) == data


@pytest.mark.parametrize("length", [253, 254, 255, 508, 509])
def test_an_empty_group_after_a_full_one_changes_nothing(length: int) -> None:
    data = b"\x22" * length
    assert cobs_decode(cobs_encode(data) + (b"\x01" if length % 254 == 0 else b"")) == data


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_raise_the_wire_error(data: bytes) -> None:
    with contextlib.suppress(WireError):
        assert len(cobs_decode(data)) <= len(data)


def test_a_zero_inside_encoded_bytes_is_refused() -> None:
    with pytest.raises(WireError, match="zero byte"):
        cobs_decode(b"\x03\x11\x00")


@given(st.lists(st.binary(max_size=400), max_size=6), st.booleans())
def test_a_reader_never_raises_and_never_gives_a_frame_whose_crc_is_wrong(chunks: list[bytes], stream: bool) -> None:
    reader = FrameReader(stream)
    for chunk in chunks:
        assert all(crc_fits(frame) and len(frame) >= 8 for frame in reader.feed(chunk))


@given(st.lists(blocks, min_size=1, max_size=6), st.data())
def test_frames_arrive_in_order_however_the_stream_is_cut_and_padded(sent: list[Block], data: st.DataObject) -> None:
    frames = [encode(block, 1, serial) for serial, block in enumerate(sent)]
    wire = b"".join(bytes(data.draw(st.integers(0, 3))) + on_stream(frame) for frame in frames)
    reader = FrameReader()
    found: list[bytes] = []
    while wire:
        cut = data.draw(st.integers(1, 60))
        found += reader.feed(wire[:cut])
        wire = wire[cut:]
    assert found == frames
    assert reader.damaged == 0


@settings(max_examples=300)
@given(st.lists(blocks, min_size=3, max_size=6), st.data())
def test_one_damaged_lost_or_added_byte_costs_at_most_two_frames(sent: list[Block], data: st.DataObject) -> None:
    frames = [encode(block, 1, serial) for serial, block in enumerate(sent)]
    wire = b"".join(on_stream(frame) for frame in frames)
    at = data.draw(st.integers(0, len(wire) - 1))
    instead = data.draw(st.binary(max_size=2))
    found = FrameReader().feed(wire[:at] + instead + wire[at + 1 :] + b"\0")
    assert all(frame in frames for frame in found)
    assert len(found) >= len(frames) - 2


def test_overlong_garbage_is_dropped_counted_once_and_not_kept() -> None:
    reader = FrameReader()
    for _ in range(1000):
        assert reader.feed(b"\x55" * 1000) == []
    assert len(reader._kept) <= cobs_bound(FRAME_GREATEST)
    frame = encode(Report(3), 1, 1)
    assert reader.feed(b"\x55\0" + on_stream(frame)) == [frame]
    assert reader.damaged == 1


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=3000), st.data())
def test_a_reply_behind_text_is_read_and_the_text_passed_over(text: str, data: st.DataObject) -> None:
    reply = encode(
        InspectReply(88, 0, data.draw(st.binary(min_size=1, max_size=80))), 0x1234, data.draw(st.integers(0, 255))
    )
    line = text.encode() + b"\r\n" * data.draw(st.integers(0, 1)) + on_stream(reply)
    cut = data.draw(st.integers(0, len(line)))
    reader = FrameReader()
    assert [*reader.feed(line[:cut]), *reader.feed(line[cut:])] == [reply]
    assert reader.damaged == 0


def test_a_frame_over_the_limit_of_the_reader_is_dropped() -> None:
    frame = encode(Block(0, bytes(90)), 1, 1)
    assert FrameReader(limit=100).feed(on_stream(frame)) == [frame]
    assert FrameReader(limit=99).feed(on_stream(frame)) == []
    assert FrameReader(stream=False, limit=99).feed(frame) == []


def test_the_greatest_frame_passes_one_byte_at_a_time() -> None:
    frame = encode(Block(0x0101, b"\x77" * (FRAME_GREATEST - 10)), 0x0101, 1)
    reader = FrameReader()
    found = [each for byte in on_stream(frame) for each in reader.feed(bytes([byte]))]
    assert found == [frame]


def test_on_a_message_link_each_chunk_is_one_frame() -> None:
    frame = encode(Report(3), 1, 1)
    reader = FrameReader(stream=False)
    assert reader.feed(frame) == [frame]
    assert reader.feed(frame + b"\0") == []
    assert reader.feed(b"") == []
    assert reader.damaged == 1


def test_padding_alone_is_no_damage() -> None:
    reader = FrameReader()
    assert reader.feed(bytes(500)) == []
    assert reader.damaged == 0
