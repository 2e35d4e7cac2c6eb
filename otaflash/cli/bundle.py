"""`otaflash bundle` and `otaflash inspect`: files only; a board is asked only when `bundle` is told to."""

from __future__ import annotations

from pathlib import Path

import click

from otaflash.api.program import Wanted
from otaflash.cli.factory import board_of_file, factory_facts, slot_for
from otaflash.cli.facts import Facts, table_text
from otaflash.cli.help import command
from otaflash.cli.keys import key_facts
from otaflash.cli.prepare import FileType, base_option, key_option, open_key, read_program, version_option
from otaflash.cli.settings import Settings, common_options, settings_of
from otaflash.errors import UsageError
from otaflash.image.build import Slot
from otaflash.image.bundle import Bundle, read_bundle, signed, write_bundle
from otaflash.image.data import Firmware
from otaflash.image.load import Base, describe, load
from otaflash.sim.profiles import profile


@command("otaflash bundle firmware.hex --board atmega328p --version 1.2.0 -o firmware.otab")
@click.argument("file", type=FileType())
@click.option(
    "--board", metavar="BOARD", help="Board profile to make it for, as atmega328p; without it --port is asked."
)
@version_option
@base_option
@click.option("--counter", type=click.IntRange(0, 0xFFFFFFFF), help="Security counter; boards refuse lower ones.")
@click.option("--single-slot", is_flag=True, help="Replace the only copy: for programs too large for two, no way back.")
@key_option
@click.option("--move", is_flag=True, help="Take the program as payload only, moved to the slot of a simulated board.")
@click.option(
    "-o",
    "--output",
    "target",
    type=FileType(),
    help="File to write; default: FILE.otab.",
)
@common_options
@click.pass_context
def bundle(
    context: click.Context,
    *,
    file: Path,
    board: str | None,
    version: str | None,
    base: Base | None,
    counter: int | None,
    single_slot: bool,
    key: Path | None,
    move: bool,
    target: Path | None,
) -> None:
    """Make a bundle of FILE: checked, complete, ready to be pushed.

    FILE is Intel HEX, ELF, S-record, TI-TXT, UF2, or a raw binary with --base; which, is told from its content.
    """
    settings = settings_of(context)
    output = settings.output()
    program = read_program(file, Wanted(version, counter, single_slot, move, base), settings.config, key)
    target = target or file.with_suffix(".otab")
    _check_target(file, target)
    slot, least_counter = _slot(settings, board, program.content)
    made, warnings = program.bundle_for(slot, least_counter)
    if program.signer is not None:
        made = signed(made, program.signer)
    write_bundle(target, made)
    for warning in warnings:
        output.show(warning)
    facts = describe(target)
    output.answer(
        "result",
        {"ok": True, "code": 0, "file": str(target), **facts},
        f"{target}: {_summary(made.manifest.pages, facts)}",
    )


@command("otaflash sign firmware.otab --key device.key -o signed.otab")
@click.argument("file", type=FileType())
@key_option
@click.option(
    "-o",
    "--output",
    "target",
    type=FileType(),
    help="File to write; default: the bundle itself.",
)
@common_options
@click.pass_context
def sign(context: click.Context, *, file: Path, key: Path | None, target: Path | None) -> None:
    """Sign the bundle FILE, in place of any signature that it has. Needs no board."""
    settings = settings_of(context)
    stated = Path(settings.config.key) if key is None and settings.config.key is not None else key
    if stated is None:
        raise UsageError("no-key", "nothing is signed without a key", remedy="name it with --key, or in otaflash.toml")
    target = target or file
    made = signed(read_bundle(file), open_key(stated))
    write_bundle(target, made)
    facts = describe(target)
    text = f"{target}: {_summary(made.manifest.pages, facts)}, signed by {facts['signed_by']}"
    settings.output().answer("result", {"ok": True, "code": 0, "file": str(target), **facts}, text)


@command("otaflash inspect firmware.hex", "otaflash inspect firmware.otab --json")
@click.argument("file", type=FileType())
@base_option
@common_options
@click.pass_context
def inspect(context: click.Context, *, file: Path, base: Base | None) -> None:
    """Show what is in FILE: a program of any kind, a factory HEX, a bundle, or a key."""
    if base is None and (key := key_facts(file)) is not None:
        settings_of(context).output().answer("result", {"ok": True, "code": 0, **key}, table_text(key))
        return
    content = load(file, base=base)
    found = factory_facts(content) if isinstance(content, Firmware) else None
    facts: Facts = {**describe(content)} if found is None else found
    settings_of(context).output().answer("result", {"ok": True, "code": 0, **facts}, table_text(facts))


def _check_target(file: Path, target: Path) -> None:
    """Raises UsageError for a bundle that would replace what it is made of."""
    if target.exists() and target.is_file() and target.samefile(file):
        text = f"the bundle would replace {file}, which it is made of"
        raise UsageError("output-is-input", text, remedy="name another file with -o")


def _slot(settings: Settings, board: str | None, content: Firmware | Bundle) -> tuple[Slot, int]:
    """The slot to build for, and the lowest security counter that makes sense there."""
    name = board or settings.config.board or board_of_file(content)
    if name is not None:
        known = profile(name)
        return slot_for(known), 0
    if settings.port is None:
        raise UsageError(
            "no-board", "a bundle is made for one board", remedy="name it with --board, or ask one with --port"
        )
    from otaflash.cli.exchange import connected  # noqa: PLC0415  a file alone needs no link

    with connected(settings, settings.output()) as asked:
        info = asked.info()
    return info.slot, info.security_counter


def _summary(pages: int, facts: object) -> str:
    assert isinstance(facts, dict)
    size = f"{facts['image_bytes']:,} bytes in {pages} page{'s' * (pages != 1)}"
    return f"{size} for {facts['board']}, version {facts['version']}"
