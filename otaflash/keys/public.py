"""Public keys: how they are written in files, in a board's key page, and in a manifest. No secrets here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from otaflash.errors import UsageError
from otaflash.keys.files import PUBLIC_WORD, is_secret_text, public_of, read_text
from otaflash.wire.messages import Scheme

_PUBLIC_OFFSET = 4
_BYTES: dict[int, int] = {Scheme.LMS: 48}


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: what a board holds. `data` is as the scheme's standard writes it (RFC 8554: 48 bytes)."""

    scheme: Scheme
    data: bytes

    @property
    def key_id(self) -> bytes:
        """The manifest's `key_id`: the first 4 bytes of the SHA-256 of the key."""
        return hashlib.sha256(self.data).digest()[:4]

    def page(self) -> bytes:
        """The beginning of the key page (firmware/DESIGN.md): scheme, three bytes of 0xFF, the key."""
        return bytes([self.scheme]).ljust(_PUBLIC_OFFSET, b"\xff") + self.data

    @classmethod
    def of_page(cls, page: bytes) -> PublicKey | None:
        """The key that a key page holds; None: none that this version knows."""
        count = _BYTES.get(page[0], 0) if page else 0
        data = page[_PUBLIC_OFFSET : _PUBLIC_OFFSET + count]
        return cls(Scheme(page[0]), data) if count and len(data) == count else None

    def text(self) -> str:
        """The line of a public key file."""
        return f"{PUBLIC_WORD} {self.scheme.name.lower()} {self.data.hex()}\n"


def read_public(path: Path) -> PublicKey:
    """The public key of a file of either kind; of a secret one no passphrase is asked.

    Raises UsageError: key-missing, key-unreadable, key-malformed.
    """
    return public_in(path, read_text(path))


def public_in(path: Path, text: str) -> PublicKey:
    """The same of the content of a file. Raises UsageError: key-malformed."""
    scheme, data = public_of(path, text) if is_secret_text(text) else _public_words(text)
    return _checked(path, scheme, data)


def _public_words(text: str) -> tuple[str, str]:
    words = text.split()
    return (words[1], words[2]) if len(words) == 3 and words[0] == PUBLIC_WORD else ("", "")


def _checked(path: Path, scheme: str, data: str) -> PublicKey:
    try:
        key = PublicKey(Scheme[scheme.upper()], bytes.fromhex(data))
    except (KeyError, ValueError):
        key = PublicKey(Scheme.NONE, b"")
    if len(key.data) != _BYTES.get(key.scheme, -1):
        raise UsageError(
            "key-malformed",
            f"{path} holds no key that this version knows",
            remedy="give a file that otaflash keygen wrote, or use a newer otaflash",
        )
    return key
