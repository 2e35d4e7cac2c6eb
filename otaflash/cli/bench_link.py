"""`otaflash bench link`: goodput over the matrix of links, one row a cell, printed as they come."""

from __future__ import annotations

import click

from otaflash.bench.link import CELLS, TRIES, Cell, run_matrix
from otaflash.cli.help import command
from otaflash.cli.settings import common_options, settings_of
from otaflash.errors import ExitCode, UsageError

_BY_NAME = {cell.name: cell for cell in CELLS}


@command("otaflash bench link", "otaflash bench link --cell loss-5 --tries 1")
@click.option("--tries", default=TRIES, show_default=True, type=click.IntRange(1, 1000), help="Updates a cell.")
@click.option(
    "--cell", "names", multiple=True, metavar="NAME", help=f"Only this cell, may be repeated: {', '.join(_BY_NAME)}."
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the first try; the others count up."
)
@common_options
@click.pass_context
def link(context: click.Context, *, tries: int, names: tuple[str, ...], seed: int) -> None:
    """Run whole updates of real boards over modelled links, and hold the goodput against the bars.

    A ratio is the image's bytes by the time from the first question to the report that every block is held, as a
    part of what the line carries.
    """
    settings = settings_of(context)
    cells = [_cell(name) for name in names] or list(CELLS)
    output = settings.output()
    short = 0
    for row in run_matrix(tries, cells, seed):
        short += not row["ok"]
        output.answer("cell", row, _row_text(row))
    code = ExitCode.OK if not short else ExitCode.INTERNAL
    fields: dict[str, object] = {"ok": not short, "code": int(code), "cells": len(cells), "cells_below_bar": short}
    output.answer("result", fields, f"{len(cells) - short} of {len(cells)} cells reach their bar")
    if short:
        context.exit(int(code))


def _cell(name: str) -> Cell:
    if name not in _BY_NAME:
        raise UsageError("unknown-cell", f"there is no cell {name!r}", remedy=f"name one of {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def _row_text(row: dict[str, object]) -> str:
    return (
        f"{row['name']:<16} {row['completed']} of {row['tries']} complete, {row['wrong_images']} wrong, "
        f"goodput {row['goodput_ratio']:.3f} (bar {row['bar']:.3f}){'' if row['ok'] else '  BELOW'}"
    )
