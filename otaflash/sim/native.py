"""A simulated board as Python sees it: the real bootloader core, compiled, in a struct board of firmware/ports/host.
Knows no link, no world and no message; seconds are the board's own."""

from __future__ import annotations

import hashlib
import math
import threading
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import Any

from otaflash.errors import ExitCode, Fault, OtaflashError
from otaflash.sim.profile_rules import check_profile
from otaflash.sim.profiles import Profile

REBUILD = "python -m otaflash.sim.build_native"


def _ours(reason: str, text: str, remedy: str) -> OtaflashError:
    return OtaflashError(reason, text, remedy=remedy, fault=Fault.OURS, exit_code=ExitCode.INTERNAL)


def _require_fresh(extension: Path) -> None:
    """In a source checkout the extension must be younger than its sources: a stale core would prove nothing."""
    firmware = extension.resolve().parents[2] / "firmware"
    built = extension.stat().st_mtime
    for folder in (firmware / "core", firmware / "ports" / "host"):
        for source in folder.glob("*.[ch]"):
            if source.stat().st_mtime > built:
                raise _ours("native-stale", f"the simulated boards are older than {source.name}", f"Run: {REBUILD}")


def _load() -> Any:
    try:
        from otaflash.sim import _native  # noqa: PLC0415  # its absence gets a sentence, not a traceback
    except ImportError as error:
        raise _ours(
            "native-missing",
            f"the simulated boards are not built ({error})",
            "Install a C compiler (Debian or Ubuntu: apt install gcc python3-dev), then reinstall otaflash or, "
            f"in a source checkout, run: {REBUILD}",
        ) from error
    _require_fresh(Path(str(_native.__file__)))
    return _native


_module = _load()
_ffi: Any = _module.ffi
_lib: Any = _module.lib
_CORE = threading.Lock()  # the port's current board is one variable, and cffi lets other threads run meanwhile
_NEVER_US = 2**64 - 1
_SENT_ROOM = 4096


class BoardEvent(IntEnum):
    """Why `run` returned; a broken rule and a hang are raised instead."""

    IDLE = 0
    TIME = 1
    JUMPED = 2
    RESTARTED = 3
    CUT = 4
    RULE = 5
    STUCK = 6


class Cut(IntEnum):
    """Where in an erase or program the power goes."""

    NONE = 0
    BEFORE = 1
    TORN = 2
    AFTER = 3
    HALF = 4
    """torn, and each bit drawn either way now, for good"""


class Cells(IntEnum):
    """What a boot record lies in."""

    FLASH = 0
    TO_ZERO = 1
    """a unit that is not blank is programmed again only to zero, as on an STM32F1"""
    EEPROM = 2
    """every byte is erased, and every unit programmed, in an operation of its own"""


class Weak(IntEnum):
    """How bits left undecided by a torn operation read until they are written again."""

    OLD = 0
    NEW = 1
    RANDOM = 2
    FLICKER = 3
    WHOLE = 4
    """all weak bits of one read the same way, drawn at each read: a torn mark of several bits is then seen both ways"""


class Wear(IntEnum):
    """What a worn page does."""

    NONE = 0
    ERASE_FAILS = 1
    STUCK_ONES = 2


class PortCall(IntEnum):
    """A call of port.h (probe.h)."""

    READ = 0
    ERASE = 1
    PROGRAM = 2
    RECEIVE = 3
    SEND = 4
    MILLIS = 5
    REQUEST = 6
    RESTART = 7
    JUMP = 8
    CRC = 9
    SHA = 10
    SPIN = 11


class RuleBroken(OtaflashError):
    """The core used the flash as no flash may be used: a bug of ours, always. The text names the rule and the place."""

    def __init__(self, rule: str) -> None:
        super().__init__(
            "flash-rule-broken",
            f"the core broke a rule of the flash: {rule}",
            remedy="Report it with the seed and the command that led here.",
            fault=Fault.OURS,
            exit_code=ExitCode.INTERNAL,
        )
        self.rule = rule


