"""Signature scheme 0: no key, no signature. Knows no other scheme."""

from __future__ import annotations

from otaflash.errors import ImageError
from otaflash.wire.messages import Manifest


class Unsigned:
    """Holds that nothing pretends to be signed."""

    number = 0
    name = "none"

    def verify(self, manifest: Manifest, signature: bytes) -> None:
        """Raises ImageError: bad-signature, if there is a signature or the id of a key all the same."""
        if signature or any(manifest.key_id):
            text = "the bundle says that it is unsigned, but carries a signature or the id of a key"
            raise ImageError("bad-signature", text, remedy="Make the bundle again.")
