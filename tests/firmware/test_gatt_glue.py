"""firmware/app/gatt: values become the line that the core reads, and its replies become values, whatever they hold."""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from otaflash.wire import FrameReader, encode, on_stream
from otaflash.wire.crc import with_crc
from otaflash.wire.messages import Inspect

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-Wno-pedantic", "-O1", "-shared", "-fPIC")
RING_BYTES = 4096


@pytest.fixture
def glue(tmp_path: Path) -> Any:
    library = tmp_path / "gatt.so"
    folders = (f"-I{ROOT}/firmware/{folder}" for folder in ("app/gatt", "core", "ports/null"))
    sources = (ROOT / "firmware/app/gatt/gatt.c", ROOT / "tests/firmware/gatt_radio.c")
    subprocess.run([os.environ.get("CC", "cc"), *FLAGS, *folders, *sources, "-o", library], check=True)
    loaded = ctypes.CDLL(str(library))
    loaded.port_receive.restype = ctypes.c_int16
    return loaded


def received(glue: Any) -> bytes:
    line = bytearray()
    while (byte := glue.port_receive()) >= 0:
        line.append(byte)
    return bytes(line)


def notified(glue: Any) -> bytes:
    length = ctypes.c_uint16.in_dll(glue, "told_bytes").value
    return bytes((ctypes.c_uint8 * 512).in_dll(glue, "told")[:length])


def frames(count: int) -> list[bytes]:
    """Of all lengths, with zeros nowhere, everywhere and where COBS begins a new group."""
    draw = random.Random(1)
    edges = [b"\1" * length for length in (249, 250, 251, 503, 508)] + [bytes(length) for length in (4, 250, 508)]
    drawn = [bytes(draw.choices(range(256), k=draw.randrange(4, 509))) for _ in range(count)]
    return [with_crc(body) for body in (*edges, *drawn)]


def test_every_value_comes_out_of_the_line_as_the_frame_that_it_was(glue: Any) -> None:
    reader = FrameReader(stream=True)
    for frame in frames(300):
        glue.gatt_written(frame, len(frame))
        assert reader.feed(received(glue)) == [frame]


def test_every_reply_of_the_core_becomes_one_value(glue: Any) -> None:
    for number, frame in enumerate(frames(300), 1):
        for byte in on_stream(frame):
            glue.port_send(byte)
        assert notified(glue) == frame
        assert ctypes.c_uint.in_dll(glue, "told_count").value == number


def test_a_value_for_which_there_is_no_room_is_dropped_whole(glue: Any) -> None:
    frame = with_crc(bytes(range(1, 201)))
    for _ in range(100):
        glue.gatt_written(frame, len(frame))
    kept = FrameReader(stream=True).feed(received(glue))
    assert kept == [frame] * (RING_BYTES // (len(frame) + 2))


@pytest.mark.parametrize("length", [0, 513])
def test_a_value_that_no_attribute_can_have_is_dropped(glue: Any, length: int) -> None:
    glue.gatt_written(bytes(600), length)
    assert received(glue) == b""


def test_a_reply_waits_for_a_buffer_of_the_radio(glue: Any) -> None:
    ctypes.c_uint.in_dll(glue, "refusals").value = 3
    frame = encode(Inspect(20, 0, bytes(8)), 1, 1)
    for byte in on_stream(frame):
        glue.port_send(byte)
    assert notified(glue) == frame
    assert ctypes.c_uint.in_dll(glue, "waits").value == 3


def test_half_a_reply_does_not_go_to_the_next_host(glue: Any) -> None:
    frame = encode(Inspect(20, 0, bytes(8)), 1, 1)
    for byte in on_stream(frame)[:9]:
        glue.port_send(byte)
    glue.gatt_lost()
    for byte in on_stream(frame):
        glue.port_send(byte)
    assert notified(glue) == frame
    assert ctypes.c_uint.in_dll(glue, "told_count").value == 1
