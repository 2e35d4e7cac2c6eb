"""`otaflash demo`: an update over a bad radio with a power cut in the middle of the swap, told in plain words."""

from __future__ import annotations

from importlib.resources import as_file, files

import click

from otaflash.api.events import PhaseChanged
from otaflash.api.facts import ImageReady, PushEvent, PushResult
from otaflash.api.program import Program, Wanted
from otaflash.api.sync import SyncBoard
from otaflash.cli.exchange import shown_on
from otaflash.cli.facts import running_text
from otaflash.cli.help import command
from otaflash.cli.output import Output
from otaflash.cli.prepare import read_program
from otaflash.cli.push import tell_result
from otaflash.cli.settings import common_options, settings_of
from otaflash.errors import ExitCode, Fault, OtaflashError
from otaflash.image.data import Firmware
from otaflash.sim.native import Cut, NativeBoard
from otaflash.transport.simlink import SimLink, open_sim

PROGRAM = "blink-1.1.0.hex"
VERSION = "1.1.0"
PORT = "sim:atmega328p?rate=57600&delay=30ms&loss=5%&seed=7"

SWAP_STEPS_A_PAGE = 6
"""Flash operations of the swap for one page: two copies, each an erase, a write and a mark."""


@command("otaflash demo")
@common_options
@click.pass_context
def demo(context: click.Context) -> None:
    """Push a real program to a simulated board over a bad radio, and cut its power in the middle of the swap.

    The board runs the real bootloader, compiled for this computer. Everything is drawn from one seed, so each run
    is the same. --port and --baud mean nothing here.
    """
    settings = settings_of(context)
    output = settings.output()
    with as_file(files("otaflash") / "data" / PROGRAM) as path:
        program = read_program(path, Wanted(version=VERSION), settings.config)
    link = open_sim(PORT)
    with SyncBoard(link) as board:
        try:
            _introduce(board, output)
            result = _push(board, link, program, output)
            _tell_cut(link, output)
        finally:
            output.close()
        same = _check(link, program)
    output.say("The flash, looked at from outside, holds the program byte for byte; and the program itself says:")
    tell_result(result, output, power_cuts=len(link.station.counters.cuts), flash_is_program=same)


def _introduce(board: SyncBoard, output: Output) -> None:
    output.say(f"The program is {PROGRAM}, a real one, built for the ATmega328P by avr-gcc.")
    output.say("The board is simulated; the bootloader in it is the real C code. The radio carries 57,600 bits/s in")
    output.say("packets of 100 bytes, 30 ms each way, and loses 5 % of them. At first:")
    output.say(f"    {running_text(board.info())}")
    output.say("Now the update; when the board has begun to swap the two images, its power will fail.")


def _push(board: SyncBoard, link: SimLink, program: Program, output: Output) -> PushResult:
    """The update. Just before the swap, a power cut is planned for its middle, inside a flash operation."""
    show = shown_on(output)
    pages = 0

    def follow(event: PushEvent) -> None:
        nonlocal pages
        show(event)
        if isinstance(event, ImageReady):
            pages = event.pages
        if event == PhaseChanged("apply") and not link.station.counters.cuts:
            native = _board(link)
            native.plan_cut(native.operations + pages * SWAP_STEPS_A_PAGE // 2, Cut.TORN)

    return board.push(program, on_event=follow)


def _tell_cut(link: SimLink, output: Output) -> None:
    for cut_s in link.station.counters.cuts:
        output.say(
            f"Power failed {cut_s:.1f} s after the start, in the middle of a flash operation of the swap, and came"
        )
        output.say(
            "back a second later. The bootloader read its record, took the swap up where it was, and finished it."
        )


def _check(link: SimLink, program: Program) -> bool:
    """Looks into the flash from outside. Raises OtaflashError unless power failed and the whole program is there."""
    content = program.content
    assert isinstance(content, Firmware)
    flash = _board(link).flash
    same = all(flash[s.address : s.end] == s.data for s in content.segments)
    if same and link.station.counters.cuts:
        return True
    raise OtaflashError(
        "demo-failed",
        "the demonstration did not show what it should",
        remedy="send us what it printed",
        fault=Fault.OURS,
        exit_code=ExitCode.VERIFY_FAILED,
    )


def _board(link: SimLink) -> NativeBoard:
    assert link.board is not None
    return link.board
