"""`otaflash bench ble`: the modelled BLE links against their calculated ceilings, one row a cell, as they come."""

from __future__ import annotations

import click

from otaflash.bench.ble import CELLS, AirCell, PushCell, run_cells
from otaflash.cli.help import command
from otaflash.cli.settings import common_options, settings_of
from otaflash.errors import ExitCode, UsageError

_BY_NAME: dict[str, AirCell | PushCell] = {cell.name: cell for cell in CELLS}


@command("otaflash bench ble", "otaflash bench ble --cell android --json")
@click.option(
    "--cell", "names", multiple=True, metavar="NAME", help=f"Only this cell, may be repeated: {', '.join(_BY_NAME)}."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of everything that is drawn.")
@common_options
@click.pass_context
def ble(context: click.Context, *, names: tuple[str, ...], seed: int) -> None:
    """Measure modelled BLE links: the air alone, then whole updates of 240 KiB over it.

    A ceiling is calculated from the air times of the Bluetooth specification; a ratio is what was reached of it.
    """
    settings = settings_of(context)
    cells = [_cell(name) for name in names] or list(CELLS)
    output = settings.output()
    short = 0
    for row in run_cells(cells, seed):
        short += not row["ok"]
        output.answer("cell", row, _row_text(row))
    code = ExitCode.OK if not short else ExitCode.INTERNAL
    fields: dict[str, object] = {"ok": not short, "code": int(code), "cells": len(cells), "cells_below_bar": short}
    output.answer("result", fields, f"{len(cells) - short} of {len(cells)} cells reach their bar")
    if short:
        context.exit(int(code))


def _cell(name: str) -> AirCell | PushCell:
    if name not in _BY_NAME:
        raise UsageError("unknown-cell", f"there is no cell {name!r}", remedy=f"name one of {', '.join(_BY_NAME)}")
    return _BY_NAME[name]


def _row_text(row: dict[str, object]) -> str:
    resent = f", {row['resent_ratio']:.1%} sent twice" if "resent_ratio" in row else ""
    return (
        f"{row['name']:<24} {row['goodput_bytes_per_s']:>8,} of {row['ceiling_bytes_per_s']:>8,} B/s, "
        f"ratio {row['ratio']:.3f} (bar {row['bar']:.2f}){resent}{'' if row['ok'] else '  BELOW'}"
    )
