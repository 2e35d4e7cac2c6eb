"""A firmware file as the command line reads it: what is not stated of it comes from the configuration."""

from __future__ import annotations

from pathlib import Path

from otaflash.api.program import Program, Wanted
from otaflash.cli.config import Config


def read_program(path: Path, wanted: Wanted, config: Config) -> Program:
    """Reads HEX or bundle. Raises ImageError and UsageError as Program.read does."""
    return Program.read(path, wanted, default_version=config.version, default_counter=config.counter)
