"""Secret keys: made, opened, and asked for signatures. One that must not come twice is counted before it is made."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otaflash.errors import UsageError
from otaflash.image.scheme_lms import HASH_BYTES, signature_bytes
from otaflash.keys import ledger, lms
from otaflash.keys.files import (
    check_new,
    check_private,
    is_secret_text,
    malformed,
    parse_secret,
    read_text,
    write_secret,
    write_text,
)
from otaflash.keys.public import PublicKey, public_in
from otaflash.wire.messages import Scheme

SIGNATURES_DEFAULT = 1024


@dataclass(frozen=True, slots=True)
class KeyState:
    """What a key is and what is left of it."""

    path: Path
    public: PublicKey
    is_secret: bool
    is_sealed: bool = False
    """A passphrase is needed to sign."""
    signatures: int | None = None
    """How many there were at first; None: without end."""
    remaining: int | None = None


class SecretKey:
    """A key that signs. Made by `open_secret`; every call of `sign` looks at the files anew."""

    def __init__(self, path: Path, public: PublicKey, secret: bytes) -> None:
        self.path = path
        self.public = public
        self._secret = secret

    @property
    def scheme_number(self) -> int:
        """The manifest's `scheme`."""
        return int(self.public.scheme)

    @property
    def key_id(self) -> bytes:
        """The manifest's `key_id`."""
        return self.public.key_id

    @property
    def signature_bytes(self) -> int:
        """Length of its signatures."""
        height = lms.height_of(self.public.data)
        assert height is not None
        return signature_bytes(height)

    def sign(self, message: bytes, about: str) -> bytes:
        """A signature over `message`; `about` says in the ledger what it was for.

        Its number is written into the key file and the ledger, and to the disk, before it is made: a crash may lose a
        signature, and never gives one twice. Raises UsageError: key-restored, key-exhausted, key-malformed, key-busy,
        key-unwritable, ledger-missing, ledger-malformed.
        """
        key_id = self.public.key_id.hex()
        with ledger.locked(self.path) as file:
            fields = parse_secret(self.path, read_text(self.path))
            number = _next_of(self.path, fields)
            _check_newest(self.path, number, ledger.knows(file, self.path, key_id))
            tree = _tree(self.path, fields, self._secret)
            if number >= len(tree.leaves):
                raise UsageError(
                    "key-exhausted",
                    f"{self.path} has made all its {len(tree.leaves)} signatures",
                    remedy="make a new key, and bring its public half to the boards with otaflash factory",
                )
            _advance(self.path, fields, number + 1)
            ledger.note(file, key_id, number + 1, about)
        try:
            return lms.sign(tree, number, message)
        except ValueError as error:
            raise malformed(self.path) from error


def generate(path: Path, *, signatures: int = SIGNATURES_DEFAULT, passphrase: str | None = None) -> KeyState:
    """Makes a key for LMS: the secret one at `path`, its ledger, and the public one at `path` with .pub behind it.

    `signatures` is the least number that it must be able to make, up to 32,768. Raises UsageError: key-exists,
    key-unwritable, key-too-many.
    """
    height = next((height for height in sorted(lms.HEIGHTS) if signatures <= 1 << height), None)
    if height is None:
        most = 1 << max(lms.HEIGHTS)
        text = f"a key makes at most {most:,} signatures"
        raise UsageError("key-too-many", text, remedy="make several keys, one after the other")
    if not path.name:
        raise UsageError("key-unwritable", f"{path} is a folder", remedy="give the name of a file in it")
    public_path = path.with_name(f"{path.name}.pub")
    for each in (path, public_path, ledger.ledger_of(path)):
        check_new(each)
    tree = lms.generate(height)
    public = PublicKey(Scheme.LMS, tree.public)
    fields = {
        "scheme": "lms",
        "public": tree.public.hex(),
        "secret": _kept(tree.seed, passphrase, tree.public),
        "next": 0,
        "leaves": base64.b64encode(b"".join(tree.leaves)).decode(),
    }
    write_secret(path, fields, new=True)
    ledger.create(path, public.key_id.hex())
    write_text(public_path, public.text(), mode=0o644, new=True)
    return key_state(path)


def open_secret(path: Path, passphrase: str | None = None) -> SecretKey:
    """A key that can sign. Raises UsageError: key-missing, key-unreadable, key-malformed, key-open-to-others,
    key-is-public, passphrase-missing, passphrase-wrong."""
    text = read_text(path)
    public = public_in(path, text)
    if not is_secret_text(text):
        remedy = "give the secret key, which otaflash keygen wrote beside it"
        raise UsageError("key-is-public", f"{path} is a public key, which cannot sign", remedy=remedy)
    check_private(path)
    return SecretKey(path, public, _secret(path, parse_secret(path, text)["secret"], passphrase, public.data))


