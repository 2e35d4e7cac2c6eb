"""A firmware file made fit for the device that says this of itself. Knows the device's record, no link."""

from __future__ import annotations

from otaflash.image.build import Slot, build_image, check_manifest
from otaflash.image.bundle import Bundle, bundle_from_image
from otaflash.image.data import Firmware, Warning
from otaflash.image.machine import check_made_for
from otaflash.wire.messages import Info, Version


def bundle_for(
    content: Firmware | Bundle,
    slot: Slot,
    *,
    version: Version,
    counter: int,
    single_slot: bool = False,
    move: bool = False,
) -> tuple[Bundle, tuple[Warning, ...]]:
    """The bundle to offer, and what was noticed. A bundle is taken as it is: of it only the slot is checked.

    The other arguments are those of build_image. Raises ImageError as check_made_for, build_image and check_manifest
    do.
    """
    if isinstance(content, Bundle):
        check_manifest(content.manifest, slot)
        return content, ()
    check_made_for(content.about, slot.board)
    image = build_image(
        content.placed(slot.base), slot, version=version, counter=counter, single_slot=single_slot, move=move
    )
    return bundle_from_image(image), image.warnings


def slot_of(info: Info) -> Slot:
    """Where an image goes on the device that says this of itself."""
    return Slot(
        board=board_of(info),
        base=info.slot_base,
        pages=info.slot_pages,
        page_bytes=info.page_bytes,
        single_pages=info.single_pages,
    )


def board_of(info: Info) -> str:
    """The board's name; what is not ASCII shows as escapes."""
    return info.board.rstrip(b"\0").decode("ascii", "backslashreplace")
