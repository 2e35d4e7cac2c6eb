"""The command line, described: what the manual page and the reference say of each command, taken from the commands."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import click

from otaflash.cli.commands import otaflash
from otaflash.cli.help import Command

PROGRAM = "otaflash"


@dataclass(frozen=True, slots=True)
class Row:
    """One option: what is typed, and what it does."""

    term: str
    text: str


@dataclass(frozen=True, slots=True)
class Described:
    """One command."""

    name: str
    """As typed: ``otaflash bench link``."""
    usage: str
    """What follows the name."""
    paragraphs: tuple[str, ...]
    examples: tuple[str, ...]
    options: tuple[Row, ...]
    """Its own; those of every command are `common_options`."""

    @property
    def summary(self) -> str:
        """Its first paragraph."""
        return self.paragraphs[0] if self.paragraphs else ""


def every_command() -> Iterator[Described]:
    """All commands that do something, in the order of the lists; groups only by what is in them."""
    for path, command in otaflash.every_command():
        if not isinstance(command, click.Group):
            yield described(" ".join((PROGRAM, *path)), command)


def described(name: str, command: click.Command) -> Described:
    """What a command says of itself."""
    context = click.Context(command, info_name=name)
    text = inspect.cleandoc(command.help or "").partition("\f")[0]
    return Described(
        name=name,
        usage=" ".join(piece for piece in command.collect_usage_pieces(context)),
        paragraphs=tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip()),
        examples=command.examples if isinstance(command, Command) else (),
        options=tuple(rows(context, common=False)),
    )


def common_options() -> tuple[Row, ...]:
    """What every command takes, as one of them says it: the options above all commands have --version besides."""
    return tuple(rows(click.Context(otaflash.entries["info"].load()), common=True))


def rows(context: click.Context, *, common: bool) -> Iterator[Row]:
    """The options of a command: its own, or those of every command, which hand no value to it."""
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None and parameter.expose_value is not common:
            term, text = record
            yield Row(term, " ".join(text.split()))
