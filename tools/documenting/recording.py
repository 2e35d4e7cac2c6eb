"""A recording of a terminal as an animated SVG: what a command writes, when, and how a terminal would show it.

The command runs in this process against a simulated board, in whose virtual time everything is stamped: the same
command makes the same picture, on any machine.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from unittest import mock

import pyte

from otaflash import session
from otaflash.cli import terminal
from otaflash.cli.main import main
from otaflash.sim.world import World

COLUMNS, ROWS = 112, 6
TYPING_S = 0.03
"""Between two characters of the command line."""
PAUSE_S = 0.5
HOLD_S = 5.0
"""How long the last picture stands before it begins again."""
SESSION = 2009

Style = tuple[str, bool]
"""Colour by pyte's name, and whether bold."""
Row = tuple[tuple[str, Style], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """What the screen shows from a time on, in seconds."""

    at_s: float
    rows: tuple[Row, ...]


class Screen(io.StringIO):
    """A standard output that is a terminal, and remembers what it showed when."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._screen.set_mode(pyte.modes.LNM)
        self._stream = pyte.Stream(self._screen)
        self.now_s = 0.0
        self.world: World | None = None
        self.pictures: list[Picture] = []

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._stream.feed(text)
        return len(text)

    def flush(self) -> None:
        self.show()

    def show(self) -> None:
        """Takes a picture, at the virtual time that it is."""
        at_s = self.now_s + (self.world.now if self.world is not None else 0.0)
        rows = tuple(self._row(number) for number in range(ROWS))
        if self.pictures and self.pictures[-1].at_s == at_s:
            self.pictures.pop()
        if not self.pictures or self.pictures[-1].rows != rows:
            self.pictures.append(Picture(at_s, rows))

    def _row(self, number: int) -> Row:
        """Its characters, joined where they look alike."""
        runs: list[tuple[str, Style]] = []
        for column in range(COLUMNS):
            cell = self._screen.buffer[number][column]
            style = (str(cell.fg), bool(cell.bold))
            if runs and runs[-1][1] == style:
                runs[-1] = (runs[-1][0] + cell.data, style)
            else:
                runs.append((cell.data, style))
        if runs and not runs[-1][0].strip():
            runs.pop()
        return tuple(runs)


def record(typed: str, words: list[str]) -> list[Picture]:
    """Types a command line, runs it, and returns all pictures; the last one is as long as it is to be seen."""
    screen = Screen()
    screen.write("\x1b[1;32m$\x1b[0m ")
    screen.show()
    screen.now_s = PAUSE_S
    for character in typed:
        screen.write(character)
        screen.show()
        screen.now_s += TYPING_S
    screen.write("\n")
    screen.now_s += PAUSE_S
    with _watched(screen), redirect_stdout(screen):
        code = main(words)
    if code != 0:
        raise SystemExit(f"the command that is recorded ended with code {code}")
    screen.write("\x1b[1;32m$\x1b[0m ")
    screen.show()
    return [*screen.pictures, Picture(screen.pictures[-1].at_s + HOLD_S, screen.pictures[-1].rows)]


@contextmanager
def _watched(screen: Screen) -> Iterator[None]:
    """Lets the screen know the world that the command makes, and the command know no time but that world's."""
    made = World.__init__

    def remember(world: World, *given: object, **named: object) -> None:
        made(world, *given, **named)  # type: ignore[arg-type]  # handed on as they came
        screen.world = world

    def now_s() -> float:
        return screen.world.now if screen.world is not None else 0.0

    size = {"COLUMNS": str(COLUMNS), "LINES": str(ROWS), "TERM": "xterm-256color"}
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "OTAFLASH_PORT"}}
    with (
        TemporaryDirectory() as state,
        mock.patch.object(World, "__init__", remember),
        mock.patch.object(session, "draw_session", return_value=SESSION),
        mock.patch.object(terminal, "time", SimpleNamespace(monotonic=now_s)),
        mock.patch("rich.console.monotonic", now_s),
        mock.patch.dict(os.environ, {**kept, **size, "OTAFLASH_STATE_DIR": state}, clear=True),
    ):
        yield
    sys.stdout.flush()
