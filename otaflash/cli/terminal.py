"""One progress line on a terminal, drawn by rich. Imported only when there is a terminal."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from otaflash.api.events import PhaseChanged, Progress, Waiting, WarningEvent
from otaflash.cli.output import PHASES, print_note, print_warning, progress_text
from otaflash.cli.stdout import write_text

REDRAW_S = 0.1
"""Ten times a second is as fast as anyone reads, and costs little of the CPU."""


class TerminalOutput:
    """Redraws one line while the engine works, and takes it away at the end."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        columns = (TextColumn("{task.fields[phase]}"), BarColumn(24), TextColumn("{task.fields[text]}"))
        self._bar = Bar(*columns, console=self._console, auto_refresh=False, transient=True)
        self._task = self._bar.add_task("", total=None, phase="", text="")
        self._drawn_at = 0.0

    def show(self, event: PhaseChanged | Progress | WarningEvent | Waiting) -> None:
        match event:
            case PhaseChanged(name):
                self._bar.update(self._task, phase=name, text=PHASES.get(name, name))
                self._draw()
            case Progress():
                text = progress_text(event)
                self._bar.update(self._task, completed=event.done_bytes, total=event.total_bytes, text=text)
                self._draw(within_s=REDRAW_S)
            case Waiting(left_s):
                self._bar.update(self._task, text=f"no answer yet; {left_s} s left")
                self._draw()
            case WarningEvent(_, text):
                self._bar.stop()
                print_warning(text)

    def say(self, text: str) -> None:
        self._print(text)

    def answer(self, event: str, fields: dict[str, object], text: str) -> None:
        del event, fields
        self._print(text)

    def detail(self, event: str, fields: dict[str, object]) -> None:
        """People see it in the answer."""

    def text(self, text: str) -> None:
        self._bar.stop()
        write_text(text)

    def note(self, text: str) -> None:
        self._bar.stop()
        print_note(text)

    def close(self) -> None:
        try:
            self._bar.stop()
        except BrokenPipeError:
            return

    def _print(self, text: str) -> None:
        self._bar.stop()
        self._console.print(text, markup=False, soft_wrap=True)

    def _draw(self, within_s: float = 0.0) -> None:
        now = time.monotonic()
        if now - self._drawn_at < within_s:
            return
        self._drawn_at = now
        self._bar.start()
        self._bar.refresh()
