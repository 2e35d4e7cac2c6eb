"""The board behind the port that was named, and what it tells shown. Knows no file."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from otaflash.api.events import Waiting
from otaflash.api.facts import ImageReady, PushEvent
from otaflash.api.sync import OnEvent, SyncBoard, connect_sync
from otaflash.cli.facts import version_text
from otaflash.cli.output import Output
from otaflash.cli.settings import Settings
from otaflash.errors import TargetError


@contextmanager
def connected(settings: Settings, output: Output, tell: Callable[[str], None] | None = None) -> Iterator[SyncBoard]:
    """The board that is meant; afterwards the screen is in order, the link closed. Raises TargetError, UsageError.

    `tell` gets a line where opening takes its time; by default the output says it.
    """
    tell = tell or output.say
    if settings.config.name is not None:
        tell(f"{settings.config.name} is {settings.port}")
    with _opened(settings, tell) as board:
        try:
            yield board
        finally:
            output.close()


def _opened(settings: Settings, tell: Callable[[str], None]) -> SyncBoard:
    try:
        return connect_sync(
            settings.port, baud=settings.baud, module=settings.module(), enter=settings.enter, tell=tell
        )
    except TargetError as error:
        names = settings.config.ports
        if error.reason == "port-missing" and names and settings.config.name is None:
            near = difflib.get_close_matches(str(settings.port), names, n=1)
            known = f"perhaps you mean {near[0]}" if near else f"Boards that have names: {', '.join(names)}"
            raise TargetError(error.reason, error.text, remedy=f"{known}. {error.remedy}") from error
        raise


def shown_on(output: Output) -> OnEvent:
    """What shows a push or an order as it goes on."""

    def show(event: PushEvent) -> None:
        if isinstance(event, ImageReady):
            board = event.info
            size = f"{event.image_bytes:,} bytes"
            output.say(f"{board.board} {board.uid} {version_text(board)} and gets {event.version} ({size})")
        else:
            output.show(event)

    return show


def waiting_on(output: Output) -> OnEvent:
    """For a question, whose steps nobody wants to see: only that somebody has to switch the board on."""

    def show(event: PushEvent) -> None:
        if isinstance(event, Waiting):
            output.show(event)

    return show
