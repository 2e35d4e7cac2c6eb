"""`otaflash doctor`: what may keep this computer from reaching a board, one line for each thing that was looked at."""

from __future__ import annotations

import click

from otaflash.cli.help import command
from otaflash.cli.settings import common_options, output_of
from otaflash.doctor import Finding, State, ThisComputer, examine
from otaflash.errors import ExitCode


@command("otaflash doctor")
@common_options
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check this computer: ports and who may open or holds them, drivers, Bluetooth, compiler, clocks, folders.

    Touches no board and changes nothing. Ends with 0 unless something is a problem, which will make a command fail;
    then with 2. Warnings alone do not count.
    """
    output = output_of(context)
    states = dict.fromkeys(State, 0)
    for finding in examine(ThisComputer()):
        states[finding.state] += 1
        output.answer("check", fields_of(finding), text_of(finding))
    code = ExitCode.USAGE if states[State.PROBLEM] else ExitCode.OK
    fields: dict[str, object] = {"ok": code is ExitCode.OK, "code": int(code)}
    fields |= {f"{state.value}s" if state is not State.OK else "ok_checks": count for state, count in states.items()}
    output.answer("result", fields, summary(states))
    if code:
        context.exit(int(code))


def fields_of(finding: Finding) -> dict[str, object]:
    """The finding for machines."""
    return {
        "check": finding.check,
        "state": finding.state.value,
        "text": finding.text,
        "remedy": finding.remedy,
        "paste": finding.paste,
    }


def text_of(finding: Finding) -> str:
    """The finding for people: one line, and below it what to do, if there is something."""
    lines = [f"{finding.state.value:<8} {finding.check:<17} {finding.text}"]
    if finding.remedy is not None:
        lines.append(f"{'':<8} {'':<17} -> {finding.remedy}")
    lines += [f"{'':<12}{line}" for line in (finding.paste or "").splitlines()]
    return "\n".join(lines)


def summary(states: dict[State, int]) -> str:
    """One line: what it comes to."""
    problems, warnings = (f"{states[s]} {s.value}{'s' * (states[s] != 1)}" for s in (State.PROBLEM, State.WARNING))
    return f"Nothing is wrong; {warnings}." if not states[State.PROBLEM] else f"{problems}, {warnings}."
