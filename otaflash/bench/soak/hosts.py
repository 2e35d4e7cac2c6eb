"""One who gives orders to a board: an engine, driven by the world's clock, that may die and be started again. Knows no
judge and no fault of the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from otaflash.bench.soak.images import Made
from otaflash.bench.soak.scenario import HostSpec
from otaflash.engine import Done, Engine, Event, Failed, LinkShape, NeedBundle, Operation, PhaseChanged, Push, Request
from otaflash.sim.clock import Timer
from otaflash.sim.drive import WAKES_MAX
from otaflash.sim.world import World

MakePush = Callable[[LinkShape, int, HostSpec], Push]
"""Makes the engine of a push: shape of the link, session, order."""


def real_push(shape: LinkShape, session: int, spec: HostSpec) -> Push:
    """As the command line does."""
    return Push(shape, session, resume=spec.resume, confirm=spec.confirm)


class Watcher(Protocol):
    """Who is told what a host does."""

    def began(self, host: Host, session: int) -> None:
        """A host starts its operation under a session."""
        ...

    def sent(self, host: Host, wire: bytes) -> None:
        """A host has written to the link."""
        ...

    def entered(self, host: Host, phase: str) -> None:
        """A host is in a new phase."""
        ...

    def killed(self, host: Host) -> None:
        """A host is gone in the middle."""
        ...

    def ended(self, host: Host, end: Done | Failed) -> None:
        """A host's operation has come to its end."""
        ...


class EngineStands(Exception):
    """The engine asks to be woken again and again, and no time passes."""


@dataclass(slots=True)
class _Life:
    """From one start of the host to its end."""

    engine: Engine
    timer: Timer | None = None
    woken_s: float = -1.0
    wakes: int = 0


class Host:
    """Gives the order of `spec`, over and over until it was not killed in it."""

    def __init__(
        self,
        world: World,
        write: Callable[[bytes], None],
        spec: HostSpec,
        image: Made | None,
        *,
        shape: LinkShape,
        draw_session: Callable[[], int],
        watcher: Watcher,
        make_push: MakePush = real_push,
    ) -> None:
        self.spec = spec
        self.image = image
        self.operation = None if spec.order == "push" else Operation(spec.order)
        self.begun = False
        self.over = False
        self.kills = 0
        self._clock = world.clock
        self._write = write
        self._shape = shape
        self._draw_session = draw_session
        self._watcher = watcher
        self._make_push = make_push
        self._life: _Life | None = None
        self._phases: set[str] = set()

    def begin(self) -> None:
        """Starts now."""
        self.begun = True
        session = self._draw_session()
        engine: Engine
        if self.operation is None:
            engine = self._make_push(self._shape, session, self.spec)
        else:
            engine = Request(self._shape, session, self.operation)
        self._life = _Life(engine)
        self._phases.clear()
        self._watcher.began(self, session)
        self._in_phase("")
        self._wake(self._life)

    def receive(self, data: bytes) -> None:
        """What came over the link; nobody listens while the host is dead."""
        if self._life is not None:
            self._life.engine.receive(data, self._clock.now)
            self._pump(self._life)

    def _wake(self, life: _Life) -> None:
        if life is not self._life:
            return
        now = self._clock.now
        life.wakes = life.wakes + 1 if life.woken_s == now else 1
        life.woken_s = now
        if life.wakes > WAKES_MAX:
            raise EngineStands(f"the engine stands still at {now:.6f} s")
        life.engine.wake(now)
        self._pump(life)

    def _pump(self, life: _Life) -> None:
        now = self._clock.now
        while life is self._life and (events := life.engine.events()):
            for event in events:
                self._on_event(life, event)
        if life is not self._life:
            return
        for frame in life.engine.bytes_to_send(now):
            self._watcher.sent(self, frame)
            self._write(frame)
        if life.timer is not None:
            life.timer.cancel()
        due = life.engine.next_deadline()
        if due is not None:
            life.timer = self._clock.at(due, lambda: self._wake(life))

    def _on_event(self, life: _Life, event: Event) -> None:
        if isinstance(event, PhaseChanged):
            self._in_phase(event.name)
        elif isinstance(event, NeedBundle):
            assert isinstance(life.engine, Push)
            assert self.image is not None
            life.engine.use_bundle(self.image.offerable(), self._clock.now)
        elif isinstance(event, Done | Failed):
            for frame in life.engine.bytes_to_send(self._clock.now):
                self._write(frame)
            self.stop()
            self._watcher.ended(self, event)

    def _in_phase(self, phase: str) -> None:
        if phase in self._phases:
            return
        self._phases.add(phase)
        kills = self.spec.kills
        if self.kills < len(kills) and kills[self.kills].phase == phase:
            life = self._life
            self._clock.at(self._clock.now + kills[self.kills].after_s, lambda: self._die(life))
        self._watcher.entered(self, phase)

    def _die(self, life: _Life | None) -> None:
        """What is queued for the line still goes out; nothing is said to the board."""
        if life is None or life is not self._life:
            return
        self._end_life()
        self._clock.at(self._clock.now + self.spec.kills[self.kills].pause_s, self._again)
        self.kills += 1
        self._watcher.killed(self)

    def _again(self) -> None:
        if not self.over:
            self.begin()

    def _end_life(self) -> None:
        if self._life is not None and self._life.timer is not None:
            self._life.timer.cancel()
        self._life = None

    def stop(self) -> None:
        """It is over for good."""
        self._end_life()
        self.over = True
