"""Reading Intel HEX: what is accepted, and each refusal by its name."""

from __future__ import annotations

import time
from importlib import resources
from random import Random

import intelhex
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otaflash.errors import ExitCode, ImageError
from otaflash.image.data import Segment
from otaflash.image.hexfile import parse_hex
from tests.image.hexes import END, base, program, record, text

DATA = record(0, 0, bytes(range(16)))


def refusal(content: bytes) -> ImageError:
    with pytest.raises(ImageError) as caught:
        parse_hex(content)
    error = caught.value
    assert error.exit_code is ExitCode.IMAGE_REFUSED
    assert error.remedy.endswith((".", ".hex"))
    assert "\n" not in error.text
    return error


def microbit(name: str) -> bytes:
    return resources.files("uflash").joinpath(name).read_bytes()


REFUSED = {
    "a file without its end record": (text(DATA), "hex-no-end", "line 1 "),
    "a file that ends within a record": (text(DATA)[:-9], "hex-length", "line 1:"),
    "a file that ends within a byte": (text(DATA)[:-10], "hex-length", "line 1:"),
    "an empty file": (b"", "hex-empty", "empty"),
    "a file of blank lines": (b"\r\n \n", "hex-empty", "empty"),
    "a file with an end record alone": (text(END), "hex-empty", "no program"),
    "a file with UICR data alone": (
        text(base(0x1000_0000), record(0, 0x10C0, b"1234"), END),
        "hex-empty",
        "no program",
    ),
    "text after the end record": (text(DATA, END, "", "hello"), "hex-after-end", "line 4:"),
    "a second program after the end record": (text(DATA, END, DATA, END), "hex-after-end", "line 3:"),
    "data given twice": (text(DATA, DATA, END), "hex-overlap", "line 2:"),
    "data that overlaps by one byte": (text(DATA, record(0, 15, b"x"), END), "hex-overlap", "line 2:"),
    "a wrong checksum": (text(DATA, record(0, 16, b"ab")[:-2] + "00", END), "hex-checksum", "line 2:"),
    "a record longer than it says": (text(DATA + "00", END), "hex-length", "line 1:"),
    "a record shorter than it says": (text(DATA[:-4] + DATA[-2:], END), "hex-length", "line 1:"),
    "a record without even a header": (text(DATA, ":00", END), "hex-length", "line 2:"),
    "an end record with data": (text(DATA, record(1, 0, b"x")), "hex-length", "line 2:"),
    "a base record of three bytes": (text(record(4, 0, b"\0\0\0"), DATA, END), "hex-length", "line 1:"),
    "a start record of two bytes": (text(DATA, record(5, 0, b"\0\0"), END), "hex-length", "line 2:"),
    "a base record with an address": (text(record(2, 1, b"\0\0"), DATA, END), "hex-record-address", "line 1:"),
    "a letter that is no digit": (
        text(DATA, record(0, 16, b"ab").replace("6162", "61G2"), END),
        "hex-character",
        "column 12",
    ),
    "a line without its colon": (text(DATA, DATA[1:], END), "hex-character", "line 2:"),
    "two records on one line": (text(DATA + END), "hex-character", "line 1:"),
    "bytes that are not text": (text(DATA) + b":\x00\xff\x85\n" + text(END), "hex-character", "line 2:"),
    "a record type that does not exist": (text(DATA, record(6, 0), END), "hex-record-type", "line 2:"),
    "a micro:bit universal record": (
        text(record(0x0A, 0, b"\x99\0\xc0\xde"), DATA, END),
        "hex-universal",
        "Universal HEX",
    ),
    "data that wraps in its segment": (text(record(0, 0xFFF8, bytes(16)), END), "hex-address-wrap", "line 1:"),
    "data above 32 bits": (text(base(0xFFFF_0000), record(0, 0xFFF8, bytes(16)), END), "hex-address-range", "line 2:"),
    "a second start record": (
        text(DATA, record(5, 0, b"\0\0\0\1"), record(5, 0, bytes(4)), END),
        "hex-start-twice",
        "line 3:",
    ),
    "a start before the program": (
        text(base(0x1_0000), DATA, record(5, 0, bytes(4)), END),
        "hex-start-outside",
        "0x00000000",
    ),
    "a start just behind the program": (
        text(DATA, record(5, 0, b"\0\0\0\x10"), END),
        "hex-start-outside",
        "0x00000010",
    ),
    "a segmented start outside": (text(DATA, record(3, 0, b"\x10\0\0\0"), END), "hex-start-outside", "0x00010000"),
    "a letter to a friend": (b"Dear Bob,\n:00000001FF\n", "hex-character", "line 1:"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_by_name_with_its_line(what: str) -> None:
    content, reason, words = REFUSED[what]
    error = refusal(content)
    assert error.reason == reason
    assert words in error.text


def test_blank_lines_trailing_spaces_and_any_line_ending_are_accepted() -> None:
    content = (DATA.lower() + " \t\r\n\r\n" + record(0, 16, b"z") + "\r" + END + "\r\n\n").encode()
    assert parse_hex(content).segments == (Segment(0, bytes(range(16)) + b"z"),)


def test_data_in_linear_mode_may_cross_64_kib() -> None:
    content = text(base(0x1_0000), record(0, 0xFFF8, bytes(16)), END)
    assert parse_hex(content).segments == (Segment(0x1_FFF8, bytes(16)),)


def test_segments_come_sorted_and_joined() -> None:
    content = text(record(0, 32, b"c"), record(0, 1, b"b"), record(0, 0, b"a"), END)
    assert parse_hex(content).segments == (Segment(0, b"ab"), Segment(32, b"c"))


def test_both_forms_of_start_address_are_read() -> None:
    assert parse_hex(text(DATA, record(5, 0, b"\0\0\0\4"), END)).start == 4
    moved = text(record(2, 0, b"\x20\0"), DATA, record(3, 0, b"\x20\0\0\4"), END)
    assert parse_hex(moved).start == 0x2_0004


def test_a_huge_gap_costs_no_memory_and_is_left_to_the_slot() -> None:
    data = parse_hex(program([(0, b"a"), (0xFFFF_FFF0, b"b")]))
    assert [s.address for s in data.segments] == [0, 0xFFFF_FFF0]


def test_micropython_for_microbit_v1_loses_its_uicr_data_with_a_warning() -> None:
    data = parse_hex(microbit("micropython-microbit-v1.1.1.hex"))
    assert [(s.address, len(s.data)) for s in data.segments] == [(0, 231_124)]
    assert data.start == 0x1_8C91
    assert [w.id for w in data.warnings] == ["uicr-dropped"]
    assert "28 bytes at 0x100010C0" in data.warnings[0].text


def test_micropython_for_microbit_v2_is_plain_hex_and_read() -> None:
    data = parse_hex(microbit("micropython-microbit-v2.1.2.hex"))
    assert (data.lowest, data.end) == (0, 0x7_F323)
    assert data.start == 0x2_9C51


def test_the_universal_hex_of_both_microbits_is_refused_by_name() -> None:
    assert refusal(microbit("universal-hex-v1.1.1-v2.1.2.hex")).reason == "hex-universal"


def test_a_600_kb_hex_is_read_in_well_under_a_second_of_cpu() -> None:
    content = microbit("micropython-microbit-v1.1.1.hex")
    begin = time.process_time()
    parse_hex(content)
    assert time.process_time() - begin < 0.8


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[int, bytes]]:
    """Ascending runs with a gap of one byte or more between them."""
    found, at = [], draw(st.integers(0, 0x3_0000))
    for data in draw(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6)):
        found.append((at, data))
        at += len(data) + draw(st.integers(1, 0x2_0000))
    return found


