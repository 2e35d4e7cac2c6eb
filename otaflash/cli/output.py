"""What a command shows while it works: to people on a pipe, to machines, or at a terminal (terminal.py)."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import Protocol

from otaflash.api.events import PhaseChanged, Progress, Waiting, WarningEvent
from otaflash.cli.stdout import write_line, write_text

JSON_VERSION = 1

PHASES = {
    "inspect": "asking the board what it is",
    "enter": "restarting it into its loader",
    "bundle": "preparing the image for it",
    "transfer": "sending",
    "survey": "comparing what it holds already",
    "verify": "the board checks the whole image",
    "apply": "the board swaps the image in",
    "start": "waiting for the new image to come up",
    "confirm": "confirming the new image",
    "revert": "the board swaps the old image back",
    "reboot": "the board restarts",
}


class Output(Protocol):
    """Where a command's words go."""

    def show(self, event: PhaseChanged | Progress | WarningEvent | Waiting) -> None:
        """What an engine does at the moment."""

    def say(self, text: str) -> None:
        """One line of narration, for people only; silent with --quiet."""

    def answer(self, event: str, fields: dict[str, object], text: str) -> None:
        """What was asked for: `fields` for machines, `text` for people."""

    def detail(self, event: str, fields: dict[str, object]) -> None:
        """A line for machines alone; people see it in the answer."""

    def text(self, text: str) -> None:
        """What the program on the board prints, as it comes. Raises BrokenPipeError where nobody reads any more."""

    def note(self, text: str) -> None:
        """One line beside such text: on stderr for people, unless with --quiet."""

    def close(self) -> None:
        """Leaves the screen tidy. May be called twice."""


class MachineOutput:
    """JSON Lines on stdout; warnings for people as well, on stderr."""

    def show(self, event: PhaseChanged | Progress | WarningEvent | Waiting) -> None:
        match event:
            case PhaseChanged(name):
                self._write("phase", {"name": name})
            case Progress():
                self._write("progress", _progress_fields(event))
            case WarningEvent(id, text):
                self._write("warning", {"id": id, "text": text})
                print_warning(text)
            case Waiting(left_s):
                self._write("waiting", {"left_s": left_s})

    def say(self, text: str) -> None:
        """People are not listening."""

    def answer(self, event: str, fields: dict[str, object], text: str) -> None:
        del text
        self._write(event, fields)

    def detail(self, event: str, fields: dict[str, object]) -> None:
        self._write(event, fields)

    def text(self, text: str) -> None:
        write_text(_json_line("text", {"text": text}) + "\n")

    def note(self, text: str) -> None:
        self._write("note", {"text": text})

    def close(self) -> None:
        """Nothing is left open."""

    def _write(self, event: str, fields: dict[str, object]) -> None:
        write_line(_json_line(event, fields))


class PlainOutput:
    """Lines for people on a pipe, in a file or in a log: one for each phase, one for each 10 %."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._tenth = 0

    def show(self, event: PhaseChanged | Progress | WarningEvent | Waiting) -> None:
        match event:
            case PhaseChanged(name):
                self._tenth = 0
                self.say(f"{name}: {PHASES.get(name, name)}")
            case Progress():
                self._show_progress(event)
            case WarningEvent(_, text):
                print_warning(text)
            case Waiting():
                return  # told once, when it began

    def say(self, text: str) -> None:
        if not self._quiet:
            write_line(text)

    def answer(self, event: str, fields: dict[str, object], text: str) -> None:
        del event, fields
        write_line(text)

    def detail(self, event: str, fields: dict[str, object]) -> None:
        """People see it in the answer."""

    def text(self, text: str) -> None:
        write_text(text)

    def note(self, text: str) -> None:
        if not self._quiet:
            print_note(text)

    def close(self) -> None:
        """Nothing is left open."""

    def _show_progress(self, progress: Progress) -> None:
        tenth = 10 * progress.done_bytes // max(1, progress.total_bytes)
        if tenth > self._tenth:
            self._tenth = tenth
            self.say(f"  {progress_text(progress)}")


def choose_output(*, as_json: bool, quiet: bool) -> Output:
    """The output that fits what was asked and what stdout is. NO_COLOR is honoured by rich itself."""
    if as_json:
        return MachineOutput()
    if quiet or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return PlainOutput(quiet=quiet)
    from otaflash.cli.terminal import TerminalOutput  # noqa: PLC0415  rich is slow to import

    return TerminalOutput()


def progress_text(progress: Progress) -> str:
    """``43 %  13,228 of 30,764 bytes  9,876 B/s  loss 5 %  3 s left``, without what is not known yet."""
    percent = 100 * progress.done_bytes // max(1, progress.total_bytes)
    rate = f"  {progress.bytes_per_s:,.0f} B/s" if progress.bytes_per_s else ""
    left = "" if progress.eta_s is None else f"  {progress.eta_s:.0f} s left"
    return (
        f"{percent} %  {progress.done_bytes:,} of {progress.total_bytes:,} bytes"
        f"{rate}  loss {100 * progress.loss:.0f} %{left}"
    )


def print_note(text: str) -> None:
    """One line on stderr, beside what a board prints."""
    with suppress(OSError):
        print(f"-- {text}", file=sys.stderr, flush=True)


def print_warning(text: str) -> None:
    """One line on stderr; an update does not end because nobody can be warned."""
    with suppress(OSError):
        print(f"warning: {text}", file=sys.stderr, flush=True)


def _json_line(event: str, fields: dict[str, object]) -> str:
    return json.dumps({"v": JSON_VERSION, "event": event, **fields})


def _progress_fields(progress: Progress) -> dict[str, object]:
    return {
        "done_bytes": progress.done_bytes,
        "total_bytes": progress.total_bytes,
        "bytes_per_s": round(progress.bytes_per_s, 1),
        "loss": round(progress.loss, 4),
        "eta_s": None if progress.eta_s is None else round(progress.eta_s, 1),
    }
