"""What the engine needs of a bundle. Knows no file format; the caller adapts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from otaflash.wire.messages import BootState, Info


@dataclass(frozen=True, slots=True)
class Offerable:
    """An image made for one board, ready to be offered.

    `offer` is manifest followed by signature; `span` the image with padding and trailer, a whole number of pages;
    `page_table` 4 bytes a page.
    """

    offer: bytes
    span: bytes
    page_table: bytes
    image_bytes: int
    image_crc: int
    page_bytes: int
    version: bytes
    """The 8 bytes of the version record."""
    single_slot: bool = False

    @property
    def pages(self) -> int:
        """Pages of the image, the trailer's included."""
        return len(self.span) // self.page_bytes


class Named(Protocol):
    """An image by what a device says of the one that it runs: an Offerable, or a manifest."""

    @property
    def image_crc(self) -> int:
        """CRC-32 of the image."""

    @property
    def image_bytes(self) -> int:
        """Without padding and trailer."""

    @property
    def version(self) -> bytes:
        """The 8 bytes of the version record."""


def runs(info: Info, image: Named) -> bool:
    """Whether the device says that it runs that very image, confirmed or on trial."""
    same = (info.image_crc, info.image_bytes, info.version) == (image.image_crc, image.image_bytes, image.version)
    return same and info.boot_state in (BootState.IDLE, BootState.TRIAL)
