"""What a program prints, taken out of a stream that frames of otaflash travel on as well. Knows no link."""

from __future__ import annotations

from otaflash.wire.cobs import cobs_bound, find_frame
from otaflash.wire.messages import FRAME_GREATEST
from otaflash.wire.text import text_bytes

QUIET_S = 0.1
"""So long after the last byte, what looked like the beginning of a frame is none."""
HELD_MOST = cobs_bound(FRAME_GREATEST)


class TextFilter:
    """Passes text on at once, and holds back what may be a frame until that is known: until the zero that ends it."""

    def __init__(self) -> None:
        self._held = b""
        self._at = 0.0

    def feed(self, data: bytes, now: float) -> bytes:
        """The text that has become sure; `data` may be empty when only time has passed, `now` is in seconds."""
        if data:
            self._held += data
            self._at = now
        *ended, self._held = self._held.split(b"\0")
        text = b"".join(map(_without_frame, ended))
        quiet = now - self._at >= QUIET_S - 1e-9
        sure = len(self._held) if quiet or len(self._held) > HELD_MOST else _sure_bytes(self._held)
        text += self._held[:sure]
        self._held = self._held[sure:]
        return text

    def due(self, deadline: float) -> float:
        """When to call `feed` again, with or without data: `deadline` at the latest, a time in seconds."""
        return min(deadline, self._at + QUIET_S) if self._held else deadline


def _sure_bytes(held: bytes) -> int:
    """How many bytes are text whatever follows: not the last character, which may be the COBS code of a frame."""
    sure = max(text_bytes(held) - 1, 0)
    while sure and held[sure] & 0xC0 == 0x80:  # the rest of a character alone would be no text
        sure -= 1
    return sure


def _without_frame(ended: bytes) -> bytes:
    """What stood before a zero, less the frame at its end, be it whole or damaged."""
    start, frame = find_frame(ended[-HELD_MOST:])
    if frame:
        return ended[: max(len(ended) - HELD_MOST, 0) + start]
    text = text_bytes(ended)
    return ended if text == len(ended) else ended[: max(text - 1, 0)]
