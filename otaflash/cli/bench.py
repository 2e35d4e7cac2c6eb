"""`otaflash bench`: the list of what can be measured."""

from __future__ import annotations

import click

from otaflash.cli.lazy import Entry, LazyGroup

_BENCHES = {
    "link": Entry("otaflash.cli.bench_link", "link", "Goodput over the matrix of delays, losses and other faults."),
    "ble": Entry("otaflash.cli.bench_ble", "ble", "Modelled BLE links against their calculated ceilings."),
    "scale": Entry("otaflash.cli.bench_scale", "scale", "CPU time and memory, from one board to a hundred at once."),
    "powercut": Entry(
        "otaflash.cli.bench_powercut", "powercut", "Cut the power at every flash operation of an update."
    ),
    "soak": Entry(
        "otaflash.cli.bench_soak", "soak", "Whole updates under faults on everything, one seed after the other."
    ),
}


@click.group(cls=LazyGroup, entries=_BENCHES, no_args_is_help=False)
def bench() -> None:
    """Measure the real bootloader core in virtual time, from a seed. Needs no board."""
