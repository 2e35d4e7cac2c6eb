"""UF2: read as Microsoft's uf2conv writes it, in any order; what is wrong is refused by name."""

from __future__ import annotations

import random
from struct import pack

import pytest
from adafruit_uf2 import uf2conv
from hypothesis import given, settings
from hypothesis import strategies as st

from otaflash.errors import ImageError
from otaflash.image.data import Segment
from otaflash.image.uf2file import parse_uf2

NRF52840 = 0xADA52840
RP2040 = 0xE48BFF56


def block(
    number: int,
    count: int,
    address: int,
    data: bytes,
    *,
    flags: int = 0x2000,
    family: int = NRF52840,
    size: int | None = None,
) -> bytes:
    size = len(data) if size is None else size
    head = pack("<8I", 0x0A324655, 0x9E5D5157, flags, address, size, number, count, family)
    return head + data.ljust(476, b"\0") + pack("<I", 0x0AB16F30)


FIRST, SECOND = block(0, 2, 0x1000, b"program!"), block(1, 2, 0x1100, b"and more")
COMMENT = block(2, 3, 0, b"the source", flags=0x2001)

REFUSED = {
    "a file cut within a block": ((FIRST + SECOND)[:-1], "uf2-truncated", "1023 bytes"),
    "a file cut after a block": (FIRST, "uf2-missing", "1 of 2"),
    "a block with a damaged beginning": (FIRST + b"X" + SECOND[1:], "uf2-damaged", "block 1"),
    "a block with a damaged end": (FIRST + SECOND[:-1] + b"X", "uf2-damaged", "block 1"),
    "a block without bytes": (block(0, 1, 0, b""), "uf2-length", "0 bytes"),
    "a block with too many bytes": (block(0, 1, 0, b"x", size=477), "uf2-length", "477 bytes"),
    "a block above 32 bits": (block(0, 1, 0xFFFF_FFFF, b"xy"), "uf2-address-range", "block 0"),
    "a file in a file system": (block(0, 1, 0, b"x", flags=0x1000), "uf2-files", "block 0"),
    "programs for two families": (FIRST + block(1, 2, 0x2000, b"x", family=RP2040), "uf2-families", "nrf52840, rp2040"),
    "blocks that count differently": (FIRST + block(1, 3, 0x2000, b"x"), "uf2-count", "disagree"),
    "a number beyond the count": (block(2, 2, 0, b"x") + FIRST, "uf2-count", "disagree"),
    "an address twice": (FIRST + block(1, 2, 0x1007, b"x"), "uf2-overlap", "0x00001007"),
    "one number twice, with other bytes": (FIRST + SECOND + block(1, 2, 0x1100, b"XX"), "uf2-overlap", "0x00001100"),
    "comments alone": (block(0, 1, 0, b"hello", flags=1), "uf2-empty", "main flash"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_by_name(what: str) -> None:
    content, reason, words = REFUSED[what]
    with pytest.raises(ImageError) as caught:
        parse_uf2(content)
    assert caught.value.reason == reason
    assert words in caught.value.text


def test_blocks_come_in_any_order_and_may_come_twice() -> None:
    found = parse_uf2(SECOND + FIRST + SECOND)
    assert found.segments == (Segment(0x1000, b"program!"), Segment(0x1100, b"and more"))
    assert (found.kind, found.about.chip, found.about.machine) == ("uf2", "nrf52840", "ARM")


def test_what_is_not_for_the_main_flash_is_left_out_and_told() -> None:
    found = parse_uf2(block(0, 3, 0x1000, b"a") + COMMENT + block(1, 3, 0x1001, b"b"))
    assert found.segments == (Segment(0x1000, b"ab"),)
    assert [warning.id for warning in found.warnings] == ["uf2-not-flash"]


def test_a_family_that_is_not_known_or_not_stated_says_nothing_of_the_chip() -> None:
    assert parse_uf2(block(0, 1, 0, b"x", family=0x12345678)).about.chip is None
    assert parse_uf2(block(0, 1, 0, b"x", flags=0)).about.chip is None


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=3000), st.integers(0, 1000), st.randoms(use_true_random=False))
def test_what_uf2conv_writes_is_read_back(content: bytes, page: int, draws: random.Random) -> None:
    uf2conv.appstartaddr, uf2conv.familyid = page * 256, NRF52840
    written = uf2conv.convert_to_uf2(content)
    blocks = [written[at : at + 512] for at in range(0, len(written), 512)]
    draws.shuffle(blocks)
    (segment,) = parse_uf2(b"".join(blocks)).segments
    assert segment.address == page * 256
    assert segment.data[: len(content)] == content
    assert not segment.data[len(content) :].strip(b"\0")  # uf2conv fills the last page
