"""Drives otaflash's engines against an emulated AVR, with the chip's clock as the only clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from otaflash.bench.link import offerable
from otaflash.engine import Engine, Event, LinkShape, NeedBundle, Operation, PhaseChanged, Push, Request, Result
from otaflash.errors import OtaflashError
from otaflash.image.build import Image, Slot, build_image
from otaflash.image.data import Firmware, Segment
from otaflash.image.hexfile import read_hex
from otaflash.wire.messages import Info, Version
from tests.emulated.avr import ROOT, AvrBoard
from tests.emulated.board import drive as run_engine

SLOT = Slot("atmega328p", 0, 81, 128)
BYTES_PER_S = 11520.0


def blink(version: str) -> Image:
    """The example program of that version, as it is offered."""
    major, minor, patch = (int(part) for part in version.split("."))
    data = read_hex(ROOT / "firmware" / "app" / "blink" / f"blink-{version}.hex")
    return build_image(data, SLOT, version=Version(major, minor, patch, 0), counter=1)


def full_slot() -> Image:
    """Random bytes that fill the slot to its last, behind one instruction that jumps to itself (RJMP .-2)."""
    room = SLOT.limit(single_slot=False)
    data = Firmware((Segment(0, bytes((0xFF, 0xCF)) + random.Random("full").randbytes(room - 2)),), None)
    return build_image(data, SLOT, version=Version(2, 0, 0, 0), counter=1)


@dataclass(slots=True)
class Outcome:
    """What an engine came to; all None where its time ran out or the power went."""

    result: Result | None = None
    error: OtaflashError | None = None
    info: Info | None = None
    phases: list[tuple[str, float]] = field(default_factory=list)


def drive(
    board: AvrBoard,
    engine: Engine,
    image: Image | None = None,
    *,
    limit_s: float = 30.0,
    until_phase: str = "",
    on_phase: Callable[[str], None] = lambda name: None,
) -> Outcome:
    """Runs `engine` until it ends, the power goes, the limit passes or a phase begins; says which begins."""
    outcome = Outcome()
    end = board.micros + int(limit_s * 1e6)

    def note(event: Event) -> None:
        if isinstance(event, NeedBundle):
            outcome.info = event.info
        if isinstance(event, PhaseChanged):
            outcome.phases.append((event.name, board.micros / 1e6))
            on_phase(event.name)

    try:
        outcome.result = run_engine(
            board,
            engine,
            None if image is None else offerable(image),
            on_event=note,
            until=lambda: board.micros >= end or any(name == until_phase for name, _ in outcome.phases),
        )
    except OtaflashError as error:
        outcome.error = error
    return outcome


def shape(board: AvrBoard) -> LinkShape:
    """The line of `board`, at 10 bits a byte."""
    return LinkShape(board.kind.baud / 10)


def push(
    board: AvrBoard, image: Image, *, confirm: bool = True, limit_s: float = 30.0, until_phase: str = ""
) -> Outcome:
    """A whole update, or what of it comes before that phase."""
    engine = Push(shape(board), 0x1234, confirm=confirm)
    return drive(board, engine, image, limit_s=limit_s, until_phase=until_phase)


def ask(board: AvrBoard, operation: Operation = Operation.INFO, *, limit_s: float = 10.0) -> Outcome:
    """One question or order."""
    return drive(board, Request(shape(board), 0x4321, operation), limit_s=limit_s)
