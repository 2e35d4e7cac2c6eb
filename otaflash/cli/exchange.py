"""The board behind the port that was named, and what it tells shown. Knows no file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from otaflash.api.facts import ImageReady, PushEvent
from otaflash.api.sync import OnEvent, SyncBoard, connect_sync
from otaflash.cli.facts import version_text
from otaflash.cli.output import Output
from otaflash.cli.settings import Settings


@contextmanager
def connected(settings: Settings, output: Output) -> Iterator[SyncBoard]:
    """The board that is meant; afterwards the screen is in order, the link closed. Raises TargetError, UsageError."""
    if settings.config.name is not None:
        output.say(f"{settings.config.name} is {settings.port}")
    opened = connect_sync(
        settings.port, baud=settings.baud, module=settings.module(), enter=settings.enter, tell=output.say
    )
    with opened as board:
        try:
            yield board
        finally:
            output.close()


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
