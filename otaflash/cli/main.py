"""The entry point: runs a command and turns whatever it ends with into an exit code. Knows no command."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import suppress


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line (default: the process's own) and returns the exit code. Raises nothing.

    Everything is imported inside, so that Ctrl-C during the imports, too, ends in one sentence instead of a traceback.
    Afterwards Ctrl-C is ignored: the outcome stands, and what is left is to leave.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
        _ignore_ctrl_c()
    except KeyboardInterrupt as interrupt:
        _ignore_ctrl_c()
        return _report(interrupt, words)
    return code


def _run(words: list[str]) -> int:
    try:
        from otaflash.cli.commands import run  # noqa: PLC0415
        from otaflash.cli.stdout import settle  # noqa: PLC0415

        settle()
        return run(list(words))  # click takes words off the list that it is given
    except BrokenPipeError:
        from otaflash.cli.stdout import mute  # noqa: PLC0415

        mute()
        return 0
    except Exception as error:
        return _report(error, words)


def _report(error: BaseException, words: list[str]) -> int:
    from otaflash.cli.failures import report  # noqa: PLC0415

    return report(error, words)


def _ignore_ctrl_c() -> None:
    with suppress(ValueError):  # not in the main thread: then no signal comes here either
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
