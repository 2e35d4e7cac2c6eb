"""The seam of signature schemes: which there are, what each must do. A scheme is a file scheme_*.py; a key comes as a
`Signer`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from otaflash.errors import ImageError
from otaflash.image.scheme_lms import Lms
from otaflash.image.scheme_none import Unsigned
from otaflash.wire.messages import Manifest, Version


class Scheme(Protocol):
    """One signature scheme; `number` is the manifest's `scheme` (protocol/messages.toml)."""

    @property
    def number(self) -> int:
        """The manifest's `scheme` (protocol/messages.toml)."""
        ...

    @property
    def name(self) -> str:
        """As `inspect` prints it."""
        ...

    def verify(self, manifest: Manifest, signature: bytes) -> None:
        """Checks what can be checked without a public key: form and length. Raises ImageError: bad-signature."""
        ...


SCHEMES: Final[dict[int, Scheme]] = {scheme.number: scheme for scheme in (Unsigned(), Lms())}
"""Scheme by its number."""


class Signer(Protocol):
    """A key that signs (`otaflash.keys.secret`)."""

    @property
    def scheme_number(self) -> int:
        """The manifest's `scheme`."""
        ...

    @property
    def key_id(self) -> bytes:
        """The manifest's `key_id`: 4 bytes."""
        ...

    @property
    def signature_bytes(self) -> int:
        """Length of its signatures."""
        ...

    def sign(self, message: bytes, about: str) -> bytes:
        """A signature over `message`; `about` says what it is for, in a few words."""
        ...


def prepared(manifest: Manifest, signer: Signer) -> Manifest:
    """The manifest as the key will sign it: scheme, length and id of the key are part of what is signed."""
    return replace(manifest, scheme=signer.scheme_number, signature_bytes=signer.signature_bytes, key_id=signer.key_id)


def signature_of(manifest: Manifest, signer: Signer) -> bytes:
    """The key's signature over a manifest that `prepared` made. Raises UsageError as the key does."""
    board = manifest.board.rstrip(b"\0").decode("ascii", "backslashreplace")
    return signer.sign(manifest.pack(), f"{board} {Version.unpack(manifest.version)} {manifest.sha256.hex()[:16]}")


def scheme_of(manifest: Manifest) -> Scheme:
    """The scheme that a manifest names. Raises ImageError: unknown-scheme (also for a cipher: there is none yet)."""
    scheme = SCHEMES.get(manifest.scheme)
    if scheme is None or manifest.cipher:
        what = f"signature scheme {manifest.scheme}" if scheme is None else f"block cipher {manifest.cipher}"
        raise ImageError("unknown-scheme", f"{what} is not known to this version", remedy="Use a newer otaflash.")
    return scheme
