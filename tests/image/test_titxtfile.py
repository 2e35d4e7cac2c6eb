"""TI-TXT: read as bincopy writes it; what is wrong is refused by name, with its line."""

from __future__ import annotations

import bincopy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otaflash.errors import ImageError
from otaflash.image.data import Segment
from otaflash.image.titxtfile import parse_titxt

FULL = " ".join(["5A"] * 16)

REFUSED = {
    "a line that is none": ("@F000\nhello\nq\n", "titxt-line", "line 2"),
    "bytes without spaces": ("@F000\n0102\nq\n", "titxt-line", "line 2"),
    "seventeen bytes in a line": (f"@F000\n{FULL} 5A\nq\n", "titxt-line", "line 2"),
    "an address that is none": ("@F00G\n01\nq\n", "titxt-no-address", "line 1"),
    "bytes before any address": ("01 02\nq\n", "titxt-no-address", "line 1"),
    "bytes behind a shorter line": ("@F000\n01\n02\nq\n", "titxt-no-address", "line 3"),
    "no q": (f"@F000\n{FULL}\n", "titxt-no-end", "line 2"),
    "a second program behind the q": ("@F000\n01\nq\n@F100\n", "titxt-after-end", "line 4"),
    "an address twice": (f"@F000\n{FULL}\n@F00F\n01\nq\n", "titxt-overlap", "0x0000F00F"),
    "no bytes": ("@F000\nq\n", "titxt-empty", "no program"),
    "data above 32 bits": ("@FFFFFFFF\n01 02\nq\n", "titxt-address-range", "line 2"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_by_name(what: str) -> None:
    content, reason, words = REFUSED[what]
    with pytest.raises(ImageError) as caught:
        parse_titxt(content.encode())
    assert caught.value.reason == reason
    assert words in caught.value.text


def test_blank_lines_any_case_and_any_line_ending_are_accepted() -> None:
    found = parse_titxt(f"@f000\r\n{FULL.lower()}\r\n0a\r\n\r\n@100\r\n01\r\nQ\r\n".encode())
    assert found.segments == (Segment(0x100, b"\x01"), Segment(0xF000, b"\x5a" * 16 + b"\x0a"))
    assert (found.kind, found.start) == ("ti-txt", None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3000), st.binary(min_size=1, max_size=60)), min_size=1, max_size=6))
def test_what_bincopy_writes_is_read_back(gaps: list[tuple[int, bytes]]) -> None:
    writer, runs, at = bincopy.BinFile(), [], 0
    for gap, data in gaps:
        at += gap
        runs.append((at, data))
        writer.add_binary(data, address=at)
        at += len(data)
    assert [(s.address, s.data) for s in parse_titxt(writer.as_ti_txt().encode()).segments] == runs
