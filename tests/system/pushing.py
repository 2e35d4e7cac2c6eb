"""A push over the real core in virtual time, with a hand on link and power. Helpers of the tests beside it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from otaflash.bench.link import holds, make_image, offerable
from otaflash.engine import Done, Event, Failed, LinkShape, NeedBundle, Progress, Push, Result
from otaflash.errors import OtaflashError
from otaflash.image.build import Image
from otaflash.sim.app import Applications
from otaflash.sim.boards import add_board
from otaflash.sim.drive import drive
from otaflash.sim.native import NativeBoard
from otaflash.sim.profiles import profile
from otaflash.sim.radio import LinkModel, Way
from otaflash.sim.station import Power
from otaflash.sim.world import Port, World

SECONDS = 300.0


@dataclass(slots=True)
class Outcome:
    """What a push came to, as its caller sees it."""

    result: Result | None = None
    error: OtaflashError | None = None
    events: list[Event] = field(default_factory=list)

    def progress(self) -> list[int]:
        return [event.done_bytes for event in self.events if isinstance(event, Progress)]


class Bench:
    """One world with one board, an image made for it, and any number of pushes one after the other."""

    def __init__(
        self,
        way: Way | None = None,
        *,
        board: str = "atmega328p",
        frame_bytes: int | None = None,
        image_bytes: int = 9000,
        seed: int = 1,
        applications: Applications | None = None,
        power: Power | None = None,
    ) -> None:
        self.world = World(seed)
        model = LinkModel(way or Way(), way or Way())
        self.port: Port
        self.board: NativeBoard
        made = profile(board) if frame_bytes is None else replace(profile(board), frame_bytes=frame_bytes)
        self.port, self.board = add_board(self.world, made, model, applications=applications, power=power)
        self.way = way or Way()
        self.image: Image = make_image(self.board.profile, image_bytes, seed)
        self._draws = random.Random(seed)

    def push(
        self,
        *,
        until_s: float = SECONDS,
        on_event: Callable[[Event, float], bool | None] = lambda event, now: None,
        resume: bool | None = None,
        image: Image | None = None,
        knows_rate: bool = True,
    ) -> Outcome:
        """Runs one push for at most `until_s` more seconds, or until `on_event` says True: what is unfinished then is
        what a killed host leaves behind."""
        outcome = Outcome()
        engine = Push(
            LinkShape(self.way.rate / 10 if knows_rate else None), self._draws.randrange(1, 0x10000), resume=resume
        )

        def take(_: Push, event: Event, now: float) -> bool:
            outcome.events.append(event)
            if on_event(event, now):
                return True
            if isinstance(event, NeedBundle):
                engine.use_bundle(offerable(image or self.image), now)
            if isinstance(event, Done):
                outcome.result = event.result
            if isinstance(event, Failed):
                outcome.error = event.error
            return isinstance(event, Done | Failed)

        drive(self.world, [(engine, self.port)], take, limit_s=self.world.now + until_s)
        return outcome

    def push_until(self, part: float, image: Image | None = None) -> Outcome:
        """A push whose host is killed once that part of the image is acknowledged."""

        def reached(event: Event, now: float) -> bool:
            return isinstance(event, Progress) and event.done_bytes >= part * event.total_bytes

        return self.push(on_event=reached, image=image)

    def is_right(self) -> bool:
        """True if the primary slot holds the image, looked at from outside."""
        return holds(self.board, self.image.span)
