"""The model of a UART at the wrong rate, held against what must come of a few lines."""

from __future__ import annotations

import pytest

from tests.emulated.waveform import received


@pytest.mark.parametrize("error", [0.97, 1.0, 1.03])
def test_a_rate_that_is_right_or_nearly_so_gives_the_bytes(error: float) -> None:
    every = bytes(range(256))
    assert received(every, host_baud=115200 * error, chip_baud=115200) == every


def test_a_rate_that_is_too_low_gives_several_wrong_bytes_for_one() -> None:
    """By hand: 00 11 00 11 00 11 00 11 00 11 on the line, of which the second start bit is the sixth pair."""
    assert received(b"\x55", host_baud=57600, chip_baud=115200) == b"\x66\xe6"
    assert received(b"\xf0", host_baud=57600, chip_baud=115200) == b"\x00"


def test_a_break_is_one_zero_byte() -> None:
    assert received(b"\0\0", host_baud=300, chip_baud=115200) == b"\0\0"


def test_a_rate_that_is_too_high_loses_bytes() -> None:
    sent = b"U" * 100
    assert 0 < len(received(sent, host_baud=1_000_000, chip_baud=115200)) < 20
