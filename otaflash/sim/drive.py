"""Many engines, each against its own board, in one world. Knows the shape of an engine, not what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from otaflash.errors import ExitCode, Fault, OtaflashError
from otaflash.sim.clock import Timer
from otaflash.sim.world import Port, World

LIMIT_S = 3600.0

WAKES_MAX = 10_000
"""Wakes of one engine without time passing: more is an engine that waits for a deadline behind it."""


class Engine(Protocol):
    """The sans-IO engine of docs/architecture.md."""

    def receive(self, data: bytes, now: float) -> None: ...

    def bytes_to_send(self, now: float) -> list[bytes]: ...

    def resized(self, frame_bytes: int, now: float) -> None: ...

    def reconnected(self, now: float) -> None: ...

    def next_deadline(self) -> float | None: ...

    def wake(self, now: float) -> None: ...

    def events(self) -> Sequence[Any]: ...


OnEvent = Callable[[Any, Any, float], bool | None]
"""Gets engine, event and time; may call the engine. True: this engine is done."""


@dataclass(slots=True)
class Driven:
    """How one engine fared."""

    engine: Engine
    port: Port
    done_s: float | None = None
    """When it was done; None: the limit came first."""
    timer: Timer | None = None
    woken_s: float = -1.0
    wakes: int = 0
    """at `woken_s`"""


def drive(
    world: World, pairs: Iterable[tuple[Engine, Port]], on_event: OnEvent, *, limit_s: float = LIMIT_S
) -> list[Driven]:
    """Runs every engine over its port until all are done or the world's time reaches `limit_s`.

    An engine costs only its own events, so the whole is linear in engines. `on_event` answers what an engine asks for
    and says when it is done; a done engine hears nothing more. What engine or core raise passes through;
    an engine that stands still raises OtaflashError (engine-stuck).
    """
    driven = [Driven(engine, port) for engine, port in pairs]
    group = _Group(world, on_event, len(driven))
    for one in driven:
        group.begin(one)
    clock = world.clock
    while group.left > 0:
        due = clock.next_time()
        if due is None or due > limit_s:
            break
        clock.step()
    for one in driven:
        _end(one)
    return driven


class _Group:
    def __init__(self, world: World, on_event: OnEvent, left: int) -> None:
        self._clock = world.clock
        self._on_event = on_event
        self.left = left

    def begin(self, one: Driven) -> None:
        def receive(data: bytes) -> None:
            if one.done_s is None:
                one.engine.receive(data, self._clock.now)
                self._pump(one)

        link = one.port.station.link
        known = (link.connections, link.frame_bytes)

        def change() -> None:
            nonlocal known
            connections, frame_bytes = known
            known = (link.connections, link.frame_bytes)
            if one.done_s is not None:
                return
            if link.frame_bytes != frame_bytes:
                one.engine.resized(link.frame_bytes, self._clock.now)
            if link.connections != connections:
                one.engine.reconnected(self._clock.now)
            self._pump(one)

        one.port.on_receive = receive
        one.port.on_change = change
        self._clock.at(self._clock.now, lambda: self._wake(one))

    def _wake(self, one: Driven) -> None:
        now = self._clock.now
        one.wakes = one.wakes + 1 if one.woken_s == now else 1
        one.woken_s = now
        if one.wakes > WAKES_MAX:
            raise OtaflashError(
                "engine-stuck",
                f"the engine of {one.port.station.name} stands still at {now:.6f} s",
                remedy="Report it with the seed and the command that led here.",
                fault=Fault.OURS,
                exit_code=ExitCode.INTERNAL,
            )
        one.engine.wake(now)
        self._pump(one)

    def _pump(self, one: Driven) -> None:
        """Passes on all that the engine has to say, then waits for its deadline."""
        now = self._clock.now
        while events := one.engine.events():
            for event in events:
                if self._on_event(one.engine, event, now) and one.done_s is None:
                    one.done_s = now
                    self.left -= 1
        for frame in one.engine.bytes_to_send(now):
            one.port.write(frame)
        if one.timer is not None:
            one.timer.cancel()
        deadline = one.engine.next_deadline()
        if one.done_s is None and deadline is not None:
            one.timer = self._clock.at(deadline, lambda: self._wake(one))


def _end(one: Driven) -> None:
    one.port.on_receive = None
    one.port.on_change = None
    if one.timer is not None:
        one.timer.cancel()
