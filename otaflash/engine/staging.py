"""Offer and blocks, until the device holds every block. Knows nothing of what comes before or after."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from otaflash.engine.air import AirWatch
from otaflash.engine.backlog import Backlog
from otaflash.engine.channel import Heard, with_lead
from otaflash.engine.ends import Outcome, Resume
from otaflash.engine.loss import LossEstimate
from otaflash.engine.offerable import Offerable
from otaflash.engine.offering import Offering
from otaflash.engine.progress import ProgressTeller
from otaflash.engine.sizing import FrameSizes
from otaflash.engine.steps import Shared
from otaflash.engine.survey import Agreement, Surveying
from otaflash.engine.transfer import Piece, Reported, Transfer
from otaflash.wire import on_stream
from otaflash.wire.messages import (
    Block,
    BlockReport,
    Info,
    Kind,
    Manifest,
    OfferReply,
    Reason,
    Refused,
    Report,
    ReportReply,
    SurveyReply,
    TransferState,
)

OPTIMISTIC_STALL_MS = 150
"""A device that stalls for longer is one whose credits keep the host silent in erases: it begins with none."""

ASK_BYTES_LEAST = 400
ASK_BYTES_MOST = 800
ASK_PART = 3 / 8
"""Of what may be unanswered on a message link: asked for so often, reports come before the host's queue runs dry."""
CUT_SHORT = 0x80
PROBE_PAGES_LEAST = 4
PROBE_TRIES = 2
BLIND_QUERIES = 3
LATE_S = 0.003


