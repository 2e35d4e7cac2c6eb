"""What the engine needs of a bundle. Knows no file format; the caller adapts."""

from __future__ import annotations

from dataclasses import dataclass


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
