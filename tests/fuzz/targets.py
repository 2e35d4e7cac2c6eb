"""What the Python side does with bytes that anyone may have made: one function each, which takes them and returns.

A function raises only what is a finding. Knows no fuzzer: tests call it with the kept corpus, tests/fuzz/atheris_run.py
with what atheris draws.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

from otaflash.config import FILE_NAME, parse_file, resolve
from otaflash.errors import OtaflashError
from otaflash.image.build import Slot
from otaflash.image.bundle import Bundle, pack_bundle, parse_bundle
from otaflash.image.hexfile import parse_hex
from otaflash.image.load import SLOT, describe, parse
from otaflash.image.program import bundle_for
from otaflash.sim.url import parse_sim_url
from otaflash.wire import FrameReader, WireError, decode, encode, on_stream
from otaflash.wire.messages import FRAME_GREATEST, Info, Manifest, Trailer, Version
from tests.fuzz.engines import engine
from tests.image.hexes import program

FILES_SLOT = Slot(board="atmega328p", base=0, page_bytes=128, pages=110)


def named(error: OtaflashError) -> None:
    """An error says what, which and what next."""
    assert error.reason
    assert error.reason == error.reason.lower().replace(" ", "-"), error.reason
    assert error.text
    assert error.remedy


# --- wire -----------------------------------------------------------------------------------------------------


def wire(data: bytes) -> None:
    """A stream cut anywhere gives the same frames; what decodes goes back to the same bytes."""
    frames = FrameReader().feed(data)
    byte_by_byte = FrameReader()
    assert [frame for at in range(len(data)) for frame in byte_by_byte.feed(data[at : at + 1])] == frames
    for frame in frames:
        round_trip(frame)
    for record in (Info, Manifest, Trailer):
        try:
            assert record.unpack(data).pack() == data[: record.BYTES]
        except WireError:
            continue


def round_trip(frame: bytes) -> None:
    assert len(frame) <= FRAME_GREATEST
    try:
        decoded = decode(frame)
    except WireError:
        return
    assert encode(decoded.message, decoded.session, decoded.serial) == frame
    assert FrameReader().feed(on_stream(frame)) == [frame]


# --- files ----------------------------------------------------------------------------------------------------


def hex_file(data: bytes) -> None:
    """A HEX that is read holds segments in order, and reads the same once written again, record by record."""
    try:
        found = parse_hex(data)
    except OtaflashError as error:
        named(error)
        return
    assert describe(found)["image_bytes"] == found.end - found.lowest
    for before, after in zip(found.segments, found.segments[1:], strict=False):
        assert before.end < after.address
    if sum(len(segment.data) for segment in found.segments) < 4096:
        again = parse_hex(program([(segment.address, segment.data) for segment in found.segments]))
        assert again.segments == found.segments


def files(data: bytes) -> None:
    """A file of any kind is read, described and made fit for a board, or refused; as a raw binary, too."""
    for base in (None, SLOT, 0xFFFF_FFF0):
        try:
            found = parse(data, base=base)
            assert describe(found)["kind"]
            bundle_for(found, FILES_SLOT, version=Version(1, 0, 0, 0), counter=0)
        except OtaflashError as error:
            named(error)


def bundle(data: bytes) -> None:
    """As it is, and with a right CRC; a bundle that is read is packed into the same bytes."""
    for content in (data, with_crc(data)):
        try:
            found = parse_bundle(content)
        except OtaflashError as error:
            named(error)
            continue
        assert pack_bundle(found) == content
        assert_sound(found)


def with_crc(data: bytes) -> bytes:
    return data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "little") if len(data) > 4 else data


def assert_sound(found: Bundle) -> None:
    assert len(found.span()) == found.manifest.pages * found.manifest.page_bytes
    assert describe(found)["blocks"] == len(found.blocks)


# --- what a user writes ------------------------------------------------------------------------------------------


def config(data: bytes) -> None:
    try:
        found = resolve({}, {}, [parse_file(Path(FILE_NAME), data)])
    except OtaflashError as error:
        named(error)
        return
    assert found.baud is None or 1 <= found.baud <= 20_000_000
    assert found.counter is None or 0 <= found.counter <= 0xFFFFFFFF


def sim_url(data: bytes) -> None:
    """A link whose chances are chances and whose times are times, and a board of some name; or an error."""
    try:
        found = parse_sim_url("sim:" + data.decode("utf-8", "replace"))
    except OtaflashError as error:
        named(error)
        return
    assert found.board
    for way in (found.model.down, found.model.up):
        for chance in (way.loss, way.dup, way.reorder, way.biterr, way.burst_loss, way.outage_loss):
            assert 0.0 <= chance <= 1.0
        for seconds in (way.delay_s, way.jitter_s, way.outage_from_s, way.outage_s):
            assert 0.0 <= seconds < float("inf")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "wire": wire,
    "engine": engine,
    "hex": hex_file,
    "files": files,
    "bundle": bundle,
    "config": config,
    "sim_url": sim_url,
}
