"""Frames on byte links: consistent overhead byte stuffing (Cheshire and Baker, 1999), ended by a zero byte.

Knows lengths and the CRC, no message. Both ways work on runs between zeros, never byte by byte: a whole update passes
through here.
"""

from __future__ import annotations

from otaflash.wire.crc import CRC_BYTES, crc_fits
from otaflash.wire.errors import WireError, WireFault
from otaflash.wire.messages import FRAME_GREATEST, HEADER_BYTES

_RUN = 254  # most bytes that one code byte can stand before
_FULL = 0xFF  # the code of such a group; unlike the others it stands for no zero
_CODES = [bytes([length + 1]) for length in range(_RUN)]


def cobs_encode(frame: bytes) -> bytes:
    """`frame` without zero bytes: one byte longer, and one more for each run of 254 bytes. No delimiter is added."""
    parts: list[bytes] = []
    run = b""
    for run in frame.split(b"\0"):
        rest = run
        while len(rest) >= _RUN:
            parts += (b"\xff", rest[:_RUN])
            rest = rest[_RUN:]
        parts += (_CODES[len(rest)], rest)
    encoded = b"".join(parts)
    # A frame that ends with a full group needs no empty group after it; cobs_decode takes both forms.
    return encoded[:-1] if run and len(run) % _RUN == 0 else encoded


def cobs_decode(encoded: bytes) -> bytes:
    """What stood between two delimiters, decoded. Raises WireError if a code points past the end or a byte is zero."""
    if 0 in encoded:
        raise WireError(WireFault.COBS, "a zero byte inside a frame")
    parts: list[bytes] = []
    at, end = 0, len(encoded)
    while at < end:
        code = encoded[at]
        if at + code > end:
            raise WireError(WireFault.COBS, f"code {code} at {at} points past the end at {end}")
        parts.append(encoded[at + 1 : at + code])
        at += code
        if code != _FULL and at < end:
            parts.append(b"\0")
    return b"".join(parts)


def cobs_bound(frame_bytes: int) -> int:
    """The most bytes that a frame of that length takes when encoded, without the delimiter."""
    return frame_bytes + frame_bytes // _RUN + 1


class FrameReader:
    """Takes what a link delivers and gives the frames in it whose CRC is right, as bytes with that CRC.

    On a stream, chunks may be cut anywhere and zero bytes between frames mean nothing; without a stream each chunk is
    one frame. Memory stays below one frame and one chunk, whatever arrives.
    """

    __slots__ = ("_kept", "_limit", "_overlong", "_stream", "damaged")

    def __init__(self, stream: bool = True, limit: int = FRAME_GREATEST) -> None:
        self._stream = stream
        self._limit = limit
        self._kept = b""  # the beginning of a frame whose end has not come
        self._overlong = False  # the frame under way is too long already: dropped up to its delimiter
        self.damaged = 0
        """Frames dropped so far: wrong CRC or encoding, too short, too long."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that `chunk` completes, in order. Never raises, whatever the bytes are."""
        if not self._stream:
            return self._valid([chunk]) if chunk else []
        *ended, self._kept = (self._kept + chunk).split(b"\0")
        if ended and self._overlong:
            ended[0] = b""
            self._overlong = False
            self.damaged += 1
        if len(self._kept) > cobs_bound(self._limit):
            self._overlong = True
        if self._overlong:
            self._kept = b""
        return self._valid([self._decoded(encoded) for encoded in ended if encoded])

    def _decoded(self, encoded: bytes) -> bytes:
        """The frame, or nothing where there is none: `_valid` counts it."""
        if len(encoded) > cobs_bound(self._limit):
            return b""
        try:
            return cobs_decode(encoded)
        except WireError:
            return b""

    def _valid(self, frames: list[bytes]) -> list[bytes]:
        least = HEADER_BYTES + CRC_BYTES
        valid = [frame for frame in frames if least <= len(frame) <= self._limit and crc_fits(frame)]
        self.damaged += len(frames) - len(valid)
        return valid
