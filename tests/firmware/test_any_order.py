"""The real core against a model of what PROTOCOL.md section 6 promises: requests, restarts and cuts in any order."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from otaflash.sim.native import BoardEvent, Cut, Weak
from otaflash.wire import FrameReader
from otaflash.wire import messages as m
from tests.firmware.bench import SMALL, Bench, Image, make_image

IMAGES = (make_image(1, 2), make_image(2, 3, counter=1), make_image(3, 1))
BLOCKS_A_PAGE = SMALL.page_bytes // SMALL.block_bytes
LONG_S = 20.0
"""Longer than any window of the loader."""

images = st.sampled_from(IMAGES)


class AnyOrder(RuleBasedStateMachine):
    """What is so on the board. `held` is its map: by place, whether the bytes there are right."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(SMALL, IMAGES[0])
        self.application = False
        self.running = IMAGES[0]
        self.way_back: Image | None = None
        """On trial: what a revert restores."""
        self.trials = 0
        self.counter = 0
        self.reverted: Image | None = None
        self.knows_reverted = True
        self._forget_session()

    # --- what is so --------------------------------------------------------------------------------

    @property
    def trial(self) -> bool:
        return self.way_back is not None

    @property
    def in_session(self) -> bool:
        return self.offered is not None and not self.application

    def _forget_session(self) -> None:
        """A restart: the session and every map are gone."""
        self.offered: Image | None = None
        self.mapped: Image | None = None
        self.held: dict[int, bool] = {}
        self.spoiled = False

    def _state(self) -> m.TransferState:
        assert self.offered is not None
        if len(self.held) < self.offered.places:
            return m.TransferState.RECEIVING
        return m.TransferState.VERIFIED if all(self.held.values()) else m.TransferState.DAMAGED

    def _jumped(self) -> None:
        """The board left for an image: it must be the one that runs, whole."""
        assert self.bench.event is BoardEvent.JUMPED
        assert self.bench.runs(self.running)
        self.bench.start_app()
        self.application = True
        self._forget_session()

    def _swapped_back(self) -> None:
        assert self.way_back is not None
        self.reverted, self.knows_reverted = self.running, True
        self.running, self.way_back = self.way_back, None

    @invariant()
    def the_board_says_what_the_model_says(self) -> None:
        if not self.application:
            self.bench.enter()  # so that its window does not end in the middle
        info = self.bench.info()
        assert info.mode == self.application
        assert info.boot_state == (m.BootState.TRIAL if self.trial else m.BootState.IDLE)
        assert info.image_crc == self.running.crc
        assert info.way_back_crc == (self.way_back.crc if self.way_back else 0)
        assert (info.counter, info.trials_used) == (self.counter, self.trials if self.trial else 0)

    # --- offers ------------------------------------------------------------------------------------

    @rule(image=images, part_bytes=st.sampled_from([17, 128]))
    def offer(self, image: Image, part_bytes: int) -> None:
        self.bench.session += 1
        if self.application:
            assert self.bench.refusal(m.Offer(0, image.manifest.pack())) == "in_application"
            return
        before = self.bench.area("record 0") + self.bench.area("record 1")
        reply = self.bench.offer(image, part_bytes)
        if self.trial:
            assert reply.reason == m.Reason.TRIAL_PENDING
        elif image.manifest.counter < self.counter:
            assert reply.reason == m.Reason.COUNTER_TOO_LOW
            self.offered = self.mapped = None
        else:
            assert (reply.reason, reply.next, reply.limit) == (m.Reason.OK, m.Manifest.BYTES, image.places)
            if self.mapped is not image:
                self.held, self.spoiled = {}, False
            self.offered = self.mapped = image
            return
        assert self.bench.area("record 0") + self.bench.area("record 1") == before

    @rule()
    def abort(self) -> None:
        assert self.bench.ask(m.Abort(), m.AbortReply).reason == m.Reason.OK
        self.offered = None

    # --- blocks ------------------------------------------------------------------------------------

    @precondition(lambda self: self.in_session)
    @rule(place=st.integers(0, 3 * BLOCKS_A_PAGE), count=st.integers(1, 16), stale=st.booleans())
    def blocks(self, place: int, count: int, stale: bool) -> None:
        assert self.offered is not None
        fits = place + count <= self.offered.places
        data = self.offered.span[place * SMALL.block_bytes :][: count * SMALL.block_bytes] if fits else bytes(8 * count)
        session = self.bench.session - 1 if stale else self.bench.session
        assert self.bench.say(m.Block(place, data), session) is None
        if fits and not stale and self._state() is m.TransferState.RECEIVING:
            self.held = {at: True for at in range(place, place + count)} | self.held

    @precondition(lambda self: self.in_session and not self.spoiled)
    @rule(place=st.integers(0, 2 * BLOCKS_A_PAGE))
    def a_wrong_block(self, place: int) -> None:
        assert self.offered is not None
        if place < self.offered.places and place not in self.held:
            assert self.bench.say(m.Block(place, bytes(SMALL.block_bytes))) is None
            self.held[place] = False
            self.spoiled = True

    @precondition(lambda self: self.in_session)
    @rule()
    def the_rest(self) -> None:
        assert self.offered is not None
        for place in range(0, self.offered.places, 16):
            self.blocks(place, min(16, self.offered.places - place), stale=False)

    @rule(start=st.integers(0, 40))
    def report(self, start: int) -> None:
        if not self.in_session:
            assert self.bench.refusal(m.Report(start)) == ("in_application" if self.application else "no_session")
            return
        assert self.offered is not None
        assert self.bench.report(start).state & ~m.REPORT_MORE == self._state()
        assert self.bench.missing() == [at for at in range(self.offered.places) if at not in self.held]

    @precondition(lambda self: self.in_session)
    @rule(page=st.integers(0, 2))
    def survey(self, page: int) -> None:
        assert self.offered is not None
        if page >= self.offered.pages:
            return
        places = range(page * BLOCKS_A_PAGE, (page + 1) * BLOCKS_A_PAGE)
        held = [place for place in places if place in self.held]
        at = (self.bench.staged_page + page) * SMALL.page_bytes
        agrees = len(held) in (0, len(places)) and all(self.held.get(place, True) for place in held)
        if not held:
            span = self.offered.span[page * SMALL.page_bytes :][: SMALL.page_bytes]
            agrees = bytes(self.bench.board.flash[at : at + SMALL.page_bytes]) == span
        assert self.bench.survey(self.offered, page, 1) == [agrees]
        if agrees:
            self.held |= dict.fromkeys(places, True)
        elif len(held) == len(places):
            self.held = {place: right for place, right in self.held.items() if place not in places}

    @precondition(lambda self: not self.application and not self.trial)
    @rule(image=images)
    def stage(self, image: Image) -> None:
        """An offer and all its blocks: drawn one by one they rarely meet."""
        self.offer(image, 128)
        if self.in_session:
            self.the_rest()

    @precondition(lambda self: not self.trial)
    @rule(image=images)
    def update(self, image: Image) -> None:
        if self.application:
            self.restart("reboot")
        self.bench.enter()
        self.stage(image)
        self.apply()

    # --- decisions ---------------------------------------------------------------------------------

    @rule()
    def apply(self) -> None:
        if not self.in_session:
            assert self.bench.refusal(m.Apply()) == ("in_application" if self.application else "no_session")
            return
        assert self.offered is not None
        reasons = {
            m.TransferState.RECEIVING: m.Reason.NOT_VERIFIED,
            m.TransferState.DAMAGED: m.Reason.DIGEST_MISMATCH,
            m.TransferState.VERIFIED: m.Reason.OK,
        }
        reason = reasons[self._state()]
        assert self.bench.ask(m.Apply(), m.ApplyReply).reason == reason
        if reason is m.Reason.OK:
            self.way_back, self.running, self.trials = self.running, self.offered, 1
            self.reverted = None
            self._jumped()

    @rule(image=images)
    def confirm(self, image: Image) -> None:
        spent = self.trial and not self.application and self.trials == SMALL.trials
        ok = image is self.running and not spent
        assert self.bench.confirm(image) == (m.Reason.OK if ok else m.Reason.WRONG_IMAGE)
        if ok and self.trial:
            self.way_back = None
            self.counter = max(self.counter, image.manifest.counter)

    @rule(image=images)
    def revert(self, image: Image) -> None:
        named = image is self.running
        if self.trial:
            assert self.bench.revert(image) == (m.Reason.OK if named else m.Reason.WRONG_IMAGE)
            if named:
                self._swapped_back()
                if self.application:
                    assert self.bench.event is BoardEvent.RESTARTED
                    self._restarted()
            return
        reason = self.bench.revert(image)
        if named:
            assert reason == m.Reason.ALREADY_CONFIRMED
        elif self.knows_reverted:
            assert reason == (m.Reason.OK if image is self.reverted else m.Reason.NO_TRIAL)

    # --- restarts ------------------------------------------------------------------------------------

    def _restarted(self) -> None:
        self.application = False
        self._forget_session()
        self.bench.run(0.02)

    @rule(by=st.sampled_from(["reboot", "watchdog", "power"]))
    def restart(self, by: str) -> None:
        if by == "reboot":
            assert self.bench.ask(m.Reboot(self.bench.board.uid), m.RebootReply).reason == m.Reason.OK
            assert self.bench.event is BoardEvent.RESTARTED
        elif by == "watchdog":
            self.bench.reset()
        else:
            self.bench.power_on()
        self._restarted()

    @precondition(lambda self: not self.application)
    @rule()
    def leave(self) -> None:
        self.bench.run(LONG_S)
        if self.trial and self.trials == SMALL.trials:
            self._swapped_back()
        elif self.trial:
            self.trials += 1
        self._jumped()

    @precondition(lambda self: self.in_session or self.trial)
    @rule(
        what=st.sampled_from(["apply", "confirm", "revert", "leave"]),
        operation=st.integers(0, 40),
        how=st.sampled_from([Cut.BEFORE, Cut.TORN, Cut.AFTER]),
        weak=st.sampled_from([Weak.OLD, Weak.NEW, Weak.RANDOM]),
    )
    def decide_and_lose_power(self, what: str, operation: int, how: Cut, weak: Weak) -> None:
        """What was decided holds or does not; what runs is one of the two, whole, and a trial keeps its way back."""
        self.bench.board.plan_cut(self.bench.board.operations + operation, how)
        request = {"apply": m.Apply(), "confirm": m.Confirm(self.running.crc), "revert": m.Revert(self.running.crc)}
        allowed = [(self.running, self.way_back)]
        if what == "apply" and self.in_session and self._state() is m.TransferState.VERIFIED:
            assert self.offered is not None
            allowed.append((self.offered, self.running))
        if self.way_back is not None:
            allowed += [(self.running, None)] * (what == "confirm") + [(self.way_back, None)] * (what != "confirm")
        if what in request:
            self.bench.board.receive(self.bench.board.now_s, self.bench.wire(request[what]))
        self.bench.run(1.0 if what in request else LONG_S)
        self._wake_up(weak)
        self._agree_on(allowed)

    def _wake_up(self, weak: Weak) -> None:
        list(self.bench.board.sent())
        self.bench._reader = FrameReader(stream=True)  # half a reply may be in it
        self.bench.power_on(weak)
        self._restarted()
        self.knows_reverted = False

    def _agree_on(self, allowed: list[tuple[Image, Image | None]]) -> None:
        info = self.bench.info()
        crc = info.way_back_crc
        (found,) = {
            pair for pair in allowed if pair[0].crc == info.image_crc and (pair[1].crc if pair[1] else 0) == crc
        }
        self.running, self.way_back = found
        self.trials = info.trials_used
        assert info.counter in (self.counter, max(self.counter, self.running.manifest.counter))
        self.counter = info.counter
        assert self.bench.runs(self.running)


AnyOrder.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
TestTheCoreKeepsItsPromisesInAnyOrder = AnyOrder.TestCase
