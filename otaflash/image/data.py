"""What a firmware file holds once read: bytes at addresses, and what was noticed. Knows no file format and no board."""

from __future__ import annotations

from dataclasses import dataclass


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
class Firmware:
    """A program: one segment or more, ascending, with gaps between; `start` if the file states one."""

    segments: tuple[Segment, ...]
    start: int | None
    warnings: tuple[Warning, ...] = ()

    @property
    def lowest(self) -> int:
        """Address of the first byte."""
        return self.segments[0].address

    @property
    def end(self) -> int:
        """Address after the last byte."""
        return self.segments[-1].end
