"""Commands whose --help leads with examples and shows their own options apart from those of every command.

Draws with click alone: rich takes longer to import than the rest of --help together.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

WIDTH = 100
"""Columns that help fills at most; a narrower terminal gets narrower lines."""

_OPTION = re.compile(r"(?<![\w-])--?[\w-]+")


class Formatter(click.HelpFormatter):
    """click's layout, with colours where standard output is a terminal that wants them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._coloured = wants_colour()

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Writes the line with which help begins."""
        super().write_usage(self._style(prog, bold=True), args, prefix)

    def write_heading(self, heading: str) -> None:
        """Writes the name of a section."""
        super().write_heading(self._style(heading, bold=True))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 28, col_spacing: int = 2) -> None:
        """Writes terms and what they mean, side by side."""
        super().write_dl([(self._term(term), text) for term, text in rows], col_max, col_spacing)

    def write_examples(self, examples: Sequence[str]) -> None:
        """Writes command lines as they are typed, never broken: they are there to be copied."""
        with self.section("Example" if len(examples) == 1 else "Examples"):
            indent = " " * self.current_indent
            self.write("".join(f"{indent}{self._style('$', dim=True)} {line}\n" for line in examples))

    def _term(self, term: str) -> str:
        if "-" not in term[:1]:
            return self._style(term, fg="cyan")
        return _OPTION.sub(lambda found: self._style(found.group(), fg="cyan"), term)

    def _style(self, text: str, **style: Any) -> str:
        return click.style(text, **style) if self._coloured else text


def wants_colour() -> bool:
    """Whether standard output is a terminal that shows colours, and NO_COLOR is not set (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Context(click.Context):
    """A context whose help is drawn by `Formatter`."""

    formatter_class = Formatter


class Command(click.Command):
    """A command with examples: whole command lines, each of which a test runs."""

    context_class = Context

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        for parameter in self.params:
            if parameter.metavar is None and isinstance(parameter.type, (click.IntRange, click.FloatRange)):
                parameter.metavar = "N"

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes what the command does, then its examples."""
        super().format_help_text(ctx, formatter)
        if self.examples and isinstance(formatter, Formatter):
            formatter.write_examples(self.examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the command's own options, then those that every command takes."""
        options = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
        own = [option for option in options if option.expose_value]
        common = [option for option in options if not option.expose_value]
        for heading, part in (("Options", own), ("Options of every command" if own else "Options", common)):
            rows = [row for row in (option.get_help_record(ctx) for option in part) if row is not None]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


class Group(Command, click.Group):
    """A group of commands, which its help lists before the options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands, then the options."""
        self.format_commands(ctx, formatter)
        rows = [row for row in (option.get_help_record(ctx) for option in self.get_params(ctx)) if row is not None]
        with formatter.section("Options"):
            formatter.write_dl(rows)


def command(*examples: str) -> Callable[[Callable[..., object]], Command]:
    """Makes a command of a function, as `click.command` does; `examples` are whole command lines for its help."""
    return click.command(cls=Command, examples=examples)