@settings(max_examples=60, deadline=None)
@given(runs(), st.randoms(use_true_random=False))
def test_random_segments_come_back_whatever_the_order_of_the_records(
    given_runs: list[tuple[int, bytes]], random: Random
) -> None:
    shuffled = list(given_runs)
    random.shuffle(shuffled)
    data = parse_hex(program(shuffled))
    assert [(s.address, s.data) for s in data.segments] == given_runs


@settings(max_examples=60, deadline=None)
@given(runs())
def test_what_intelhex_writes_is_read_back(given_runs: list[tuple[int, bytes]]) -> None:
    writer, lines = intelhex.IntelHex(), _Sink()
    for at, data in given_runs:
        writer.puts(at, data)
    writer.write_hex_file(lines)
    assert [(s.address, s.data) for s in parse_hex(lines.text.encode()).segments] == given_runs


class _Sink:
    text = ""

    def write(self, piece: str) -> None:
        self.text += piece


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_image_errors(content: bytes) -> None:
    for candidate in (content, b":" + content):
        try_to_parse(candidate)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_good_file_with_random_damage_raises_nothing_but_image_errors(data: st.DataObject) -> None:
    content = bytearray(program([(0xFFF0, bytes(range(64))), (0x2_0000, b"end")]))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try_to_parse(bytes(content[: data.draw(st.integers(0, len(content)))]))


def try_to_parse(content: bytes) -> None:
    reason = None
    try:
        parse_hex(content)
    except ImageError as error:
        reason = error.reason
    assert reason is None or reason in REASONS


REASONS = {reason for _, reason, _ in REFUSED.values()}
