"""Signature scheme 1: LMS (RFC 8554) with SHA-256/192 and digits of 4 bits (RFC 9858). Form only: knows no key."""

from __future__ import annotations

from typing import Final, NoReturn

from otaflash.errors import ImageError
from otaflash.wire.messages import Manifest

HASH_BYTES: Final = 24
_CHAINS: Final = 51
LEAF_TYPE: Final = 7
TREE_TYPES: Final = {0x0A: 5, 0x0B: 10, 0x0C: 15, 0x0D: 20, 0x0E: 25}
"""Height of the tree by its type."""
_TREE_AT: Final = 4 + 4 + HASH_BYTES * (1 + _CHAINS)


class Lms:
    """Holds the form of the signature; whether it fits, only a board with the key can say."""

    number = 1
    name = "lms"

    def verify(self, manifest: Manifest, signature: bytes) -> None:
        """Raises ImageError: bad-signature, for a length, type or leaf number that cannot be, or no key's id."""
        if len(signature) < _TREE_AT + 4 or int.from_bytes(signature[4:8], "big") != LEAF_TYPE:
            _refuse()
        height = TREE_TYPES.get(int.from_bytes(signature[_TREE_AT : _TREE_AT + 4], "big"))
        if height is None or len(signature) != signature_bytes(height) or signature_number(signature) >> height:
            _refuse()
        if not any(manifest.key_id):
            _refuse()


def signature_bytes(height: int) -> int:
    """Length of a signature by a tree of 2^height leaves."""
    return _TREE_AT + 4 + HASH_BYTES * height


def signature_number(signature: bytes) -> int:
    """Which of its key's signatures this is, counted from 0."""
    return int.from_bytes(signature[:4], "big")


def _refuse() -> NoReturn:
    text = "the signature of the bundle is none of LMS with SHA-256/192 and 4-bit digits"
    raise ImageError("bad-signature", text, remedy="Sign the bundle again with otaflash sign.")
