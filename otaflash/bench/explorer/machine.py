"""One boot of the real core after another: from a state of flash, with a host's plan and a fault, to what is left; and
what each cut of that boot would leave. Speaks to the compiled board directly, because this is the inner loop. Knows no
oracle and no search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from otaflash.bench.explorer.images import APPLY_SERIAL, DECISION_SERIAL, OFFER_SERIAL, UID, Image, is_done
from otaflash.sim import _native
from otaflash.sim.native import BoardEvent, Weak  # also checks that the compiled core is there and fresh
from otaflash.sim.profiles import Profile
from otaflash.wire import messages as m
from otaflash.wire.cobs import cobs_decode
from otaflash.wire.crc import CRC_BYTES, crc_fits
from otaflash.wire.errors import WireError

_ffi: Any = _native.ffi
_lib: Any = _native.lib
_NONE = 2**32 - 1
_RING_BYTES = 65535
_TIMES = {"byte_ns": 100, "send_byte_ns": 2000, "erase_page_ns": 200_000, "program_chunk_ns": 20_000}
"""Times matter only in their order here: a reply is on the line before the next flash operation ends."""
_DRAW = 0x9E3779B97F4A7C15


class App(IntEnum):
    """What the application does after the jump."""

    NOTHING = 0
    CONFIRM = 1
    """by the library's call"""
    HOST = 2
    """answers a host's message"""


class By(IntEnum):
    """What disturbs a boot."""

    POWER = 0
    """the power goes at a flash operation"""
    RESET = 1
    """a watchdog resets the CPU at a flash operation; RAM stays"""
    READ = 2
    """one read gets a bit wrong"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a host and the application do in one boot."""

    name: str
    image: int = -1
    """Number of the image meant; -1: none."""
    offers: bool = False
    """an Offer: the board must be idle to take it, and wear is counted from it"""
    said: bytes = b""
    """to the loader, once it listens"""
    then: bytes = b""
    """to the loader, once all is verified: Apply"""
    app: App = App.NOTHING
    app_said: bytes = b""


@dataclass(frozen=True, slots=True)
class Jump:
    """One start of the primary slot, and the state of flash as it was then."""

    trial: bool
    state: int


@dataclass(slots=True)
class Boot:
    """What one boot came to, power-on to cut or last jump; or as much of it as was known at a cut."""

    event: int = BoardEvent.CUT
    operations: int = 0
    reads: int = 0
    state: int = 0
    worn: int = 0
    """most erases of a page, at any time"""
    worn_at_end: int = 0
    listens_on: int | None = None
    """the state of flash when it first listened"""
    met_first: int = 0
    """a number made of what weak bits read as, up to when it first listened"""
    met_later: int = 0
    """reads that met weak bits after that"""
    waits: bool = False
    """it ended in the loader, which waits for a host"""
    stray: bool = False
    """flash was touched outside the pages kept"""
    spoken: bool = False
    """the plan's message to the loader was delivered"""
    acted: bool = False
    """the application did its part"""
    confirmed: bool = False
    reverted: bool = False
    applied: bool = False
    accepted: bool = False
    """an Offer, whole"""
    refused: bool = False
    """a reply said so"""
    offered_on: Jump | None = None
    """the flash when an Offer came: if that is taken, what stands in it runs for good"""
    jumps: list[Jump] = field(default_factory=list)


