"""Boot records whose CRC is right and whose numbers no loader of this board can have written.

tools/fuzz found them, as reads far outside the flash: on a chip a fault at each boot, and so a board that is dead.
"""

from __future__ import annotations

import zlib

import pytest

from otaflash.sim.native import BoardEvent
from otaflash.wire import messages as m
from tests.firmware.bench import SMALL, Bench, Image, make_image

OLD, NEW = make_image(1, 3), make_image(2, 4)
SLOT, WHOLE_FLASH = SMALL.slot_pages, 2 * SMALL.slot_pages + 1
IDLE, REVERT, APPLY, CONFIRM = 1, 2, 4, 5
NONE = (0, 0)


def name(image: Image) -> tuple[int, int]:
    return image.pages, image.crc


def board_with_record(kind: int, old: tuple[int, int], new: tuple[int, int]) -> Bench:
    """OLD in the primary slot, and in the first record unit this record, sealed, by the bytes of firmware/DESIGN.md."""
    bench = Bench(SMALL, OLD)
    body = b"\x01\0" + bytes([kind, 0xFF]) + bytes(2)
    body += b"".join(pages.to_bytes(2, "little") + crc.to_bytes(4, "little") for pages, crc in (old, new))
    body = (body + bytes(4)).ljust(28, b"\xff")
    at = bench.record_page * SMALL.page_bytes
    bench.board.flash[at : at + 32] = body + zlib.crc32(body).to_bytes(4, "little")
    bench.board.flash[at + 48] = 0
    bench.power_on()
    return bench


IMPOSSIBLE = {
    "an idle image larger than the flash": (IDLE, (WHOLE_FLASH + 1, 5), NONE),
    "a confirmed image larger than the flash": (CONFIRM, NONE, (0xFFFF, 5)),
    "a swap in of more than a slot": (APPLY, name(OLD), (SLOT + 1, NEW.crc)),
    "a swap out of more than a slot": (APPLY, (SLOT + 1, OLD.crc), name(NEW)),
    "a revert of more than a slot": (REVERT, (0xFFFF, OLD.crc), name(NEW)),
    "a trial of nothing": (APPLY, name(OLD), NONE),
}


@pytest.mark.parametrize("record", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_record_that_no_loader_writes_is_none_and_the_trailer_speaks(
    record: tuple[int, tuple[int, int], tuple[int, int]],
) -> None:
    bench = board_with_record(*record)
    info = bench.info()
    assert (info.boot_state, info.image_crc) == (m.BootState.IDLE, OLD.crc)
    assert bench.boot() is BoardEvent.JUMPED
    assert bench.runs(OLD)


@pytest.mark.parametrize("record", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_board_with_an_impossible_record_takes_the_next_update(
    record: tuple[int, tuple[int, int], tuple[int, int]],
) -> None:
    bench = board_with_record(*record)
    bench.enter()
    bench.update(NEW)
    assert bench.runs(NEW)
    assert bench.record()[0] == "APPLY"


def test_the_largest_images_that_a_loader_records_are_believed() -> None:
    single = make_image(3, WHOLE_FLASH)
    full = make_image(4, SLOT)
    for image in (single, full):
        bench = board_with_record(IDLE, name(image), (0xFFFF, 0xFFFFFFFF))
        bench.board.flash[: len(image.span)] = image.span
        bench.power_on()
        assert bench.info().image_crc == image.crc
