"""One update again and again, the power cut at each of its flash operations. Judges by CPU and flash alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from otaflash.errors import ExitCode, OtaflashError, UsageError
from otaflash.image.bundle import Bundle
from otaflash.session import MakeBundle
from otaflash.sim.factory import image_in
from otaflash.sim.profiles import Profile
from otaflash.sim.station import Place
from otaflash.testing.board import CHECK_S, Board
from otaflash.testing.switches import HOWS
from otaflash.transport.simlink import SimLink
from otaflash.wire.messages import Info

Maker = Callable[[Board], MakeBundle]

HANG_S = 3.0
"""A boot that ends in a watchdog's reset."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A board that lost its power in the middle of an update and came up by itself."""

    operation: int
    """The flash operation of the cut, counted from the start of the update."""
    how: str
    operations: int
    """How many there are."""
    runs: str
    """"old" or "new": which program came up."""
    board: Board
    """As it stands then; push to it, ask it, look at it."""


class BoardLost(AssertionError):
    """After a power cut a board ran neither the old nor the new program. `board` is as it stands then."""

    def __init__(self, text: str, board: Board) -> None:
        super().__init__(text)
        self.board = board


class HostGone(Exception):
    """The host of this update is gone, together with the board's power."""


class MortalLink(SimLink):
    """A link whose host is gone for good once the power of its board fails."""

    def read(self, deadline: float) -> bytes:
        data = super().read(deadline)
        if self.station.counters.cuts:
            raise HostGone
        return data


def sweep(
    start: Board, maker: Maker, *, how: tuple[str, ...], every: int = 1, only: int | None = None
) -> Iterator[Cut]:
    """See Board.every_cut; `maker` makes what the push to a board needs. Raises UsageError for cuts that are none."""
    if every < 1 or not how or not set(how) <= HOWS.keys():
        raise UsageError("bad-cut", f"how={how!r}, every={every}", remedy=f"Give {', '.join(HOWS)}; every from 1 on.")
    old = _image(start)
    new, total = _without_cut(start, maker)
    if only is not None and not 0 <= only < total:
        raise UsageError("bad-cut", f"operation {only} of {total}", remedy=f"Give one from 0 to {total - 1}.")
    operations = range(0, total, every) if only is None else (only,)
    images = {"old": old, "new": new}
    return (_cut(start, maker, images, _Spot(at, one, total)) for at in operations for one in how)


def _without_cut(start: Board, maker: Maker) -> tuple[bytes, int]:
    """The image that the update brings, and how many flash operations it takes until all is quiet."""
    board, made = start.copy(), list[Bundle]()
    make = maker(board)

    def keep(info: Info) -> Bundle:
        made.append(make(info))
        return made[-1]

    began = board.native.operations
    _update(board, keep)
    total = board.native.operations - began
    if total == 0:
        raise UsageError("nothing-to-cut", "the update writes no flash", remedy="Push what the board does not run yet.")
    return made[0].span(), total


@dataclass(frozen=True, slots=True)
class _Spot:
    operation: int
    how: str
    total: int


def _cut(start: Board, maker: Maker, images: dict[str, bytes], spot: _Spot) -> Cut:
    board = start.copy()
    start.latest_copy = board
    board.power.cut_at_operation(spot.operation, spot.how)
    _update(board, maker(board))
    board.check_ended()
    runs = next((name for name, span in images.items() if _runs(board, span)), None)
    if runs is None:
        raise BoardLost(
            f"the power was cut ({spot.how}) at flash operation {spot.operation} of {spot.total}, and then the "
            f"board ran neither the old nor the new program: its CPU is in {board.station.place.value!r}. "
            f"Again: every_cut(..., how=({spot.how!r},), only={spot.operation})",
            board,
        )
    return Cut(spot.operation, spot.how, spot.total, runs, board)


def _update(board: Board, make: MakeBundle) -> None:
    """A push by a host that is gone with the power; then time for the board to come to rest.

    A program that does not come up is part of what may be tried. Any other failure is none of the cut's, and raised."""
    try:
        board.push_over(MortalLink("sim:", board.port), make)
    except HostGone:
        pass
    except OtaflashError as error:
        if error.exit_code is not ExitCode.NOT_CONFIRMED:
            raise
    board.wait(_rest_s(board.profile))


def _rest_s(made: Profile) -> float:
    """Longest time until a board that nobody speaks to has come to rest: it stays in its loader, swaps, hangs through
    its trials, and swaps back."""
    entry_s, swap_s = made.entry_window_ms / 1000 + CHECK_S, made.slot_pages * made.swap_page_ms / 1000
    return made.stay_ms / 1000 + 2 * swap_s + (made.trials + 2) * (entry_s + HANG_S)


def _image(board: Board) -> bytes:
    """The whole image in the primary slot. Raises UsageError (no-image)."""
    flash, page_bytes = board.flash, board.profile.page_bytes
    for pages in range(1, board.profile.slot_pages + 1):
        span = flash[: pages * page_bytes]
        if image_in(span, page_bytes=page_bytes, slot_pages=pages) is not None:
            return span
    raise UsageError("no-image", "the board has no whole program to lose", remedy="Push one first.")


def _runs(board: Board, image: bytes) -> bool:
    in_program = board.station.place in (Place.LIBRARY, Place.DEAF)
    return in_program and board.flash[: len(image)] == image
