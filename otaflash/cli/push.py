"""`otaflash push`: the whole update, from a file to the program that runs and is confirmed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from otaflash.api.program import Program, Wanted, check_board
from otaflash.cli.exchange import board_link, is_simulated, update
from otaflash.cli.facts import running_text
from otaflash.cli.help import command
from otaflash.cli.output import Output
from otaflash.cli.prepare import read_program
from otaflash.cli.settings import common_options, settings_of
from otaflash.engine import Result, WarningEvent
from otaflash.image.bundle import Bundle
from otaflash.image.program import slot_of
from otaflash.session import MakeBundle
from otaflash.wire.messages import FLAG_SINGLE_SLOT, Info


@command(
    "otaflash push firmware.hex",
    "otaflash push firmware.hex --version 1.2.0 --port /dev/ttyUSB0",
    "otaflash push firmware.hex --no-confirm",
)
@click.argument("file", type=click.Path(readable=False, path_type=Path))
@click.option("--version", metavar="VERSION", help="Version of the program, as 1.2.3 or 1.2.3+4.")
@click.option("--counter", type=click.IntRange(0, 0xFFFFFFFF), help="Security counter; default: the board's own.")
@click.option("--single-slot", is_flag=True, help="Replace the only copy: for programs too large for two, no way back.")
@click.option("--no-confirm", is_flag=True, help="Leave the new program on trial; it or you must confirm it.")
@click.option("--board", metavar="BOARD", help="Stop unless the board calls itself so.")
@common_options
@click.pass_context
def push(
    context: click.Context,
    *,
    file: Path,
    version: str | None,
    counter: int | None,
    single_slot: bool,
    no_confirm: bool,
    board: str | None,
) -> None:
    """Send FILE, a HEX or a bundle, to the board, start it, and see that it runs.

    Until the new program is whole, checked and confirmed, the old one stays on the board. Interrupted by
    anything, push again: only what is missing is sent.
    """
    settings = settings_of(context)
    program = read_program(file, Wanted(version, counter, single_slot), settings.config)
    output = settings.output()
    expected = board or settings.config.board
    with board_link(settings, output) as link:
        maker = bundle_maker(program, output, expected=expected, move=is_simulated(link.name), confirm=not no_confirm)
        result = update(link, output, maker, confirm=not no_confirm)
    output.answer("result", {"ok": True, "code": 0, **result_fields(result)}, summary(result))


def bundle_maker(
    program: Program, output: Output, *, expected: str | None, move: bool, confirm: bool = True
) -> MakeBundle:
    """What makes the bundle once the board is known; `expected` is the board that the user means, None: any.

    What is made raises OtaflashError for another board, ImageError for an image that does not fit it.
    """
    moved = replace(program, wanted=replace(program.wanted, move=move))

    def make(info: Info) -> Bundle:
        check_board(info, expected)
        bundle, warnings = moved.bundle_for(slot_of(info), info.counter)
        for warning in warnings:
            output.show(warning)
        if bundle.manifest.flags & FLAG_SINGLE_SLOT and not confirm:
            output.show(WarningEvent("no-trial", "a single-slot image has no trial: --no-confirm changes nothing"))
        return bundle

    return make


def result_fields(result: Result) -> dict[str, object]:
    """The numbers of the last JSON line. Times in seconds; goodput_ratio null where the line's rate is not known."""
    return {
        "image_bytes": result.image_bytes,
        "wire_bytes_down": result.wire_bytes_down,
        "wire_bytes_up": result.wire_bytes_up,
        "seconds": round(result.seconds, 3),
        "transfer_seconds": round(result.transfer_seconds, 3),
        "verify_seconds": round(result.verify_seconds, 3),
        "downtime_seconds": round(result.downtime_seconds, 3),
        "line_rate_bytes_per_s": result.line_rate_bytes_per_s,
        "goodput_ratio": None if result.goodput_ratio is None else round(result.goodput_ratio, 4),
        "retransmitted_blocks": result.retransmitted_blocks,
        "running_version": result.running_version,
        "already_running": result.already_running,
    }


def summary(result: Result) -> str:
    """One line: what runs now, and what it took."""
    if result.already_running:
        return f"{running_text(result.info)} It ran already; nothing was sent."
    return (
        f"{running_text(result.info)} Took {result.seconds:.1f} s: {result.transfer_seconds:.1f} s to send, "
        f"{result.verify_seconds:.1f} s to check, {result.downtime_seconds:.1f} s without a program; "
        f"{result.retransmitted_blocks} blocks sent again."
    )
