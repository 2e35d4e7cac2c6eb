"""LMS (RFC 8554) with SHA-256/192 and digits of 4 bits (RFC 9858), as the chip verifies it: one tree, no hierarchy.

The one-time signatures are pyhsslms's. Its own private key makes the whole tree again each time that it is loaded (a
second for 1,024 leaves), so the public keys of the leaves are kept and the path through the tree is hashed here; every
signature is verified by pyhsslms before it is given away.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any, Final

from pyhsslms import pyhsslms  # type: ignore[import-untyped]

from otaflash.image.scheme_lms import HASH_BYTES, LEAF_TYPE, TREE_TYPES

IDENTIFIER_BYTES: Final = 16
PUBLIC_BYTES: Final = 8 + IDENTIFIER_BYTES + HASH_BYTES
HEIGHTS: Final = {height: kind for kind, height in TREE_TYPES.items() if height <= 15}
"""Type of the tree by its height: 2^height signatures. Taller trees take Python longer than anybody waits."""

_ONE_TIME: Final = LEAF_TYPE.to_bytes(4, "big")
_LEAF, _NODE = b"\x82\x82", b"\x83\x83"


@dataclass(frozen=True, slots=True)
class Tree:
    """A key: its public half as RFC 8554 writes it, the seed of all leaves, and the public keys of the leaves."""

    public: bytes
    seed: bytes = field(repr=False)
    leaves: tuple[bytes, ...] = field(repr=False)


def generate(height: int) -> Tree:
    """A new key with 2^height signatures; a second for 10, half a minute for 15."""
    key: Any = pyhsslms.LmsPrivateKey(lms_type=HEIGHTS[height].to_bytes(4, "big"), lmots_type=_ONE_TIME)
    return Tree(key.publicKey().serialize(), key.SEED, tuple(leaf.K for leaf in key.ots_pub))


def height_of(public: bytes) -> int | None:
    """Height of the tree of a public key; None: it is of another set of parameters, or no key at all."""
    if len(public) != PUBLIC_BYTES or public[4:8] != _ONE_TIME:
        return None
    kind = int.from_bytes(public[:4], "big")
    return next((height for height, known in HEIGHTS.items() if known == kind), None)


def sign(tree: Tree, index: int, message: bytes) -> bytes:
    """The signature by leaf `index`, which must never sign again. Raises ValueError if the key is damaged."""
    identifier, number = tree.public[8 : 8 + IDENTIFIER_BYTES], index.to_bytes(4, "big")
    once: Any = pyhsslms.LmotsPrivateKey(I=identifier, q=number, SEED=tree.seed, lmots_type=_ONE_TIME)
    path = b"".join(_path(identifier, tree.leaves, index))
    signature: bytes = number + once.sign(message) + tree.public[:4] + path
    if not verify(tree.public, message, signature):
        raise ValueError("what the key signs does not verify")
    return signature


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature fits, by pyhsslms."""
    try:
        return bool(pyhsslms.LmsPublicKey.deserialize(public).verify(message, signature))
    except ValueError:
        return False


def is_whole(tree: Tree) -> bool:
    """Whether the leaves are those of the public key."""
    height = height_of(tree.public)
    if height is None or len(tree.leaves) != 1 << height:
        return False
    *_, root = _levels(tree.public[8 : 8 + IDENTIFIER_BYTES], tree.leaves)
    return hmac.compare_digest(root[0], tree.public[-HASH_BYTES:])


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()[:HASH_BYTES]


def _levels(identifier: bytes, leaves: tuple[bytes, ...]) -> list[list[bytes]]:
    """The nodes of the tree, level by level, from the leaves up to the root, each level as the hash numbers it."""
    first = len(leaves)
    level = [_hash(identifier, (first + n).to_bytes(4, "big"), _LEAF, leaf) for n, leaf in enumerate(leaves)]
    levels = [level]
    while len(level) > 1:
        first //= 2
        level = [
            _hash(identifier, (first + n).to_bytes(4, "big"), _NODE, level[2 * n], level[2 * n + 1])
            for n in range(first)
        ]
        levels.append(level)
    return levels


def _path(identifier: bytes, leaves: tuple[bytes, ...], index: int) -> list[bytes]:
    return [level[(index >> up) ^ 1] for up, level in enumerate(_levels(identifier, leaves)[:-1])]
