"""Drives otaflash's engines against an emulated ATmega328P, with the chip's clock as the only clock."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otaflash.engine import (
    Done,
    Engine,
    Event,
    Failed,
    LinkShape,
    NeedBundle,
    Offerable,
    Operation,
    Push,
    Request,
    Result,
)
from otaflash.image.build import Image, Slot, build_image
from otaflash.image.data import HexData, Segment
from otaflash.image.hexfile import read_hex
from otaflash.wire.messages import Info, Version
from tests.emulated.avr import ROOT, AvrBoard

if TYPE_CHECKING:
    from otaflash.errors import OtaflashError

STEP_US = 500
SLOT = Slot("atmega328p", 0, 81, 128)
BYTES_PER_S = 11520.0


def blink(version: str) -> Image:
    """The example program of that version, as it is offered."""
    major, minor, patch = (int(part) for part in version.split("."))
    data = read_hex(ROOT / "firmware" / "app" / "blink" / f"blink-{version}.hex")
    return build_image(data, SLOT, version=Version(major, minor, patch, 0), counter=1)


def full_slot() -> Image:
    """Random bytes that fill the slot to its last; they do not run."""
    data = HexData((Segment(0, random.Random("full").randbytes(SLOT.limit(single_slot=False))),), None)
    return build_image(data, SLOT, version=Version(2, 0, 0, 0), counter=1)


def offerable(image: Image) -> Offerable:
    """The image as the engine wants it."""
    return Offerable(
        offer=image.manifest.pack(),
        span=image.span,
        page_table=image.page_table,
        image_bytes=image.image_bytes,
        image_crc=image.image_crc,
        page_bytes=image.page_bytes,
        version=image.manifest.version,
    )


@dataclass(slots=True)
class Outcome:
    """What an engine came to; all None where its time ran out or the power went."""

    result: Result | None = None
    error: OtaflashError | None = None
    info: Info | None = None
    phases: list[tuple[str, float]] = field(default_factory=list)


def drive(board: AvrBoard, engine: Engine, image: Image | None = None, *, limit_s: float = 30.0) -> Outcome:
    """Runs `engine` until it ends, the power goes or the limit passes."""
    outcome = Outcome()
    end = board.micros + int(limit_s * 1e6)
    while board.micros < end and not board.is_off:
        now = board.micros / 1e6
        due = engine.next_deadline()
        if due is None or now >= due:
            engine.wake(now)
        for frame in engine.bytes_to_send(now):
            board.send(frame)
        for event in engine.events():
            if _take(outcome, engine, event, image, now):
                return outcome
        board.run(STEP_US)
        heard = board.recv()
        if heard:
            engine.receive(heard, board.micros / 1e6)
    return outcome


def _take(outcome: Outcome, engine: Engine, event: Event, image: Image | None, now: float) -> bool:
    if isinstance(event, NeedBundle):
        assert isinstance(engine, Push)
        assert image is not None
        outcome.info = event.info
        engine.use_bundle(offerable(image), now)
    elif isinstance(event, Done):
        outcome.result = event.result
    elif isinstance(event, Failed):
        outcome.error = event.error
    elif hasattr(event, "name"):
        outcome.phases.append((str(event.name), now))
    return isinstance(event, Done | Failed)


def push(board: AvrBoard, image: Image, *, confirm: bool = True, limit_s: float = 30.0) -> Outcome:
    """A whole update."""
    return drive(board, Push(LinkShape(BYTES_PER_S), 0x1234, confirm=confirm), image, limit_s=limit_s)


def ask(board: AvrBoard, operation: Operation = Operation.INFO, *, limit_s: float = 10.0) -> Outcome:
    """One question or order."""
    return drive(board, Request(LinkShape(BYTES_PER_S), 0x4321, operation), limit_s=limit_s)
