"""One boot of the real core after another: load a state, run it with a host's plan and a cut, save what is left.
Speaks to the compiled board directly, because this is the inner loop. Knows no oracle and no search."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from otaflash.bench.explorer.images import APPLY_SERIAL, DECISION_SERIAL, OFFER_SERIAL, UID, is_done
from otaflash.sim import _native
from otaflash.sim.native import BoardEvent, Weak  # also checks that the compiled core is there and fresh
from otaflash.sim.profiles import Profile
from otaflash.wire import messages as m
from otaflash.wire.cobs import cobs_decode
from otaflash.wire.crc import CRC_BYTES

_ffi: Any = _native.ffi
_lib: Any = _native.lib
_NEVER = 2**64 - 1
_ROOM = 65535
_TIMES = {"byte_ns": 100, "send_byte_ns": 2000, "erase_page_ns": 200_000, "program_chunk_ns": 20_000}
"""Times matter only in their order here: a reply is on the line before the next flash operation ends."""
_SPEAKS_AFTER_US = 1000
_APPLY_AFTER_US = 5_000_000
_APP_SPEAKS_AFTER_US = 100
_LEFT = (BoardEvent.CUT, BoardEvent.RULE, BoardEvent.STUCK)


class App(IntEnum):
    """What the application does after the jump."""

    NOTHING = 0
    CONFIRM = 1
    """by the library's call"""
    HOST = 2
    """answers a host's message"""


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


@dataclass(slots=True)
class Jump:
    """One start of the primary slot, and the flash as it was then."""

    trial: bool
    flash: bytes
    weak: bytes
    """mask of undecided bits; empty: none"""


@dataclass(slots=True)
class Boot:
    """What one boot came to, power-on to cut or last jump."""

    event: int = BoardEvent.IDLE
    operations: int = 0
    listens_at: int = -1
    """flash operations done when it first listened; -1: it never did"""
    jumped_at: int = -1
    """flash operations done at the first jump; -1: none"""
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


