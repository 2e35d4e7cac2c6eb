"""The golden bytes of protocol/vectors/ through the C core: what is accepted is answered, what is refused is not, and
neither touches the flash."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.sim.profiles import profile
from otaflash.wire import messages as m
from tests.firmware.bench import ANY, Bench, make_image
from tests.wire.vectors import Entry, field_values, read_vectors

UID = bytes.fromhex("0123456789abcdef")
# With room for the places that the vectors name.
BOARD = replace(
    profile("atmega328p"), frame_bytes=1056, ram_bytes=4096, loader_bytes=4096, slot_pages=108, record_pages=3
)
RUNNING = make_image(1, 3, of=BOARD)
SESSION, SERIAL = 0x1234, 7
REPLIES = {
    "inspect": m.InspectReply,
    "enter": m.EnterReply,
    "offer": m.OfferReply,
    "report": m.ReportReply,
    "survey": m.SurveyReply,
    "apply": m.ApplyReply,
    "confirm": m.ConfirmReply,
    "revert": m.RevertReply,
    "reboot": m.RebootReply,
    "abort": m.AbortReply,
    "block_report": m.ReportReply,
}


def some(name: str, key: str) -> list[Entry]:
    return [entry for entry in read_vectors(name) if key in entry]


def ids(entry: Entry) -> str:
    return entry["name"]


def in_session() -> Bench:
    """A board that the vectors are addressed to, with an offer of their session accepted."""
    bench = Bench(BOARD, RUNNING, uid=UID)
    bench.session = SESSION
    bench.enter()
    bench.accept(make_image(2, 100, of=BOARD))
    bench.say(m.Inspect(1056, 0, ANY))
    return bench


def wires(entry: Entry) -> list[bytes]:
    return [bytes.fromhex(entry[key]) for key in ("wire", "also") if key in entry]


REQUESTS = [entry for entry in some("accepted", "message") if not entry["message"].endswith(("_reply", "refused"))]
OTHERS_REPLIES = [entry for entry in some("accepted", "message") if entry not in REQUESTS]


@pytest.mark.parametrize("entry", REQUESTS, ids=ids)
def test_an_accepted_request_is_answered_in_its_session_under_its_serial(entry: Entry) -> None:
    header = {key: int(value, 0) for key, _, value in (field.partition("=") for field in entry["header"].split())}
    for wire in wires(entry):
        bench = in_session()
        heard = bench.send(wire)
        if entry["message"] == "block":
            assert heard == []
            continue
        (reply,) = heard
        assert (reply.session, reply.serial) == (header["session"], header["serial"])
        expected = REPLIES[entry["message"]]
        if header["session"] == SESSION or not isinstance(reply.message, m.Refused):
            assert isinstance(reply.message, expected)
        assert_the_fields_were_understood(entry, reply.message)


def assert_the_fields_were_understood(entry: Entry, reply: m.Message) -> None:
    """What a reply repeats of its request."""
    fields = field_values(entry)
    if isinstance(reply, m.InspectReply):
        offset = fields["offset"]
        assert isinstance(offset, int)
        assert reply.offset == min(offset, m.Info.BYTES)
    if isinstance(reply, m.ReportReply):
        assert reply.start == fields.get("start", 0)
    if isinstance(reply, m.SurveyReply):
        assert reply.page == fields["page"]


@pytest.mark.parametrize("entry", [entry for entry in REQUESTS if entry["message"].startswith("block")], ids=ids)
def test_an_accepted_block_is_staged_where_it_says(entry: Entry) -> None:
    fields = field_values(entry)
    place, data = fields["place"], fields["data"]
    assert isinstance(place, int)
    assert isinstance(data, bytes)
    header = {key: int(value, 0) for key, _, value in (field.partition("=") for field in entry["header"].split())}
    bench = in_session()
    bench.send(wires(entry)[0])
    count = len(data) // BOARD.block_bytes
    raw = header["kind"] & 0x0F == m.Encoding.RAW
    taken = raw and len(data) % BOARD.block_bytes == 0 and place + count <= 100 * 16 and header["session"] == SESSION
    held = set(range(100 * 16)) - set(bench.missing())
    assert held == (set(range(place, place + count)) if taken else set())
    at = (bench.staged_page * BOARD.page_bytes) + place * BOARD.block_bytes
    if taken and len(data) % BOARD.page_bytes == 0 and place % 16 == 0:
        assert bytes(bench.board.flash[at : at + len(data)]) == data


def test_replies_of_other_devices_are_not_answered() -> None:
    bench = in_session()
    operations = bench.board.operations
    for entry in OTHERS_REPLIES:
        assert bench.send(wires(entry)[0]) == [], entry["name"]
    assert bench.board.operations == operations


def test_no_refused_frame_touches_the_flash_and_each_gets_what_the_vectors_say() -> None:
    bench = in_session()
    operations = bench.board.operations
    for entry in some("refused", "wire"):
        for wire in wires(entry):
            heard = bench.send(wire)
            if entry["device"] == "silence":
                assert heard == [], entry["name"]
                continue
            (reply,) = heard
            assert isinstance(reply.message, m.Refused), entry["name"]
            assert m.Reason(reply.message.reason).name.lower() == entry["device"]
        assert len(bench.missing()) == 100 * 16, entry["name"]
    assert bench.board.operations == operations


@pytest.mark.parametrize(
    "entry", [e for e in some("refused", "record") if e["record"] == "manifest" and "device" in e], ids=ids
)
def test_a_refused_manifest_is_refused_by_its_reason(entry: Entry) -> None:
    bench = Bench(BOARD, RUNNING, uid=UID)
    manifest = bytes.fromhex(entry["bytes"])
    reply = bench.ask(m.Offer(0, manifest), m.OfferReply)
    assert m.Reason(reply.reason).name.lower() == entry["device"]
    assert bench.board.operations == 0
