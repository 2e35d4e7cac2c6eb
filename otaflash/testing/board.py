"""A simulated board and the host that updates it, as a test sees them. Virtual time; the real core and engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

from otaflash import session
from otaflash.engine import Done, Event, Failed, Operation, PhaseChanged, Result, WarningEvent
from otaflash.errors import UsageError
from otaflash.image.bundle import Bundle
from otaflash.image.data import Firmware
from otaflash.image.program import bundle_for, slot_of
from otaflash.sim.app import Application, Applications
from otaflash.sim.boards import add_board, put_board, running_image
from otaflash.sim.native import NativeBoard
from otaflash.sim.radio import LinkModel, RadioLink, Way
from otaflash.sim.station import Place
from otaflash.sim.world import Port, World
from otaflash.testing.given import (
    GivenBoard,
    GivenLink,
    GivenProgram,
    board_and_link,
    first_span,
    link_of,
    program_of,
    version_of,
)
from otaflash.testing.switches import ApplicationSwitch, PowerSwitch
from otaflash.transport.simlink import SimLink
from otaflash.wire.messages import BootState, Info, Trailer

if TYPE_CHECKING:
    from otaflash.testing.sweep import Cut

CHECK_S = 1.0
"""What a board needs at most to check its image before it starts it."""

STORY_LINES = 60


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """What the board answers to Inspect. `running_version` None: no whole image is there."""

    running_version: str | None
    on_trial: bool
    in_loader: bool
    trials_used: int
    security_counter: int
    record: Info
    """All of it, as it came over the wire."""


class MakeBoard(Protocol):
    """What the fixture `otaflash_board` is: makes a Board whose seed is that of the run."""

    def __call__(
        self,
        board: GivenBoard,
        *,
        link: GivenLink = ...,
        image: GivenProgram | None = None,
        version: str | None = None,
    ) -> Board: ...


def make_board(
    board: GivenBoard,
    *,
    seed: int | str = 1,
    link: GivenLink | None = None,
    image: GivenProgram | None = None,
    version: str | None = None,
) -> Board:
    """A board with the program `image` running, all of its chance from `seed`; docs/testing.md says what may be given.

    Raises OtaflashError, whose reason names what cannot be.
    """
    made, model = board_and_link(board, link)
    world = World(seed)
    port, native = add_board(world, made, model, image=first_span(image, version, made))
    return Board(world, port, native)


class Board:
    """One board with its link, its power and a host, in a world of its own; `make_board` makes them. Times are seconds
    of virtual time. What talks to the board raises OtaflashError as the commands of the same names do."""

    def __init__(self, world: World, port: Port, native: NativeBoard) -> None:
        """Takes over a board that was just put into `world`, and lets it start its program."""
        self.world = world
        self.native = native
        self.port = port
        self.station = port.station
        self.profile = native.profile
        self.power = PowerSwitch(world, port.station, native)
        self.application = ApplicationSwitch()
        self._story: deque[str] = deque(maxlen=STORY_LINES)
        self.latest_copy: Board | None = None
        """The board of the cut that every_cut tried last."""
        self._draws = world.stream("sessions")
        self._cuts_told = 0
        self._swap_pages = 0
        port.station.on_power_up = self._came_back
        self.wait(self.profile.entry_window_ms / 1000 + CHECK_S)

    def copy(self) -> Board:
        """The same board in a world of its own: its flash as it is now, after a power-up, which takes a second or two
        and, on trial, one of its boots; the same seed."""
        native = NativeBoard(self.profile, 0, uid=self.native.uid)
        native.load(self.native.save())
        world = World(self.world.seed)
        native.reseed(world.stream("copy").getrandbits(64))
        port = put_board(world, native, self.link, applications=self.station.applications)
        made = Board(world, port, native)
        made.application.next = self.application.next
        return made

    # --- the host -----------------------------------------------------------------------------------------

    def push(
        self,
        file: GivenProgram,
        *,
        version: str | None = None,
        counter: int | None = None,
        single_slot: bool = False,
        confirm: bool = True,
    ) -> Result:
        """A whole update, as `otaflash push` does it: returns once the new program runs (and is confirmed).

        `counter`: the security counter, None: the board's own. Raises OtaflashError, whose `reason` says why it failed.
        """
        self._tell(f"push {'a program' if isinstance(file, bytes) else file}")
        return self.push_over(
            SimLink("sim:", self.port),
            self.maker(file, version=version, counter=counter, single_slot=single_slot),
            confirm=confirm,
        )

    def push_over(self, link: SimLink, make: session.MakeBundle, *, confirm: bool = True) -> Result:
        """`push` over a link of the caller's own."""
        drawn = self._draw_session()
        return self._told(lambda: session.push(link, make, self._follow, confirm=confirm, session=drawn))

    def maker(
        self, file: GivenProgram, *, version: str | None, counter: int | None, single_slot: bool
    ) -> session.MakeBundle:
        """What makes the bundle once the board has answered. Raises ImageError, UsageError for a file that is none."""
        content = program_of(file, self.profile.slot_base)
        wanted = version_of(version, content)

        def make(info: Info) -> Bundle:
            own = info.counter if counter is None else counter
            bundle, warnings = bundle_for(content, slot_of(info), version=wanted, counter=own, single_slot=single_slot)
            for warning in warnings:
                self._tell(f"warning {warning.id}: {warning.text}")
            self._will_do(bundle.manifest.image_crc, self.application.next)
            self._swap_pages = max(bundle.manifest.pages, -(-info.image_bytes // info.page_bytes))
            return bundle

        return make

    def info(self) -> BoardInfo:
        """Asks the board over its link. Raises OtaflashError."""
        answer = self._ask(Operation.INFO)
        record = answer.info
        return BoardInfo(
            running_version=answer.running_version or None,
            on_trial=record.boot_state == BootState.TRIAL,
            in_loader=not record.mode,
            trials_used=record.trials_used,
            security_counter=record.counter,
            record=record,
        )

    def confirm(self) -> None:
        """Keeps the image on trial, as `otaflash confirm`. Raises OtaflashError."""
        self._ask(Operation.CONFIRM)

    def revert(self) -> None:
        """Goes back to the image before, as `otaflash revert`. Raises OtaflashError."""
        self._ask(Operation.REVERT)

    # --- time, reset and link -----------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """Virtual time in seconds."""
        return self.world.now

    def wait(self, seconds: float) -> None:
        """Lets virtual time pass."""
        self.world.run_until(self.world.now + seconds)

    def reset(self) -> None:
        """A reset that keeps power: the button, or a watchdog."""
        self._tell("reset")
        self.station.reset()

    @property
    def link(self) -> LinkModel:
        """Both directions of the link."""
        radio = self._radio()
        return LinkModel(radio.down.way, radio.up.way)

    @link.setter
    def link(self, link: GivenLink) -> None:
        """Other faults from now on; rate, packets and buffers are the radio's own and stay. Raises UsageError."""
        model, now = link_of(link), self.link
        for new, old in ((model.down, now.down), (model.up, now.up)):
            if _hardware(new) != _hardware(old):
                raise UsageError(
                    "link-hardware",
                    "rate, packet_bytes, buffer_bytes and air_rate of a link cannot change under way",
                    remedy="Make another board for another radio.",
                )
        self._tell(f"link: host to board {_faults(model.down)}; board to host {_faults(model.up)}")
        radio = self._radio()
        radio.down.way, radio.up.way = model.down, model.up

    def _radio(self) -> RadioLink:
        link = self.station.link
        assert isinstance(link, RadioLink)  # GivenLink names no other
        return link

    # --- looked at from outside ---------------------------------------------------------------------------

    @property
    def flash(self) -> bytes:
        """All of it: primary slot, secondary slot (one page longer), two units of the boot record."""
        return bytes(self.native.flash)

    def runs(self, file: GivenProgram) -> bool:
        """True if the CPU is in a program, and the primary slot holds this one, whole. Looks at CPU and flash
        themselves, not through the link. A board in its loader runs nothing (yet). Raises ImageError."""
        in_program = self.station.place in (Place.LIBRARY, Place.DEAF)
        return in_program and self._holds(program_of(file, self.profile.slot_base))

    def every_cut(
        self,
        file: GivenProgram,
        *,
        version: str | None = None,
        single_slot: bool = False,
        how: tuple[str, ...] = ("before", "torn"),
        every: int = 1,
        only: int | None = None,
    ) -> Iterator[Cut]:
        """The same update again and again, each time with the power cut at another of its flash operations, and with
        the host gone from then on. Each time the board must come up with the old or the new program by itself, else
        BoardLost is raised; what is yielded is that board. docs/testing.md says more.

        `every`: every so many operations only; `only`: this one operation. Raises UsageError (bad-cut), ImageError.
        """
        from otaflash.testing.sweep import sweep  # noqa: PLC0415  # it makes boards of its own

        def maker(board: Board) -> session.MakeBundle:
            return board.maker(file, version=version, counter=None, single_slot=single_slot)

        return sweep(self, maker, how=how, every=every, only=only)

    @property
    def story(self) -> list[str]:
        """What happened lately, a line each: for the report of a failed test."""
        self._tell_cuts()
        return list(self._story)

    def check_ended(self) -> None:
        """At the end of a test: a cut that was planned must have come. Raises UsageError (cut-never-came)."""
        missed = self.power.missed()
        if missed:
            raise UsageError(
                "cut-never-came",
                f"the power was to be cut {' and '.join(missed)}, and never was",
                remedy="Plan the cut where the update gets to, or let more time pass.",
            )

    # --- helpers ------------------------------------------------------------------------------------------

    def _holds(self, content: Firmware | Bundle) -> bool:
        flash, made = self.native.flash, self.profile
        if running_image(self.native) is None:
            return False
        if isinstance(content, Bundle):
            span = content.span()
            return bytes(flash[: len(span)]) == span
        count = content.end - made.slot_base
        at = -(-(count + Trailer.BYTES) // made.page_bytes) * made.page_bytes - Trailer.BYTES
        if at > made.slot_bytes - Trailer.BYTES:
            return False
        try:
            trailer = Trailer.unpack(bytes(flash[at : at + Trailer.BYTES]))
        except ValueError:
            return False
        base = made.slot_base
        same = all(flash[s.address - base : s.end - base] == s.data for s in content.segments)
        return same and trailer.image_bytes == count

    def _will_do(self, image_crc: int, application: Application) -> None:
        now = self.station.applications
        self.station.applications = Applications(now.default, {**now.by_image, image_crc: application})

    def _ask(self, operation: Operation) -> Result:
        self._tell(operation.value)
        drawn = self._draw_session()
        link = SimLink("sim:", self.port)
        return self._told(lambda: session.request(link, operation, self._follow, session=drawn))

    def _draw_session(self) -> int:
        return self._draws.randrange(1, 0x10000)

    def _told(self, run: Callable[[], Result]) -> Result:
        try:
            return run()
        finally:
            self.port.take()  # what comes late belongs to nobody

    def _follow(self, event: Event) -> None:
        self.power.follow(event, self._swap_pages)
        match event:
            case PhaseChanged():
                self._tell(f"phase {event.name}")
            case WarningEvent():
                self._tell(f"warning {event.id}: {event.text}")
            case Failed():
                self._tell(f"failed: {event.error.reason}: {event.error}")
            case Done():
                self._tell(f"done: {event.result.running_version} runs")

    def _came_back(self) -> None:
        self.power.came_back()
        self._tell("power is back")

    def _tell(self, text: str) -> None:
        self._tell_cuts()
        self._story.append(f"{self.now_s:10.3f} s  {text}")

    def _tell_cuts(self) -> None:
        cuts = self.station.counters.cuts
        self._story += [f"{cut_s:10.3f} s  power went" for cut_s in cuts[self._cuts_told :]]
        self._cuts_told = len(cuts)


def _faults(way: Way) -> str:
    """What differs from a good link."""
    good = Way()
    changed = {field.name: getattr(way, field.name) for field in fields(Way)}
    return ", ".join(f"{name}={value}" for name, value in changed.items() if value != getattr(good, name)) or "good"


def _hardware(way: Way) -> tuple[float, int, int, float | None]:
    return way.rate, way.packet_bytes, way.buffer_bytes, way.air_rate
