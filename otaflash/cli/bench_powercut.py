"""`otaflash bench powercut`: the explorer, its events printed as they come."""

from __future__ import annotations

import click

from otaflash.bench.powercut import run_powercut
from otaflash.cli.facts import table_text
from otaflash.cli.help import command
from otaflash.cli.settings import common_options, settings_of
from otaflash.errors import ExitCode


@command("otaflash bench powercut --board tiny1 --depth 2")
@click.option(
    "--board",
    default="tiny1",
    show_default=True,
    metavar="BOARD",
    help="Board profile, a tiny geometry, or all of these.",
)
@click.option(
    "--depth", default=1, show_default=True, type=click.IntRange(0, 3), help="Power cuts in one history; 3 is a sample."
)
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Stop after this time, although not all was seen.")
@click.option("--seed", default=1, show_default=True, help="Of all that is drawn.")
@click.option("--replay", metavar="HISTORY", help="Run one history again, as a violation names it.")
@common_options
@click.pass_context
def powercut(
    context: click.Context, *, board: str, depth: int, seconds: float | None, seed: int, replay: str | None
) -> None:
    """Cut the power before, in and after every flash operation of update, trial, confirm and revert.

    After each cut the board is judged from outside: whether it starts a whole image that was approved, and still
    has the way back that it should have. With --board all: the geometries that stand for all boards, at each depth up
    to the one given, on all cores; some of them with other faults, too.
    """
    output = settings_of(context).output()
    ok = True
    for event in run_powercut(board, depth, seconds=seconds, seed=seed, replay=replay):
        fields = {name: value for name, value in event.items() if name != "event"}
        if event["event"] == "result":
            ok = bool(event["ok"])
            fields["code"] = int(ExitCode.OK if ok else ExitCode.INTERNAL)
            output.answer("result", fields, table_text(fields))
        else:
            line = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in fields.items())
            output.answer(str(event["event"]), fields, f"{event['event']}: {line}")
    if not ok:  # what the explorer finds is a bug of the core
        context.exit(int(ExitCode.INTERNAL))
