"""`otaflash config show`: what holds for the commands, and who states it. Asks no board."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping

import click

from otaflash.api.events import WarningEvent
from otaflash.cli.columns import columns
from otaflash.cli.help import command
from otaflash.cli.lazy import Entry, LazyGroup
from otaflash.cli.settings import common_options, settings_of
from otaflash.config import DEFAULT, KEYS, Config
from otaflash.history.place import FOLDER_VARIABLE

_COMMANDS = {"show": Entry("otaflash.cli.config", "show", "Show every setting, and who states it.")}


@click.group(cls=LazyGroup, entries=_COMMANDS, no_args_is_help=False)
def config() -> None:
    """Settings of the project, of the user, of the environment and of the command line."""


@command("otaflash config show", "otaflash config show --port lamp --json")
@common_options
@click.pass_context
def show(context: click.Context) -> None:
    """Show every setting, and who states it: an option, a variable, a line of a file, or nobody.

    Options stand above OTAFLASH_* variables, above the project's otaflash.toml (of this folder or of one
    above it), above the user's.
    """
    settings = settings_of(context)
    output = settings.output()
    for text in misspelt(os.environ):
        output.show(WarningEvent("environment-unknown", text))
    rows = [_row(settings.config, name) for name in KEYS]
    for row in rows:
        output.detail("setting", row)
    fields: dict[str, object] = {
        "ok": True,
        "code": 0,
        "name": settings.config.name,
        "boards": dict(settings.config.ports),
        "files": [str(path) for path in settings.config.files],
    }
    output.answer("result", fields, _table(settings.config, rows))


def misspelt(environment: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each variable that looks like one of ours and is none."""
    known = [key.environment for key in KEYS.values()]
    for name in sorted(environment):
        if name.startswith("OTAFLASH_") and name not in (*known, FOLDER_VARIABLE):
            near = difflib.get_close_matches(name, known, n=1)
            yield f"{name} states nothing" + (f"; perhaps {near[0]} is meant" if near else "")


def _row(config: Config, name: str) -> dict[str, object]:
    return {
        "key": name,
        "value": getattr(config, name),
        "origin": config.origins.get(name, DEFAULT),
        "default": KEYS[name].default,
    }


def _table(config: Config, rows: list[dict[str, object]]) -> str:
    lines = [("KEY", "VALUE", "FROM")]
    lines += [
        (str(row["key"]), str(row["default"] if row["value"] is None else row["value"]), str(row["origin"]))
        for row in rows
    ]
    text = columns(lines)
    for name, port in config.ports.items():
        text += f"\n{'*' if name == config.name else ' '} the board {name} is at {port}"
    return text + f"\nFiles read: {', '.join(map(str, config.files)) or 'none'}."