def is_sealed(path: Path) -> bool:
    """Whether a passphrase is needed to sign with a key. Raises UsageError as `otaflash.keys.public.read_public`."""
    text = read_text(path)
    return is_secret_text(text) and isinstance(parse_secret(path, text).get("secret"), dict)


def key_state(path: Path) -> KeyState:
    """What a key file is, and how many signatures are left. Raises UsageError as `otaflash.keys.public.read_public`."""
    text = read_text(path)
    public = public_in(path, text)
    if not is_secret_text(text):
        return KeyState(path, public, is_secret=False)
    fields = parse_secret(path, text)
    height = lms.height_of(public.data)
    if height is None:
        raise malformed(path)
    left = (1 << height) - _next_of(path, fields)
    return KeyState(path, public, True, isinstance(fields["secret"], dict), 1 << height, max(left, 0))


def skip_to(path: Path, number: int) -> KeyState:
    """Gives up all signatures below `number`: the way on after a key was brought back from an older copy, or lost its
    ledger. Never goes back. Raises UsageError as `otaflash.keys.public.read_public`, and key-backwards."""
    state = key_state(path)
    if not state.is_secret or state.signatures is None:
        raise UsageError("key-is-public", f"{path} is a public key, which cannot sign", remedy="give the secret key")
    fields, key_id = parse_secret(path, read_text(path)), state.public.key_id.hex()
    if not ledger.ledger_of(path).exists():
        ledger.create(path, key_id)
    with ledger.locked(path) as file:
        least = max(_next_of(path, fields), ledger.knows(file, path, key_id))
        if not least <= number <= state.signatures:
            text = f"signatures below {least} may have been used, and there are {state.signatures}"
            raise UsageError("key-backwards", text, remedy=f"give a number from {least} to {state.signatures}")
        _advance(path, fields, number)
        ledger.note(file, key_id, number, "skipped")
    return key_state(path)


def _next_of(path: Path, fields: dict[str, Any]) -> int:
    number = fields.get("next")
    if not isinstance(number, int) or isinstance(number, bool) or number < 0 or "secret" not in fields:
        raise malformed(path)
    return number


def _advance(path: Path, fields: dict[str, Any], number: int) -> None:
    write_secret(path, {**{name: fields[name] for name in fields if name in _FIELDS}, "next": number})


_FIELDS = ("scheme", "public", "secret", "next", "leaves")


def _check_newest(path: Path, number: int, known: int) -> None:
    if number < known:
        raise UsageError(
            "key-restored",
            f"{path} is an older copy: it would use signature {number} again; its ledger knows of {known} used ones",
            remedy=f"bring back the newest copy, or go on with otaflash keys {path} --next {known}",
        )


def _tree(path: Path, fields: dict[str, Any], seed: bytes) -> lms.Tree:
    try:
        packed = base64.b64decode(fields["leaves"], validate=True)
        public = bytes.fromhex(fields["public"])
    except (KeyError, ValueError, TypeError) as error:
        raise malformed(path) from error
    size = HASH_BYTES
    tree = lms.Tree(public, seed, tuple(packed[at : at + size] for at in range(0, len(packed), size)))
    if not lms.is_whole(tree):
        raise malformed(path)
    return tree


def _kept(secret: bytes, passphrase: str | None, public: bytes) -> str | dict[str, str]:
    if passphrase is None:
        return secret.hex()
    from otaflash.keys.sealing import seal  # noqa: PLC0415  cryptography is slow to load

    return seal(secret, passphrase, public)


def _secret(path: Path, kept: object, passphrase: str | None, public: bytes) -> bytes:
    try:
        if isinstance(kept, str):
            return bytes.fromhex(kept)
        if not isinstance(kept, dict):
            raise malformed(path)
        if passphrase is None:
            remedy = "set OTAFLASH_PASSPHRASE, or run the command in a terminal"
            raise UsageError("passphrase-missing", f"{path} needs its passphrase", remedy=remedy)
        from otaflash.keys.sealing import unseal  # noqa: PLC0415  cryptography is slow to load

        secret = unseal(kept, passphrase, public)
    except (KeyError, ValueError, TypeError) as error:
        raise malformed(path) from error
    if secret is None:
        text = f"the passphrase of {path} is another one"
        raise UsageError("passphrase-wrong", text, remedy="give the passphrase that otaflash keygen asked for")
    return secret
