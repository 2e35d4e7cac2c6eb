"""`otaflash keygen` and `otaflash keys`: the files of keys. Shows no secret, and asks no board."""

from __future__ import annotations

from pathlib import Path

import click

from otaflash.cli.facts import Facts
from otaflash.cli.help import command
from otaflash.cli.prepare import FileType, passphrase_for
from otaflash.cli.settings import common_options, settings_of
from otaflash.errors import UsageError
from otaflash.keys.files import begins_as_key
from otaflash.keys.secret import SIGNATURES_DEFAULT, KeyState, generate, key_state, skip_to

_PATH = FileType()


@command(
    "otaflash keygen device.key", "otaflash keygen device.key --passphrase", "otaflash keygen bench.key --signatures 32"
)
@click.argument("file", type=_PATH)
@click.option(
    "--signatures",
    type=click.IntRange(min=1),
    default=SIGNATURES_DEFAULT,
    show_default=True,
    help="How many signatures it must be able to make; up to 32768, which takes a minute.",
)
@click.option(
    "--passphrase", is_flag=True, help="Ask for a passphrase that it is kept under, or take OTAFLASH_PASSPHRASE."
)
@common_options
@click.pass_context
def keygen(context: click.Context, *, file: Path, signatures: int, passphrase: bool) -> None:
    """Make a key: the secret one at FILE, its ledger beside it, and the public one in FILE.pub.

    Images signed with the secret key are taken by boards whose loader was given the public one by otaflash factory.
    The secret key counts its signatures; never use two copies of it.
    """
    output = settings_of(context).output()
    given = passphrase_for(file, new=True) if passphrase else None
    if passphrase and not given:
        remedy = "set OTAFLASH_PASSPHRASE, or run the command in a terminal"
        raise UsageError("passphrase-missing", f"{file} shall have a passphrase, and none is given", remedy=remedy)
    facts = facts_of_key(generate(file, signatures=signatures, passphrase=given))
    text = f"{file}: key {facts['key_id']}, {facts['remaining']:,} signatures; its public half is {file}.pub"
    output.answer("result", {"ok": True, "code": 0, **facts}, text)


@command("otaflash keys device.key", "otaflash keys device.key --next 20")
@click.argument("files", nargs=-1, required=True, type=_PATH)
@click.option(
    "--next",
    "number",
    type=click.IntRange(min=0),
    help="Give up all signatures below this number: after the key was brought back from a copy.",
)
@common_options
@click.pass_context
def keys(context: click.Context, *, files: tuple[Path, ...], number: int | None) -> None:
    """Show what the key FILES are, and how many signatures are left."""
    output = settings_of(context).output()
    if number is not None and len(files) != 1:
        raise click.UsageError("--next is for one key")
    states = [key_state(file) if number is None else skip_to(file, number) for file in files]
    shown = [facts_of_key(state) for state in states]
    output.answer("result", {"ok": True, "code": 0, "keys": shown}, "\n".join(map(_line, shown)))


def key_facts(path: Path) -> Facts | None:
    """What `inspect` says of the file of a key; None: it is none."""
    return facts_of_key(key_state(path)) if begins_as_key(path) else None


def facts_of_key(state: KeyState) -> Facts:
    """The fields of a key, for machines."""
    return {
        "kind": "secret key" if state.is_secret else "public key",
        "file": str(state.path),
        "scheme": state.public.scheme.name.lower(),
        "key_id": state.public.key_id.hex(),
        "passphrase": state.is_sealed if state.is_secret else None,
        "signatures": state.signatures,
        "remaining": state.remaining,
    }


def _line(facts: Facts) -> str:
    left = "" if facts["remaining"] is None else f", {facts['remaining']:,} of {facts['signatures']:,} signatures left"
    sealed = ", under a passphrase" if facts["passphrase"] else ""
    return f"{facts['file']}: {facts['kind']} {facts['key_id']}, {facts['scheme']}{left}{sealed}"
