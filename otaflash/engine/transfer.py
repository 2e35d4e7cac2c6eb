"""The order-free window: which places are missing, in flight, and to be sent next. Knows no message."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from otaflash.engine.loss import LossEstimate
from otaflash.engine.runs import Runs
from otaflash.engine.sizing import FrameSize, FrameSizes

IN_FLIGHT_FRAMES = 120
"""Serials are 8 bits: fewer than half of them may be open, so that none is taken for an older one."""

COPIES_MAX = 4
FRAME_PACKETS_MOST = 10
COPY_RISK = 0.02
CLEAN_PACKETS = 200
"""So many delivered without a loss, the next one is lost with a chance below 1 %: a copy is not worth its bytes."""
TAIL_BLOCKS = 128
TAIL_LOSS = 0.05
TAIL_LOSS_LEAST = 0.01
MOST_PATIENCE_S = 0.2


@dataclass(frozen=True, slots=True)
class Piece:
    """What the next block frame carries."""

    place: int
    count: int
    size: FrameSize
    copy: bool
    """A second copy of something in flight, sent because the line would idle."""


@dataclass(slots=True)
class Flown:
    """A block frame that no report has spoken of yet."""

    sequence: int
    place: int
    count: int
    packets: int
    wire_bytes: int
    sent_at: float
    copy: bool
    repeat: bool


@dataclass(frozen=True, slots=True)
class Reported:
    """What a report says: the answer to transmission `sequence`, complete for places start..stop-1."""

    sequence: int
    heard: int
    """The latest transmission that the device is known to have heard, sent at `heard_at`."""
    heard_at: float
    start: int
    stop: int
    gaps: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a report changed."""

    delivered_bytes: int
    """Wire bytes of frames that it shows to have arrived."""
    fates: tuple[tuple[int, bool], ...]
    """Of each frame that it decides on: its transmission, and whether it arrived."""


