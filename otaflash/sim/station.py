"""One board in the world: its power, its application, its two directions of link. Knows no host and no other board."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Protocol

from otaflash.errors import ExitCode, Fault, OtaflashError
from otaflash.sim import app
from otaflash.sim.app import Applications, RunningImage
from otaflash.sim.ble import BleModel
from otaflash.sim.ble_link import BleLink
from otaflash.sim.clock import Clock, Timer
from otaflash.sim.radio import LinkModel, RadioLink

SLICE_S = 0.001
"""How far a busy board may run ahead of the clock: the bound on how late it can see a byte. While a packet is coming
in, a board runs ahead to its last byte: until then nothing else can reach it."""

ENTERED_WITHIN_S = 0.5
"""An application that asked for its loader is in it by then, or was not heard."""

RESTARTS_MAX = 1000
"""Restarts in a row without time passing: more is a bug of the core."""


class BoardEvent(Enum):
    """How a run of the board ended; the numbers of board.h. A broken rule or a hang of the core is raised instead."""

    IDLE = 0
    TIME = 1
    JUMPED = 2
    RESTARTED = 3
    CUT = 4


class Board(Protocol):
    """A simulated board as the world needs it (`otaflash.sim.native.NativeBoard`). Seconds of the world."""

    now_s: float

    @property
    def ring_bytes(self) -> int:
        """Bytes of its receive buffer."""
        ...

    @property
    def wake_s(self) -> float:
        """When it has something to do by itself; infinity: only a byte wakes it."""
        ...

    @property
    def jump_trial(self) -> bool:
        """Whether the last jump was into an image on trial."""
        ...

    @property
    def operations(self) -> int:
        """Flash operations since the first power-up."""
        ...

    def power_on(self, weak: int) -> None:
        """Starts it; `weak`: how torn regions read, by the numbers of board.h."""
        ...

    def reset(self) -> None:
        """A reset that keeps power."""
        ...

    def plan_cut(self, operation: int, how: int) -> None:
        """Cuts the power at a flash operation; `how`: 1 before, 2 torn, 3 after."""
        ...

    def run(self, until_s: float) -> int:
        """Runs until `until_s` at most; how that ended, as a number of `BoardEvent`."""
        ...

    def receive(self, at_s: float, data: bytes) -> int:
        """Bytes arrive, the first of them whole at `at_s`; how many the buffer took."""
        ...

    def sent(self) -> Sequence[tuple[float, bytes]]:
        """What it has sent since the last call, each with the time at which it began."""
        ...

    def app_start(self, *, stages: bool = False) -> None:
        """The application starts its library; `stages`: one that takes an update while it runs."""
        ...

    def app_confirm(self) -> bool:
        """The application confirms itself; False: that failed."""
        ...


@dataclass(frozen=True, slots=True)
class Power:
    """When the power fails, once. Flash operations count from 0 at the first power-up."""

    cut_operation: int | None = None
    cut_how: int = 1
    """1 before, 2 torn, 3 after the operation: the numbers of board.h."""
    cut_at_s: float | None = None
    """A cut by time falls between two flash operations."""
    off_s: float = 1.0
    """How long it stays away."""
    weak: int = 2
    """How torn regions read afterwards: the numbers of board.h (2: drawn at each boot)."""


class Place(Enum):
    """Where the board's CPU is."""

    OFF = "off"
    LOADER = "loader"
    LIBRARY = "library"
    """in an application that runs the application library"""
    DEAF = "deaf"
    """in an application that answers nothing"""


@dataclass(slots=True)
class StationCounters:
    """What happened to one board."""

    power_ups: int = 0
    restarts: int = 0
    resets: int = 0
    jumps: int = 0
    unheard_bytes: int = 0
    """arrived while nobody listened"""
    cuts: list[float] = field(default_factory=list)
    """times at which the power failed"""


