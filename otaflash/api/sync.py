"""A board behind an open link, for programs that wait. Knows no thread and no event loop; aio.py is its twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from otaflash import session
from otaflash.api.facts import BoardInfo, PushEvent, PushPlan, PushResult
from otaflash.api.plan import check_offer, image_ready, wire_bytes_of
from otaflash.api.program import Program, Wanted, check_board
from otaflash.api.signing import sign_for, unsigned_warning
from otaflash.api.stopping import StoppableLink
from otaflash.api.text import TextFilter
from otaflash.engine import (
    Done,
    Event,
    Failed,
    NeedBundle,
    Operation,
    PhaseChanged,
    Progress,
    Push,
    Request,
    Result,
    Waiting,
    WarningEvent,
)
from otaflash.engine.offerable import runs
from otaflash.errors import UsageError
from otaflash.image.bundle import Bundle
from otaflash.image.program import slot_of
from otaflash.image.signing import Signer
from otaflash.transport.ble_services import Service
from otaflash.transport.link import Link, is_simulated
from otaflash.transport.open import find_port, open_link
from otaflash.wire.messages import FLAG_SINGLE_SLOT, Info

TEXT_MOST = 65536

Firmware = str | Path | Program | Bundle
"""What can be pushed: a file (HEX or bundle, told from its content), or what was read from one."""

OnEvent = Callable[[PushEvent], None]


class SyncBoard:
    """One board, and the link to it. Every call raises LinkError when the link is lost and OtaflashError for what the
    board refuses; what `push` raises, too, leaves the board with a whole image.

    One thread at a time; only `stop` may be called from another one. Ctrl-C comes out as KeyboardInterrupt.
    """

    def __init__(self, link: Link) -> None:
        """Takes over an open link, and closes it at the end."""
        self._link = StoppableLink(link, self._hear)
        self._filter = TextFilter()
        self._text = b""
        """What the program has printed and nobody has read yet."""
        self.last_info: BoardInfo | None = None
        """What the board said of itself last, in whatever call; None: nothing yet."""

    @property
    def port(self) -> str:
        """What leads to the board, as the user names it."""
        return self._link.name

    @property
    def simulated(self) -> bool:
        """Whether it runs no program, so that any payload may go into its slot, and time is virtual."""
        return is_simulated(self.port)

    def now(self) -> float:
        """Seconds of the link's own clock: virtual time where the board is simulated."""
        return self._link.now()

    # --- one question, or one word and what runs after it

    def info(self, on_event: OnEvent | None = None) -> BoardInfo:
        """What the board is and what it runs. Disturbs nothing: the running program answers itself."""
        return self._ask(Operation.INFO, on_event)

    def confirm(self, on_event: OnEvent | None = None) -> BoardInfo:
        """Keeps the program on trial; fine for one that is kept already. Raises OtaflashError: no-trial."""
        return self._ask(Operation.CONFIRM, on_event)

    def revert(self, on_event: OnEvent | None = None) -> BoardInfo:
        """Gives up the program on trial; the board swaps the old one back and starts it, which may take a minute.

        Raises OtaflashError: no-trial, already-confirmed.
        """
        return self._ask(Operation.REVERT, on_event)

    def reboot(self, on_event: OnEvent | None = None) -> BoardInfo:
        """Restarts the board; its loader checks the program and starts it."""
        return self._ask(Operation.REBOOT, on_event)

    # --- the whole update

    def push(
        self,
        firmware: Firmware,
        *,
        version: str | None = None,
        counter: int | None = None,
        single_slot: bool = False,
        key: Signer | None = None,
        board: str | None = None,
        confirm: bool = True,
        force: bool = False,
        resume: bool | None = None,
        on_event: OnEvent | None = None,
    ) -> PushResult:
        """Sends `firmware`, has it checked and swapped in, sees that it runs, and confirms it.

        `version` (``1.2.3``) and `counter` (security counter; default: the board's own) describe a file that does not
        say them itself. `single_slot` replaces the only copy. `key` signs the image (otaflash.keys.secret.open_secret).
        `board`: stop unless the board calls itself so.
        `confirm=False` leaves the program on trial. `force` sends an image that runs already. `resume`: whether an
        earlier push got somewhere; None finds out. `on_event` gets each event as it happens; what it raises ends the
        push.

        Interrupted by anything, push again: only what is missing is sent. Raises ImageError and UsageError before the
        board is touched; OtaflashError: wrong-board, what the board refuses, verification-failed, not-confirmed,
        new-image-silent; LinkError.
        """
        program = self._program(firmware, version, counter, single_slot, key)
        tell = on_event or _ignore
        engine = Push(session.shape_of(self._link), session.draw_session(), resume=resume, confirm=confirm, force=force)

        def follow(event: Event) -> None:
            if isinstance(event, NeedBundle):
                tell(PhaseChanged("bundle"))
                bundle, warnings = _made(program, event.info, board)
                again = runs(event.info, bundle.manifest) and not force  # nothing will be sent: no signature for it
                bundle = bundle if again else sign_for(event.info, bundle, program.signer, really=True)
                open_to_all = () if again or self.simulated else unsigned_warning(bundle)
                for warning in (*warnings, *_no_trial(bundle, confirm), *open_to_all):
                    tell(warning)
                tell(image_ready(event.info, bundle))
                engine.use_bundle(session.offerable(bundle), self._link.now())
            else:
                if event == PhaseChanged("apply"):
                    self._text = b""  # what the old image said
                _pass_on(event, tell)

        return PushResult.of(self._run(engine, follow))

    def plan(
        self,
        firmware: Firmware,
        *,
        version: str | None = None,
        counter: int | None = None,
        single_slot: bool = False,
        key: Signer | None = None,
        board: str | None = None,
        force: bool = False,
    ) -> PushPlan:
        """What `push` with the same arguments would do; reads the file, asks the board, and changes nothing there.

        Raises what the push would, as far as it can be known: a signature and the flash only the board can judge.
        """
        program = self._program(firmware, version, counter, single_slot, key)
        shape = session.shape_of(self._link)
        asked = self._request(Operation.INFO)
        info = asked.info
        bundle, warnings = _made(program, info, board)
        already = runs(info, bundle.manifest) and not force
        if not already:
            bundle = sign_for(info, bundle, program.signer, really=False)
            check_offer(info, bundle)
            warnings = warnings if self.simulated else (*warnings, *unsigned_warning(bundle))
        wire_bytes = wire_bytes_of(info, bundle, shape)
        rate = shape.rate_bytes_per_s
        # Two questions and answers go before and behind the blocks; how long one takes was just seen.
        seconds = wire_bytes / rate + asked.seconds if rate and shape.stream else None
        return PushPlan(BoardInfo.of(info), image_ready(info, bundle), already, wire_bytes, seconds, warnings)

    # --- what the program says by itself

    def check_text(self) -> None:
        """Raises UsageError: no-text for a link that carries frames only (BLE), so that `read_text` would, too."""
        if not self._link.stream:
            raise UsageError(
                "no-text",
                f"{self.port} carries otaflash's frames only, no text",
                remedy="Use a serial port, or a board behind a UART module.",
            )

    def read_text(self, timeout_s: float) -> bytes:
        """What the program has printed: as soon as something is there, b"" after `timeout_s` seconds of the link's
        clock. Frames of otaflash are left out.

        What came during another call is there, too, the last 64 KiB of it; of a push what came since the new image was
        swapped in. Raises LinkError; UsageError: no-text.
        """
        self.check_text()
        deadline = self._link.now() + timeout_s
        while not self._text:
            self._link.read(self._filter.due(deadline))
            self._hear(b"")
            if self._link.now() >= deadline:
                break
        text, self._text = self._text, b""
        return text

    def _hear(self, data: bytes) -> None:
        if self._link.stream:
            self._text = (self._text + self._filter.feed(data, self._link.now()))[-TEXT_MOST:]

    def write_text(self, data: bytes) -> None:
        """Sends bytes to the program as they are. Raises LinkError."""
        self._link.write(data)

    # --- the end

    def stop(self) -> None:
        """Ends the call under way, or the next one, with OtaflashError: interrupted. May come from another thread; the
        board keeps what it runs, and the next push resumes."""
        self._link.stop()

    def go_on(self) -> None:
        """Takes `stop` back: calls work again."""
        self._link.go_on()

    def close(self) -> None:
        """Closes the link. May be called twice."""
        self._link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- inside

    def _ask(self, operation: Operation, on_event: OnEvent | None = None) -> BoardInfo:
        return BoardInfo.of(self._request(operation, on_event).info)

    def _request(self, operation: Operation, on_event: OnEvent | None = None) -> Result:
        tell = on_event or _ignore
        engine = Request(session.shape_of(self._link), session.draw_session(), operation)
        return self._run(engine, lambda event: _pass_on(event, tell))

    def _run(self, engine: Push | Request, follow: Callable[[Event], None]) -> Result:
        try:
            return session.run(engine, self._link, follow)
        finally:
            if engine.info is not None:
                self.last_info = BoardInfo.of(engine.info)

    def _program(
        self, firmware: Firmware, version: str | None, counter: int | None, single_slot: bool, key: Signer | None
    ) -> Program:
        wanted = Wanted(version, counter, single_slot)
        if isinstance(firmware, Program | Bundle):
            program = firmware if isinstance(firmware, Program) else Program(firmware, Wanted())
            if wanted != Wanted():
                raise TypeError("version, counter and single_slot go with a file; a Program or Bundle has its own")
        else:
            program = Program.read(Path(firmware), wanted)
        program = program if key is None else replace(program, signer=key)
        return replace(program, wanted=replace(program.wanted, move=program.wanted.move or self.simulated))


