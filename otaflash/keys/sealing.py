"""Secrets under a passphrase: scrypt (RFC 7914) makes the key, ChaCha20-Poly1305 (RFC 8439) seals the secret and
binds the public half to it."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_SALT_BYTES = 16
_NONCE = bytes(12)  # each sealing draws its own salt, and so has a key of its own
_COST = 1 << 15  # 32 MiB, a tenth of a second


def seal(secret: bytes, passphrase: str, public: bytes) -> dict[str, str]:
    """What a key file holds in place of the secret."""
    salt = os.urandom(_SALT_BYTES)
    return {"salt": salt.hex(), "sealed": _cipher(passphrase, salt).encrypt(_NONCE, secret, public).hex()}


def unseal(sealed: dict[str, str], passphrase: str, public: bytes) -> bytes | None:
    """The secret; None: the passphrase is another, or the file was changed. Raises KeyError, ValueError."""
    try:
        cipher = _cipher(passphrase, bytes.fromhex(sealed["salt"]))
        return cipher.decrypt(_NONCE, bytes.fromhex(sealed["sealed"]), public)
    except InvalidTag:
        return None


def _cipher(passphrase: str, salt: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(passphrase.encode()))
