"""A firmware file as the command line reads it: what is not stated of it comes from the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otaflash.api.program import Program, Wanted
from otaflash.config import Config
from otaflash.image.data import ADDRESS_END
from otaflash.image.load import SLOT

if TYPE_CHECKING:
    from otaflash.image.load import Base


class FileType(click.Path):  # type: ignore[type-arg,unused-ignore]
    """The name of a file to read or to write, as a Path. Whether it can be is said by who does it."""

    def __init__(self) -> None:
        super().__init__(readable=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Ends in click's error for a name without a letter, which a Path would take for this folder."""
        if not value:
            self.fail("the name of the file is empty; perhaps a variable that it comes from is not set", param, ctx)
        return super().convert(value, param, ctx)


class BaseType(click.ParamType):  # type: ignore[type-arg]
    """An address in any notation of Python's, or ``slot``."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Base:
        """The address, or SLOT. Ends in click's error for anything else."""
        if value == SLOT:
            return SLOT
        try:
            address = int(str(value), 0)
        except ValueError:
            address = -1
        if not 0 <= address < ADDRESS_END:
            self.fail(f"{value!r} is neither an address of 32 bits, as 0x8000, nor {SLOT}", param, ctx)
        return address


base_option = click.option(
    "--base", type=BaseType(), metavar="ADDRESS", help="Where a raw binary goes: 0x8000, or slot for the slot's base."
)
version_option = click.option(
    "--version",
    metavar="VERSION",
    help="Version of the program: 1.2.3, 1.2.3+4, or git for the tag of its checkout; default: what an ELF says of it.",
)


def read_program(path: Path, wanted: Wanted, config: Config) -> Program:
    """Reads a file of any kind. Raises ImageError and UsageError as Program.read does."""
    return Program.read(path, wanted, default_version=config.version, default_counter=config.counter)
