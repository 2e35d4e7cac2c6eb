"""What a program prints, taken out of a stream that frames of otaflash travel on as well. Knows no link."""

from __future__ import annotations

import re

from otaflash.wire import FrameReader
from otaflash.wire.cobs import cobs_bound
from otaflash.wire.messages import FRAME_GREATEST

QUIET_S = 0.1
"""So long after the last byte, what looked like the beginning of a frame is none."""
HELD_MOST = cobs_bound(FRAME_GREATEST)

_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
"""Bytes that no text has: not bell, backspace, tab, line ends and escape."""


class TextFilter:
    """Passes text on at once, and holds back what may be a frame until that is known.

    A frame is COBS-encoded and ends with a zero (protocol/PROTOCOL.md, section 2). Its second byte, the kind of a
    reply, has bit 7 set and fits no UTF-8 text there; so text is safe up to the byte before one that is no text.
    """

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
        sure = len(self._held) if quiet or len(self._held) > HELD_MOST else _safe_bytes(self._held)
        text += self._held[:sure]
        self._held = self._held[sure:]
        return text

    def due(self, deadline: float) -> float:
        """When to call `feed` again, with or without data: `deadline` at the latest, a time in seconds."""
        return min(deadline, self._at + QUIET_S) if self._held else deadline


def _safe_bytes(held: bytes) -> int:
    """How many bytes are text whatever follows: the last one may be the COBS code that a frame begins with."""
    control = _CONTROL.search(held)
    stop = len(held) if control is None else control.start()
    try:
        held[:stop].decode()
    except UnicodeDecodeError as error:
        stop = error.start
    return max(stop - 1, 0)


def _without_frame(ended: bytes) -> bytes:
    """What stood before a zero, less the frame at its end if there is one."""
    for start in range(max(len(ended) - HELD_MOST, 0), len(ended)):
        if FrameReader().feed(ended[start:] + b"\0"):
            return ended[:start]
    return ended
