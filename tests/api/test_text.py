"""Text and frames on one line: what the program prints comes out whole, frames do not."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from otaflash.api.text import HELD_MOST, QUIET_S, TextFilter
from otaflash.wire import encode, on_stream
from otaflash.wire.messages import ConfirmReply, InspectReply, Message

REPLIES: list[Message] = [ConfirmReply(0), InspectReply(88, 0, bytes(range(60))), InspectReply(88, 0, b"x" * 80)]
FRAMES = st.builds(
    lambda message, session, serial: on_stream(encode(message, session, serial)),
    st.sampled_from(REPLIES),
    st.integers(1, 0xFFFF),
    st.integers(0, 255),
)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40).map(str.encode)


def filtered(stream: bytes, cuts: list[int]) -> bytes:
    """The text in `stream`, arriving in the pieces that `cuts` make, and then silence."""
    made, out = TextFilter(), b""
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    for number, (start, stop) in enumerate(pairwise(edges)):
        out += made.feed(stream[start:stop], number * 0.001)
    return out + made.feed(b"", 10.0)


@given(st.lists(st.one_of(WORDS, FRAMES), max_size=8), st.lists(st.integers(0, 2000), max_size=6))
def test_text_comes_out_and_frames_between_it_do_not_however_the_line_cuts_them(
    parts: list[bytes], cuts: list[int]
) -> None:
    text = b"".join(part for part in parts if not part.endswith(b"\0"))
    assert filtered(b"".join(parts), cuts) == text


def test_a_line_is_shown_at_once_but_for_its_last_byte() -> None:
    made = TextFilter()
    assert made.feed(b"21 \xc2\xb0C\r\n", 0.0) == b"21 \xc2\xb0C\r"
    assert made.due(5.0) == QUIET_S
    assert made.feed(b"", QUIET_S) == b"\n"
    assert made.due(5.0) == 5.0


def test_what_begins_like_a_frame_and_is_none_comes_out_when_the_line_is_quiet() -> None:
    made = TextFilter()
    assert made.feed(b"noise \x05\x81\x02", 0.0) == b"noise"
    assert made.feed(b"", QUIET_S) == b" \x05\x81\x02"


def test_noise_without_end_is_not_kept() -> None:
    made = TextFilter()
    assert len(made.feed(b"\xff" * (HELD_MOST + 1), 0.0)) == HELD_MOST + 1


def test_a_damaged_frame_is_no_text() -> None:
    damaged = bytearray(on_stream(encode(InspectReply(88, 0, bytes(range(60))), 7, 1)))
    damaged[9] ^= 4
    assert filtered(b"one\n!" + bytes(damaged) + b"two\n", []) == b"one\ntwo\n"  # the byte before may belong to it


def test_a_zero_that_ends_no_frame_takes_nothing_along() -> None:
    assert filtered(b"one\0two\0\0", []) == b"onetwo"
