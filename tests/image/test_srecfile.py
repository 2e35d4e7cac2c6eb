"""S-records: read as objcopy and bincopy write them; what is wrong is refused by name, with its line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import bincopy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otaflash.errors import ImageError
from otaflash.image.data import Segment
from otaflash.image.hexfile import parse_hex
from otaflash.image.srecfile import parse_srec
from tests.image.hexes import program

END = "S9030000FC"


def record(kind: int, address: int, data: bytes = b"") -> str:
    """One line with a right length and checksum."""
    width = {0: 2, 1: 2, 2: 3, 3: 4, 5: 2, 6: 3, 7: 4, 8: 3, 9: 2}.get(kind, 2)
    body = bytes([width + len(data) + 1]) + address.to_bytes(width, "big") + data
    return f"S{kind}" + (body + bytes([~sum(body) & 0xFF])).hex().upper()


def text(*lines: str) -> bytes:
    return "".join(line + "\n" for line in lines).encode()


DATA = record(1, 0x100, b"program!")

REFUSED = {
    "a line that is none": (text(DATA, "hello", END), "srec-character", "line 2"),
    "a letter that is no digit": (text(DATA.replace("70", "7G"), END), "srec-character", "line 1"),
    "half a byte": (text(DATA[:-1], END), "srec-character", "line 1"),
    "a record shorter than it says": (text(DATA[:-2], END), "srec-length", "line 1"),
    "a record longer than it says": (text(DATA + "00", END), "srec-length", "line 1"),
    "a record too short for an address": (text("S1020FEE", END), "srec-length", "line 1"),
    "a wrong checksum": (text(DATA[:-2] + "00", END), "srec-checksum", "line 1"),
    "a record of type 4": (text(record(4, 0, b"x"), DATA, END), "srec-record-type", "S4"),
    "a count that is wrong": (text(DATA, record(5, 2), END), "srec-count", "2 data records"),
    "an end record with data": (text(DATA, record(9, 0, b"x")), "srec-length", "line 2"),
    "no end record": (text(DATA), "srec-no-end", "line 1"),
    "a second program behind the end": (text(DATA, END, DATA, END), "srec-after-end", "line 3"),
    "an address twice": (text(DATA, record(1, 0x107, b"x"), END), "srec-overlap", "0x00000107"),
    "no data": (text(record(0, 0, b"name"), END), "srec-empty", "no program"),
    "data above 32 bits": (text(record(3, 0xFFFF_FFFF, b"ab"), record(7, 0)), "srec-address-range", "line 1"),
    "a start outside": (text(DATA, record(9, 0x108)), "srec-start-outside", "0x00000108"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_by_name(what: str) -> None:
    content, reason, words = REFUSED[what]
    with pytest.raises(ImageError) as caught:
        parse_srec(content)
    assert caught.value.reason == reason
    assert words in caught.value.text


def test_header_count_blank_lines_and_any_case_are_accepted() -> None:
    found = parse_srec(text(record(0, 0, b"name"), DATA.lower().replace("s", "S"), "", record(5, 1), record(9, 0x104)))
    assert (found.segments, found.start, found.kind) == ((Segment(0x100, b"program!"),), 0x104, "srec")


def test_a_start_of_zero_outside_of_the_program_is_none_at_all() -> None:
    assert parse_srec(text(DATA, END)).start is None


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[int, bytes]]:
    """Ascending runs with a gap of one byte or more between them."""
    found, at = [], draw(st.sampled_from((0, 0xFFF0, 0xFF_FFF0, 0x800_0000)))
    for data in draw(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6)):
        found.append((at, data))
        at += len(data) + draw(st.integers(1, 0x2_0000))
    return found


@settings(max_examples=60, deadline=None)
@given(runs(), st.sampled_from((16, 24, 32)))
def test_what_bincopy_writes_is_read_back(given_runs: list[tuple[int, bytes]], bits: int) -> None:
    writer = bincopy.BinFile()
    for at, data in given_runs:
        writer.add_binary(data, address=at)
    writer.execution_start_address = given_runs[0][0]  # without one bincopy writes no end record
    needed = (given_runs[-1][0] + len(given_runs[-1][1])).bit_length()
    content = writer.as_srec(address_length_bits=max(bits, 32 if needed > 24 else 24 if needed > 16 else 16))
    found = parse_srec(content.encode())
    assert found.start == given_runs[0][0]
    assert [(s.address, s.data) for s in found.segments] == given_runs


@settings(max_examples=10, deadline=None)
@given(runs())
def test_what_objcopy_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, given_runs: list[tuple[int, bytes]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("objcopy")
    (folder / "program.hex").write_bytes(program(given_runs))
    command = ["arm-none-eabi-objcopy", "-I", "ihex", "-O", "srec", "program.hex", "program.srec"]
    subprocess.run(command, cwd=folder, check=True)
    assert parse_srec((folder / "program.srec").read_bytes()).segments == parse_hex(program(given_runs)).segments
