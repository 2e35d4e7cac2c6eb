"""Standard output that may go away: a reader that leaves (`| head`) must not stop an update. Knows no event."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress

_GONE = {errno.EPIPE, errno.EIO}
"""What writing to a pipe without a reader and to a terminal that was closed ends with."""


def settle() -> None:
    """Makes both streams fit to be written to: nowhere where they were closed, escapes for what they cannot spell."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # takes up the file number too, which a port would get otherwise
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  for as long as the process lives
        elif isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def write_line(line: str) -> None:
    """Writes one line and flushes it, so that whoever reads the pipe sees events when they happen.

    Raises OSError where there is no room; what comes after that line goes nowhere.
    """
    with suppress(BrokenPipeError):
        write_text(line + "\n")


def write_text(text: str) -> None:
    """Writes text as it is and flushes it. Raises BrokenPipeError where nobody reads any more, OSError where there is
    no room."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        mute()
        if error.errno in _GONE:
            raise BrokenPipeError from error
        error.filename = "standard output"
        raise


def mute() -> None:
    """Sends standard output nowhere, for good. Also spares the interpreter's last flush an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
