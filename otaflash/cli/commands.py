"""The list of commands and the options above them. Knows no command from inside."""

from __future__ import annotations

import os

import click
from click.exceptions import Exit

from otaflash import __version__
from otaflash.cli.help import WIDTH
from otaflash.cli.lazy import Entry, LazyGroup
from otaflash.cli.settings import common_options

_COMMANDS = {
    "push": Entry("otaflash.cli.push", "push", "Send a program to the board, start it, and see that it runs."),
    "scan": Entry("otaflash.cli.scan", "scan", "List the boards in reach: serial, simulated, over Bluetooth."),
    "info": Entry("otaflash.cli.board", "info", "Show what the board is and what it runs."),
    "confirm": Entry("otaflash.cli.board", "confirm", "Keep the program that is on trial."),
    "revert": Entry("otaflash.cli.board", "revert", "Give up the program on trial; the old one comes back."),
    "reboot": Entry("otaflash.cli.board", "reboot", "Restart the board."),
    "monitor": Entry("otaflash.cli.monitor", "monitor", "Show what the program on the board prints."),
    "init": Entry("otaflash.cli.init", "init", "Write an otaflash.toml, by looking at what is plugged in."),
    "config": Entry("otaflash.cli.config", "config", "Show every setting, and who states it."),
    "history": Entry("otaflash.cli.history", "history", "Show what was pushed to which board from this computer."),
    "bundle": Entry("otaflash.cli.bundle", "bundle", "Make a bundle of a program file; needs no board."),
    "factory": Entry("otaflash.cli.factory", "factory", "Make a HEX of loader and program for the first programmer."),
    "sign": Entry("otaflash.cli.bundle", "sign", "Sign a bundle; needs no board."),
    "keygen": Entry("otaflash.cli.keys", "keygen", "Make a key that signs programs."),
    "keys": Entry("otaflash.cli.keys", "keys", "Show keys, and how many signatures are left."),
    "inspect": Entry(
        "otaflash.cli.bundle", "inspect", "Show what is in a program, bundle or key file; needs no board."
    ),
    "doctor": Entry("otaflash.cli.doctor", "doctor", "Check what may keep this computer from reaching a board."),
    "explain": Entry("otaflash.cli.explain", "explain", "Say what an error means, and what to do; needs no board."),
    "sim": Entry("otaflash.cli.sim", "sim", "Serve a simulated board on a pty or a TCP port, in real time."),
    "bench": Entry("otaflash.cli.bench", "bench", "Measure links and power cuts on simulated boards."),
    "completion": Entry("otaflash.cli.completion", "completion", "Print what a shell needs to complete commands."),
    "demo": Entry("otaflash.cli.demo", "demo", "See an update over a bad radio, with a power cut in the middle."),
}

_SECTIONS = {
    "Boards": ("push", "scan", "info", "confirm", "revert", "reboot", "monitor", "history"),
    "Files": ("bundle", "sign", "factory", "inspect", "keygen", "keys"),
    "Set-up and trouble": ("init", "config", "doctor", "explain", "completion"),
    "Simulation": ("demo", "sim", "bench"),
}


@click.group(
    cls=LazyGroup,
    entries=_COMMANDS,
    sections=_SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
)
@click.version_option(__version__, prog_name="otaflash")
@common_options
def otaflash() -> None:
    """Flash any microcontroller over the air, and never leave it with nothing.

    The first step is: otaflash push firmware.hex
    """


def run(words: list[str]) -> int:
    """Runs one command line; returns the exit code of a command that ended well, raises what it failed with.

    Not by click's own `main`, which answers Ctrl-C itself before we can.
    """
    if asked := os.environ.get("_OTAFLASH_COMPLETE"):
        from otaflash.cli.completion import complete  # noqa: PLC0415  only a shell asks

        return complete(otaflash, asked)
    try:
        with otaflash.make_context("otaflash", words or ["--help"]) as context:
            otaflash.invoke(context)
    except Exit as end:
        return end.exit_code
    return 0