class Stuck(OtaflashError):
    """The core went on without end: a bug of ours, always."""

    def __init__(self) -> None:
        super().__init__(
            "core-stuck",
            "the core does not come to an end",
            remedy="Report it with the seed and the command that led here.",
            fault=Fault.OURS,
            exit_code=ExitCode.INTERNAL,
        )


_EVENTS = tuple(BoardEvent)


def _to_us(seconds: float) -> int:
    return _NEVER_US if seconds >= 1e12 else max(0, round(seconds * 1e6))


def _to_seconds(us: int) -> float:
    return math.inf if us == _NEVER_US else us / 1e6


def _filled(kind: str, profile: Profile, **given: object) -> Any:
    """A C struct whose fields have the names of the profile's, but for those given."""
    struct = _ffi.new(f"struct {kind} *")
    for name, _ in _ffi.typeof(f"struct {kind}").fields:
        setattr(struct, name, given.get(name, getattr(profile, name, None)))
    return struct


def _keep(owner: object, pointer: object) -> None:
    """Destructor of a borrowed pointer: being bound to its owner is all it does."""


class NativeBoard:
    """One device: flash, power switch, clock, serial port, and the real core inside.

    `seed` decides RAM garbage, weak bits, and the unique id where none is given (8 bytes, not all zero). `key` is its
    key page; without one it takes what is unsigned. Erased flash and no power at first. Raises ValueError for a profile
    whose sizes contradict each other. After RuleBroken or Stuck it stands still until the next power_on. Boards may be
    used from any thread, each by one at a time.
    """

    def __init__(self, profile: Profile, seed: int, *, uid: bytes | None = None, key: bytes = b"") -> None:
        if problems := check_profile(profile):
            raise ValueError(f"{profile.name}: {problems[0]}")
        self.profile = profile
        self.uid = uid if uid is not None else hashlib.sha256(f"{profile.name} {seed}".encode()).digest()[:8]
        if len(self.uid) != 8 or not any(self.uid):
            raise ValueError("a unique id has 8 bytes, not all zero")
        self.key, name = key, profile.name.encode().ljust(16, b"\0")
        geometry = _filled("ota_geometry", profile, board=name, uid=self.uid, key=key.ljust(64, b"\xff"))
        board = _lib.board_new(geometry, _filled("board_costs", profile), seed % 2**64)
        if board == _ffi.NULL:
            raise MemoryError("no memory for another board")
        self._board: Any = _ffi.gc(board, _lib.board_free)
        self._flash = self._borrow(_lib.board_flash(self._board), _lib.board_flash_bytes(self._board))
        self._erases = self._borrow(_lib.board_erases(self._board), 4 * profile.pages).cast("I")
        self._state: Any = _ffi.new("uint8_t[]", _lib.board_state_bytes(self._board))
        self._state_view = memoryview(_ffi.buffer(self._state))
        self._sent: Any = _ffi.new("uint8_t[]", _SENT_ROOM)
        self._at_us: Any = _ffi.new("uint64_t *")
        self._result: Any = _ffi.new("int32_t *")

    def _borrow(self, pointer: Any, count: int) -> memoryview:
        """A view that keeps the board alive for as long as it lives itself."""
        owned = _ffi.gc(_ffi.cast("uint8_t *", pointer), partial(_keep, self._board))
        return memoryview(_ffi.buffer(owned, count)).cast("B")

    # --- power --------------------------------------------------------------------------------------------

    def power_on(self, weak: int = Weak.OLD) -> None:
        """Power comes (back), and the loader starts at the next run. RAM is garbage, the restart request is lost, weak
        bits read as `weak` says from now on; operations count from 0; planned cuts and read errors are forgotten."""
        _lib.board_power_on(self._board, weak)

    def reset(self) -> None:
        """A reset that keeps power: RAM and the restart request stay; weak bits are drawn anew. Nothing on a board
        without power."""
        _lib.board_reset(self._board)

    def reseed(self, seed: int) -> None:
        """Draws chance from `seed` from here on: after `load`, what follows is then the same whatever was before."""
        _lib.board_reseed(self._board, seed % 2**64)

    def plan_cut(self, operation: int, how: int) -> None:
        """Cuts power at flash operation `operation` since power_on (0: the first), before it, in it or after it."""
        _lib.board_plan_cut(self._board, operation, how)

    def plan_reset(self, operation: int, how: int) -> None:
        """Resets the CPU there instead: RAM and the restart request stay, and `run` returns RESTARTED."""
        _lib.board_plan_reset(self._board, operation, how)

    def wear_out(self, page: int, how: int, after: int = 0) -> None:
        """Makes a page fail from now on, or once it was erased `after` times more (one page of a board)."""
        if after:
            _lib.board_wear_out_after(self._board, page, how, after)
        else:
            _lib.board_wear_out(self._board, page, how)

    def stick(self, page: int, offset: int, mask: int, value: int) -> None:
        """From now on these bits read as in `value`, whatever is done to them (one byte of a board; mask 0: none)."""
        _lib.board_stick(self._board, page, offset, mask, value)

    def plan_wrong_read(self, read: int, draw: int) -> None:
        """Read number `read` since power_on (0: the first) gets one bit wrong, which `draw` chooses."""
        _lib.board_plan_wrong_read(self._board, read, draw)

    def set_millis(self, at_reset_ms: int) -> None:
        """What the clock of the chip says at a reset from here on (a chip: 0); it wraps at 65,536 ms."""
        _lib.board_set_millis(self._board, at_reset_ms)

    def plan_read_error(self, page: int, offset: int, mask: int) -> None:
        """The next read of this byte gets the bits of `mask` wrong, once."""
        _lib.board_plan_read_error(self._board, page, offset, mask)

    # --- running ------------------------------------------------------------------------------------------

    def run(self, until_s: float = math.inf) -> BoardEvent:
        """Runs the CPU until it idles, the time is reached (by one poll of the core at most), or it leaves the loader.

        A board that idles at entry first lets time pass to its wake, the next byte or `until_s`. Without power: CUT.
        Raises RuleBroken, Stuck.
        """
        with _CORE:
            event: int = _lib.board_run(self._board, _to_us(until_s))
        return self._checked(event)

    def _checked(self, event: int) -> BoardEvent:
        if event == BoardEvent.RULE:
            raise RuleBroken(self.rule)
        if event == BoardEvent.STUCK:
            raise Stuck
        return _EVENTS[event]

    def app_start(self, *, stages: bool = False) -> None:
        """After JUMPED: the library in the image, which `run` then polls; `stages`: it takes updates. Else nothing."""
        with _CORE:
            _lib.board_app_start(self._board, int(stages))

    def app_confirm(self) -> bool:
        """The application's own decision to keep the image. False: not on trial, the flash failed, or the power was cut
        (then the next run says CUT). Raises RuleBroken."""
        with _CORE:
            done: bool = _lib.board_app_confirm(self._board) == 0
        if not done and self.rule:
            raise RuleBroken(self.rule)
        return done

    def call_port(
        self, call: int, page: int = 0, offset: int = 0, data: bytes = b"", count: int | None = None
    ) -> tuple[BoardEvent, int, bytes]:
        """Makes one call of port.h as if the core did: event (IDLE: it returned), its result, and the bytes of a read.
        For tests of the board itself. Raises RuleBroken, Stuck."""
        length = len(data) if count is None else count
        buffer = _ffi.new("uint8_t[]", max(length, len(data), 1))
        buffer[0 : len(data)] = data
        with _CORE:
            event: int = _lib.board_probe(self._board, call, page, offset, buffer, length, self._result)
        return self._checked(event), self._result[0], bytes(_ffi.buffer(buffer, length))

    # --- time and line ------------------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """The board's clock. Setting it lets time pass on an idle or unpowered board; it never goes back."""
        return _to_seconds(_lib.board_now_us(self._board))

    @now_s.setter
    def now_s(self, now_s: float) -> None:
        _lib.board_set_now_us(self._board, _to_us(now_s))

    @property
    def wake_s(self) -> float:
        """When it has something to do by itself; infinity: only a byte wakes it."""
        return _to_seconds(_lib.board_wake_us(self._board))

    def receive(self, at_s: float, data: bytes) -> int:
        """Bytes from the line: the first is whole at `at_s`, each further one a byte time later. Returns how many were
        kept as far as is known now; 0 without power."""
        kept: int = _lib.board_receive(self._board, _to_us(at_s), data, len(data))
        return kept

    def sent(self) -> list[tuple[float, bytes]]:
        """Takes what the board sent: for each run of bytes without a pause, when its first began, and the bytes."""
        runs: list[tuple[float, bytes]] = []
        while True:
            count = _lib.board_sent(self._board, self._sent, _SENT_ROOM, self._at_us)
            if count == 0:
                return runs
            runs.append((self._at_us[0] / 1e6, _ffi.buffer(self._sent, count)[:]))

    # --- looking ------------------------------------------------------------------------------------------

    @property
    def flash(self) -> memoryview:
        """The flash itself, writable, weak bits at their old value: primary slot, secondary (one page longer), two
        record units. A page that holds weak bits must not be written through it."""
        return self._flash

    def read_span(self, page: int, count: int) -> bytes:
        """`count` pages from logical page `page`, as `flash` shows them. Raises ValueError outside the flash."""
        if page < 0 or count < 0 or page + count > self.profile.pages:
            raise ValueError(f"pages {page} to {page + count - 1} are not all in the flash")
        return bytes(self._flash[page * self.profile.page_bytes : (page + count) * self.profile.page_bytes])

    @property
    def erases(self) -> memoryview:
        """Erases of each page so far, torn ones included (format "I"); a test may set them to 0."""
        return self._erases

    @property
    def operations(self) -> int:
        """Erases and programs since power_on, a cut one included."""
        count: int = _lib.board_operations(self._board)
        return count

    @property
    def ring_bytes(self) -> int:
        """What the receiver holds until the core takes it."""
        return self.profile.rx_ring_bytes

    @property
    def reads(self) -> int:
        """Reads of flash since power_on."""
        count: int = _lib.board_reads(self._board)
        return count

    @property
    def jump_trial(self) -> bool:
        """The last jump was to an image on trial."""
        trial: bool = _lib.board_jump_trial(self._board) != 0
        return trial

    @property
    def rule(self) -> str:
        """The rule broken since power_on, or ""."""
        return str(_ffi.string(_lib.board_rule(self._board)).decode())

    @property
    def bytes_lost(self) -> int:
        """Bytes lost by overrun of the receiver or while it was deaf."""
        count: int = _lib.board_bytes_lost(self._board)
        return count

    # --- state --------------------------------------------------------------------------------------------

    def save(self) -> bytes:
        """All that outlives the CPU: flash, weak bits, restart request. Equal states have equal bytes. Wear is no
        part of it."""
        return bytes(self._state_view[: _lib.board_save(self._board, self._state)])

    def load(self, state: bytes) -> None:
        """Puts a saved state back. The board then stands at a reset: `run` boots it with the state's restart request,
        `power_on` without. Raises ValueError for a state of another geometry."""
        flash_bytes = len(self._flash)
        if len(state) < 2 or state[1] > 1 or len(state) != 2 + flash_bytes * (1 + state[1]):
            raise ValueError("not a state of this geometry")
        _lib.board_load(self._board, state)
