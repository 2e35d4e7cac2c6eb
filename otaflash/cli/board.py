"""`info`, `confirm`, `revert`, `reboot`: one question to the board, or one word and what runs after it."""

from __future__ import annotations

from collections.abc import Callable

import click

from otaflash.api.facts import BoardInfo
from otaflash.api.sync import OnEvent, SyncBoard
from otaflash.cli.exchange import connected, shown_on, waiting_on
from otaflash.cli.facts import facts_of, running_text, table_text
from otaflash.cli.help import command
from otaflash.cli.journal import recorded
from otaflash.cli.settings import common_options, settings_of


@command("otaflash info", "otaflash info --port usb:0403:6001 --json")
@common_options
@click.pass_context
def info(context: click.Context) -> None:
    """Show what the board is and what it runs. Disturbs nothing: the running program answers itself."""
    settings = settings_of(context)
    output = settings.output()
    with connected(settings, output) as board:
        facts = facts_of(board.info(waiting_on(output)))
    output.answer("result", {"ok": True, "code": 0, **facts}, table_text(facts))


@command("otaflash confirm")
@common_options
@click.pass_context
def confirm(context: click.Context) -> None:
    """Keep the program that is on trial: it becomes the one that runs for good."""
    _tell(context, SyncBoard.confirm)


@command("otaflash revert")
@common_options
@click.pass_context
def revert(context: click.Context) -> None:
    """Give up the program that is on trial; the board swaps the old one back and starts it."""
    _tell(context, SyncBoard.revert)


@command("otaflash reboot")
@common_options
@click.pass_context
def reboot(context: click.Context) -> None:
    """Restart the board; its loader checks the program and starts it."""
    settings = settings_of(context)
    output = settings.output()
    with connected(settings, output) as board:
        now = board.reboot(shown_on(output))
    output.answer("result", {"ok": True, "code": 0, **facts_of(now)}, running_text(now))


def _tell(context: click.Context, order: Callable[[SyncBoard, OnEvent], BoardInfo]) -> None:
    settings = settings_of(context)
    output = settings.output()
    with connected(settings, output) as board, recorded(output, board, str(context.info_name)):
        now = order(board, shown_on(output))
    output.answer("result", {"ok": True, "code": 0, **facts_of(now)}, running_text(now))