class Machine:
    """A board whose every boot can be repeated. Kept of flash: `pages` of each slot, and the record."""

    def __init__(self, profile: Profile, pages: int) -> None:
        self.profile = profile
        self._board: Any = _ffi.gc(_new_board(profile), _lib.board_free)
        self._fb: int = _lib.board_flash_bytes(self._board)
        self._flash = _ffi.buffer(_lib.board_flash(self._board), self._fb)
        self._buffer: Any = _ffi.new("uint8_t[]", _lib.board_state_bytes(self._board))
        self._bytes = memoryview(_ffi.buffer(self._buffer))
        self._spans = self._kept_spans(pages)
        self._blanks = self._blank_between()
        self._erases: Any = _ffi.cast("uint32_t *", _lib.board_erases(self._board))
        self._erase_bytes = _ffi.buffer(self._erases, 4 * profile.pages)
        self._erase_view = memoryview(self._erase_bytes).cast("I")
        self._out: Any = _ffi.new("uint8_t[]", _ROOM)
        self._at: Any = _ffi.new("uint64_t *")
        self.kept_bytes = sum(end - begin for begin, end in self._spans)
        _lib.board_save(self._board, self._buffer)

    def _kept_spans(self, pages: int) -> list[tuple[int, int]]:
        """The parts of flash that an image of `pages` pages can touch, and the record."""
        p = self.profile
        page = p.page_bytes
        secondary, record = p.slot_pages, 2 * p.slot_pages + 1
        spans = [(0, pages), (secondary, secondary + pages + 1), (record, p.pages)]
        joined: list[tuple[int, int]] = []
        for begin, end in spans:
            if joined and joined[-1][1] == begin * page:
                joined[-1] = (joined[-1][0], end * page)
            else:
                joined.append((begin * page, end * page))
        return joined

    # --- states ---------------------------------------------------------------------------------------------

    def blank(self) -> bytes:
        """An erased board."""
        return b"\0\0" + b"\xff" * self.kept_bytes

    def with_primary(self, state: bytes, span: bytes) -> bytes:
        """`state` with `span` at the start of the primary slot."""
        return state[:2] + span + state[2 + len(span) :]

    def _put(self, state: bytes) -> None:
        view = self._bytes
        view[0:2] = state[0:2]
        at = 2
        for base in (2, 2 + self._fb)[: 1 + state[1]]:
            for begin, end in self._spans:
                view[base + begin : base + end] = state[at : at + end - begin]
                at += end - begin
        _lib.board_load(self._board, self._buffer)

    def save(self) -> bytes:
        """What outlives the power, without the restart request."""
        _lib.board_save(self._board, self._buffer)
        view = self._bytes
        parts: list[bytes | memoryview] = [b"\0", view[1:2]]
        for base in (2, 2 + self._fb)[: 1 + view[1]]:
            parts += [view[base + begin : base + end] for begin, end in self._spans]
        return b"".join(parts)

    def split(self, state: bytes) -> tuple[bytes, bytes]:
        """Flash and weak mask of the kept spans."""
        end = 2 + self.kept_bytes
        return state[2:end], state[end:]

    def primary(self, flash: bytes, pages: int) -> bytes:
        return flash[: pages * self.profile.page_bytes]

    def secondary_at(self) -> int:
        """Where the secondary slot begins in the kept spans."""
        return self._spans[0][1] if len(self._spans) == 3 else self.profile.slot_pages * self.profile.page_bytes

    def stray(self) -> bool:
        """True if flash outside the kept spans is not blank."""
        at = 0
        for (begin, end), blank in zip([*self._spans, (self._fb, self._fb)], self._blanks, strict=True):
            if self._flash[at:begin] != blank:
                return True
            at = end
        return False

    def _blank_between(self) -> list[bytes]:
        ends = [0, *(end for _, end in self._spans)]
        begins = [*(begin for begin, _ in self._spans), self._fb]
        return [b"\xff" * (begin - end) for end, begin in zip(ends, begins, strict=True)]

    # --- wear -----------------------------------------------------------------------------------------------

    def set_erases(self, erases: bytes) -> None:
        self._erase_bytes[:] = erases

    def erases(self) -> bytes:
        return bytes(self._erase_bytes)

    def most_erases(self) -> int:
        return max(self._erase_view)

    # --- a boot ---------------------------------------------------------------------------------------------

    def boot(
        self, state: bytes, plan: Plan, *, weak: int = Weak.OLD, seed: int = 0, cut: tuple[int, int] | None = None
    ) -> Boot:
        """Power comes to `state`; `cut` is (operation, how)."""
        board, done = self._board, Boot()
        _lib.board_reseed(board, seed)
        self._put(state)
        _lib.board_power_on(board, weak)
        if cut is not None:
            _lib.board_plan_cut(board, cut[0], cut[1])
        self._run(plan, done)
        done.operations = _lib.board_operations(board)
        if plan.said or plan.app_said:
            self._hear(done)
        return done

    def _run(self, plan: Plan, done: Boot) -> None:
        board = self._board
        while True:
            event = _lib.board_run(board, _NEVER)
            if event == BoardEvent.IDLE:
                if done.listens_at < 0:
                    done.listens_at = _lib.board_operations(board)
                    if plan.said:
                        self._speak(plan, done)
                        continue
                if _lib.board_wake_us(board) == _NEVER:
                    break
            elif event == BoardEvent.JUMPED:
                self._jumped(done)
                if plan.app == App.NOTHING or done.acted or not self._act(plan, done):
                    break
            elif event in _LEFT:
                break
        done.event = event

    def _speak(self, plan: Plan, done: Boot) -> None:
        board = self._board
        now = _lib.board_now_us(board)
        done.spoken = True
        if plan.offers:
            self._erase_bytes[:] = bytes(len(self._erase_bytes))
            done.offered_on = self._look(trial=False)
        _lib.board_receive(board, now + _SPEAKS_AFTER_US, plan.said, len(plan.said))
        if plan.then:
            after = now + _APPLY_AFTER_US + 4 * len(plan.said)
            _lib.board_receive(board, after, plan.then, len(plan.then))

    def _jumped(self, done: Boot) -> None:
        if done.jumped_at < 0:
            done.jumped_at = _lib.board_operations(self._board)
        done.jumps.append(self._look(trial=_lib.board_jump_trial(self._board) != 0))

    def _look(self, *, trial: bool) -> Jump:
        return Jump(trial, *self.split(self.save()))

    def _act(self, plan: Plan, done: Boot) -> bool:
        """The application's part; False: nothing more will come of this boot."""
        board = self._board
        done.acted = True
        _lib.board_app_start(board)
        if plan.app == App.CONFIRM:
            done.confirmed = _lib.board_app_confirm(board) == 0
            return not done.confirmed and _lib.board_run(board, 0) in _LEFT
        _lib.board_receive(board, _lib.board_now_us(board) + _APP_SPEAKS_AFTER_US, plan.app_said, len(plan.app_said))
        return True

    def _hear(self, done: Boot) -> None:
        """Takes the decisions out of what the board said."""
        heard = b""
        while count := _lib.board_sent(self._board, self._out, _ROOM, self._at):
            heard += _ffi.buffer(self._out, count)[:]
        for encoded in heard.split(b"\0")[:-1]:
            if not encoded:
                continue
            frame = cobs_decode(encoded)
            done.confirmed |= is_done(m.Confirm.kind, DECISION_SERIAL, frame)
            done.reverted |= is_done(m.Revert.kind, DECISION_SERIAL, frame)
            done.applied |= is_done(m.Apply.kind, APPLY_SERIAL, frame)
            if frame[0] == m.OfferReply.kind and frame[3] == OFFER_SERIAL:
                answer = m.OfferReply.unpack(frame[m.HEADER_BYTES : -CRC_BYTES])
                done.refused |= answer.reason != 0
                done.accepted |= answer.reason == 0 and answer.next == m.Manifest.BYTES


def _new_board(profile: Profile) -> Any:
    geometry = _ffi.new("struct ota_geometry *")
    _ffi.memmove(geometry.board, profile.name.encode().ljust(16, b"\0"), 16)
    _ffi.memmove(geometry.uid, UID, 8)
    for name, _ in _ffi.typeof("struct ota_geometry").fields:
        if name not in {"board", "uid"}:
            setattr(geometry, name, getattr(profile, name))
    costs = _ffi.new("struct board_costs *")
    for name, value in {**_TIMES, "rx_ring_bytes": _ROOM, "rx_in_erase": 1, "rx_in_program": 1}.items():
        setattr(costs, name, value)
    board = _lib.board_new(geometry, costs, 1)
    if board == _ffi.NULL:
        raise MemoryError("no memory for another board")
    return board
