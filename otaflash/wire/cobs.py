"""Frames on byte links: consistent overhead byte stuffing (Cheshire and Baker, 1999), ended by a zero byte.

Knows lengths and the CRC, no message. Both ways work on runs between zeros, never byte by byte: a whole update passes
through here.
"""

from __future__ import annotations

from contextlib import suppress

from otaflash.wire.crc import CRC_BYTES, crc_fits
from otaflash.wire.errors import WireError, WireFault
from otaflash.wire.messages import FRAME_GREATEST, HEADER_BYTES
from otaflash.wire.text import frame_starts

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


def find_frame(encoded: bytes, limit: int = FRAME_GREATEST) -> tuple[int, bytes]:
    """Where the frame begins in what stood before a zero, and the frame decoded: its CRC right, its length at most
    `limit` bytes. Before it there may be text. Without a frame: the length of `encoded`, and nothing."""
    for start in (0, *frame_starts(encoded)):
        with suppress(WireError):
            frame = _checked(cobs_decode(encoded[start:]), limit)
            if frame:
                return start, frame
    return len(encoded), b""


def _checked(frame: bytes, limit: int) -> bytes:
    fits = HEADER_BYTES + CRC_BYTES <= len(frame) <= limit and crc_fits(frame)
    return frame if fits else b""


class FrameReader:
    """Takes what a link delivers and gives the frames in it whose CRC is right, as bytes with that CRC.

    On a stream, chunks may be cut anywhere, zero bytes between frames mean nothing, and text that a program prints
    before a reply is passed over; without a stream each chunk is one frame. Memory stays below one frame and one chunk,
    whatever arrives.
    """

    __slots__ = ("_kept", "_limit", "_stream", "damaged")

    def __init__(self, stream: bool = True, limit: int = FRAME_GREATEST) -> None:
        """`limit`: the longest frame, in bytes; longer ones are dropped."""
        self._stream = stream
        self._limit = limit
        self._kept = b""  # the beginning of a frame whose end has not come; of what is too long for one, the end
        self.damaged = 0
        """Frames dropped so far: wrong CRC or encoding, too short, too long."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The frames that `chunk` completes, in order. Never raises, whatever the bytes are."""
        if not self._stream:
            return self._counted([_checked(chunk, self._limit)]) if chunk else []
        *ended, kept = (self._kept + chunk).split(b"\0")
        self._kept = self._end_of(kept)
        return self._counted([find_frame(self._end_of(encoded), self._limit)[1] for encoded in ended if encoded])

    def _end_of(self, encoded: bytes) -> bytes:
        """As much as a frame may be long; what is cut off in front takes the rest of its UTF-8 character along."""
        most = cobs_bound(self._limit)
        return encoded if len(encoded) <= most else encoded[-most:].lstrip(_CONTINUED)

    def _counted(self, frames: list[bytes]) -> list[bytes]:
        valid = [frame for frame in frames if frame]
        self.damaged += len(frames) - len(valid)
        return valid


_CONTINUED = bytes(range(0x80, 0xC0))
