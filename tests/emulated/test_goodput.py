"""How fast the shipped loader takes a full slot on the emulated ATmega328P, SPM at its slowest; and that the simulated
board promises no more. `tools/emulated_goodput` prints the figures."""

from __future__ import annotations

import statistics

from tests.emulated.goodput import emulated, simulated

CLEAN_BAR = 0.85
FAR_BAR = 0.66
"""A chip that took no time would reach 0.70: a full slot is a second of line, two round trips an eighth of it."""
FAR_US, FAR_LOSS = 30_000, 0.05
SIMULATED_WITHIN = 0.06


def test_on_a_clean_line_the_chip_takes_what_the_line_brings() -> None:
    measured = emulated(0, 0.0, 1)
    assert measured.ratio >= CLEAN_BAR
    assert measured.lost == 0


def test_the_digest_is_ready_when_the_last_block_is() -> None:
    """What lags is made up in the waits for SPM: a block or two of it lie between the last report and Apply."""
    assert emulated(0, 0.0, 1).verify_s < 0.025


def test_over_a_far_and_lossy_radio_the_chip_is_not_what_holds_the_push_up() -> None:
    assert statistics.median(emulated(FAR_US, FAR_LOSS, seed).ratio for seed in (1, 2, 3)) >= FAR_BAR


def test_the_simulated_board_is_as_fast_as_the_emulated_chip() -> None:
    clean = simulated(0, 0.0, 1) / emulated(0, 0.0, 1).ratio
    assert abs(clean - 1.0) < SIMULATED_WITHIN
