"""What a board says of itself and what a push came to, as data that says what it means. Knows no link."""

from __future__ import annotations

from dataclasses import dataclass

from otaflash.engine.events import PhaseChanged, Progress, Result, Waiting, WarningEvent
from otaflash.image.build import Slot
from otaflash.image.program import board_of
from otaflash.wire.messages import BootState, Info, Mode, Scheme, Version


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """What a board answers to Inspect: the fields of `otaflash info --json`. Sizes in bytes, CRCs as numbers."""

    board: str
    """The kind of board, as ``atmega328p``."""
    uid: str
    """Unique id of this one, 16 hex digits."""
    mode: str
    """Who answered: ``loader``, or ``application`` for the library in the running program."""
    boot_state: str
    """``no_image``, ``idle``, ``trial`` or ``swapping``; a number in hex for one that this version does not know."""
    version: str | None
    """Of the running image, as ``1.2.3``; None: no whole image is there."""
    image_bytes: int
    """Without padding and trailer; 0: no whole image is there."""
    image_crc: int
    image_counter: int
    """Security counter of the running image."""
    security_counter: int
    """Of the board: offers below it are refused."""
    slot_base: int
    """Address of the primary slot."""
    slot_bytes: int
    single_slot_bytes: int
    """What a single-slot image may cover; 0: the board has no such mode."""
    page_bytes: int
    block_bytes: int
    frame_bytes: int
    trials_used: int
    trials_max: int
    """Starts after which an image that nobody confirmed is given up."""
    way_back_crc: int | None
    """On trial: CRC of the image that a revert brings back."""
    protocol_min: int
    protocol_max: int
    scheme: tuple[str, ...]
    """Signature schemes that its loader accepts: ``none``, ``lms``, ``ed25519``."""

    @classmethod
    def of(cls, info: Info) -> BoardInfo:
        """The record of the wire (protocol/PROTOCOL.md, info record), told."""
        return cls(
            board=board_of(info),
            uid=info.uid.hex(),
            mode=Mode(info.mode).name.lower() if info.mode in set(Mode) else f"{info.mode:#x}",
            boot_state=_boot_state(info),
            version=str(Version.unpack(info.version)) if info.image_bytes else None,
            image_bytes=info.image_bytes,
            image_crc=info.image_crc,
            image_counter=info.image_counter,
            security_counter=info.counter,
            slot_base=info.slot_base,
            slot_bytes=info.slot_pages * info.page_bytes,
            single_slot_bytes=info.single_pages * info.page_bytes,
            page_bytes=info.page_bytes,
            block_bytes=info.block_bytes,
            frame_bytes=info.frame_bytes,
            trials_used=info.trials_used,
            trials_max=info.trials_max,
            way_back_crc=info.way_back_crc or None,
            protocol_min=info.protocol_min,
            protocol_max=info.protocol_max,
            scheme=tuple(scheme.name.lower() for scheme in Scheme if info.schemes >> scheme & 1),
        )

    @property
    def slot(self) -> Slot:
        """Where an image goes on this board."""
        pages, single_pages = (size // self.page_bytes for size in (self.slot_bytes, self.single_slot_bytes))
        return Slot(self.board, self.slot_base, pages, self.page_bytes, single_pages)

    @property
    def on_trial(self) -> bool:
        """Whether a new image runs that nobody has confirmed yet."""
        return self.boot_state == "trial"


def _boot_state(info: Info) -> str:
    known = info.boot_state in set(BootState)
    return BootState(info.boot_state).name.lower() if known else f"{info.boot_state:#x}"


@dataclass(frozen=True, slots=True)
class ImageReady:
    """The board is known and the image was made fit for it; nothing of it was sent yet."""

    info: BoardInfo
    version: str
    image_bytes: int
    image_crc: int
    sha256: str
    """Digest of the image as it lies in the slot, padding and trailer included; 64 hex digits."""
    counter: int
    """Security counter of the image."""
    pages: int
    single_slot: bool


PushEvent = PhaseChanged | Progress | WarningEvent | Waiting | ImageReady
"""What `push` tells while it works."""


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a push came to: the image runs, and is confirmed unless it was to stay on trial. Times in seconds."""

    info: BoardInfo
    """What the board says of itself at the end, the new image itself speaking."""
    running_version: str
    image_bytes: int
    image_crc: int
    wire_bytes_down: int
    """To the board; `wire_bytes_up`: from it."""
    wire_bytes_up: int
    seconds: float
    """All of it. The clock is the link's: virtual time where the board is simulated."""
    transfer_seconds: float
    """From the first question to the report that every block is held."""
    verify_seconds: float
    downtime_seconds: float
    """How long no program ran."""
    line_rate_bytes_per_s: float | None
    """None: not known."""
    goodput_ratio: float | None
    """image_bytes / transfer_seconds / line rate, 0 to 1; None where the rate is not known."""
    retransmitted_blocks: int
    """Sent again, since they did not arrive or seemed not to."""
    spare_blocks: int
    """Sent twice ahead of a loss, at the end of the image, while the line had nothing else to do."""
    already_running: bool
    """The same image ran already, and nothing was sent."""
    phases: tuple[tuple[str, float], ...]
    """Seconds by phase, in the order in which the phases began first."""

    @classmethod
    def of(cls, result: Result) -> PushResult:
        """What the engine ended with."""
        return cls(
            info=BoardInfo.of(result.info),
            running_version=result.running_version,
            image_bytes=result.image_bytes,
            image_crc=result.info.image_crc,
            wire_bytes_down=result.wire_bytes_down,
            wire_bytes_up=result.wire_bytes_up,
            seconds=result.seconds,
            transfer_seconds=result.transfer_seconds,
            verify_seconds=result.verify_seconds,
            downtime_seconds=result.downtime_seconds,
            line_rate_bytes_per_s=result.line_rate_bytes_per_s,
            goodput_ratio=result.goodput_ratio,
            retransmitted_blocks=result.retransmitted_blocks,
            spare_blocks=result.spare_blocks,
            already_running=result.already_running,
            phases=result.phases,
        )


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What a push would do, found out without changing anything on the board."""

    info: BoardInfo
    image: ImageReady
    already_running: bool
    """The same image runs: a push would send nothing."""
    wire_bytes: int
    """What would be sent at the least: offer and blocks, on a link that loses nothing."""
    seconds: float | None
    """About how long sending that takes, without check and swap; None where no line sets the pace (TCP, BLE)."""
    warnings: tuple[WarningEvent, ...]