def connect_sync(
    port: str | None = None,
    *,
    baud: int | None = None,
    module: Service | None = None,
    enter: str | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> SyncBoard:
    """Opens the way to a board: ``with otaflash.connect_sync("/dev/ttyUSB0") as board: print(board.info())``.

    `port` is what --port takes (ports.md); None: the only USB serial port there is. `baud`: bits per second of a serial
    line, default 115,200. `module`: a UART module of your own, for BLE. `enter` is what --enter takes: how a
    board that does not listen comes into its loader; None: it is left alone. `tell` gets a line where opening takes its
    time. Asks the board nothing. Raises TargetError for a port that cannot be opened or was not found, UsageError for
    a name or a way in that means nothing, LinkError where a way in fails.
    """
    if port is None:
        port = find_port()
        tell(f"using {port}, the only port with a board on it")
    return SyncBoard(open_link(port, baud=baud, module=module, enter=enter, tell=tell))


def _made(program: Program, info: Info, expected: str | None) -> tuple[Bundle, tuple[WarningEvent, ...]]:
    check_board(info, expected)
    return program.bundle_for(slot_of(info), info.counter)


def _no_trial(bundle: Bundle, confirm: bool) -> tuple[WarningEvent, ...]:
    if confirm or not bundle.manifest.flags & FLAG_SINGLE_SLOT:
        return ()
    return (WarningEvent("no-trial", "a single-slot image has no trial: it is kept without a confirmation"),)


def _pass_on(event: Event, tell: OnEvent) -> None:
    """An end is no event here: it is returned, or raised."""
    match event:
        case PhaseChanged() | Progress() | WarningEvent() | Waiting():
            tell(event)
        case NeedBundle() | Done() | Failed():
            return


def _ignore(event: PushEvent) -> None:
    del event
