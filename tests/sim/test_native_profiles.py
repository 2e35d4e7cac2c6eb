"""Profiles: sizes that agree with each other, and the check that finds those that do not."""

from dataclasses import replace

import pytest

from otaflash.errors import ExitCode, TargetError
from otaflash.sim.profile_rules import check_profile
from otaflash.sim.profiles import PROFILES, profile


@pytest.mark.parametrize("name", PROFILES)
def test_the_sizes_of_every_profile_agree(name: str) -> None:
    assert check_profile(PROFILES[name]) == []


def test_the_chips_are_there_and_the_tiny_ones_are_marked_as_unreal() -> None:
    real = {known.name for known in PROFILES.values() if known.real}
    assert real == {
        "atmega328p",
        "atmega328p-lms",
        "atmega328p-large",
        "atmega1284p",
        "nrf51822",
        "nrf51822-lms",
        "nrf52832",
        "nrf52840",
        "stm32f103",
    }
    assert {"tiny1", "tiny2", "tiny3"} <= PROFILES.keys()


def test_the_slots_hold_what_they_were_made_for() -> None:
    assert profile("atmega328p").slot_bytes - 32 >= 10_300
    assert profile("atmega1284p").slot_bytes - 32 >= 30 * 1024
    assert profile("nrf52832").slot_bytes - 32 >= 240_000


def test_every_profile_offers_the_single_slot() -> None:
    assert all(known.single_slot for known in PROFILES.values())


def test_the_time_of_a_byte_follows_the_line_rate() -> None:
    assert replace(profile("atmega328p"), baud=57600).send_byte_ns == 173611


def test_an_unknown_board_is_refused_with_the_names_known() -> None:
    with pytest.raises(TargetError, match="pdp11") as caught:
        profile("pdp11")
    assert "atmega328p, atmega328p-lms" in caught.value.remedy
    assert caught.value.exit_code is ExitCode.NO_TARGET


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": "a name of seventeen"}, "name"),
        ({"page_bytes": 96}, "page_bytes"),
        ({"page_bytes": 8192}, "page_bytes"),
        ({"write_bytes": 0}, "write_bytes"),
        ({"write_bytes": 16}, "write_bytes"),
        ({"mark_bytes": 3}, "mark_bytes"),
        ({"mark_bytes": 32}, "mark_bytes"),
        ({"block_bytes": 256}, "block_bytes"),
        ({"chunk_bytes": 256}, "chunk_bytes"),
        ({"slot_pages": 0}, "number of pages"),
        ({"record_pages": 1}, "record needs 227 bytes"),
        ({"page_bytes": 32, "chunk_bytes": 32, "block_bytes": 4}, "page_bytes"),
        ({"chunk_bytes": 16}, "chunk_bytes"),
        ({"slot_pages": 2040, "mark_bytes": 16, "record_pages": 6, "block_bytes": 16}, "marks"),
        ({"slot_pages": 83}, "do not fit the flash"),
        ({"flash_bytes": 2**24, "record_pages": 32, "slot_pages": 2000, "block_bytes": 4}, "places can count"),
        ({"frame_bytes": 19}, "frame"),
        ({"frame_bytes": 1057}, "frame"),
        ({"rx_ring_bytes": 0}, "ring"),
        ({"rx_ring_bytes": 1900}, "buffers and map"),
        ({"trials": 0}, "trials"),
        ({"trials": 17}, "trials"),
        ({"erase_ahead": 0}, "credit"),
        ({"rx_in_erase": 0}, "deaf"),
        ({"baud": 0}, "baud"),
        ({"stall_ms": 4}, "stall_ms"),
        ({"erase_stalls": 1, "erase_ahead": 8}, "stall_ms"),
        ({"swap_page_ms": 10}, "swap_page_ms"),
    ],
)
def test_a_contradiction_is_named(change: dict[str, object], complaint: str) -> None:
    problems = check_profile(replace(profile("atmega328p"), **change))
    assert any(complaint in problem for problem in problems), problems


def test_a_line_that_the_receiver_keeps_up_with_needs_no_window() -> None:
    for name in ("atmega1284p", "nrf52840", "stm32f103"):
        assert PROFILES[name].at_baud(57600).window_bytes == 0


def test_a_line_faster_than_the_flash_is_bounded_by_what_the_receiver_holds() -> None:
    for name in ("atmega328p", "atmega1284p", "nrf52840", "stm32f103"):
        fast = PROFILES[name].at_baud(921600)
        assert fast.baud == 921600
        assert fast.frame_bytes < fast.window_bytes < fast.rx_ring_bytes
