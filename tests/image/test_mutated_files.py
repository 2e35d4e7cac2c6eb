"""More than ten thousand files of every kind, damaged at random: read, or refused by name, and never anything else."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from otaflash.errors import OtaflashError
from otaflash.explained import all_pages
from otaflash.image.build import Slot, build_image
from otaflash.image.bundle import bundle_from_image, pack_bundle
from otaflash.image.data import Firmware, Segment
from otaflash.image.load import Base, describe, parse
from otaflash.image.program import bundle_for
from otaflash.wire.messages import Version
from tests.image.elves import ARM, Extra, Part, elf
from tests.image.hexes import program
from tests.image.test_srecfile import END, record, text
from tests.image.test_uf2file import block

SLOT = Slot("atmega328p", 0, 110, 128)
FILES_A_KIND = 2500
SEED = 20

DATA = bytes(range(200)) + b"a program of some length"
IMAGE = build_image(Firmware((Segment(0, DATA),), None), SLOT, version=Version(1, 0, 0, 0), counter=0)
ROWS = [DATA[at : at + 16] for at in range(0, len(DATA), 16)]

KINDS: dict[str, tuple[bytes, Base | None]] = {
    "hex": (program([(0, DATA), (0x1_0000, b"far")]), None),
    "elf": (
        elf([Part(0, DATA), Part(0x300, b"x" * 40)], [Extra(".otaflash", b"version=1.2.3\nboard=atmega328p\n")]),
        None,
    ),
    "elf of an ARM": (elf([Part(0x8000, DATA), Part(0x9000, b"d", runs_at=0x2000_0000)], machine=ARM), None),
    "srec": (text(record(0, 0, b"x"), *(record(1, 16 * n, row) for n, row in enumerate(ROWS)), END), None),
    "ti-txt": (("@0\n" + "\n".join(row.hex(" ") for row in ROWS) + "\n@F000\n01 02\nq\n").encode(), None),
    "uf2": (b"".join(block(n, 4, 256 * n, DATA, flags=0) for n in range(4)), None),
    "bundle": (pack_bundle(bundle_from_image(IMAGE)), None),
    "raw": (DATA, "slot"),
    "raw at an address": (DATA, 0xFFFF_FF00),
}
WORDS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF]


def mutated(content: bytes, draws: random.Random) -> bytes:
    """The file after one to four accidents."""
    made = bytearray(content)
    for _ in range(draws.randint(1, 4)):
        at = draws.randrange(len(made) + 1)
        match draws.randrange(8):
            case 0:
                del made[at:]
            case 1:
                del made[at : at + draws.randint(1, 40)]
            case 2:
                made[at:at] = draws.randbytes(draws.randint(1, 8))
            case 3:
                made[at:at] = made[at : at + draws.randint(1, 600)]
            case 4:
                other = draws.choice(list(KINDS.values()))[0]
                made[at:at] = other[: draws.randint(1, 200)]
            case 5:
                made[at : at + 4] = draws.choice(WORDS).to_bytes(4, draws.choice(("little", "big")))
            case 6:  # the headers are where the most can be said wrongly
                made[at % 64 : at % 64 + 2] = draws.choice(WORDS[:7]).to_bytes(2, "little")
            case _:
                for _ in range(min(len(made), 3)):
                    made[draws.randrange(len(made))] ^= 1 << draws.randrange(8)
    return bytes(made)


def outcome(content: bytes, base: Base | None) -> str:
    """ "read", or the reason of the refusal. Raises what should not be."""
    try:
        found = parse(content, base=base)
        assert describe(found)["kind"]
        if isinstance(found, Firmware):
            assert found.segments
            assert all(a.end < b.address for a, b in zip(found.segments, found.segments[1:], strict=False))
        bundle_for(found, SLOT, version=Version(1, 0, 0, 0), counter=0)
    except OtaflashError as error:
        is_told = bool(error.text) and "\n" not in error.text and bool(error.remedy)
        return error.reason if is_told else f"{error.reason}, not told in one line"
    return "read"


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_read_or_refused_by_a_name_that_has_a_page(kind: str) -> None:
    content, base = KINDS[kind]
    draws = random.Random(f"{SEED} {kind}")
    seen = Counter(outcome(mutated(content, draws), base) for _ in range(FILES_A_KIND))
    assert sum(seen.values()) == FILES_A_KIND
    assert seen.keys() <= {"read", *all_pages()}
    assert len(seen) >= 3  # not all of them die at the same check


def test_these_are_more_than_ten_thousand_files() -> None:
    assert FILES_A_KIND * len(KINDS) >= 10_000
