"""A firmware file as the command line reads it: what is not stated of it comes from the configuration."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from otaflash.api.program import Program, Wanted
from otaflash.config import Config
from otaflash.image.bundle import Bundle
from otaflash.image.data import ADDRESS_END
from otaflash.image.load import SLOT

if TYPE_CHECKING:
    from otaflash.image.load import Base
    from otaflash.image.signing import Signer

PASSPHRASE = "OTAFLASH_PASSPHRASE"


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


key_option = click.option(
    "--key",
    type=FileType(),
    metavar="FILE",
    help="Sign it with this secret key, which otaflash keygen made.",
)


def read_program(path: Path, wanted: Wanted, config: Config, key: Path | None = None) -> Program:
    """Reads a file of any kind, and the key that shall sign it: `key`, else that of the configuration, which lets a
    bundle that is signed already be. Raises ImageError and UsageError as Program.read and `open_key` do."""
    program = Program.read(path, wanted, default_version=config.version, default_counter=config.counter)
    is_signed = isinstance(program.content, Bundle) and bool(program.content.signature)
    stated = Path(config.key) if key is None and config.key is not None and not is_signed else key
    return program if stated is None else replace(program, signer=open_key(stated))


def open_key(path: Path) -> Signer:
    """A secret key, its passphrase asked for or taken from OTAFLASH_PASSPHRASE. Raises UsageError as `open_secret`."""
    from otaflash.keys.secret import is_sealed, open_secret  # noqa: PLC0415  who signs nothing need not load it

    return open_secret(path, passphrase_for(path) if is_sealed(path) else None)


def passphrase_for(path: Path, *, new: bool = False) -> str | None:
    """The passphrase of a key; None: it is stated nowhere, and nobody can be asked."""
    stated = os.environ.get(PASSPHRASE)
    if stated or sys.stdin is None or not sys.stdin.isatty():
        return stated or None
    answer: str = click.prompt(f"Passphrase of {path}", hide_input=True, confirmation_prompt=new, err=True)
    return answer
