"""`otaflash init`: writes a commented otaflash.toml for what is plugged in. Asks boards, never the user."""

from __future__ import annotations

import os
from pathlib import Path

import click

from otaflash.api import scanning
from otaflash.api.scanning import Found, State
from otaflash.cli.exchange import connected, waiting_on
from otaflash.cli.help import command
from otaflash.cli.output import Output
from otaflash.cli.scan import row_of, state_text
from otaflash.cli.settings import Settings, common_options, settings_of
from otaflash.config import FILE_NAME, Plugged, template
from otaflash.errors import UsageError

STATED = ("baud", "enter")
"""What holds for the project if it was needed to make it."""


@command("otaflash init", "otaflash init --port /dev/ttyUSB0 --baud 57600 --force")
@click.option("--force", is_flag=True, help="Replace the otaflash.toml that is there.")
@common_options
@click.pass_context
def init(context: click.Context, force: bool) -> None:
    """Write an otaflash.toml into this folder, by looking at what is plugged in.

    The board that answers is stated, with its port; of several each gets a name, and none is chosen. With
    --port only that one is asked; --baud and --enter are stated, too. What is left is explained in comments.
    """
    path = Path.cwd() / FILE_NAME
    if path.exists() and not force:
        raise _is_there(path)
    settings = settings_of(context)
    output = settings.output()
    found = look(settings, output)
    for each in found:
        output.detail("board", row_of(each))
    stated = {key: value for key in STATED if (value := _flag(settings, key)) is not None}
    text = template([plugged(each, found) for each in found], stated)
    _write(path, text, force)
    answering = sum(1 for each in found if each.info)
    fields: dict[str, object] = {"ok": True, "code": 0, "path": str(path), "boards": answering, "written": text}
    output.answer("result", fields, f"{_summary(answering)} {path} is written:\n\n{text}")


def look(settings: Settings, output: Output) -> list[Found]:
    """The ports that there are, with what answers there; or the one that was named, at which something must answer.
    Raises TargetError, LinkError."""
    port = _flag(settings, "port")
    if port is not None:
        with connected(settings, output) as board:
            return [Found(str(port), "", "", "", state=State.ANSWERS, info=board.info(waiting_on(output)))]
    output.say("looking for boards")
    return list(scanning.scan(baud=settings.baud, module=settings.module()).found)


def plugged(found: Found, all_found: list[Found]) -> Plugged:
    """A port as the file names it: a USB device by its ids where they fit no other, so that it may be plugged in
    elsewhere tomorrow."""
    alone = found.address and sum(each.address == found.address for each in all_found) == 1
    port = found.address if alone and found.service == "serial" else found.port
    if found.info is None:
        return Plugged(port, "", ", ".join(filter(None, (found.name, state_text(found)))))
    runs = f"runs {found.info.version}" if found.info.version else "runs nothing"
    name = "simulated" if found.service == "simulator" else found.name
    return Plugged(port, found.info.board, ", ".join(filter(None, (name, f"unique id {found.info.uid}", runs))))


def _flag(settings: Settings, key: str) -> str | int | None:
    """The value of an option of this command line; what a file or a variable states is not said a second time."""
    given = settings.config.origins.get(key) == f"--{key}"
    value: str | int | None = getattr(settings, key) if given else None
    return value


def _write(path: Path, text: str, force: bool) -> None:
    """Whole or not at all. Raises UsageError, OSError."""
    if not force:
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError as error:
            raise _is_there(path) from error
        return
    beside = path.with_name(f"{FILE_NAME}.{os.getpid()}.new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def _is_there(path: Path) -> UsageError:
    return UsageError("config-exists", f"{path} is there already", remedy="edit it, or give --force to replace it")


def _summary(answering: int) -> str:
    if not answering:
        return "No board answers; what may be stated is explained."
    return "One board answers." if answering == 1 else f"{answering} boards answer, and each has a name."
