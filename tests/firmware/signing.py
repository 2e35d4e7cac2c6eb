"""Keys and signed offers for tests of the core: LMS by pyhsslms, small trees made once. Knows no function of it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from otaflash.image.scheme_lms import signature_bytes
from otaflash.keys import lms
from otaflash.keys.public import PublicKey
from otaflash.sim.native import NativeBoard
from otaflash.sim.profiles import Profile
from otaflash.wire import messages as m
from tests.firmware.bench import SMALL, Bench, Image

MANIFEST = m.Manifest.BYTES


def key(number: int = 0) -> lms.Tree:
    """The tests' own key of 32 signatures; `number` tells one from another."""
    return _made(number)


@cache
def _made(number: int) -> lms.Tree:
    del number
    return lms.generate(5)


def public(tree: lms.Tree) -> PublicKey:
    return PublicKey(m.Scheme.LMS, tree.public)


def prepared(image: Image, tree: lms.Tree) -> m.Manifest:
    """The image's manifest as the key signs it."""
    height = lms.height_of(tree.public)
    assert height is not None
    return replace(image.manifest, scheme=1, signature_bytes=signature_bytes(height), key_id=public(tree).key_id)


@cache
def offer_of(image: Image, number: int = 0, index: int = 0) -> bytes:
    """Manifest and signature as they go over the line."""
    tree = key(number)
    manifest = prepared(image, tree).pack()
    return manifest + lms.sign(tree, index, manifest)


class SignedBench(Bench):
    """A board with the public key of `key(0)` in its key page."""

    def __init__(self, image: Image | None = None, of: Profile = SMALL, *, page: bytes | None = None) -> None:
        self.page = public(key()).page() if page is None else page
        super().__init__(of, image)

    def make_board(self, of: Profile, seed: int, uid: bytes) -> NativeBoard:
        return NativeBoard(of, seed, uid=uid, key=self.page)

    def send_offer(self, offer: bytes, part_bytes: int = 128) -> m.OfferReply:
        """The offer in parts, in a session of its own; the reply to the last of them, or the first refusal."""
        self.session += 1
        for at in range(0, len(offer), part_bytes):
            reply = self.ask(m.Offer(at, offer[at : at + part_bytes]), m.OfferReply)
            if reply.reason != m.Reason.OK:
                break
        return reply


def keyed(image: Image, page: bytes | None = None) -> SignedBench:
    """In its loader, told to stay."""
    bench = SignedBench(image, page=page)
    bench.enter()
    return bench