class Staging:
    """One offer in one session, and all that follows. `on_end` is called once; `on_refused` instead, with the reason,
    if the offer is refused."""

    awaited = "the report of the blocks held"

    def __init__(
        self,
        shared: Shared,
        info: Info,
        bundle: Offerable,
        resume: Resume,
        *,
        on_end: Callable[[Outcome, float], None],
        on_refused: Callable[[int], None],
    ) -> None:
        self._shared = shared
        self._channel = shared.channel
        self._shape = shape = shared.channel.shape
        self._bundle = bundle
        self._device_frame_bytes = info.frame_bytes
        self._block_bytes = info.block_bytes
        self._page_blocks = info.page_bytes // info.block_bytes
        self._on_end = on_end
        self._on_refused = on_refused
        self._resume = resume
        frame_bytes = min(info.frame_bytes, shape.frame_bytes)
        sizes = FrameSizes(info.block_bytes, frame_bytes, stream=shape.stream)
        self._transfer = Transfer(bundle.pages * self._page_blocks, sizes, LossEstimate(), info.window_bytes)
        if not shape.stream:
            self._transfer.copies_most = 0
        self._air = AirWatch(self._channel.pacer, self._channel.rtt, self._transfer.loss)
        self._offering = Offering(self._channel, bundle.offer, frame_bytes, info.window_bytes)
        small = min(frame_bytes, shape.reply_bytes())
        self._surveying = Surveying(self._channel, bundle.page_table, info.page_bytes, small, self._on_agreement)
        # What arrives while a signature is being verified may find no room.
        self._optimistic = info.stall_ms <= OPTIMISTIC_STALL_MS and len(bundle.offer) <= Manifest.BYTES
        self._bytes_since_ask = ASK_BYTES_MOST  # the first block asks: a lost offer then shows a little sooner
        self._asks: deque[int] = deque()
        """Requests for a report that no report has answered, nor overtaken."""
        self._last_answered = -1
        self._queries = 0
        self._query_start = 0
        """Where the newest report was cut short: what lies behind is asked for next."""
        self._check_map_after: int | None = None
        self._teller: ProgressTeller | None = None
        """None: nothing has begun."""
        self._backlog: Backlog | None = None

    # --- what a step must be able to do

    def poll(self, now: float) -> None:
        if self._teller is None:
            self._begin(now)
        if self._shape is not self._channel.shape:
            self._resize()
        careful_due = self._careful_due()
        if careful_due is not None and now >= careful_due - 1e-9:
            self._air.overdue(self._channel.next_sequence)
            self._heed_air()
        pacer = self._channel.pacer
        while pacer.may_send(now) and self._send_one(now):
            pass

    def deadline(self) -> float | None:
        """The earliest of what waits for a time; whatever could go at once waits for the line."""
        times = [self._offering.deadline(), self._query_due(), self._careful_due()]
        if self._survey_may_go():
            times.append(self._surveying.deadline())
        if self._blocks_may_go() and self._offering.all_out and self._transfer.peek(self._channel.next_sequence):
            times.append(0.0)
        due = min((each for each in times if each is not None), default=None)
        if due is None or self._channel.pacer.rate is None:
            return due
        return max(due, self._channel.pacer.open_at())

    def again(self, now: float) -> None:
        """A report comes first: what of the blocks in flight got through need not be sent again."""
        self._transfer.forget_flight()
        self._asks.clear()
        self._offering.again()
        self._surveying.again(now)
        if self._offering.accepted_by is not None and not self._surveying.active:
            self._queries = BLIND_QUERIES
            self._query(now)

    def heard(self, heard: Heard, now: float) -> None:
        reply = heard.message
        if isinstance(reply, ReportReply):
            self._on_report(heard, reply, now)
        elif isinstance(reply, OfferReply):
            self._on_offer(heard, reply, now)
        elif isinstance(reply, SurveyReply):
            self._on_survey(heard, reply, now)
        elif isinstance(reply, Refused):
            self._on_refusal(heard, reply, now)

    # --- sending

    def _resize(self) -> None:
        """The link's writes have another size now."""
        self._shape = self._channel.shape
        frame_bytes = min(self._device_frame_bytes, self._shape.frame_bytes)
        self._transfer.sizes = FrameSizes(self._block_bytes, frame_bytes, stream=self._shape.stream)
        self._offering.resized(frame_bytes)
        self._surveying.resized(min(frame_bytes, self._shape.reply_bytes()))

    def _begin(self, now: float) -> None:
        self._teller = ProgressTeller(self._block_bytes, self._bundle.image_bytes, now)
        if self._shape.stream and self._shape.rate_bytes_per_s is None:
            self._backlog = Backlog(now)
            self._transfer.backlog_bytes = self._backlog.bytes
        pages = self._bundle.pages
        if self._resume is Resume.PROBE and pages < PROBE_PAGES_LEAST:
            self._resume = Resume.NO
        if self._optimistic:
            self._transfer.limit = self._transfer.total
        if self._resume is Resume.PROBE:
            self._survey(0, 1)
        elif self._resume is not Resume.NO:
            self._survey(0, pages)

    def _survey(self, first: int, stop: int) -> None:
        self._transfer.withhold(first * self._page_blocks, stop * self._page_blocks)
        self._surveying.begin(first, stop)

    def _send_one(self, now: float) -> bool:
        """Sends the most urgent frame; False if there is none."""
        self._channel.aligned = self._blocks_may_go() and self._transfer.has_more()
        if self._offering.due(now):
            self._send_offer(now)
            return True
        if self._survey_may_go() and now >= (self._surveying.deadline() or 0.0) - 1e-9:
            return self._send_survey(now)
        query_due = self._query_due()
        if self._asks and query_due is not None and now >= query_due - 1e-9:
            self._query(now)
            return True
        if self._blocks_may_go() and self._offering.all_out and self._transfer.room(self._channel.next_sequence):
            piece = self._transfer.next_piece()
            if piece is not None:
                self._send_block(piece, now)
                return True
        if query_due is not None and now >= query_due - 1e-9:
            self._query(now)
            return True
        return False

    def _send_offer(self, now: float) -> None:
        """The probe goes along in what the offer leaves of its last radio packet."""
        probes = self._surveying.active and self._probes_early() and not self._surveying.unanswered
        self._channel.aligned &= not probes
        self._offering.send(now)
        if probes and not self._offering.due(now):
            self._channel.aligned = True
            self._surveying.poll(now)

    def _probes_early(self) -> bool:
        """Only a probe goes with the offer: before, no page is digested. One deaf in erases erases as it accepts."""
        return self._optimistic and self._resume is Resume.PROBE

    def _survey_may_go(self) -> bool:
        return self._surveying.active and (self._offering.accepted_by is not None or self._probes_early())

    def _send_survey(self, now: float) -> bool:
        if self._resume is Resume.PROBE and self._surveying.unanswered >= PROBE_TRIES:
            self._stop_survey()
        else:
            self._surveying.poll(now)
        return True

    def _stop_survey(self) -> None:
        self._surveying.end()
        self._resume = Resume.NO
        self._transfer.release()

    def _blocks_may_go(self) -> bool:
        if self._surveying.active and (self._resume is not Resume.PROBE or not self._optimistic):
            return False
        if not self._channel.may_write() or (self._offering.accepted_by is None and not self._optimistic):
            return False
        return self._check_map_after is None and self._queries < self._blind_queries()

    def _blind_queries(self) -> int:
        """How many unanswered queries it takes to stop sending blocks blindly: fewer before the first report ever."""
        return 2 if self._last_answered < 0 else BLIND_QUERIES

    def _send_block(self, piece: Piece, now: float) -> None:
        ask = self._bytes_since_ask + piece.size.wire_bytes >= self._ask_every() or not self._transfer.more_after(piece)
        wire, piece = self._made(piece, ask=ask)
        sequence = self._channel.put(wire, now)
        self._transfer.sent(piece, sequence, len(wire), now)
        self._air.sent(sequence + 1)
        self._bytes_since_ask += len(wire)
        if ask:
            self._bytes_since_ask = 0
            self._asks.append(sequence)

    def _made(self, piece: Piece, *, ask: bool) -> tuple[bytes, Piece]:
        """The frame, on the wire no longer than its size says: COBS may take a byte more than was counted."""
        message = BlockReport if ask else Block
        start = piece.place * self._block_bytes
        data = self._bundle.span[start : start + piece.count * self._block_bytes]
        frame = self._channel.encoded(message(piece.place, data))
        if not self._channel.shape.stream:
            return frame, piece
        wire = on_stream(frame, piece.size.wire_bytes)
        if piece.size.wire_bytes and len(wire) > piece.size.wire_bytes and piece.count > 1:
            return self._made(Piece(piece.place, piece.count - 1, piece.size, piece.copy), ask=ask)
        return with_lead(wire), piece

    def _ask_every(self) -> float:
        """Wire bytes between two requests for a report: about 8 of them in a round trip."""
        if self._air.paced:
            return 0.0  # a lost frame takes its request along, and every verdict counts
        if not self._shape.stream:
            most = self._shape.unanswered_most() * self._transfer.sizes.sizes[-1].wire_bytes
            return ASK_PART * min(most, self._transfer.window_bytes or most)
        rate = self._channel.pacer.rate
        in_flight = 8.0 * ASK_BYTES_MOST if rate is None else rate * self._channel.rtt.estimate_s()
        window = self._transfer.window_bytes or math.inf  # half of one goes on while the report about the other comes
        return min(max(in_flight / 8, ASK_BYTES_LEAST), ASK_BYTES_MOST, window / 2)

    def _query_due(self) -> float | None:
        """When to ask for a report without a block: at once, or when an answer is overdue."""
        if self._offering.accepted_by is None or (self._surveying.active and self._check_map_after is None):
            return None
        if not self._asks:
            flowing = self._blocks_may_go() and self._transfer.has_more()
            return None if flowing and self._transfer.room(self._channel.next_sequence) else 0.0
        repeats = max(self._queries - BLIND_QUERIES, 0)
        timeout_s = self._channel.rtt.timeout_s(repeats)
        if (self._last_answered >= 0 or self._air.paced) and self._blocks_may_go() and self._transfer.has_more():
            timeout_s *= 2  # blocks flow, and the next of them asks again anyway
        return self._channel.sent_at(self._asks[0]) + timeout_s

    def _careful_due(self) -> float | None:
        """When the first report of all is late enough to think of a radio that drops what comes at the line's rate."""
        rtt = self._channel.rtt
        if not self._asks or self._last_answered >= 0 or self._offering.accepted_by is None or not self._air.may_guess:
            return None
        return self._channel.sent_at(self._asks[0]) + rtt.estimate_s() + LATE_S

    def _query(self, now: float) -> None:
        """No report came for a time-out: from here on only this is asked, until one comes."""
        self._asks.clear()
        self._asks.append(self._channel.send(Report(self._query_start), now))
        self._queries += 1

    # --- answers

    def _on_offer(self, heard: Heard, reply: OfferReply, now: float) -> None:
        if reply.reason != Reason.OK:
            self._on_refused(reply.reason)
        elif self._offering.heard(heard, reply, now) and self._last_answered < 0:
            self._transfer.accepted(heard.sequence, reply.limit)

    def _on_survey(self, heard: Heard, reply: SurveyReply, now: float) -> None:
        self._surveying.heard(heard, reply)
        self.poll(now)

    def _on_agreement(self, answer: Agreement) -> None:
        for page, agrees in enumerate(answer.agrees, answer.first):
            start = page * self._page_blocks
            self._transfer.surveyed(start, start + self._page_blocks, agrees=agrees, sequence=answer.sequence)
        if self._resume is Resume.PROBE:
            if any(answer.agrees):
                self._check_map_after = self._channel.next_sequence
                self._asks.clear()
            else:
                self._stop_survey()
        elif self._resume is Resume.SURVEY and not any(answer.agrees):
            self._stop_survey()

    def _on_refusal(self, heard: Heard, reply: Refused, now: float) -> None:
        if reply.reason == Reason.IN_APPLICATION:
            self._end(Outcome.LOST, now)
        elif reply.request == Kind.OFFER:
            self._on_refused(reply.reason)
        elif reply.request == Kind.SURVEY and reply.reason != Reason.NO_SESSION:
            self._stop_survey()
        elif self._offering.accepted_by is None:
            self._offering.shown_missing(heard.sequence)
        elif heard.sequence > self._offering.accepted_by:
            self._end(Outcome.LOST, now)

    def _on_report(self, heard: Heard, reply: ReportReply, now: float) -> None:
        self._channel.rtt.sample(heard.round_trip_s)
        if reply.state & ~CUT_SHORT in (TransferState.NONE, TransferState.OFFERING):
            return
        self._offering.shown_accepted(heard.sequence)
        transfer = self._transfer
        gaps = tuple((gap.place, gap.place + gap.count) for gap in reply.gaps)
        stop = gaps[-1][1] if reply.state & CUT_SHORT and gaps else transfer.total
        last = self._channel.sequence_of(reply.last_serial, heard.sequence)
        newest = max(heard.sequence, min(last, self._channel.next_sequence - 1))
        sent_at = self._channel.sent_at(newest)
        verdict = transfer.report(Reported(heard.sequence, newest, sent_at, reply.start, stop, gaps))
        if verdict is None:
            return
        self._last_answered = heard.sequence
        self._queries = 0
        while self._asks and self._asks[0] <= heard.sequence:
            self._asks.popleft()
        transfer.limit = reply.limit
        self._query_start = stop if reply.state & CUT_SHORT else 0
        self._air.report(verdict, self._channel.next_sequence, now)
        if self._backlog is not None:
            self._backlog.delivered(verdict.delivered_bytes, now)
            transfer.backlog_bytes = self._backlog.bytes
        self._heed_air()
        if self._check_map_after is not None and heard.sequence >= self._check_map_after:
            self._look_at_map()
        self._progress(now)
        self._judge(reply.state & ~CUT_SHORT, now)

    def _heed_air(self) -> None:
        self._transfer.frame_packets = self._air.frame_packets()
        self._transfer.paced = self._air.paced

    def _judge(self, state: int, now: float) -> None:
        if state == TransferState.FAILED:
            self._end(Outcome.FLASH_FAILED, now)
        elif self._transfer.all_held() and not self._surveying.active:
            self._end(Outcome.HELD, now)

    def _look_at_map(self) -> None:
        """The first page is there. If the device holds blocks never sent here, its map is whole; else survey."""
        self._check_map_after = None
        if self._transfer.holds_unsent(self._page_blocks):
            self._stop_survey()
        else:
            self._resume = Resume.SURVEY
            self._survey(1, self._bundle.pages)

    def _end(self, outcome: Outcome, now: float) -> None:
        self._channel.aligned = False
        self._shared.clockwork.retransmitted += self._transfer.retransmitted
        self._shared.clockwork.spares += self._transfer.spares
        self._transfer.retransmitted = self._transfer.spares = 0
        self._on_end(outcome, now)

    def _progress(self, now: float) -> None:
        transfer, clockwork = self._transfer, self._shared.clockwork
        held = transfer.held_count()
        clockwork.held_most = max(clockwork.held_most, held)
        assert self._teller is not None
        told = self._teller.progress(held, transfer.loss.measured(), last=transfer.all_held(), now=now)
        if told is not None:
            self._shared.events.append(told)
