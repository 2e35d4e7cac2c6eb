"""Standard output that may go away: a reader that leaves (`| head`) must not stop an update."""

from __future__ import annotations

import os
import sys


def write_line(line: str) -> None:
    """Writes one line and flushes it, so that whoever reads the pipe sees events when they happen."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        mute()


def mute() -> None:
    """Sends standard output nowhere, for good. Also spares the interpreter's last flush an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
