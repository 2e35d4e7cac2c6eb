"""The images of a scenario, built as the tools build them. Knows no board that runs and no host."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from otaflash.bench.link import offerable, slot_of
from otaflash.bench.soak.scenario import FACTORY, ImageSpec
from otaflash.engine import Offerable
from otaflash.image.build import Image, Slot, build_image
from otaflash.image.data import Firmware, Segment
from otaflash.sim.profiles import Profile
from otaflash.wire.messages import Version

OTHER_BOARD = "another"


@dataclass(frozen=True, slots=True)
class Made:
    """An image as the judge and the hosts know it."""

    number: int
    spec: ImageSpec
    image: Image

    @property
    def span(self) -> bytes:
        """The image with its trailer, padded to whole pages."""
        return self.image.span

    @property
    def crc(self) -> int:
        """CRC-32 of the image, as the boot record names it."""
        return self.image.image_crc

    def offerable(self) -> Offerable:
        """As an engine takes it."""
        return offerable(self.image)


def make_images(specs: Sequence[ImageSpec], profile: Profile) -> list[Made]:
    """One image for each spec, in order. Raises ImageError for one that fits no slot and is not meant to be unfit."""
    programs: list[bytes] = []
    made = []
    for number, spec in enumerate(specs):
        programs.append(_program(spec, programs))
        made.append(Made(number, spec, _image(number, spec, programs[-1], profile)))
    return made


def program_limit(profile: Profile, *, single_slot: bool = False) -> int:
    """The most program bytes that fit."""
    return slot_of(profile).limit(single_slot=single_slot)


def _image(number: int, spec: ImageSpec, program: bytes, profile: Profile) -> Image:
    right = slot_of(profile)
    slot = {
        "board": Slot(OTHER_BOARD, right.base, right.pages, right.page_bytes, right.single_pages),
        "geometry": Slot(right.board, right.base, 4 * right.pages, right.page_bytes // 2, right.single_pages),
        "large": Slot(right.board, right.base, 3 * right.pages + 9, right.page_bytes, right.single_pages),
        "single": Slot(right.board, right.base, right.pages, right.page_bytes, 2 * right.pages + 1),
    }.get(spec.unfit, right)
    data = Firmware((Segment(slot.base, program),), None)
    # Equal versions and equal bytes would be one image: nobody could say which of two such runs.
    version = Version(0, 0, 1, 0) if number == FACTORY else Version(1, number, 0, 0)
    return build_image(data, slot, version=version, counter=spec.counter, single_slot=spec.single_slot)


def _program(spec: ImageSpec, earlier: Sequence[bytes]) -> bytes:
    """Random bytes, with stretches as erased and as cleared flash has them; or an earlier program, a little changed."""
    draw = random.Random(spec.seed)
    fresh = bytearray(draw.randbytes(spec.count))
    if draw.random() < 0.3:
        start, length = draw.randrange(spec.count), draw.randrange(spec.count)
        fresh[start : start + length] = draw.choice((b"\xff", b"\0")) * len(fresh[start : start + length])
    if not 0 <= spec.like < len(earlier):
        return bytes(fresh)
    program = bytearray(earlier[spec.like][: spec.count].ljust(spec.count, b"\xff"))
    start, length = draw.randrange(spec.count), draw.choice((1, 4, 40))
    program[start : start + length] = fresh[start : start + length]
    return bytes(program)