class Transfer:
    """Places are counted in blocks; `total` of them make up the span.

    To send = missing (by the newest report) - in flight - withheld. Every report rebuilds that difference, so a wrong
    guess about a loss costs a spurious frame at most, never a place that is forgotten.
    """

    def __init__(self, total: int, sizes: FrameSizes, loss: LossEstimate, window_bytes: int) -> None:
        self.total = total
        self.loss = loss
        self.sizes = sizes
        self.window_bytes = window_bytes
        self.backlog_bytes = 0
        """The bound of `Backlog`; 0 for none."""
        self.limit = 0
        self.missing = Runs([(0, total)])
        self.withheld = Runs()
        self.flight: deque[Flown] = deque()
        self.flight_bytes = 0
        self.retransmitted = 0
        """Blocks sent again, since they did not arrive or seemed not to."""
        self.spares = 0
        """Blocks sent once more while they were still in flight: at the tail, where the line would idle."""
        self.patience_s = 0.0
        self.frame_packets = FRAME_PACKETS_MOST
        """Longest frame, in packets: a radio that is slower than its UART overruns within long ones."""
        self.copies_most = COPIES_MAX
        """0 where nothing is lost by chance, but by a host's queue or a broken connection: on message links."""
        self.paced = False
        """While the pace is below the line's, frames are as long as that allows: what was measured with long ones holds
        for short ones, but not the other way round."""
        self._todo = Runs([(0, total)])
        self._sent = Runs()
        self._newest_report = -1
        self._session_from: int | None = None
        self._aloft: list[Runs] | None = None
        """Places by how often they are in flight: once or more, twice or more, and so on. None: to be made anew."""

    # --- what the caller may ask

    def held_count(self) -> int:
        """Places that the newest report shows to be held."""
        return self.total - self.missing.count()

    def all_held(self) -> bool:
        """Whether the board has reported every block as held."""
        return not self.missing

    def room(self, next_sequence: int) -> bool:
        """True if one more frame may be in flight."""
        if not self.flight:
            return True
        if next_sequence - self.flight[0].sequence >= IN_FLIGHT_FRAMES:
            return False
        after = self.flight_bytes + self._largest()
        return all(not most or after <= most for most in (self.window_bytes, self.backlog_bytes))

    def _largest(self) -> int:
        return self.sizes.best(self.loss.per_packet(), self.frame_packets).wire_bytes

    def has_more(self) -> bool:
        """True if something waits that may be sent."""
        run = self._todo.first()
        return run is not None and run[0] < self._end_of(run)

    def _end_of(self, run: tuple[int, int]) -> int:
        """How far what waits may be sent: to the limit. With no credit left and nothing in flight one frame goes beyond
        it, since only a block makes a device erase more."""
        return run[1] if run[0] >= self.limit and not self.flight else min(run[1], self.limit)

    def peek(self, next_sequence: int) -> bool:
        """True if `next_piece` would give one and there is room for it."""
        if not self.room(next_sequence):
            return False
        return self.has_more() or self._copy_candidate() is not None

    def holds_unsent(self, start: int) -> bool:
        """True if the device holds places from `start` on that were never sent here: it kept its map."""
        unknown = Runs([(start, self.total)])
        for known in (self.missing, self._sent):
            for first, stop in known:
                unknown.remove(first, stop)
        return bool(unknown)

    def next_piece(self) -> Piece | None:
        """The next thing to send, lowest place first; None if there is nothing that may be sent but what flies."""
        run = self._todo.first()
        if run is not None and run[0] < self._end_of(run):
            return self._cut(run[0], self._end_of(run), copy=False)
        return self._spare_copy()

    def _cut(self, start: int, stop: int, *, copy: bool) -> Piece:
        """As much of start..stop-1 as one frame should carry. Near the end: small ones."""
        if self.paced:
            size = self.sizes.fitting(stop - start, self.sizes.best(0.0, self.frame_packets))
            return Piece(start, min(stop - start, size.blocks), size, copy)
        loss = self.loss.per_packet()
        if copy or (loss > TAIL_LOSS_LEAST and stop == self.total and stop - start <= TAIL_BLOCKS):
            loss = max(loss, TAIL_LOSS)
        size = self.sizes.for_run(stop - start, loss, self.frame_packets)
        return Piece(start, min(stop - start, size.blocks), size, copy)

    def _copy_candidate(self) -> tuple[int, int] | None:
        """At the tail, what to send again although it is in flight: the missing places that fly the fewest times."""
        worth = self._copies_worth()
        if worth < 1:
            return None
        levels = self._levels()
        for number in range(1, worth + 1):
            waiting = self.missing.copy()
            for start, stop in self.withheld if number >= len(levels) else (*self.withheld, *levels[number]):
                waiting.remove(start, stop)
            run = waiting.first()
            if run is not None and run[0] < self.limit:
                return run[0], min(run[1], self.limit)
        return None

    def _levels(self) -> list[Runs]:
        if self._aloft is None:
            self._aloft = []
            for frame in self.flight:
                self._rise(frame.place, frame.place + frame.count)
        return self._aloft

    def _rise(self, start: int, stop: int) -> None:
        """start..stop-1 is in flight once more."""
        if self._aloft is None:
            return
        rising = [(start, stop)]
        for level in self._aloft:
            above = [part for run in rising for part in level.within(*run)]
            for run in rising:
                level.add(*run)
            rising = above
        if rising:
            self._aloft.append(Runs(rising))

    def _spare_copy(self) -> Piece | None:
        run = self._copy_candidate()
        return None if run is None else self._cut(*run, copy=True)

    def _copies_worth(self) -> int:
        """How many copies make it unlikely that a whole round trip is spent on one lost frame, or on its report; none
        where the link has shown that it loses nothing."""
        if self.loss.clean_packets >= CLEAN_PACKETS:
            return 0
        loss = min(2 * self.loss.per_packet(), 1.0)
        chance, copies = loss, 0
        while chance * len(self.flight) > COPY_RISK and copies < self.copies_most:
            chance *= loss
            copies += 1
        return copies

    def more_after(self, piece: Piece) -> bool:
        """True if something else could be sent after `piece` without a report."""
        if piece.copy:
            return False
        self_stop = piece.place + piece.count
        return any(start < self.limit and (start > piece.place or stop > self_stop) for start, stop in self._todo)

    # --- what happened

    def sent(self, piece: Piece, sequence: int, wire_bytes: int, now: float) -> None:
        """`piece` left at `now` (seconds) as transmission `sequence`, and took so many bytes."""
        stop = piece.place + piece.count
        repeat = self._sent.overlaps(piece.place, stop)
        if piece.copy:
            self.spares += piece.count
        elif repeat:
            self.retransmitted += piece.count
        self._sent.add(piece.place, stop)
        self._todo.remove(piece.place, stop)
        self._rise(piece.place, stop)
        self.flight_bytes += wire_bytes
        self.flight.append(
            Flown(sequence, piece.place, piece.count, piece.size.packets, wire_bytes, now, piece.copy, repeat)
        )

    def report(self, report: Reported) -> Verdict | None:
        """Takes a report. None: older than one taken before, or a copy of it."""
        if report.sequence <= self._newest_report:
            return None
        self._newest_report = report.sequence
        start, stop = report.start, report.stop
        self.missing.remove(start, stop)
        for place, after in report.gaps:
            self.missing.add(max(place, start), min(after, stop))
        verdict = self._resolve(report.heard, report.heard_at - self.patience_s, start, stop)
        self._plan()
        return verdict

    def _resolve(self, heard: int, sent_before: float, start: int, stop: int) -> Verdict:
        delivered = 0
        fates: list[tuple[int, bool]] = []
        flying: deque[Flown] = deque()
        for frame in self.flight:
            arrived = not self.missing.overlaps(frame.place, frame.place + frame.count)
            known = start <= frame.place and frame.place + frame.count <= stop
            if frame.sequence > heard or not known or (not arrived and frame.sent_at > sent_before + 1e-9):
                if arrived and known:
                    self._learn_patience(frame, heard)
                flying.append(frame)
                continue
            self._forget(frame)
            if arrived:
                delivered += frame.wire_bytes
                self.loss.delivered(frame.packets)
                if self._session_from is None:  # the answer to the offer was lost
                    self._session_from = frame.sequence
            elif self._session_from is not None and frame.sequence > self._session_from:
                self.loss.lost(frame.packets)
            else:
                continue
            fates.append((frame.sequence, arrived))
        self.flight = flying
        return Verdict(delivered, tuple(fates))

    def _forget(self, frame: Flown) -> None:
        self.flight_bytes -= frame.wire_bytes

    def _learn_patience(self, frame: Flown, heard: int) -> None:
        """A repeat is held before it can have been heard: the first one was late, not lost. Wait longer from now on."""
        if frame.repeat and not frame.copy and frame.sequence > heard:
            self.patience_s = min(max(self.patience_s * 1.5, 0.005), MOST_PATIENCE_S)
            frame.repeat = False

    def _plan(self) -> None:
        todo = self.missing.copy()
        for frame in self.flight:
            todo.remove(frame.place, frame.place + frame.count)
        for start, stop in self.withheld:
            todo.remove(start, stop)
        self._todo = todo
        self._aloft = None

    def accepted(self, sequence: int, limit: int) -> None:
        """The offer was accepted by transmission `sequence`: what was sent before it tells nothing about the link."""
        self.limit = limit
        self._session_from = sequence

    def withhold(self, start: int, stop: int) -> None:
        """Keeps places back until a survey has spoken of them."""
        self.withheld.add(start, stop)
        self._plan()

    def surveyed(self, start: int, stop: int, *, agrees: bool, sequence: int) -> None:
        """A survey says that the places are held, or that they are void."""
        self._newest_report = max(self._newest_report, sequence - 1)
        self.withheld.remove(start, stop)
        if agrees:
            self.missing.remove(start, stop)
        else:
            self.missing.add(start, stop)
        self._plan()

    def release(self) -> None:
        """Gives up waiting for surveys: everything missing is to be sent."""
        self.withheld = Runs()
        self._plan()

    def forget_flight(self) -> None:
        """Nothing that was sent will be answered any more (the device restarted, or the line was dead)."""
        self.flight.clear()
        self.flight_bytes = 0
        self._plan()
