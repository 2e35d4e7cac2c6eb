"""How a command that failed says so: at most four short lines on stderr, one result line in JSON, an exit code."""

from __future__ import annotations

import errno
import json
import sys
import traceback
from contextlib import suppress

import click

from otaflash.cli.stdout import write_line
from otaflash.errors import ExitCode, Fault, OtaflashError, UsageError
from otaflash.explained import all_pages


def report(error: BaseException, words: list[str]) -> int:
    """Prints `error` as the user needs it and returns the exit code; `words` is the command line.

    The traceback appears only with --debug. The words are looked at as they are, since the command line itself may be
    what is wrong.
    """
    as_json, debug = "--json" in words, "--debug" in words
    failure = as_failure(error, pushing="push" in words)
    if as_json:
        with suppress(OSError):
            write_line(json.dumps(result_of(failure)))
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    with suppress(OSError):
        print(text_of(failure), file=sys.stderr, flush=True)
    return int(failure.exit_code)


def as_failure(error: BaseException, *, pushing: bool = False) -> OtaflashError:
    """The error in our own terms: what the user did, what the system refused, or a bug of ours."""
    if isinstance(error, OtaflashError):
        return error
    if isinstance(error, click.Abort) or _began_with_ctrl_c(error):
        return _interrupted(pushing)
    if isinstance(error, click.ClickException):
        command = f"{error.ctx.command_path} " if isinstance(error, click.UsageError) and error.ctx else "otaflash "
        text = error.format_message().rstrip(".?").replace("\n", " ").replace(". Did you mean ", "; perhaps you mean ")
        return UsageError("usage", text, remedy=f"'{command}--help' shows what may be given")
    if isinstance(error, OSError) and error.errno in _SYSTEM_REMEDIES:
        return _from_system(error, error.errno)
    return _bug(error)


def text_of(failure: OtaflashError) -> str:
    """What stderr gets: code and reason with what happened, whose fault, what next."""
    if failure.exit_code is ExitCode.INTERRUPTED:
        return f"{_sentence(failure.text)[:-1]}; {failure.remedy}."
    return "\n".join(
        (
            f"error {int(failure.exit_code)} {failure.reason}: {_sentence(failure.text)}",
            f"cause: {failure.fault.whose}.",
            f"next:  {_sentence(failure.remedy)}{_more(failure)}",
        )
    )


def _more(failure: OtaflashError) -> str:
    """Where more is to be read, if there is more than one cause to think of."""
    page = all_pages().get(failure.reason)
    return "" if page is None or len(page.causes) < 2 else f" More: otaflash explain {failure.reason}."


def result_of(failure: OtaflashError) -> dict[str, object]:
    """The last line of JSON output of a command that failed."""
    return {
        "v": 1,
        "event": "result",
        "ok": False,
        "code": int(failure.exit_code),
        "reason": failure.reason,
        "text": failure.text,
        "fault": failure.fault.value,
        "remedy": failure.remedy,
    }


_SYSTEM_REMEDIES = {
    errno.ENOSPC: ("disk-full", "free some space, or write elsewhere"),
    errno.EDQUOT: ("disk-full", "free some space, or write elsewhere"),
    errno.EFBIG: ("file-too-big", "write to a file system without such a limit"),
    errno.EROFS: ("read-only", "write elsewhere"),
    errno.EACCES: ("permission-denied", "give yourself access to the file, or use another one"),
    errno.EPERM: ("permission-denied", "give yourself access to the file, or use another one"),
    errno.ENOENT: ("no-such-file", "check the spelling of the path"),
    errno.ENOTDIR: ("no-such-file", "check the spelling of the path"),
    errno.ENAMETOOLONG: ("name-too-long", "use a shorter one"),
    errno.ELOOP: ("no-such-file", "check the links that the path goes through"),
    errno.EIO: ("disk-failed", "use another disk, and look after the data on this one"),
    errno.EISDIR: ("is-a-directory", "name a file"),
    errno.EADDRINUSE: ("address-in-use", "choose another TCP port"),
    errno.ENOMEM: ("no-memory", "free some memory and try again"),
    errno.EMFILE: ("too-many-files", "raise the limit of open files"),
}


def _began_with_ctrl_c(error: BaseException | None) -> bool:
    """Ctrl-C inside an import may come out as the import's own error."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False


def _interrupted(pushing: bool) -> OtaflashError:
    text = "interrupted; the board runs a whole image, the old one or the new" if pushing else "interrupted"
    remedy = "push again to resume" if pushing else "run it again"
    return OtaflashError("interrupted", text, remedy=remedy, fault=Fault.USER, exit_code=ExitCode.INTERRUPTED)


def _from_system(error: OSError, number: int) -> OtaflashError:
    reason, remedy = _SYSTEM_REMEDIES[number]
    where = f"{error.filename}: " if error.filename else ""
    return UsageError(reason, f"{where}{(error.strerror or reason).lower()}", remedy=remedy)


def _bug(error: BaseException) -> OtaflashError:
    what = f"{type(error).__name__}: {error}".split("\n", 1)[0].rstrip(": ")
    return OtaflashError(
        "internal",
        f"otaflash failed in a way it should not: {what}",
        remedy="this is our bug: run the same command with --debug and send us what it prints",
        fault=Fault.OURS,
        exit_code=ExitCode.INTERNAL,
    )


def _sentence(text: str) -> str:
    return f"{text.strip().rstrip('.')}."
