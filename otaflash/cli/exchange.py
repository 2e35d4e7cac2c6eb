"""One exchange with the board over the port that was named, its events shown. Knows no file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import assert_never

from otaflash import session
from otaflash.cli.output import Output
from otaflash.cli.settings import Settings
from otaflash.engine import Done, Event, Failed, NeedBundle, Operation, PhaseChanged, Progress, Result, WarningEvent
from otaflash.session import MakeBundle
from otaflash.transport.link import Link
from otaflash.transport.open import find_port, open_link
from otaflash.wire.messages import Info


def ask(settings: Settings, operation: Operation, output: Output) -> Info:
    """Does one operation and returns what the board says of itself then. Raises OtaflashError."""
    with board_link(settings, output) as link, tidy(output):
        return session.request(link, operation, lambda event: _show_step(event, operation, output)).info


def update(link: Link, output: Output, make_bundle: MakeBundle, *, confirm: bool = True) -> Result:
    """Runs a whole push; `make_bundle` is called once the board is known. Raises OtaflashError."""
    with tidy(output):
        return session.push(link, make_bundle, lambda event: show(event, output), confirm=confirm)


@contextmanager
def board_link(settings: Settings, output: Output) -> Iterator[Link]:
    """The link to the board that is meant, closed at the end. Raises TargetError, UsageError."""
    port = settings.port
    if port is None:
        port = find_port()
        output.say(f"using {port}, the only port with a board on it")
    link = open_link(port, baud=settings.baud, module=settings.module(), tell=output.say)
    try:
        yield link
    finally:
        link.close()


def is_simulated(port: str) -> bool:
    """True for a board that runs no program, so that any payload may go into its slot."""
    return port.startswith("sim:")


@contextmanager
def tidy(output: Output) -> Iterator[None]:
    """Leaves the screen in order, whatever happens."""
    try:
        yield
    finally:
        output.close()


def _show_step(event: Event, operation: Operation, output: Output) -> None:
    """A question is answered and that is all; what is ordered may take its time and says so."""
    if operation is not Operation.INFO:
        show(event, output)


def show(event: Event, output: Output) -> None:
    """Passes on what an engine tells for people and machines to see."""
    match event:
        case PhaseChanged() | Progress() | WarningEvent():
            output.show(event)
        case NeedBundle():
            output.show(PhaseChanged("bundle"))
        case Done() | Failed():
            return
        case _:
            assert_never(event)
