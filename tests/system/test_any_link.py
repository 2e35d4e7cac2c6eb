"""A push over a link that loses, doubles, delays, swaps and damages what it carries, to a board that loses its power.

The real engine against the real core, one move of the link at a time.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from otaflash.engine import Done, Failed, LinkShape, NeedBundle, Offerable, Push
from otaflash.errors import OtaflashError
from otaflash.sim.native import BoardEvent
from tests.firmware.bench import SMALL, Bench, make_image

OLD, NEW = make_image(1, 2), make_image(2, 3)
BUNDLE = Offerable(
    NEW.manifest.pack(), NEW.span, NEW.table, NEW.manifest.image_bytes, NEW.crc, SMALL.page_bytes, NEW.manifest.version
)
RATE = 1e9 / SMALL.send_byte_ns
CALLS_MAX = 20_000
"""On a perfect link; a push of three pages takes some hundred."""

which = st.integers(0, 50)


class AnyLink(RuleBasedStateMachine):
    """`down` and `up` hold the writes that are under way, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(SMALL, OLD)
        self.engine = Push(LinkShape(RATE), 7)
        self.down: list[bytes] = []
        self.up: list[bytes] = []
        self.end: Done | Failed | None = None
        self.now = self.bench.board.now_s
        self.wait()

    # --- the two ends ------------------------------------------------------------------------------

    def _look(self) -> None:
        """What the engine says and sends. Done is believed only if the board runs the image, for good."""
        for event in self.engine.events():
            if isinstance(event, NeedBundle):
                self.engine.use_bundle(BUNDLE, self.now)
            elif isinstance(event, Done | Failed):
                assert self.end is None
                self.end = event
        if self.end is None:
            assert self.engine.next_deadline() is not None
        self.down += self.engine.bytes_to_send(self.now)
        if isinstance(self.end, Done):
            assert self.bench.runs(NEW)
            assert self.bench.record()[0] == "CONFIRM"
        elif self.end is not None:
            assert isinstance(self.end.error, OtaflashError)
            assert self.end.error.remedy

    def _let_board_run(self, until: float) -> None:
        while True:
            event = self.bench.run(max(0.0, until - self.bench.board.now_s))
            if event is BoardEvent.JUMPED:
                assert self.bench.runs(OLD) or self.bench.runs(NEW)
                self.bench.start_app()
            elif event is not BoardEvent.RESTARTED:
                break
        self.up += [data for _, data in self.bench.board.sent()]
        self.now = max(self.now, self.bench.board.now_s)

    def _arrive(self, data: bytes) -> None:
        self.bench.board.receive(self.bench.board.now_s, data)
        self._let_board_run(self.bench.board.now_s + len(data) / RATE + 0.005)

    # --- moves of the link -------------------------------------------------------------------------

    @precondition(lambda self: self.down)
    @rule(at=which)
    def deliver(self, at: int) -> None:
        self._arrive(self.down.pop(at % min(3, len(self.down))))
        self._look()

    @precondition(lambda self: self.up)
    @rule(at=which)
    def hear(self, at: int) -> None:
        self.engine.receive(self.up.pop(at % min(3, len(self.up))), self.now)
        self._look()

    @precondition(lambda self: self.down or self.up)
    @rule(at=which)
    def lose(self, at: int) -> None:
        queue = self.down if self.down else self.up
        queue.pop(at % len(queue))

    @precondition(lambda self: self.down or self.up)
    @rule(at=which)
    def double(self, at: int) -> None:
        queue = self.up if self.up else self.down
        queue.append(queue[at % len(queue)])

    @precondition(lambda self: self.down or self.up)
    @rule(at=which, place=st.integers(0, 300), bits=st.integers(1, 255))
    def damage(self, at: int, place: int, bits: int) -> None:
        queue = self.down if self.down else self.up
        data = bytearray(queue[at % len(queue)])
        data[place % len(data)] ^= bits
        queue[at % len(queue)] = bytes(data)

    @rule()
    def wait(self) -> None:
        due = self.engine.next_deadline()
        if due is None:
            return
        self.now = max(self.now, due)
        self._let_board_run(self.now)
        self.engine.wake(self.now)
        self._look()

    @rule(rounds=st.integers(1, 40))
    def carry_on(self, rounds: int) -> None:
        """The link is good for a while: move by move a push would hardly begin."""
        for _ in range(rounds):
            self._one_good_move()

    @rule()
    def lose_power(self) -> None:
        self.bench.power_on()
        self.up.clear()

    def _one_good_move(self) -> None:
        if self.up:
            self.hear(0)
        elif self.down:
            self.deliver(0)
        else:
            self.wait()

    def teardown(self) -> None:
        """From wherever the link has brought it, a push on a good link ends: the image runs, or it says why not."""
        for _ in range(CALLS_MAX):
            if self.end is not None:
                break
            self._one_good_move()
        assert self.end is not None, "the push does not come to an end"
        if isinstance(self.end, Failed):
            assert self.bench.runs(OLD) or self.bench.runs(NEW)


AnyLink.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
TestAPushOverAnyLinkIsDoneOnlyWhereTheImageRuns = AnyLink.TestCase
