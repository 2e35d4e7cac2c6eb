"""`otaflash factory`: loader, image and boot record in one HEX, for a chip's first programming. Files only."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from otaflash.api.events import WarningEvent
from otaflash.api.program import Wanted
from otaflash.cli.facts import Facts
from otaflash.cli.help import command
from otaflash.cli.prepare import FileType, base_option, read_program, version_option
from otaflash.cli.settings import common_options, settings_of
from otaflash.errors import ImageError, UsageError
from otaflash.image.build import Slot, read_trailer
from otaflash.image.bundle import Bundle
from otaflash.image.data import Firmware
from otaflash.image.factory import Contents, Layout, RecordKind, factory_segments, hex_text, read_factory
from otaflash.image.files import write_file
from otaflash.image.hexfile import parse_hex
from otaflash.image.load import Base, load
from otaflash.image.machine import check_made_for
from otaflash.keys.public import PublicKey, read_public
from otaflash.sim.profiles import PROFILES, Profile, profile
from otaflash.wire.messages import FLAG_SINGLE_SLOT, Version

_FILE = FileType()


@command("otaflash factory firmware.hex --loader loader.hex --board atmega328p -o factory.hex")
@click.argument("file", type=_FILE)
@click.option("--loader", type=_FILE, required=True, metavar="FILE", help="The board's loader, a HEX or an ELF.")
@click.option("--board", metavar="BOARD", help="Board profile to make it for, as atmega328p.")
@version_option
@base_option
@click.option(
    "--counter", type=click.IntRange(0, 0xFFFFFFFF), help="Security counter; the board will refuse lower ones."
)
@click.option("--single-slot", is_flag=True, help="For programs too large for two slots: no way back from an update.")
@click.option(
    "--key",
    type=_FILE,
    metavar="FILE",
    help="Public key for the board's key page; a loader that verifies signatures takes nothing without one.",
)
@click.option("-o", "--output", "target", type=_FILE, help="File to write; default: FILE.factory.hex.")
@common_options
@click.pass_context
def factory(
    context: click.Context,
    *,
    file: Path,
    loader: Path,
    board: str | None,
    version: str | None,
    base: Base | None,
    counter: int | None,
    single_slot: bool,
    key: Path | None,
    target: Path | None,
) -> None:
    """Make one HEX of loader, program FILE and boot record, for the programmer that writes a chip first."""
    settings = settings_of(context)
    output = settings.output()
    program = read_program(file, Wanted(version, counter, single_slot, base=base), settings.config)
    target = target or file.with_suffix(".factory.hex")
    _check_target(target, (file, loader) if key is None else (file, loader, key))
    public = None if key is None else read_public(key)
    layout = layout_of(_profile(board or settings.config.board or board_of_file(program.content)))
    boot = _read_loader(loader)
    check_made_for(boot.about, layout.slot.board)
    bundle, warnings = program.bundle_for(layout.slot, 0)  # what a programmer writes needs no signature
    span = bundle.span()
    key_page = b"" if public is None else public.page()
    content = hex_text(factory_segments(boot, span, read_trailer(span), layout, key_page), boot.start)
    # Read back before it is written: what inspect will say of it is what is reported.
    facts = factory_facts(parse_hex(content))
    assert facts is not None
    assert facts["image_whole"]
    write_file(target, content)
    for warning in (*(WarningEvent(w.id, w.text) for w in boot.warnings), *warnings):
        output.show(warning)
    output.answer(
        "result", {"ok": True, "code": 0, "file": str(target), **facts}, f"{target}: {_summary(facts, boot, layout)}"
    )


def slot_for(known: Profile) -> Slot:
    """Where an image goes on a board of this profile."""
    return Slot(known.name, known.slot_base, known.slot_pages, known.page_bytes, known.single_pages)


def board_of_file(content: Firmware | Bundle) -> str | None:
    """The board that a program itself says it is for; else its chip, where a board is called after it."""
    if isinstance(content, Bundle):
        return None
    chip = content.about.chip
    return content.about.board or (chip if chip in PROFILES else None)


def layout_of(known: Profile) -> Layout:
    """Where slots and boot record lie: a port maps the logical pages one after the other from the slot's base on."""
    return Layout(
        slot=slot_for(known),
        record_base=known.slot_base + (2 * known.slot_pages + 1) * known.page_bytes,
        record_unit_bytes=known.record_pages * known.page_bytes,
        mark_bytes=known.mark_bytes,
    )