class Station:
    """A board with all that surrounds it. Made by `World.add`, which also calls `power_up` at the right time."""

    def __init__(
        self,
        clock: Clock,
        name: str,
        board: Board,
        model: LinkModel | BleModel,
        streams: Callable[[str], random.Random],
        *,
        applications: Applications,
        power: Power,
        image_of: Callable[[], RunningImage | None],
        enter_frame: bytes = b"",
        to_host: Callable[[bytes], None] = lambda data: None,
    ) -> None:
        self.name = name
        self.board = board
        self.model = model
        self.place = Place.OFF
        self.counters = StationCounters()
        self.to_host = to_host
        self.on_power_up: Callable[[], None] = lambda: None
        """Called at each power-up before the core runs: the moment to plan a cut by operation."""
        self.applications = applications
        self.on_jump: Callable[[bool], None] = lambda trial: None
        """Told of every start of an image, before the application does anything: whether it is on trial."""
        self._clock = clock
        self._streams = streams
        self._power = power
        self._cuts_to_come: list[tuple[int, int]] = []
        self._image_of = image_of
        self._factory_crc: int | None = None
        self._enter_frame = enter_frame
        self._wake: Timer | None = None
        self._return: Timer | None = None
        """The end of a power cut, while the power is away and comes back by itself."""
        self._plans: list[Timer] = []
        self._muted = False
        self.link: RadioLink | BleLink = self._make_link(model)

    def _make_link(self, model: LinkModel | BleModel) -> RadioLink | BleLink:
        if isinstance(model, BleModel):
            return BleLink(
                self._clock,
                model,
                ring_bytes=self.board.ring_bytes,
                streams=self._streams,
                to_board=self._hear,
                to_host=self._say,
                busy_until=lambda: self.board.now_s,
            )
        return RadioLink(self._clock, model, self._streams, self._hear, self._say)

    def change_link(self, model: LinkModel | BleModel) -> None:
        """From now on the link is that one, at the same rate; what is under way still arrives."""
        on_change = self.link.on_change
        self.model = model
        self.link = self._make_link(model)
        self.link.on_change = on_change

    # --- power ------------------------------------------------------------------------------------------

    def power_up(self) -> None:
        """Power comes (back): the loader starts."""
        first = self.counters.power_ups == 0
        self.counters.power_ups += 1
        self.board.now_s = self._clock.now
        self.board.power_on(self._power.weak)
        if first:
            self._plan_first_cut()
        self.on_power_up()
        if self._cuts_to_come:
            self.board.plan_cut(*self._cuts_to_come.pop(0))
        self._enter_place(Place.LOADER)
        self._run()

    def cut_power(self) -> None:
        """Power goes now, and comes back by itself after `off_s`. Without effect on a board that is off."""
        if self.place is Place.OFF:
            return
        self._power_went(self._clock.now)

    def switch_off(self) -> None:
        """Power goes now, and stays away until `switch_on`."""
        self.cut_power()
        if self._return is not None:
            self._return.cancel()

    def switch_on(self) -> None:
        """Power comes back now. Without effect on a board that has it."""
        if self.place is not Place.OFF:
            return
        if self._return is not None:
            self._return.cancel()
        self.power_up()

    def change_power(self, power: Power) -> None:
        """From now on power stays away as long, and torn cells read, as that one says. It plans no cut."""
        self._power = power

    def plan_cuts(self, operation: int, how: int, again: Sequence[tuple[int, int]] = ()) -> None:
        """Power goes at flash operation `operation` from here on, or in this boot not at all; then, in each power-up
        that follows, at an operation of that one, as `again` says (operation, how)."""
        self.board.plan_cut(self.board.operations + operation, how)
        self._cuts_to_come = list(again)

    def plan_no_cuts(self) -> None:
        """Forgets what `plan_cuts` planned, and what `Power` did."""
        self._cuts_to_come = []
        self.board.plan_cut(0, 0)

    def _plan_first_cut(self) -> None:
        image = self._image_of()
        self._factory_crc = None if image is None else image.crc
        if self._power.cut_operation is not None:
            self.board.plan_cut(self._power.cut_operation, self._power.cut_how)
        if self._power.cut_at_s is not None:
            self._clock.at(self._power.cut_at_s, self.cut_power)

    def _power_went(self, time_s: float) -> None:
        self.counters.cuts.append(time_s)
        self._enter_place(Place.OFF)
        self._return = self._clock.at(time_s + self._power.off_s, self.power_up)

    # --- what the application may do (app.Stage) ----------------------------------------------------------

    @property
    def on_trial(self) -> bool:
        return self.board.jump_trial

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        self._plans.append(self._clock.at(max(self._clock.now, self.board.now_s) + delay_s, call))

    def start_library(self, *, stages: bool = False) -> None:
        self.board.app_start(stages=stages)
        self.place = Place.LIBRARY
        self._tell_link()

    def confirm_itself(self) -> None:
        self._catch_up()
        self.board.app_confirm()
        self._run()

    def fall_silent(self) -> None:
        self._enter_place(Place.DEAF)

    def say(self, text: str) -> None:
        """Prints a line, the image's version before it. A link of messages carries no text."""
        if (image := self._image_of()) is not None and not self.model.message:
            self.link.say(f"{image.version}: {text}\r\n".encode())

    def enter_loader(self) -> None:
        """Asks the library for the loader, as a host would; the answer is nobody's business. It may be lost, in what
        comes from a host at that moment."""
        self._catch_up()
        self._muted = True
        self.later(ENTERED_WITHIN_S, self._unmute)
        self.board.receive(self._clock.now, self._enter_frame)
        self._run()

    def _unmute(self) -> None:
        self._muted = False

    def reset(self) -> None:
        """A reset that keeps power: watchdog, pin, or a crash."""
        if self.place is Place.OFF:
            return
        self.counters.resets += 1
        self._catch_up()
        self.board.reset()
        self._enter_place(Place.LOADER)
        self._run()

    # --- running ------------------------------------------------------------------------------------------

    def _hear(self, first_s: float, data: bytes) -> None:
        if self.place in (Place.OFF, Place.DEAF):
            self.counters.unheard_bytes += len(data)
            return
        self.board.receive(first_s, data)
        self._run(first_s + len(data) * self.link.character_s)

    def _say(self, first_s: float, data: bytes) -> None:
        self.to_host(data)

    def _catch_up(self) -> None:
        self.board.now_s = max(self.board.now_s, self._clock.now)

    def _enter_place(self, place: Place) -> None:
        """Everything that the run before had planned dies with it."""
        self.place = place
        self._tell_link()
        self._muted = False
        for plan in self._plans:
            plan.cancel()
        self._plans.clear()
        if self._wake is not None:
            self._wake.cancel()

    def _tell_link(self) -> None:
        """At the board's own time: one that ran ahead has swapped its slots meanwhile, its radio still on."""
        self.link.moved(self.place.value, max(self._clock.now, self.board.now_s))

    def _run(self, until_s: float = 0.0) -> None:
        until_s = max(until_s, self._clock.now + SLICE_S)
        for _ in range(RESTARTS_MAX):
            if self._wake is not None:
                self._wake.cancel()
            event = BoardEvent(int(self.board.run(until_s)))
            self._pass_on_sent()
            if not self._follow(event):
                return
        raise OtaflashError(
            "core-restarts",
            f"{self.name} restarts for ever without time passing",
            remedy="Report it with the seed and the command that led here.",
            fault=Fault.OURS,
            exit_code=ExitCode.INTERNAL,
        )

    def _follow(self, event: BoardEvent) -> bool:
        """Does what the end of a run asks for; True: the board shall run on at once."""
        board = self.board
        match event:
            case BoardEvent.IDLE:
                self._wake_at(board.wake_s)
            case BoardEvent.TIME:
                self._wake_at(max(board.now_s, self._clock.now + SLICE_S / 2))
            case BoardEvent.JUMPED:
                self._start_application()
                return self.place is Place.LIBRARY
            case BoardEvent.RESTARTED:
                self.counters.restarts += 1
                self._enter_place(Place.LOADER)
                return True
            case BoardEvent.CUT:
                self._power_went(max(board.now_s, self._clock.now))
        return False

    def _wake_at(self, time_s: float) -> None:
        if time_s < 1e12:  # "never" arrives as infinity or as the greatest number of microseconds
            self._wake = self._clock.at(time_s, self._run)

    def _start_application(self) -> None:
        self.counters.jumps += 1
        self._enter_place(Place.DEAF)
        self.on_jump(self.board.jump_trial)
        image = self._image_of()
        is_factory = image is not None and image.crc == self._factory_crc
        app.start(self.applications.behaviour_of(image, is_factory=is_factory), self)

    def _pass_on_sent(self) -> None:
        """Always by way of the clock: a board that ran ahead speaks in the future, and order must hold."""
        for at_s, data in self.board.sent():
            if not self._muted:
                self._clock.at(at_s, partial(self._speak, self.counters.power_ups, data))

    def _speak(self, life: int, data: bytes) -> None:
        if life == self.counters.power_ups and self.place is not Place.OFF:
            self.link.say(data)
