"""The CRC of frames and images: CRC-32 of IEEE 802.3, reflected, init and xor-out all ones (crcmod's ``crc-32``).

zlib's is used, because crcmod falls back to slow Python where it was built without a compiler; a test holds them equal.
"""

from __future__ import annotations

import zlib

CRC_BYTES = 4


def crc32(data: bytes, before: int = 0) -> int:
    """CRC of `data`, or of all that `before` is the CRC of, followed by `data`."""
    return zlib.crc32(data, before)


def with_crc(data: bytes) -> bytes:
    """`data` and its CRC."""
    return data + zlib.crc32(data).to_bytes(CRC_BYTES, "little")


def crc_fits(data: bytes) -> bool:
    """True if the last 4 bytes are the CRC of those before them."""
    return len(data) >= CRC_BYTES and zlib.crc32(data[:-CRC_BYTES]).to_bytes(CRC_BYTES, "little") == data[-CRC_BYTES:]
