"""Frames: header, message and CRC as bytes, and back. Knows the messages, not what they are for."""

from __future__ import annotations

from dataclasses import dataclass

from otaflash.wire.cobs import cobs_encode
from otaflash.wire.crc import CRC_BYTES, crc_fits, with_crc
from otaflash.wire.errors import WireError, WireFault
from otaflash.wire.messages import FRAME_GREATEST, HEADER, HEADER_BYTES, REPLY, Message, unpack

OVERHEAD_BYTES = HEADER_BYTES + CRC_BYTES
"""What a frame is longer than the body of its message."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, decoded."""

    kind: int
    """As on the wire: REPLY set in a reply, the encoding in the low 4 bits of a block."""
    session: int
    """0 to 65535; 0 where no session is open."""
    serial: int
    """0 to 255: of the host's transmission, or of the one answered."""
    message: Message

    @property
    def is_reply(self) -> bool:
        """Whether the frame answers a request."""
        return bool(self.kind & REPLY)


def encode(message: Message, session: int, serial: int) -> bytes:
    """The frame that carries `message`, before COBS. The class of the message says whether it is a reply.

    Raises WireError if session (0 to 65535), serial (0 to 255) or a field does not fit, or the frame would be over
    FRAME_GREATEST bytes.
    """
    body = message.pack()
    frame_bytes = len(body) + OVERHEAD_BYTES
    if frame_bytes > FRAME_GREATEST:
        raise WireError(WireFault.TOO_LONG, f"a frame has at most {FRAME_GREATEST} bytes, not {frame_bytes}")
    if not (0 <= session <= 0xFFFF and 0 <= serial <= 0xFF):
        raise WireError(WireFault.VALUE, f"no frame has session {session} and serial {serial}")
    return with_crc(HEADER.pack(message.kind, session, serial) + body)


def decode(frame: bytes) -> Frame:
    """The frame in those bytes (COBS undone). Raises WireError: length, CRC, kind, or a body that does not fit it."""
    if len(frame) < OVERHEAD_BYTES:
        raise WireError(WireFault.TOO_SHORT, f"a frame has at least {OVERHEAD_BYTES} bytes, not {len(frame)}")
    if len(frame) > FRAME_GREATEST:
        raise WireError(WireFault.TOO_LONG, f"a frame has at most {FRAME_GREATEST} bytes, not {len(frame)}")
    if not crc_fits(frame):
        raise WireError(WireFault.CRC, "the CRC does not fit the frame")
    kind, session, serial = HEADER.unpack_from(frame)
    return Frame(kind, session, serial, unpack(kind, bytes(frame[HEADER_BYTES:-CRC_BYTES])))


def on_stream(frame: bytes, pad_to: int = 0) -> bytes:
    """The frame as a byte link carries it: COBS, a zero byte, and zero bytes up to `pad_to` bytes in all."""
    return (cobs_encode(frame) + b"\0").ljust(pad_to, b"\0")
