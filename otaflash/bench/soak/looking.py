"""Looks at a board's flash from outside, and at what a copy of it would do after a power cycle. Knows no orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from otaflash.bench.soak.images import Made
from otaflash.sim.native import BoardEvent, NativeBoard

CYCLES_MAX = 40
IDLES_MAX = 100


@dataclass(frozen=True, slots=True)
class Started:
    """What a power-up came to. `number` None: nothing, or (`jumped`) something that is no known image."""

    jumped: bool
    number: int | None = None
    trial: bool = False


class Looking:
    """One board, and a second one beside it that is given its state."""

    def __init__(self, board: NativeBoard, images: Sequence[Made], weak: int) -> None:
        self._board = board
        self._spans = [made.span for made in images]
        self._weak = weak
        self._twin: NativeBoard | None = None

    def primary(self) -> int | None:
        """The image in the primary slot, byte for byte; bits that a cut left undecided may stand for either."""
        return _found(self._board, self._spans)

    def way_back(self, number: int) -> bool:
        """That image stands whole in the secondary slot, as it does after a swap."""
        profile, span = self._board.profile, self._spans[number]
        at = profile.slot_pages * profile.page_bytes
        return self._board.flash[at : at + len(span)] == span and not self._is_weak(at, len(span))

    def _is_weak(self, at: int, count: int) -> bool:
        state = self._board.save()
        if not state[1]:
            return False
        mask = 2 + len(self._board.flash) + at
        return any(state[mask : mask + count])

    def has_weak_cells(self) -> bool:
        """Whether any cell of the flash may read either way."""
        return bool(self._board.save()[1])

    def slots(self) -> bytes:
        """Both slots, as they are."""
        profile = self._board.profile
        return bytes(self._board.flash[: (2 * profile.slot_pages + 1) * profile.page_bytes])

    def whole(self) -> bytes:
        """All of the flash, records included."""
        return bytes(self._board.flash)

    def after_power_cycle(self) -> Started:
        """What the board would start, were the power gone and back now."""
        return next(self.power_cycles())

    def power_cycles(self) -> Iterator[Started]:
        """One power-up after the other of a copy of the board, no host about, until CYCLES_MAX."""
        twin = self._copy()
        for _ in range(CYCLES_MAX):
            twin.power_on(self._weak)
            yield self._boot(twin)

    def _copy(self) -> NativeBoard:
        if self._twin is None:
            self._twin = NativeBoard(self._board.profile, 1, uid=self._board.uid)
        self._twin.load(self._board.save())
        return self._twin

    def _boot(self, twin: NativeBoard) -> Started:
        for _ in range(IDLES_MAX):
            event = twin.run()
            if event == BoardEvent.JUMPED:
                return Started(True, _found(twin, self._spans), twin.jump_trial)
            if event == BoardEvent.IDLE and twin.wake_s > 1e12:
                return Started(False)
        return Started(False)


def _found(board: NativeBoard, spans: Sequence[bytes]) -> int | None:
    flash = board.flash
    firm = next((number for number, span in enumerate(spans) if flash[: len(span)] == span), None)
    state = board.save() if firm is None else b""
    if not state or not state[1]:
        return firm
    weak = memoryview(state)[2 + len(flash) :]
    for number, span in enumerate(spans):
        differs = int.from_bytes(flash[: len(span)], "little") ^ int.from_bytes(span, "little")
        if not differs & ~int.from_bytes(weak[: len(span)], "little"):
            return number
    return None
