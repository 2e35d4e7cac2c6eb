"""`otaflash monitor`: what the program on the board prints, and what is typed to it, for as long as one likes."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from io import FileIO
from pathlib import Path

import click

from otaflash.api.sync import SyncBoard, connect_sync
from otaflash.cli.exchange import connected
from otaflash.cli.help import command
from otaflash.cli.output import Output
from otaflash.cli.prepare import FileType
from otaflash.cli.settings import Settings, common_options, settings_of
from otaflash.errors import LinkError, OtaflashError
from otaflash.system import keys_as_typed

Keys = Callable[[], bytes]
"""What was typed since the last call."""

TICK_S = 0.05
"""How long a key may wait."""
AGAIN_S = 0.5
"""Between two attempts to open a port that went away."""
LEAVE = b"\x1d"
"""Ctrl-]"""

LOG_OPTION = click.option(
    "--log", type=FileType(), metavar="FILE", help="Write what the board prints to this file as well."
)


@command("otaflash monitor", "otaflash monitor --port /dev/ttyUSB0 --log board.txt")
@LOG_OPTION
@common_options
@click.pass_context
def monitor(context: click.Context, *, log: Path | None) -> None:
    """Show what the program on the board prints; send what is typed to it. Ctrl-] or Ctrl-C leaves.

    The board is asked nothing. It may restart, and its adapter may be unplugged and come back. Frames of
    otaflash on the same line are not shown. Enter sends CR.
    """
    settings = settings_of(context)
    output = settings.output()
    with connected(replace(settings, enter=None), output, output.note) as board:  # the program is what shall run
        board.check_text()
        output.note(f"monitoring {board.port}; Ctrl-] or Ctrl-C leaves")
        watch(board, settings, output, log)
    output.detail("result", {"ok": True, "code": 0})


def watch(board: SyncBoard, settings: Settings, output: Output, log: Path | None) -> None:
    """Shows what `board` prints until the user leaves; opens its port again whenever it is gone.

    Raises OSError for a log that cannot be written. Ctrl-C is the way out, and no failure.
    """
    port = board.port
    with _writer(output, log) as write, keys_as_typed() as keys, suppress(KeyboardInterrupt):
        while True:
            with board, suppress(LinkError):
                _pass_on(board, write, keys)
                return
            output.note(f"{port} is gone; waiting for it to come back")
            again = _reopened(port, settings, keys)
            if again is None:
                return
            output.note(f"{port} is back")
            board = again


def _pass_on(board: SyncBoard, write: Callable[[bytes], None], keys: Keys | None) -> None:
    """Passes on what is printed and typed, until Ctrl-]. Raises LinkError when the port is gone."""
    ahead_s = time.monotonic() - board.now()
    while True:
        text = board.read_text(TICK_S)
        if text:
            write(text)
        typed, leave, _ = (b"" if keys is None else keys()).partition(LEAVE)
        if typed:
            board.write_text(typed)
        if leave:
            return
        if board.simulated:  # its time would fly
            time.sleep(max(board.now() + ahead_s - time.monotonic(), 0.0))


def _reopened(port: str, settings: Settings, keys: Keys | None) -> SyncBoard | None:
    """The same port, as soon as it can be opened; None if the user leaves."""
    while True:
        time.sleep(AGAIN_S)
        if keys is not None and LEAVE in keys():
            return None
        with suppress(OtaflashError):
            return connect_sync(port, baud=settings.baud, module=settings.module())


@contextmanager
def _writer(output: Output, log: Path | None) -> Iterator[Callable[[bytes], None]]:
    """What shows text, and puts it at the end of the log, there at once for whoever reads along."""
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    with nullcontext() if log is None else log.open("ab", buffering=0) as file:

        def write(text: bytes) -> None:
            output.text(decoder.decode(text))
            if file is not None:
                _log(file, text)

        yield write


def _log(file: FileIO, text: bytes) -> None:
    try:
        file.write(text)
    except OSError as error:
        error.filename = file.name
        raise
