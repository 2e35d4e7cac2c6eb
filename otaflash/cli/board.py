"""`info`, `confirm`, `revert`, `reboot`: one question to the board, or one word and what runs after it."""

from __future__ import annotations

import click

from otaflash.cli.exchange import ask
from otaflash.cli.facts import facts_of, running_text, table_text
from otaflash.cli.help import command
from otaflash.cli.settings import common_options, settings_of
from otaflash.engine import Operation


@command("otaflash info", "otaflash info --port usb:0403:6001 --json")
@common_options
@click.pass_context
def info(context: click.Context) -> None:
    """Show what the board is and what it runs. Disturbs nothing: the running program answers itself."""
    settings = settings_of(context)
    output = settings.output()
    facts = facts_of(ask(settings, Operation.INFO, output))
    output.answer("result", {"ok": True, "code": 0, **facts}, table_text(facts))


@command("otaflash confirm")
@common_options
@click.pass_context
def confirm(context: click.Context) -> None:
    """Keep the program that is on trial: it becomes the one that runs for good."""
    _tell(context, Operation.CONFIRM)


@command("otaflash revert")
@common_options
@click.pass_context
def revert(context: click.Context) -> None:
    """Give up the program that is on trial; the board swaps the old one back and starts it."""
    _tell(context, Operation.REVERT)


@command("otaflash reboot")
@common_options
@click.pass_context
def reboot(context: click.Context) -> None:
    """Restart the board; its loader checks the program and starts it."""
    _tell(context, Operation.REBOOT)


def _tell(context: click.Context, operation: Operation) -> None:
    settings = settings_of(context)
    output = settings.output()
    now = ask(settings, operation, output)
    output.answer("result", {"ok": True, "code": 0, **facts_of(now)}, running_text(now))
