"""A group of commands that imports a command's module only to run it, so that --help and mistakes cost little."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

import rich_click as click


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives, and the line that the list of commands shows for it."""

    module: str
    name: str
    summary: str


class LazyGroup(click.RichGroup):
    """Lists its entries from their summaries; loads the one that is called."""

    def __init__(self, *args: object, entries: dict[str, Entry], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as click gave them
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A stand-in that is good for the list of commands only."""
        del ctx
        entry = self._entries.get(cmd_name)
        return None if entry is None else click.RichCommand(name=cmd_name, help=entry.summary)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name is None or command is None:
            return name, command, rest
        entry = self._entries[name]
        loaded = getattr(import_module(entry.module), entry.name)
        assert isinstance(loaded, click.Command)
        return name, loaded, rest
