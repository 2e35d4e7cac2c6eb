"""Bytes <-> messages: framing, CRC, the messages of protocol/messages.toml. Pure; knows no link, clock or session."""

from otaflash.wire.cobs import FrameReader
from otaflash.wire.errors import WireError, WireFault
from otaflash.wire.frames import Frame, decode, encode, on_stream

__all__ = ["Frame", "FrameReader", "WireError", "WireFault", "decode", "encode", "on_stream"]
