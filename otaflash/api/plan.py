"""What a push would send, and whether the board would take it, told from what the board says of itself. No link."""

from __future__ import annotations

from otaflash.api.facts import BoardInfo, ImageReady
from otaflash.engine import LinkShape
from otaflash.engine.failures import mid_swap, refused
from otaflash.engine.offering import FRAME_OVERHEAD
from otaflash.engine.sizing import STREAM_OVERHEAD, FrameSizes
from otaflash.image.bundle import Bundle
from otaflash.wire.messages import FLAG_SINGLE_SLOT, BootState, Info, Reason, Version


def image_ready(info: Info, bundle: Bundle) -> ImageReady:
    """What is told of an image before it is sent."""
    manifest = bundle.manifest
    return ImageReady(
        info=BoardInfo.of(info),
        version=str(Version.unpack(manifest.version)),
        image_bytes=manifest.image_bytes,
        image_crc=manifest.image_crc,
        sha256=manifest.sha256.hex(),
        counter=manifest.counter,
        pages=manifest.pages,
        single_slot=bool(manifest.flags & FLAG_SINGLE_SLOT),
    )


def check_offer(info: Info, bundle: Bundle) -> None:
    """Raises OtaflashError with the reason for which the board would refuse the bundle, as far as that shows from here.

    Board, geometry and size were checked when the bundle was made, the scheme when it was signed; a signature only the
    board can check.
    """
    manifest = bundle.manifest
    dual = not manifest.flags & FLAG_SINGLE_SLOT
    if info.boot_state == BootState.TRIAL:
        raise refused(Reason.TRIAL_PENDING, "the image")
    if info.boot_state == BootState.SWAPPING:
        raise mid_swap()
    if dual and info.image_pages > info.slot_pages:
        raise refused(Reason.SLOT_IN_USE, "the image")
    if manifest.counter < info.counter:
        raise refused(Reason.COUNTER_TOO_LOW, "the image")


def wire_bytes_of(info: Info, bundle: Bundle, shape: LinkShape) -> int:
    """Bytes that a push sends at the least: the offer and each block once, in the frames of a link without loss."""
    manifest = bundle.manifest
    frame_bytes = min(info.frame_bytes, shape.frame_bytes)
    size = FrameSizes(info.block_bytes, frame_bytes, stream=shape.stream).best(0.0)
    frames, rest = divmod(manifest.pages * manifest.page_bytes // info.block_bytes, size.blocks)
    offer = len(manifest.pack()) + len(bundle.signature)
    parts = -(-offer // max(frame_bytes - FRAME_OVERHEAD, 1))
    around = FRAME_OVERHEAD + (STREAM_OVERHEAD if shape.stream else 0)
    full = size.wire_bytes or around + size.blocks * info.block_bytes
    return offer + parts * around + frames * full + (around + rest * info.block_bytes if rest else 0)
