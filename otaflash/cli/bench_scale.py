"""`otaflash bench scale`: CPU time and memory of updates, one board or many at once."""

from __future__ import annotations

import click

from otaflash.bench.scale import FLEETS, run_scale
from otaflash.cli.facts import table_text
from otaflash.cli.help import command
from otaflash.cli.settings import common_options, settings_of
from otaflash.errors import ExitCode


@command("otaflash bench scale --boards 1 --boards 10")
@click.option(
    "--boards", "fleets", multiple=True, type=click.IntRange(1, 1000), help="Boards at once, may be repeated, rising."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of all that is drawn.")
@common_options
@click.pass_context
def scale(context: click.Context, *, fleets: tuple[int, ...], seed: int) -> None:
    """Update many boards at once in one process, and hold what it costs against the bars.

    The CPU time is that of engine, simulated radio and simulated boards together; it differs from machine to machine.
    """
    output = settings_of(context).output()
    ok = True
    for event in run_scale(tuple(sorted(fleets)) or FLEETS, seed):
        fields = {name: value for name, value in event.items() if name != "event"}
        if event["event"] == "result":
            ok = bool(event["ok"])
            fields["code"] = int(ExitCode.OK if ok else ExitCode.INTERNAL)
            output.answer("result", fields, table_text(fields))
        else:
            line = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in fields.items())
            output.answer(str(event["event"]), fields, f"{event['event']}: {line}")
    if not ok:
        context.exit(int(ExitCode.INTERNAL))
