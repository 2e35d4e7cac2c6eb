"""What an offer must say of the board to be taken: each byte of each field counts, and each limit to the byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.wire import messages as m
from tests.firmware.bench import SMALL, UID, Bench, board_running, make_image

OLD = make_image(1, 5)
NEW = make_image(2, 6)
SPAN = NEW.pages * SMALL.page_bytes


def answer(bench: Bench, **changes: object) -> str:
    """To NEW's manifest with these fields, in a session of its own; a refusal leaves flash as it was."""
    bench.session += 1
    before = bench.board.operations
    manifest = replace(NEW.manifest, **changes)  # type: ignore[arg-type]
    reason = m.Reason(bench.offer(manifest).reason).name.lower()
    assert reason == "ok" or bench.board.operations == before
    return reason


def test_every_byte_of_the_name_of_the_board_counts() -> None:
    bench = board_running(OLD)
    for at in range(16):
        name = bytearray(NEW.manifest.board)
        name[at] ^= 1
        assert answer(bench, board=bytes(name)) == "wrong_board"
    assert answer(bench) == "ok"


def test_every_byte_of_page_size_and_address_counts() -> None:
    bench = board_running(OLD)
    for bit in range(0, 32, 8):
        assert answer(bench, slot_base=NEW.manifest.slot_base ^ 1 << bit) == "wrong_geometry"
    for page_bytes in (SMALL.page_bytes + 1, SMALL.page_bytes + 256, 2 * SMALL.page_bytes):
        assert answer(bench, page_bytes=page_bytes) == "wrong_geometry"


@pytest.mark.parametrize(
    ("image_bytes", "said"),
    [
        (0, "bad_manifest"),
        (1, "ok"),
        (SPAN - 32, "ok"),
        (SPAN - 31, "bad_manifest"),
        (SPAN, "bad_manifest"),
        (2**31, "bad_manifest"),
        (2**32 - 1, "bad_manifest"),
    ],
)
def test_an_image_has_a_byte_and_ends_before_its_trailer(image_bytes: int, said: str) -> None:
    assert answer(board_running(OLD), image_bytes=image_bytes) == said


@pytest.mark.parametrize("pages", [0, SMALL.slot_pages + 1, 2 * SMALL.slot_pages + 1, 256 + 6, 65535])
def test_a_span_of_no_page_and_one_of_more_than_a_slot_are_refused(pages: int) -> None:
    assert answer(board_running(OLD), pages=pages) == ("too_large" if pages else "bad_manifest")


def test_a_single_slot_takes_one_page_more_than_two_slots_and_no_other() -> None:
    most = 2 * SMALL.slot_pages + 1
    assert answer(board_running(OLD), flags=1, pages=most) == "ok"
    assert answer(board_running(OLD), flags=1, pages=most + 1) == "too_large"


@pytest.mark.parametrize("counter", [1, 0xFF, 0x100, 0xFFFF, 0x1_0000, 0x0100_0000, 0xFFFF_FFFF])
def test_the_counter_of_the_device_is_the_lowest_that_is_taken(counter: int) -> None:
    bench = board_running(make_image(1, 5, counter=counter))
    assert bench.info().counter == counter
    for lower in {0, counter - 1, counter >> 1, counter & 0xFFFF0000}:
        assert lower == counter or answer(bench, counter=lower) == "counter_too_low"
    assert answer(bench, counter=counter) == "ok"
    assert answer(bench, counter=0xFFFF_FFFF) == "ok"


@pytest.mark.parametrize("flags", [2, 3, 0x80, 0x100, 0x8000, 0xFFFF])
def test_a_flag_that_is_not_known_is_refused(flags: int) -> None:
    assert answer(board_running(OLD), flags=flags) == "bad_manifest"


@pytest.mark.parametrize("cipher", [1, 255])
def test_a_cipher_that_is_not_known_is_refused(cipher: int) -> None:
    assert answer(board_running(OLD), cipher=cipher) == "unknown_scheme"


@pytest.mark.parametrize("session", [0, 1, 0xFFFF])
def test_an_offer_is_taken_in_any_session_also_the_one_that_a_board_begins_with(session: int) -> None:
    bench = Bench(SMALL, OLD, uid=UID)
    bench.session = session
    bench.stage(NEW)
