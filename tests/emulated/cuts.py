"""Cuts of power on emulated chips that run the shipped loader: every flash operation of an update, of a revert and of a
confirm, and any moment. Judged by the flash and by where the program counter is; `tools/emulated_cuts` prints it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from otaflash.bench.link import offerable
from otaflash.engine import LinkShape, Operation, Push, Request
from otaflash.errors import OtaflashError
from otaflash.image.build import Image
from tests.emulated.board import Board, CutKind, drive
from tests.emulated.chips import Chip

SHAPE = LinkShape(11520.0)
KINDS: tuple[CutKind, ...] = ("before", "torn", "after")
HISTORIES = ("upgrade", "revert", "confirm")
BOOT_US = 6_000_000
"""Recovery, a whole swap and the entry window."""
LOOK_US = 500


@dataclass(frozen=True, slots=True)
class Cut:
    """When the power goes: at the n-th flash operation of the history (from 1), or after so many microseconds."""

    operation: int | None = None
    kind: CutKind = "torn"
    micros: int | None = None

    def __str__(self) -> str:
        return f"{self.operation}:{self.kind}" if self.micros is None else f"{self.micros}:us"

    @classmethod
    def parse(cls, text: str) -> Cut:
        """The inverse of str. Raises ValueError."""
        number, _, kind = text.partition(":")
        if kind == "us":
            return cls(micros=int(number))
        return cls(int(number), KINDS[KINDS.index(kind)])  # type: ignore[arg-type]


@dataclass(slots=True)
class Tally:
    """What a campaign came to."""

    scenarios: int = 0
    boots: int = 0
    ended_with: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """history, seed, cuts -> what was wrong"""


# --- one boot ----------------------------------------------------------------------------------------------------


def _with_flash(chip: Chip, flash: bytes, seed: int) -> Board:
    board = chip.make(seed)
    board.flash[:] = flash
    board.on()
    return board


def _runs(board: Board, limit_us: int = BOOT_US) -> bool:
    """Lets the chip run until it is in an application; False: the power went, or it never is."""
    end = board.micros + limit_us
    while board.micros < end and not board.is_off:
        board.run(LOOK_US)
        if board.runs_application:
            return True
    return False


def _converse(board: Board, chip: Chip, history: str, until: Callable[[], bool]) -> None:
    """The host's part of a history, until the power goes, an application runs or the host has its answer."""
    try:
        if history == "upgrade":
            engine = Push(SHAPE, 0x1234, confirm=False)
            drive(board, engine, offerable(chip.new), until=lambda: until() or board.runs_application)
        else:
            drive(board, Request(SHAPE, 0x4321, Operation(history)), until=until)
    except OtaflashError:
        pass  # the power went between two words, and came again


class Campaign:
    """All histories on one chip, from two starts: as from the programmer, and with the new image on trial."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.tally = Tally()
        board = chip.make(1)
        old = chip.old.span
        board.flash[chip.slot.base : chip.slot.base + len(old)] = old
        fresh = bytes(board.flash)
        board.on()
        _converse(board, chip, "upgrade", lambda: False)
        assert board.runs_application, "the update does not get through"
        board.off()
        self._starts = {"upgrade": fresh, "revert": bytes(board.flash), "confirm": bytes(board.flash)}

    def operations(self, history: str) -> tuple[int, int]:
        """Flash operations of a history without a cut, and its microseconds, up to the application's start."""
        board = _with_flash(self.chip, self._starts[history], 1)
        began, first = board.micros, board.operations
        _converse(board, self.chip, history, lambda: False)
        assert _runs(board)
        return board.operations - first, board.micros - began

    def run(self, history: str, cuts: Iterable[tuple[Cut, ...]], seed: int = 1) -> Tally:
        """Each of `cuts` is one scenario: power goes so in the history, and again so in each recovery."""
        for number, plan in enumerate(cuts):
            self.scenario(history, plan, seed * 1_000_003 + number)
        return self.tally

    def scenario(self, history: str, plan: tuple[Cut, ...], seed: int) -> None:
        """One of them."""
        board = _with_flash(self.chip, self._starts[history], seed & 0x7FFFFFFF)
        self.tally.scenarios += 1
        self.tally.boots += 1
        for number, cut in enumerate(plan):
            self._boot_with(board, cut, history if number == 0 else None)
            self._power_again(board)
        verdict = self._verdict(board, history)
        if verdict:
            self.tally.wrong.append(f"{history} {seed} {' '.join(map(str, plan))} -> {verdict}")
        board.off()

    def _power_again(self, board: Board) -> None:
        if not board.is_off:
            board.off()
        board.run(1000)
        board.on()
        self.tally.boots += 1

    def _boot_with(self, board: Board, cut: Cut, history: str | None) -> None:
        end = board.micros + (BOOT_US if cut.micros is None else cut.micros)
        if cut.operation is not None:
            board.cut(cut.operation, cut.kind)
        if history is not None:
            _converse(board, self.chip, history, lambda: board.micros >= end)
        _runs(board, max(0, end - board.micros))

    def _verdict(self, board: Board, history: str) -> str:
        """Two boots in a row, with nobody at the line: each must start an approved image, whole."""
        for number in ("first", "second"):
            if not _runs(board):
                return f"no image is started at the {number} boot"
            image = self._primary(board)
            if image is None:
                return f"a mixed image is started at the {number} boot"
            if image is self.chip.new and history != "confirm" and not self._way_back(board):
                return f"the way back is lost at the {number} boot"
            if number == "first":
                self.tally.ended_with["new" if image is self.chip.new else "old"] += 1
                self._power_again(board)
        return ""

    def _primary(self, board: Board) -> Image | None:
        base, flash = self.chip.slot.base, bytes(board.flash)
        return next((one for one in (self.chip.new, self.chip.old) if flash.startswith(one.span, base)), None)

    def _way_back(self, board: Board) -> bool:
        slot = self.chip.slot
        return bytes(board.flash).startswith(self.chip.old.span, slot.base + slot.pages * slot.page_bytes)


# --- families of cuts --------------------------------------------------------------------------------------------


def every_operation(operations: int) -> Iterator[tuple[Cut, ...]]:
    """One cut: each operation, each way."""
    for operation in range(1, operations + 1):
        for kind in KINDS:
            yield (Cut(operation, kind),)


def sampled(operations: int, count: int, depth: int, seed: int) -> Iterator[tuple[Cut, ...]]:
    """`count` histories of `depth` cuts each: the first anywhere in the history, others anywhere in the recovery."""
    draws = random.Random(f"cuts/{seed}")
    for _ in range(count):
        yield tuple(Cut(draws.randint(1, operations), draws.choice(KINDS)) for _ in range(depth))


def any_cycle(micros: int, count: int, depth: int, seed: int) -> Iterator[tuple[Cut, ...]]:
    """The same by time: to the microsecond, that is 16 cycles of a chip at 16 MHz, in the middle of whatever runs."""
    draws = random.Random(f"cycles/{seed}")
    for _ in range(count):
        yield tuple(Cut(micros=draws.randint(1, micros)) for _ in range(depth))
