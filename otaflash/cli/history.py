"""`otaflash history`: what was pushed to which board from this computer. Needs no board."""

from __future__ import annotations

from dataclasses import asdict

import click

from otaflash.cli.columns import columns
from otaflash.cli.help import command
from otaflash.cli.settings import common_options, output_of
from otaflash.history import Entry, History, history_path

SHOWN = 20


@command("otaflash history", "otaflash history --board atmega328p --limit 5")
@click.option("--board", metavar="ID", help="Only this board: its id, the beginning of it, or a kind of board.")
@click.option("--limit", type=click.IntRange(1), default=SHOWN, show_default=True, help="The newest so many.")
@common_options
@click.pass_context
def history(context: click.Context, *, board: str | None, limit: int) -> None:
    """Show what was pushed, confirmed and reverted from this computer, the newest last.

    It is kept on this computer alone; OTAFLASH_STATE_DIR names another folder for it.
    """
    output = output_of(context)
    path = history_path()
    entries = History(path).entries(board=board, limit=limit)
    for entry in entries:
        output.detail("entry", asdict(entry))
    fields: dict[str, object] = {"ok": True, "code": 0, "entries": len(entries), "file": str(path)}
    output.answer("result", fields, _table(entries) if entries else "Nothing was pushed from this computer yet.")


def _table(entries: list[Entry]) -> str:
    head = ["WHEN (UTC)", "BOARD", "ID", "DID", "VERSION", "FILE", "TOOK", "CAME TO"]
    return columns([head, *map(_row, entries)])


def _row(entry: Entry) -> list[str]:
    came_to = "done" if entry.code == 0 else f"{entry.code} {entry.reason}"
    when = entry.at.replace("T", " ").removesuffix("Z")
    took = f"{entry.seconds:.1f} s"
    return [when, entry.board, entry.uid, entry.operation, entry.version or "", entry.file or "", took, came_to]
