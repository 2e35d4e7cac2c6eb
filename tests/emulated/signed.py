"""What the tests of the signed loaders share: bundles that no key signed so, and what a board says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from otaflash.errors import OtaflashError
from otaflash.image.bundle import Bundle
from tests.emulated.board import Board


def forged(whole: Bundle) -> Iterator[Bundle]:
    """The bundle with one bit of its signature changed: in its head, in its chains, in its path."""
    for at in (4, 700, len(whole.signature) - 1):
        wrong = bytearray(whole.signature)
        wrong[at] ^= 0x10
        yield Bundle(whole.manifest, bytes(wrong), whole.page_table, whole.blocks)


def refusal(board: Board, push: Callable[[], object]) -> str:
    """Why the board refuses that push. Raises AssertionError where it does not, or where it touches its flash."""
    operations, flash = board.operations, bytes(board.flash)
    with pytest.raises(OtaflashError) as caught:
        push()
    assert (board.operations, bytes(board.flash)) == (operations, flash), "flash is as it was"
    return caught.value.reason
