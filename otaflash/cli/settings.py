"""Options that every command takes, before or after its name, and the configuration file below them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from otaflash.cli.output import Output
    from otaflash.config import Config
    from otaflash.transport.ble_services import Service

_Command = TypeVar("_Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for this command: its options, else the environment, else the files of the project and of the user."""

    port: str | None
    baud: int | None
    enter: str | None
    """How the board comes into its loader, as `parse_entry` takes it."""
    as_json: bool
    quiet: bool
    config: Config

    def output(self) -> Output:
        """Where the command's words go."""
        from otaflash.cli.output import choose_output  # noqa: PLC0415  it knows the engine's events, which --help does not need

        return choose_output(as_json=self.as_json, quiet=self.quiet)

    def module(self) -> Service | None:
        """The UART module that otaflash.toml describes. Raises UsageError."""
        from otaflash.transport.ble_services import module_of  # noqa: PLC0415  it knows the wire, which --help does not need

        return module_of(self.config.ble_service, self.config.ble_to_device, self.config.ble_to_host)


def common_options(command: _Command) -> _Command:
    """Adds the options of every command to it. Their values are found by `settings_of`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_of(context: click.Context) -> Settings:
    """The settings of the command that runs. Raises UsageError for a configuration that cannot be used."""
    from otaflash.config import config_files, resolve  # noqa: PLC0415  --help needs none of it

    given = context.find_root().meta
    flags = {name: given.get(f"otaflash.{name}") for name in ("port", "baud", "enter")}
    config = resolve(flags, os.environ, config_files(Path.cwd()))
    return Settings(
        port=config.port,
        baud=config.baud,
        enter=_way_in(config),
        as_json=given.get("otaflash.as_json", False),
        quiet=given.get("otaflash.quiet", False),
        config=config,
    )


def _way_in(config: Config) -> str | None:
    """A simulated board listens: what a file states for the real one does not hold for it."""
    simulated = (config.port or "").startswith("sim:")
    return None if simulated and config.origins.get("enter") != "--enter" else config.enter


def output_of(context: click.Context) -> Output:
    """The output of a command that needs no configuration, and must work where that is what is wrong."""
    from otaflash.cli.output import choose_output  # noqa: PLC0415  see above

    given = context.find_root().meta
    return choose_output(as_json=given.get("otaflash.as_json", False), quiet=given.get("otaflash.quiet", False))


def _remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Keeps what was stated, wherever it stood on the command line."""
    if context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE:
        context.find_root().meta[f"otaflash.{parameter.name}"] = value


_OPTIONS = (
    click.option(
        "--port",
        metavar="PORT",
        expose_value=False,
        callback=_remember,
        help="Which way to the board: /dev/ttyUSB0, COM3, usb:VID:PID[:SERIAL], ble:NAME, ble:ADDRESS, "
        "socket://HOST:PORT, sim:BOARD?delay=30ms&loss=5%, or a NAME of otaflash.toml. [env: OTAFLASH_PORT]",
    ),
    click.option(
        "--baud",
        type=click.IntRange(1, 20_000_000),
        expose_value=False,
        callback=_remember,
        help="Bits per second of a serial line. [env: OTAFLASH_BAUD, and so on for each key of otaflash.toml]",
    ),
    click.option(
        "--enter",
        metavar="HOW",
        expose_value=False,
        callback=_remember,
        help="How a board that does not listen comes into its loader: dtr, rts, lines:dtr=0,100ms,dtr=1, "
        "text:reboot\\r\\n, xbee:ADDRESS[:D3], or power: you switch it on.",
    ),
    click.option(
        "--json", "as_json", is_flag=True, expose_value=False, callback=_remember, help="Print JSON Lines for machines."
    ),
    click.option("--quiet", is_flag=True, expose_value=False, callback=_remember, help="Print only the answer."),
    click.option(
        "--debug", is_flag=True, expose_value=False, callback=_remember, help="Print the traceback of a failure."
    ),
)
