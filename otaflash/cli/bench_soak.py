"""`otaflash bench soak`: thousands of updates under drawn faults, its events printed as they come."""

from __future__ import annotations

import click

from otaflash.bench.soak.many import run_one, run_soak
from otaflash.cli.facts import table_text
from otaflash.cli.help import command
from otaflash.cli.settings import common_options, settings_of
from otaflash.errors import ExitCode, UsageError


@command("otaflash bench soak --seeds 1000", "otaflash bench soak --seed 7")
@click.option("--seeds", type=click.IntRange(1), help="How many; default 1000.")
@click.option("--first", type=click.IntRange(0), help="The first of them; default 0.")
@click.option("--seed", type=click.IntRange(0), help="Run this one alone, and tell what happens.")
@click.option("--scenario", metavar="JSON", help="Run this scenario, as a failure prints it, and tell what happens.")
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes; default: one for each core.")
@common_options
@click.pass_context
def soak(
    context: click.Context,
    *,
    seeds: int | None,
    first: int | None,
    seed: int | None,
    scenario: str | None,
    jobs: int | None,
) -> None:
    """Run whole updates with faults on link, host, board and application, drawn from a seed each.

    Every one is judged from outside: no wrong image ever runs, no success is reported that is not true, every run ends,
    and a last push over a clean link always gets through. A seed that fails shrinks, and prints how to run it again.
    """
    if sum((seed is not None, scenario is not None, seeds is not None or first is not None)) > 1:
        raise UsageError(
            "soak-which",
            "--seed, --scenario and --seeds name different runs",
            remedy="Give one of them; --first goes with --seeds.",
        )
    output = settings_of(context).output()
    alone = seed is not None or scenario is not None
    ok = True
    for event in run_one(seed, scenario) if alone else run_soak(first or 0, seeds or 1000, jobs=jobs):
        fields = {name: value for name, value in event.items() if name != "event"}
        if event["event"] == "result":
            ok = bool(event["ok"])
            fields["code"] = int(ExitCode.OK if ok else ExitCode.INTERNAL)
            output.answer("result", fields, table_text(fields))
        else:
            output.answer(str(event["event"]), fields, _line(event))
    if not ok:  # what the soak finds is a bug of ours
        context.exit(int(ExitCode.INTERNAL))


def _line(event: dict[str, object]) -> str:
    if event["event"] == "story":
        return f"{event['at_s']:>10.4f} s  {event['text']}"
    return "\n  ".join(f"{name.replace('_', ' ')}: {value}" for name, value in event.items())
