"""The history of what the command line does to boards: written beside the work, and never in its way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from otaflash.api.events import WarningEvent
from otaflash.api.facts import BoardInfo, ImageReady, PushEvent, PushResult
from otaflash.api.sync import SyncBoard
from otaflash.cli.output import Output
from otaflash.errors import OtaflashError

if TYPE_CHECKING:
    from otaflash.history import Entry


@dataclass(slots=True)
class Record:
    """What becomes known while the work goes on."""

    operation: str
    port: str
    file: Path | None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    began_s: float = field(default_factory=time.monotonic)
    ready: ImageReady | None = None
    result: PushResult | None = None
    """Of a push that came to its end; set by its caller."""

    def follow(self, event: PushEvent) -> None:
        """Takes from the events of a push what the history wants."""
        if isinstance(event, ImageReady):
            self.ready = event

    def entry(self, info: BoardInfo, failure: OtaflashError | None) -> Entry:
        """The row for it. The seconds are the link's where the push says them, else this computer's."""
        from otaflash.history import Entry  # noqa: PLC0415  sqlite3, once there is something to write

        ready, result = self.ready, self.result
        return Entry(
            at=self.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            uid=info.uid,
            board=info.board,
            operation=self.operation,
            port=_writable(self.port),
            file=None if self.file is None else _writable(self.file.name),
            sha256=None if ready is None else ready.sha256,
            version=info.version if ready is None else ready.version,
            code=0 if failure is None else int(failure.exit_code),
            reason=None if failure is None else failure.reason,
            seconds=round(time.monotonic() - self.began_s if result is None else result.seconds, 3),
            image_bytes=None if ready is None else ready.image_bytes,
            wire_bytes=None if result is None else result.wire_bytes_down,
        )


def _writable(name: str) -> str:
    """A name of the system's may be no text: the bytes that are none are written as escapes."""
    return name.encode(errors="backslashreplace").decode()


@contextmanager
def recorded(output: Output, board: SyncBoard, operation: str, file: Path | None = None) -> Iterator[Record]:
    """Writes down what the work inside comes to, however it ends, once the board has said who it is.

    A history that cannot be written costs a warning, never the work.
    """
    record = Record(operation, board.port, file)
    try:
        yield record
    except BaseException as error:
        from otaflash.cli.failures import as_failure  # noqa: PLC0415  it knows the pages of all errors

        _write(output, board, record, as_failure(error))
        raise
    _write(output, board, record, None)


def _write(output: Output, board: SyncBoard, record: Record, failure: OtaflashError | None) -> None:
    if board.last_info is None:
        return
    from otaflash.history import History, history_path  # noqa: PLC0415  see above

    try:
        History(history_path()).add(record.entry(board.last_info, failure))
    except OtaflashError as error:
        output.show(WarningEvent(error.reason, f"{error.text}; {error.remedy}"))
