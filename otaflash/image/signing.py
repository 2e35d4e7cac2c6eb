"""The seam of signature schemes: which there are, what each must do. A scheme is a file scheme_*.py. No keys here."""

from __future__ import annotations

from typing import Final, Protocol

from otaflash.errors import ImageError
from otaflash.image.scheme_none import Unsigned
from otaflash.wire.messages import Manifest


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


SCHEMES: Final[dict[int, Scheme]] = {scheme.number: scheme for scheme in (Unsigned(),)}
"""Scheme by its number."""


def scheme_of(manifest: Manifest) -> Scheme:
    """The scheme that a manifest names. Raises ImageError: unknown-scheme (also for a cipher: there is none yet)."""
    scheme = SCHEMES.get(manifest.scheme)
    if scheme is None or manifest.cipher:
        what = f"signature scheme {manifest.scheme}" if scheme is None else f"block cipher {manifest.cipher}"
        raise ImageError("unknown-scheme", f"{what} is not known to this version", remedy="Use a newer otaflash.")
    return scheme