def factory_facts(data: Firmware) -> Facts | None:
    """What `inspect` says of a factory HEX, its board found by where its record lies; None: it is none, or of no board
    that we know. Sizes in bytes; digests in hex."""
    for known in PROFILES.values():
        layout = layout_of(known)
        contents = read_factory(data, layout)
        if contents is not None:
            return {
                **_describe(contents, layout),
                "start": data.start,
                "warnings": [{"id": w.id, "text": w.text} for w in data.warnings],
            }
    return None


def _describe(contents: Contents, layout: Layout) -> Facts:
    trailer, record = contents.trailer, contents.record
    key = PublicKey.of_page(contents.key_page)
    return {
        "kind": "factory",
        "board": layout.slot.board,
        "loader": [{"address": part.address, "bytes": len(part.data)} for part in contents.loader],
        "slot_base": layout.slot.base,
        "slot_bytes": len(contents.span),
        "page_bytes": layout.slot.page_bytes,
        "boot_state": None,
        "version": str(Version.unpack(trailer.version)) if trailer else None,
        "image_bytes": trailer.image_bytes if trailer else None,
        "image_pages": len(contents.span) // layout.slot.page_bytes,
        "image_crc": trailer.image_crc if trailer else None,
        "image_counter": trailer.counter if trailer else None,
        "image_whole": contents.is_whole,
        "digest_sha256": hashlib.sha256(contents.span).hexdigest(),
        "single_slot": bool(trailer.flags & FLAG_SINGLE_SLOT) if trailer else None,
        "record": _kind_name(record.kind) if record else "none",
        "record_base": layout.record_base,
        "record_generation": record.generation if record else None,
        "security_counter": record.counter if record else None,
        "signed_by": None,
        "scheme": None if key is None else key.scheme.name.lower(),
        "key_id": None if key is None else key.key_id.hex(),
    }


def _kind_name(kind: int) -> str:
    return RecordKind(kind).name.lower() if kind in set(RecordKind) else f"unknown ({kind})"


def _profile(name: str | None) -> Profile:
    if name is None:
        raise UsageError("no-board", "a factory HEX is made for one board", remedy="name it with --board")
    return profile(name)


def _read_loader(path: Path) -> Firmware:
    """Raises ImageError as `load` does, with the file named: the program may be of the same kind."""
    try:
        content = load(path)
    except ImageError as error:
        raise ImageError(error.reason, f"in the loader {path}: {error.text}", remedy=error.remedy) from error
    if isinstance(content, Firmware):
        return content
    raise ImageError("loader-is-bundle", f"the loader {path} is a bundle", remedy="Give the loader's HEX or ELF.")


def _check_target(target: Path, sources: tuple[Path, ...]) -> None:
    """Raises UsageError for an output that would replace what it is made of."""
    for source in sources:
        if target.is_file() and source.exists() and target.samefile(source):
            text = f"the factory HEX would replace {source}, which it is made of"
            raise UsageError("output-is-input", text, remedy="name another file with -o")


def _summary(facts: Facts, loader: Firmware, layout: Layout) -> str:
    pages = facts["image_pages"]
    return (
        f"loader 0x{loader.lowest:08X} to 0x{loader.end - 1:08X}, version {facts['version']} for {layout.slot.board} "
        f"in {pages} page{'s' * (pages != 1)}, boot record {facts['record']} with counter {facts['security_counter']}"
        + (f", key {facts['key_id']}" if facts["key_id"] else "")
    )
