"""What a firmware file holds once read: bytes at addresses, and what was noticed. Knows no file format and no board."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

ADDRESS_END = 1 << 32
"""The address after the last one that any board has."""


@dataclass(frozen=True, slots=True)
class Warning:
    """Something that the user should know and that stops nothing. `id` is stable, for scripts; `text` one sentence."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of bytes without a gap; `address` is that of the first."""

    address: int
    data: bytes

    @property
    def end(self) -> int:
        """The address after the last byte."""
        return self.address + len(self.data)


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of its program beside the bytes; None: nothing."""

    version: str | None = None
    """As ``1.2.3`` or ``1.2.3+4``."""
    board: str | None = None
    """The name of the only board that it is made for."""
    machine: str | None = None
    """The processor that its instructions are for, one of otaflash.image.machine."""
    chip: str | None = None
    """The chip or the family of chips, in lower case, as far as the file names it: ``atmega328p``, ``nrf52``."""


@dataclass(frozen=True, slots=True)
class Firmware:
    """A program: one segment or more, ascending, with gaps between; `start` if the file states one.

    `kind` is the file's: hex, elf, bin, srec, ti-txt or uf2. `floating`: the file states no address, and the segments
    begin at 0 until a slot is known.
    """

    segments: tuple[Segment, ...]
    start: int | None
    warnings: tuple[Warning, ...] = ()
    kind: str = "hex"
    about: About = About()
    floating: bool = False

    @property
    def lowest(self) -> int:
        """Address of the first byte."""
        return self.segments[0].address

    @property
    def end(self) -> int:
        """Address after the last byte."""
        return self.segments[-1].end

    def placed(self, base: int) -> Firmware:
        """The same program; one that floats begins at `base` now."""
        if not self.floating:
            return self
        moved = tuple(Segment(s.address + base, s.data) for s in self.segments)
        return replace(self, segments=moved, floating=False)


class Overlap(ValueError):
    """Two pieces of a file give the byte at `address`."""

    def __init__(self, address: int) -> None:
        super().__init__(f"0x{address:08X} is given a second time")
        self.address = address


def joined(pieces: Iterable[Segment]) -> tuple[Segment, ...]:
    """Pieces in any order as ascending segments with a gap between any two. Raises Overlap."""
    runs: list[list[Segment]] = []
    for piece in sorted((piece for piece in pieces if piece.data), key=lambda piece: piece.address):
        end = runs[-1][-1].end if runs else -1
        if piece.address < end:
            raise Overlap(piece.address)
        if piece.address == end:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return tuple(Segment(run[0].address, b"".join(piece.data for piece in run)) for run in runs)
