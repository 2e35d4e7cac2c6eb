"""What an emulated board is to a test, whatever the chip: bytes, time, power and flash. Drives engines of otaflash
against one, with the chip's clock as the only clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from otaflash.engine import Done, Engine, Event, Failed, NeedBundle, Offerable, Push, Result

CutKind = Literal["before", "torn", "after"]
STEP_US = 500
"""How long the chip runs between two looks of the host at the line: what a USB adapter of full speed takes."""


class Board(Protocol):
    """A chip that runs the very loader. Times are microseconds of the chip's own clock."""

    is_off: bool

    @property
    def flash(self) -> Any:
        """Every byte of the chip's flash, to read; and to write while the power is off."""

    @property
    def micros(self) -> int: ...

    @property
    def operations(self) -> int:
        """Flash operations that the chip has begun; only differences mean something, within one power-up."""
        ...

    @property
    def runs_application(self) -> bool:
        """True if the program counter is in the primary slot."""
        ...

    @property
    def lost(self) -> int:
        """Bytes of the line that the chip could not take."""
        ...

    def send(self, data: bytes) -> None:
        """Puts bytes on the line to the chip, behind those that are still under way."""

    def recv(self) -> bytes:
        """All that came from the chip since."""
        ...

    def run(self, micros: int) -> None:
        """Lets the chip run; without power only time passes."""

    def cut(self, after_ops: int | None, kind: CutKind) -> None:
        """Takes the power at the n-th flash operation from now (1: the next one); None: not at all."""

    def bite(self, after_ops: int) -> None:
        """The watchdog resets the chip in the middle of the n-th flash operation from now, which is torn; RAM stays."""

    def stick(self, address: int, bit: int) -> None:
        """From the next operation on it on, bit 0 of that byte of flash stands so, whatever is written: it is worn."""

    def off(self) -> None: ...

    def on(self) -> None:
        """Power: RAM is random, flash is as it was."""


def run_until(board: Board, text: bytes, micros: int) -> bytes:
    """Runs the board until it has said `text`; what it said. Raises AssertionError after `micros`, or without power."""
    said = b""
    end = board.micros + micros
    while text not in said:
        assert board.micros < end, f"{text!r} was not said within {micros} us, but {said[-80:]!r}"
        assert not board.is_off
        board.run(STEP_US)
        said += board.recv()
    return said


def drive(
    board: Board,
    engine: Engine,
    image: Offerable | None = None,
    *,
    micros: int = 90_000_000,
    on_event: Callable[[Event], None] = lambda event: None,
    until: Callable[[], bool] = lambda: False,
) -> Result | None:
    """Runs an engine to its end; its result, or None if the power went or `until` said True.

    Raises the engine's error where it fails, AssertionError after `micros`."""
    end = board.micros + micros
    while not board.is_off and not until():
        assert board.micros < end, "the engine does not come to an end"
        now = board.micros / 1e6
        due = engine.next_deadline()
        if due is None or due <= now:
            engine.wake(now)
        while events := engine.events():
            for event in events:
                if isinstance(event, Done):
                    return event.result
                if isinstance(event, Failed):
                    raise event.error
                if isinstance(event, NeedBundle) and isinstance(engine, Push):
                    assert image is not None
                    engine.use_bundle(image, now)
                on_event(event)
        for frame in engine.bytes_to_send(now):
            board.send(frame)
        board.run(STEP_US)
        if data := board.recv():
            engine.receive(data, board.micros / 1e6)
    return None
