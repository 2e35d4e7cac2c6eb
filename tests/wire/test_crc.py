"""The CRC: the same as crcmod's, and what it is said to find."""

from __future__ import annotations

import itertools

import crcmod.predefined
from hypothesis import given
from hypothesis import strategies as st

from otaflash.wire.crc import crc32, crc_fits, with_crc
from otaflash.wire.messages import FRAME_GREATEST

POLYNOMIAL = 0x104C11DB7
reference = crcmod.predefined.mkPredefinedCrcFun("crc-32")


@given(st.binary(max_size=300))
def test_the_crc_is_crcmods_crc_32(data: bytes) -> None:
    assert crc32(data) == reference(data)


def test_the_crc_of_the_digits_is_the_published_check_value() -> None:
    assert crc32(b"123456789") == 0xCBF43926


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_a_crc_can_be_continued(first: bytes, second: bytes) -> None:
    assert crc32(second, crc32(first)) == crc32(first + second)


@given(st.binary(max_size=64))
def test_what_got_its_crc_fits_and_with_another_last_byte_does_not(data: bytes) -> None:
    whole = with_crc(data)
    assert crc_fits(whole)
    assert not crc_fits(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert not crc_fits(whole[:3])


def residues(bits: int) -> list[int]:
    """x^0 to x^(bits-1) modulo the polynomial: a flip of bit i changes the remainder by the i-th."""
    found = [1]
    while len(found) < bits:
        shifted = found[-1] << 1
        found.append(shifted ^ POLYNOMIAL if shifted >> 32 else shifted)
    return found


def test_up_to_three_flipped_bits_are_found_in_the_greatest_frame() -> None:
    remainders = residues(8 * FRAME_GREATEST)
    known = set(remainders)
    assert len(known) == len(remainders)
    # Three flips, the first at 0 without loss of generality, cancel only if 1 ^ x^a is some x^b.
    assert not any(1 ^ remainder in known for remainder in remainders[1:])


def test_four_flipped_bits_are_found_up_to_375_bytes() -> None:
    remainders = residues(8 * 375)
    known = {1 ^ remainder for remainder in remainders[1:]}
    assert known.isdisjoint(first ^ second for first, second in itertools.combinations(remainders[1:], 2))