class Notes(IntEnum):
    """Which cuts of a boot are noted (trace.h)."""

    NONE = 0
    ALL = 1
    SPOKEN = 2
    ACTED = 3


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with a board from the factory on: `kind` and its numbers, by DEFECTS."""

    kind: str
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        return ".".join([self.kind, *map(str, self.numbers)])

    @classmethod
    def parse(cls, text: str) -> Defect:
        """The inverse of str. Raises ValueError, KeyError."""
        kind, *numbers = text.split(".")
        if len(numbers) != len(DEFECTS[kind]):
            raise ValueError(text)
        return cls(kind, tuple(map(int, numbers)))


DEFECTS: dict[str, tuple[str, ...]] = {
    "worn": ("page", "how", "erases"),
    "stuck": ("page", "offset", "mask", "value"),
    "clock": ("at_reset_ms",),
}


class Machine:
    """A board whose every boot can be repeated. Of its flash `pages` count; the rest must stay blank."""

    def __init__(self, profile: Profile, pages: list[int], defect: Defect | None = None) -> None:
        self.profile = profile
        self.pages = pages
        self._board: Any = _ffi.gc(_new_board(profile), _lib.board_free)
        if defect is not None:
            _inflict(self._board, defect)
        trace = _lib.trace_new(self._board, pages, len(pages))
        if trace == _ffi.NULL:
            raise MemoryError("no memory for another board")
        self._trace: Any = _ffi.gc(trace, _lib.trace_free)
        self._run: Any = _ffi.new("struct trace_run *")
        self._result: Any = _ffi.new("struct trace_result *")
        self._count: Any = _ffi.new("size_t *")
        self._plans: dict[Plan, Any] = {}
        self._facts: dict[bytes, list[_Fact]] = {}
        self._last: list[_Fact] = []
        self._weak: dict[int, bool] = {}
        self._numbers: Any = _ffi.new("uint32_t[]", 1)

    # --- states ---------------------------------------------------------------------------------------------

    def factory(self, image: Image) -> int:
        """The state of a board that left the factory with this image and no record. Before the first boot."""
        flash = _ffi.buffer(_lib.board_flash(self._board), _lib.board_flash_bytes(self._board))
        flash[: len(image.span)] = image.span
        state: int = _lib.trace_state(self._trace)
        return state

    def cells(self, state: int) -> tuple[bytes, bytes]:
        """Values and weak bits of the pages that count, one after the other."""
        count = len(self.pages) * self.profile.page_bytes
        values, weak = _ffi.new("uint8_t[]", count), _ffi.new("uint8_t[]", count)
        _lib.trace_cells(self._trace, state, values, weak)
        return _ffi.buffer(values)[:], _ffi.buffer(weak)[:]

    def is_weak(self, state: int) -> bool:
        """Some bit may read either way."""
        if state not in self._weak:
            self._weak[state] = _lib.trace_is_weak(self._trace, state) != 0
        return self._weak[state]

    def hash(self, state: int) -> int:
        """A number made of what lies in flash, 64 bits."""
        number: int = _lib.trace_hash(self._trace, state)
        return number

    def is_new(self, state: int, knowledge: int, left: int) -> bool:
        """True the first time that a state is seen with this knowledge and so many faults left, or more."""
        new: int = _lib.trace_is_new(self._trace, state, knowledge, left)
        return new != 0

    # --- a boot ---------------------------------------------------------------------------------------------

    def boot(
        self,
        state: int,
        plan: Plan,
        wear: bytes,
        *,
        weak: int = Weak.OLD,
        seed: int = 0,
        fault: tuple[By, int, int] | None = None,
        notes: Notes = Notes.NONE,
        halves: bool = False,
    ) -> Boot:
        """Power comes to `state`; `fault` is what, at which operation or read, and how (Cut). `wear`: erases so far."""
        run = self._run
        run.state, run.seed, run.weak, run.notes, run.halves = state, seed % 2**64, weak, notes, halves
        run.cut, run.resets, run.wrong_read = 0, 0, _NONE
        if fault is not None:
            by, at, how = fault
            if by == By.READ:
                run.wrong_read, run.wrong_draw = at, (seed ^ at * _DRAW) * _DRAW % 2**64 >> 32
            else:
                run.operation, run.cut, run.resets = at, how, by == By.RESET
        _lib.trace_boot(self._trace, self._plan(plan), run, wear, self._result)
        return self._boot(plan)

    def _boot(self, plan: Plan) -> Boot:
        result = self._result
        if result.no_memory:
            raise MemoryError("no memory for another state")
        self._last = self._hear() if plan.said or plan.app_said else []
        last = _lib.trace_moments(self._trace)[result.moments - 1]
        boot = self._known(plan, last, len(self._last))
        boot.event, boot.state = result.event, result.state
        boot.operations, boot.reads = result.operations, result.reads
        boot.worn, boot.worn_at_end = result.worn, result.worn_at_end
        boot.listens_on = result.listens_on if result.listens_on != _NONE else None
        boot.met_first, boot.met_later = result.met_first, result.met_later
        boot.waits, boot.stray = result.waits != 0, result.stray != 0
        boot.confirmed |= result.confirmed != 0
        return boot

    def _known(self, plan: Plan, moment: Any, frames: int) -> Boot:
        boot = Boot(spoken=moment.spoken != 0, acted=moment.acted != 0)
        if moment.jumps:
            jumps = _lib.trace_jumps(self._trace)
            boot.jumps = [Jump(jumps[at].trial != 0, jumps[at].state) for at in range(moment.jumps)]
        if boot.spoken and plan.offers:
            boot.offered_on = Jump(False, self._result.offered_on)
        for fact in self._last[:frames]:
            boot.confirmed |= fact.confirmed
            boot.reverted |= fact.reverted
            boot.applied |= fact.applied
            boot.accepted |= fact.accepted
            boot.refused |= fact.refused
        return boot

    def _plan(self, plan: Plan) -> Any:
        made = self._plans.get(plan)
        if made is None:
            texts = {name: _ffi.from_buffer(getattr(plan, name)) for name in ("said", "then", "app_said")}
            made = _ffi.new("struct trace_plan *", {"app": plan.app, "offers": plan.offers})
            for name, text in texts.items():
                setattr(made, name, _ffi.cast("uint8_t *", text))
                setattr(made, f"{name}_bytes", len(text))
            self._plans[plan] = made  # the plan is kept, and with it what the pointers point at
        return made

    # --- what was heard -------------------------------------------------------------------------------------

    def _hear(self) -> list[_Fact]:
        bytes_of = _lib.trace_heard(self._trace, self._count)
        heard = _ffi.buffer(bytes_of, self._count[0])[:] if self._count[0] else b""
        facts = self._facts.get(heard)
        if facts is None:
            facts = self._facts[heard] = [_fact(encoded) for encoded in heard.split(b"\0")[:-1]]
        return facts

    # --- what each cut of the boot run last would leave -----------------------------------------------------

    @property
    def noted(self) -> int:
        """How many cuts were noted."""
        count: int = self._result.notes
        return count

    def moments(self, plan: Plan) -> list[Boot]:
        """What a host knew, a moment each: notes point to them."""
        moments = _lib.trace_moments(self._trace)
        return [self._known(plan, moments[at], moments[at].frames) for at in range(self._result.moments)]

    def notes(self) -> Iterator[Note]:
        """All of them, in the order of time."""
        notes = _lib.trace_notes(self._trace)
        return (_note(notes, number) for number in range(self.noted))

    def news(self, knowledge: list[int], worn: list[int], left: int) -> list[Note]:
        """The notes that lead to something new, or are worn beyond `worn`; both lists have an entry for each moment."""
        if self.noted > len(self._numbers):
            self._numbers = _ffi.new("uint32_t[]", 2 * self.noted)
        count = _lib.trace_news(self._trace, knowledge, worn, left, self._numbers)
        notes = _lib.trace_notes(self._trace)
        return [_note(notes, self._numbers[at]) for at in range(count)]

    def wear(self, note: int = _NONE) -> bytes:
        """Erases of the pages that count: at that note, or at the end of the boot."""
        return bytes(_ffi.buffer(_lib.trace_wear(self._trace, note), len(self.pages)))

    def wear_listening(self) -> bytes:
        """... when the loader first listened in the boot run last."""
        return bytes(_ffi.buffer(_lib.trace_wear_listening(self._trace), len(self.pages)))


@dataclass(frozen=True, slots=True)
class Note:
    """What a cut would leave."""

    number: int
    operation: int
    how: int
    state: int
    moment: int
    worn: int


def _note(notes: Any, number: int) -> Note:
    note = notes[number]
    return Note(number, note.operation, note.how, note.state, note.moment, note.worn)


@dataclass(frozen=True, slots=True)
class _Fact:
    """What a reply says."""

    confirmed: bool = False
    reverted: bool = False
    applied: bool = False
    accepted: bool = False
    refused: bool = False


def _fact(encoded: bytes) -> _Fact:
    try:
        frame = cobs_decode(encoded)
    except WireError:  # a reset in the middle of it
        return _Fact()
    if len(frame) < m.HEADER_BYTES + CRC_BYTES or not crc_fits(frame):
        return _Fact()
    accepted = refused = False
    if frame[0] == m.OfferReply.kind and frame[3] == OFFER_SERIAL:
        answer = m.OfferReply.unpack(frame[m.HEADER_BYTES : -CRC_BYTES])
        refused = answer.reason != 0
        accepted = not refused and answer.next == m.Manifest.BYTES
    return _Fact(
        is_done(m.Confirm.kind, DECISION_SERIAL, frame),
        is_done(m.Revert.kind, DECISION_SERIAL, frame),
        is_done(m.Apply.kind, APPLY_SERIAL, frame),
        accepted,
        refused,
    )


def _new_board(profile: Profile) -> Any:
    geometry = _ffi.new("struct ota_geometry *")
    _ffi.memmove(geometry.board, profile.name.encode().ljust(16, b"\0"), 16)
    _ffi.memmove(geometry.uid, UID, 8)
    for name, _ in _ffi.typeof("struct ota_geometry").fields:
        if name not in {"board", "uid", "key"}:
            setattr(geometry, name, getattr(profile, name))
    costs = _ffi.new("struct board_costs *")
    for name, value in {**_TIMES, "rx_ring_bytes": _RING_BYTES, "rx_in_erase": 1, "rx_in_program": 1}.items():
        setattr(costs, name, value)
    board = _lib.board_new(geometry, costs, 1)
    if board == _ffi.NULL:
        raise MemoryError("no memory for another board")
    return board


def _inflict(board: Any, defect: Defect) -> None:
    inflict = {
        "worn": _lib.board_wear_out_after,
        "stuck": _lib.board_stick,
        "clock": _lib.board_set_millis,
    }[defect.kind]
    inflict(board, *defect.numbers)
