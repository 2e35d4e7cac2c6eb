"""The golden bytes of protocol/vectors/ through otaflash.wire. If one fails, change the code, not the bytes."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from otaflash.wire import FrameReader, WireError, decode, encode, messages, on_stream
from otaflash.wire.cobs import cobs_decode
from tests.wire.vectors import Entry, field_values, read_vectors

ROOT = Path(__file__).parents[2]
ACCEPTED = read_vectors("accepted")
REFUSED = read_vectors("refused")
NO_FRAME = {"cobs", "crc", "too-short", "too-long", "damaged"}


def some(entries: list[Entry], key: str) -> list[object]:
    return [pytest.param(entry, id=entry["name"]) for entry in entries if key in entry]


def class_of(name: str) -> type:
    found = getattr(messages, "".join(part.capitalize() for part in name.split("_")))
    assert isinstance(found, type)
    return found


def made(name: str, entry: Entry) -> object:
    """The message or record that the fields of the entry describe."""
    values = field_values(entry)
    if "gaps" in values:
        values["gaps"] = tuple(messages.Gap(place, count) for place, count in values["gaps"])  # type: ignore[attr-defined]
    if name.startswith("block"):
        values["encoding"] = header(entry)["kind"] & 0x0F
    return class_of(name)(**values)


def header(entry: Entry) -> dict[str, int]:
    return {name: int(value, 0) for name, value in (pair.split("=") for pair in entry["header"].split())}


def test_the_committed_vectors_are_what_the_independent_script_makes() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools/vectors", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("entry", some(ACCEPTED, "frame"))
def test_an_accepted_frame_is_read_as_stated(entry: Entry) -> None:
    frame = decode(bytes.fromhex(entry["frame"]))
    assert {"kind": frame.kind, "session": frame.session, "serial": frame.serial} == header(entry)
    assert frame.message == made(entry["message"], entry)
    assert frame.is_reply == (entry["message"].endswith("_reply") or entry["message"] == "refused")


@pytest.mark.parametrize("entry", some(ACCEPTED, "frame"))
def test_an_accepted_frame_is_written_as_stated(entry: Entry) -> None:
    head = header(entry)
    frame = encode(made(entry["message"], entry), head["session"], head["serial"])  # type: ignore[arg-type]
    assert frame.hex() == entry["frame"]
    assert on_stream(frame).hex() == entry["wire"]


@pytest.mark.parametrize("entry", some(ACCEPTED, "frame"))
def test_a_reader_finds_an_accepted_frame_in_each_of_its_forms(entry: Entry) -> None:
    for wire in (entry["wire"], entry.get("also", entry["wire"])):
        reader = FrameReader()
        assert [frame.hex() for frame in reader.feed(bytes.fromhex(wire))] == [entry["frame"]]
        assert reader.damaged == 0


@pytest.mark.parametrize("entry", some(ACCEPTED, "record"))
def test_an_accepted_record_is_read_and_written_as_stated(entry: Entry) -> None:
    expected = made(entry["record"], entry)
    data = bytes.fromhex(entry["bytes"])
    assert class_of(entry["record"]).unpack(data + bytes.fromhex(entry.get("more", ""))) == expected  # type: ignore[attr-defined]
    assert expected.pack() == data  # type: ignore[attr-defined]


@pytest.mark.parametrize("entry", some(REFUSED, "frame"))
def test_a_refused_frame_raises_with_its_reason(entry: Entry) -> None:
    with pytest.raises(WireError) as caught:
        decode(bytes.fromhex(entry["frame"]))
    assert caught.value.fault == entry["refused"]


@pytest.mark.parametrize("entry", some(REFUSED, "wire"))
def test_a_reader_drops_what_is_no_frame_and_reads_the_next(entry: Entry) -> None:
    reader = FrameReader()
    found = reader.feed(bytes.fromhex(entry["wire"]))
    assert (found == []) == (entry["refused"] in NO_FRAME)
    assert (reader.damaged > 0) == (entry["refused"] in NO_FRAME and entry["name"] != "only-zeros")
    intact = bytes.fromhex(ACCEPTED[0]["frame"])
    assert reader.feed(on_stream(intact)) == [intact]


@pytest.mark.parametrize("entry", [entry for entry in REFUSED if entry["refused"] == "cobs"], ids=lambda e: e["name"])
def test_refused_wire_bytes_do_not_decode(entry: Entry) -> None:
    with pytest.raises(WireError) as caught:
        cobs_decode(bytes.fromhex(entry["wire"])[:-1])
    assert caught.value.fault == "cobs"


@pytest.mark.parametrize("entry", some(REFUSED, "record"))
def test_a_refused_record_raises_with_its_reason(entry: Entry) -> None:
    with pytest.raises(WireError) as caught:
        class_of(entry["record"]).unpack(bytes.fromhex(entry["bytes"]))  # type: ignore[attr-defined]
    assert caught.value.fault == entry["refused"]


def test_every_message_and_every_record_has_an_accepted_vector() -> None:
    told = {class_of(entry.get("message") or entry["record"]) for entry in ACCEPTED}
    classes = {thing for thing in vars(messages).values() if dataclasses.is_dataclass(thing)}
    assert classes == told
