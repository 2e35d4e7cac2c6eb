"""The native core as a board among the emulated ones (tests.emulated.board.Board): the same tests hold it and them.
Its program does nothing, for ever, as theirs do; on trial the watchdog then resets it."""

from __future__ import annotations

from typing import Any

from otaflash.sim.native import BoardEvent, Cut, NativeBoard
from otaflash.sim.profiles import Profile
from tests.emulated.board import CutKind

WATCHDOG_US = 2_000_000
_CUTS: dict[CutKind, Cut] = {"before": Cut.BEFORE, "torn": Cut.TORN, "after": Cut.AFTER}


class NativeCore:
    """`profile` has its slot at 0, so that places in `flash` are addresses."""

    def __init__(self, profile: Profile, seed: int = 1) -> None:
        assert profile.slot_base == 0
        self._board = NativeBoard(profile, seed)
        self._byte_us = profile.send_byte_ns / 1000
        self.is_off = True
        self.runs_application = False
        self._bites_us: int | None = None
        self._line_free_us = 0.0

    @property
    def flash(self) -> Any:
        return self._board.flash

    @property
    def micros(self) -> int:
        return round(self._board.now_s * 1e6)

    @property
    def operations(self) -> int:
        return self._board.operations

    @property
    def lost(self) -> int:
        return self._board.bytes_lost

    def send(self, data: bytes) -> None:
        self._line_free_us = max(self._line_free_us, self.micros) + self._byte_us
        self._board.receive(self._line_free_us / 1e6, data)
        self._line_free_us += (len(data) - 1) * self._byte_us

    def recv(self) -> bytes:
        return b"".join(data for _, data in self._board.sent())

    def cut(self, after_ops: int | None, kind: CutKind = "torn") -> None:
        place = 0 if after_ops is None else self._board.operations + after_ops - 1
        self._board.plan_cut(place, Cut.NONE if after_ops is None else _CUTS[kind])

    def bite(self, after_ops: int) -> None:
        self._board.plan_reset(self._board.operations + after_ops - 1, Cut.TORN)

    def stick(self, address: int, bit: int) -> None:
        page, offset = divmod(address, self._board.profile.page_bytes)
        self._board.stick(page, offset, 1, bit)

    def off(self) -> None:
        self.is_off, self.runs_application, self._bites_us = True, False, None

    def on(self) -> None:
        self._board.power_on()
        self.is_off = False

    def run(self, micros: int) -> None:
        end = self.micros + micros
        while self.micros < end and not self.is_off:
            if self.runs_application:
                self._idle(end)
            else:
                self._boot(end)
        self._board.now_s = max(self._board.now_s, end / 1e6)

    def _boot(self, end: int) -> None:
        event = self._board.run(end / 1e6)
        if event is BoardEvent.CUT:
            self.off()
        elif event is BoardEvent.JUMPED:
            self.runs_application = True
            self._bites_us = self.micros + WATCHDOG_US if self._board.jump_trial else None

    def _idle(self, end: int) -> None:
        """The program hangs until the time is up, or the watchdog bites."""
        if self._bites_us is None or self._bites_us > end:
            self._board.now_s = end / 1e6
            return
        self._board.now_s = self._bites_us / 1e6
        self._board.reset()
        self.runs_application, self._bites_us = False, None
