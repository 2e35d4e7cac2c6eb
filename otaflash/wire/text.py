"""Where text ends and a frame begins, on a line that a program prints on as well. Knows no message."""

from __future__ import annotations

import re

_CONTROL = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
"""Bytes that no text has: not bell, backspace, tab, line ends and escape."""


def text_bytes(data: bytes) -> int:
    """How many bytes at the beginning are text: UTF-8 without control characters."""
    control = _CONTROL.search(data)
    stop = len(data) if control is None else control.start()
    try:
        data[:stop].decode()
    except UnicodeDecodeError as error:
        return error.start
    return stop


def frame_starts(encoded: bytes) -> tuple[int, ...]:
    """Where a reply may begin in what stood before a zero, text being in front of it.

    The first byte of a frame, a COBS code, may look like text; the second, the kind of a reply, has bit 7 set and fits
    no UTF-8 there. So there are two places at the most, and a damaged frame gets no more chances to pass its CRC.
    """
    text = text_bytes(encoded)
    return tuple(start for start in (text - 1, text) if 0 < start < len(encoded))
