"""Flags over environment over project file over user file over defaults, and who stated what. Prints nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from otaflash.config.keys import KEYS
from otaflash.config.reading import FILE_NAME, ConfigFile, Stated, read_file
from otaflash.system import anyone_may_write, config_folder, user_home

DEFAULT = "default"
"""The origin of what nobody states."""


@dataclass(frozen=True, slots=True)
class Config:
    """What holds; None: nobody states it, and the default does."""

    board: str | None = None
    port: str | None = None
    """What `open_link` takes: a name of a board has been looked up."""
    baud: int | None = None
    """Bits per second of a serial line, 1 to 20,000,000."""
    enter: str | None = None
    """As `parse_entry` takes it."""
    version: str | None = None
    counter: int | None = None
    """Security counter of images that are built, 0 to 4,294,967,295."""
    key: str | None = None
    """The file of the secret key that signs; where a file of ours states it, from that file's folder on."""
    ble_service: str | None = None
    """UUIDs of a UART module that is not known by itself: its service, what is written, what notifies."""
    ble_to_device: str | None = None
    ble_to_host: str | None = None
    name: str | None = None
    """The board's own name, if the port was one."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Who stated each key that somebody states."""
    ports: Mapping[str, str] = field(default_factory=dict)
    """The port of each board that has a name."""
    files: tuple[Path, ...] = ()
    """The files that were read, the stronger first."""


def resolve(
    flags: Mapping[str, str | int | None], environment: Mapping[str, str], files: Sequence[ConfigFile]
) -> Config:
    """What holds where `flags` were given (None: was not), under `environment` (OTAFLASH_*; empty: not stated).

    `files`: the stronger first. The table of a board whose name is the port stands above the other lines of the files.
    Raises UsageError for a variable with a value that cannot be.
    """
    boards = {name: table for file in reversed(files) for name, table in file.boards.items()}
    layers: list[Mapping[str, Stated]] = [
        {name: Stated(value, f"--{name}") for name, value in flags.items() if value is not None},
        {
            name: Stated(key.read(text), key.environment)
            for name, key in KEYS.items()
            if (text := environment.get(key.environment))
        },
        *(file.values for file in files),
    ]
    port = _first("port", layers)
    name = str(port.value) if port is not None and port.value in boards else None
    if name is not None:
        layers.insert(2, boards[name])
    found = {key: stated for key in KEYS if (stated := _first(key, layers)) is not None}
    if name is not None:
        found["port"] = boards[name]["port"]
    return Config(
        **{key: stated.value for key, stated in found.items()},  # type: ignore[arg-type]  # as the table of keys says
        name=name,
        origins={key: stated.origin for key, stated in found.items()},
        ports={name: str(table["port"].value) for name, table in boards.items()},
        files=tuple(file.path for file in files),
    )


def config_files(folder: Path) -> list[ConfigFile]:
    """The files that hold for work in `folder`: the project's, then the user's. Raises UsageError as `read_file`."""
    paths = (find_project_file(folder), user_file())
    return [file for path in dict.fromkeys(paths) if path is not None and (file := read_file(path)) is not None]


def find_project_file(folder: Path) -> Path | None:
    """The otaflash.toml of `folder` or of the nearest folder above it, up to the repository's or the home's.

    A folder above in which anyone may write, as /tmp, ends the search: strangers have no say in what is flashed.
    """
    home = user_home()
    for each in (folder, *folder.parents):
        if each != folder and anyone_may_write(each):
            return None
        path = each / FILE_NAME
        if path.exists():
            return path
        if each == home or (each / ".git").exists():
            return None
    return None


def user_file() -> Path | None:
    """What holds for all projects of this user; it need not be there. None: the user has no home."""
    folder = config_folder()
    return None if folder is None else folder / FILE_NAME


def _first(key: str, layers: Sequence[Mapping[str, Stated]]) -> Stated | None:
    return next((layer[key] for layer in layers if key in layer), None)
