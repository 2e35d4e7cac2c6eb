"""The files of keys: read whole, written whole and to the disk, secret ones for their owner alone. Knows no scheme.

A secret key is a JSON object: `otaflash_secret_key` (the format, 1), `scheme`, `public` (hex), `secret` (hex, or what
`otaflash.keys.sealing` makes of it under a passphrase), and for LMS `next` and `leaves`.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Final

from otaflash.errors import UsageError
from otaflash.system import replace_file, sync_folder

FORMAT: Final = 1
PUBLIC_WORD: Final = "otaflash-public-key"
"""What the line of a public key file begins with."""

_MARK: Final = "otaflash_secret_key"
_BYTES_MAX = 8 << 20
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_text(path: Path) -> str:
    """The content of a key file, up to 8 MiB. Raises UsageError: key-missing, key-unreadable."""
    try:
        with open(path, "rb") as file:
            content = file.read(_BYTES_MAX)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise UsageError("key-missing", f"there is no key {path}", remedy="make one with otaflash keygen") from error
    except OSError as error:
        text = f"{path}: {error.strerror or error}"
        raise UsageError("key-unreadable", text, remedy="correct its permissions, or name another file") from error
    return content.decode("utf-8", "replace")


def begins_as_key(path: Path) -> bool:
    """True if there is a file that begins as that of a key does, secret or public."""
    try:
        with open(path, "rb") as file:
            beginning = file.read(200)
    except (OSError, ValueError):
        return False
    return beginning.startswith(PUBLIC_WORD.encode()) or is_secret_text(beginning.decode("utf-8", "replace"))


def is_secret_text(text: str) -> bool:
    """True if this begins as the file of a secret key does."""
    return text.lstrip().startswith("{") and _MARK in text[:200]


def parse_secret(path: Path, text: str) -> dict[str, Any]:
    """The object in the file of a secret key. Raises UsageError: key-malformed."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or fields.get(_MARK) != FORMAT or not isinstance(fields.get("public"), str):
        raise malformed(path)
    return fields


def public_of(path: Path, text: str) -> tuple[str, str]:
    """Scheme and public key (hex) of a secret key's file. Raises UsageError: key-malformed."""
    fields = parse_secret(path, text)
    return str(fields.get("scheme")), fields["public"]


def malformed(path: Path) -> UsageError:
    """The error for a file that holds no secret key, or one that was changed."""
    return UsageError(
        "key-malformed",
        f"{path} holds no secret key, or a damaged one",
        remedy="give the file that otaflash keygen wrote, or bring back a copy of it and of its ledger",
    )


def check_new(path: Path) -> None:
    """Raises UsageError: key-exists, if there is a file already."""
    if path.exists():
        text = f"{path} exists, and may be the only copy of a key"
        raise UsageError("key-exists", text, remedy="name another file, or move it away")


def check_private(path: Path) -> None:
    """Raises UsageError: key-open-to-others, if anyone but its owner may read a secret key."""
    if os.name != "nt" and path.stat().st_mode & _OTHERS:
        raise UsageError(
            "key-open-to-others", f"others may read or change the secret key {path}", remedy=f"chmod 600 {path}"
        )


def write_secret(path: Path, fields: dict[str, Any], *, new: bool = False) -> None:
    """Writes a secret key whole or not at all, mode 0600, and to the disk before it returns.

    Raises UsageError: key-exists (with `new`), key-unwritable.
    """
    head = {_MARK: FORMAT}
    write_text(path, json.dumps({**head, **fields}, indent=1) + "\n", mode=0o600, new=new)


def write_text(path: Path, text: str, *, mode: int, new: bool = False) -> None:
    """Writes a file whole or not at all, to the disk. Raises UsageError: key-exists (with `new`), key-unwritable."""
    path = Path(os.path.realpath(path))
    if new:
        check_new(path)
    try:
        replace_file(path, text.encode(), mode=mode)
        sync_folder(path.parent)
    except OSError as error:
        text = f"{path} cannot be written: {error.strerror or error}"
        raise UsageError("key-unwritable", text, remedy="name a folder that can be written") from error
