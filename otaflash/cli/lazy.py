"""A group of commands that imports a command's module only to run it, so that --help and mistakes cost little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from otaflash.cli.help import Group


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives, and the line that the list of commands shows for it."""

    module: str
    name: str
    summary: str

    def load(self) -> click.Command:
        """The command itself, its module imported."""
        loaded = getattr(import_module(self.module), self.name)
        assert isinstance(loaded, click.Command)
        return loaded


class LazyGroup(Group):
    """Lists its entries from their summaries; loads the one that is called."""

    def __init__(
        self, *args: Any, entries: dict[str, Entry], sections: dict[str, tuple[str, ...]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.entries = entries
        self._sections = sections or {"Commands": ()}
        """The heading of each part of the list, and what stands below it; the last one has all the rest."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        del ctx
        return list(self.entries)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands, section by section, all in the same columns."""
        del ctx
        rest = [name for name in self.entries if not any(name in names for names in self._sections.values())]
        last = next(reversed(self._sections))
        width = max(map(len, self.entries))
        for heading, names in self._sections.items():
            shown = [*names, *(rest if heading == last else ())]
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), self.entries[name].summary) for name in shown])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A stand-in that is good for the list of commands only."""
        del ctx
        entry = self.entries.get(cmd_name)
        return None if entry is None else click.Command(name=cmd_name, short_help=entry.summary)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the words name, loaded, and the words behind its name."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is None or command is None:
            return name, command, rest
        return name, self.entries[name].load(), rest

    def every_command(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
        """All commands below this one, loaded, each with the words that call it; groups before what is in them."""
        for name, entry in self.entries.items():
            loaded = entry.load()
            yield (*path, name), loaded
            if isinstance(loaded, LazyGroup):
                yield from loaded.every_command((*path, name))
