"""`otaflash factory`: what it makes boots on the real core, takes an update and is read back; refusals have names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from otaflash.engine import Operation
from otaflash.image.hexfile import read_hex
from otaflash.keys.public import read_public
from otaflash.keys.secret import generate
from otaflash.session import request
from otaflash.sim.boards import add_board, save_state
from otaflash.sim.profiles import PROFILES, Profile
from otaflash.sim.radio import LinkModel
from otaflash.sim.world import World
from otaflash.transport.simlink import SimLink
from otaflash.wire.messages import BootState, Version
from tests.cli.running import BLINK, BLINK_OLD, Ended, otaflash
from tests.image.hexes import program

RECORD_REFRESHED = 4
"""Flash operations of a start with a record: loader and application each program body and seal again before they
believe them. Without a record there are none."""

AVR = PROFILES["atmega328p"]
RECORD_BASE = AVR.slot_base + (2 * AVR.slot_pages + 1) * AVR.page_bytes

REAL = [known.name for known in PROFILES.values() if known.real]


def loader_place(known: Profile) -> int:
    """Before the slots where they leave room for a loader, behind them where they begin at 0."""
    return max(known.slot_base - known.loader_bytes, 0) if known.slot_base else known.flash_bytes - known.loader_bytes


@pytest.fixture
def loader(tmp_path: Path) -> Path:
    return write_loader(tmp_path, AVR)


def write_loader(folder: Path, known: Profile) -> Path:
    path = folder / "loader.hex"
    path.write_bytes(program([(loader_place(known), bytes(range(256)) * 4)]))
    return path


def write_program(folder: Path, known: Profile, count: int = 3000) -> Path:
    path = folder / "firmware.hex"
    path.write_bytes(program([(known.slot_base, bytes(index * 7 % 256 for index in range(count)))]))
    return path


def programmed(file: Path, known: Profile, state: Path) -> SimLink:
    """A board whose flash was erased and then written from the file, as a programmer does, and switched on."""
    world = World(3)
    port, board = add_board(world, known, LinkModel())
    board.flash[:] = b"\xff" * len(board.flash)
    for segment in read_hex(file).segments:
        at = segment.address - known.slot_base
        if 0 <= at < len(board.flash):
            board.flash[at : at + len(segment.data)] = segment.data
    board.power_on()
    save_state(board, state)
    return SimLink("sim:programmed", port, board)


def refused(ended: Ended, code: int, reason: str, *said: str) -> None:
    assert (ended.code, ended.err.split(":", maxsplit=1)[0]) == (code, f"error {code} {reason}"), ended.err
    assert all(word in ended.err for word in said), ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("board", REAL)
def test_a_board_programmed_with_it_runs_idle_and_takes_a_push(board: str, tmp_path: Path) -> None:
    known, made, state = PROFILES[board], tmp_path / "factory.hex", tmp_path / "board.bin"
    file = write_program(tmp_path, known)
    words = ("factory", file, "--loader", write_loader(tmp_path, known), "--board", board, "-o", made)
    ended = otaflash(*words, "--version", "1.4.2", "--counter", "5")
    assert ended.code == 0, ended.err

    link = programmed(made, known, state)
    assert link.board is not None
    record = known.pages - 2 * known.record_pages
    before = link.board.read_span(record, known.record_pages)
    link.world.run_until(2.0)
    assert link.board.operations == RECORD_REFRESHED
    info = request(link, Operation.INFO).info
    assert (info.mode, BootState(info.boot_state), info.counter) == (1, BootState.IDLE, 5)
    assert (str(Version.unpack(info.version)), info.image_bytes) == ("1.4.2", 3000)
    assert link.board.read_span(record, known.record_pages) == before  # the core took the record as it stood

    port = f"sim:{board}?state={state}"
    assert otaflash("info", "--port", port, "--json").result["version"] == "1.4.2"
    refused(otaflash("push", file, "--port", port, "--counter", "4"), 5, "counter-too-low")
    pushed = otaflash("push", file, "--port", port, "--version", "1.5.0", "--json")
    assert pushed.code == 0, pushed.err
    assert otaflash("info", "--port", port, "--json").result["version"] == "1.5.0"


def test_a_single_slot_program_boots_too(tmp_path: Path) -> None:
    known, made = PROFILES["stm32f103"], tmp_path / "factory.hex"
    file = write_program(tmp_path, known, known.slot_bytes + 1000)
    words = ("factory", file, "--loader", write_loader(tmp_path, known), "--board", known.name, "-o", made)
    refused(otaflash(*words), 5, "image-too-large", "--single-slot")
    assert not made.exists()
    assert otaflash(*words, "--single-slot").code == 0
    link = programmed(made, known, tmp_path / "board.bin")
    link.world.run_until(2.0)
    info = request(link, Operation.INFO).info
    assert (info.mode, BootState(info.boot_state), info.image_bytes) == (1, BootState.IDLE, known.slot_bytes + 1000)


def test_inspect_says_what_is_in_it(tmp_path: Path, loader: Path) -> None:
    made = tmp_path / "factory.hex"
    words = ("--loader", loader, "--board", "atmega328p", "-o", made, "--version", "1.1.0", "--counter", "9")
    result = otaflash("factory", BLINK, *words, "--json").result
    assert (result.pop("file"), result["ok"], result["code"]) == (str(made), True, 0)
    found = otaflash("inspect", made, "--json").result
    assert found == result
    assert (found["kind"], found["board"], found["version"]) == ("factory", "atmega328p", "1.1.0")
    assert found["loader"] == [{"address": loader_place(AVR), "bytes": 1024}]
    assert (found["record"], found["record_generation"], found["security_counter"]) == ("idle", 1, 9)
    assert (found["record_base"], found["image_whole"], found["slot_base"]) == (RECORD_BASE, True, 0)
    assert found["slot_bytes"] == found["image_pages"] * 128
    bundle = tmp_path / "blink.otab"
    assert otaflash("bundle", BLINK, "--board", "atmega328p", *words[-4:], "-o", bundle).code == 0
    same = otaflash("inspect", bundle, "--json").result
    for name in ("image_bytes", "image_crc", "digest_sha256", "slot_bytes", "version", "security_counter"):
        assert found[name] == same[name]
    text = otaflash("inspect", made).out
    for words_of in (f"1,024 at 0x{loader_place(AVR):08X}", "1.1.0", "idle", "yes", f"0x{RECORD_BASE:08X}"):
        assert words_of in text


def test_inspect_tells_a_damaged_image_from_a_whole_one(tmp_path: Path, loader: Path) -> None:
    made = tmp_path / "factory.hex"
    assert otaflash("factory", BLINK, "--loader", loader, "--board", "atmega328p", "-o", made).code == 0
    runs = [(s.address, bytearray(s.data)) for s in read_hex(made).segments]
    runs[0][1][100] ^= 4
    made.write_bytes(program([(address, bytes(data)) for address, data in runs]))
    found = otaflash("inspect", made, "--json").result
    assert (found["kind"], found["image_whole"], found["record"]) == ("factory", False, "idle")


def test_a_bundle_serves_as_well_as_a_hex(tmp_path: Path, loader: Path) -> None:
    bundle, one, two = tmp_path / "blink.otab", tmp_path / "one.hex", tmp_path / "two.hex"
    assert otaflash("bundle", BLINK, "--board", "atmega328p", "--version", "2.0.0", "-o", bundle).code == 0
    words = ("--loader", loader, "--board", "atmega328p")
    assert otaflash("factory", bundle, *words, "-o", one).code == 0
    assert otaflash("factory", BLINK, *words, "--version", "2.0.0", "-o", two).code == 0
    assert one.read_bytes() == two.read_bytes()
    refused(otaflash("factory", bundle, "--loader", loader, "--board", "nrf51822", "-o", one), 5, "wrong-board")


def test_the_output_is_named_after_the_program_and_replaces_an_older_one(tmp_path: Path, loader: Path) -> None:
    file, made = tmp_path / "blink.hex", tmp_path / "blink.factory.hex"
    file.write_bytes(BLINK_OLD.read_bytes())
    words = ("factory", file, "--loader", loader, "--board", "atmega328p")
    assert otaflash(*words).code == 0
    older = made.read_bytes()
    assert otaflash(*words, "--version", "7.0.0").code == 0
    assert made.read_bytes() != older


@pytest.mark.parametrize(
    ("address", "reason"), [(RECORD_BASE - 64, "loader-overlaps-slot"), (RECORD_BASE, "loader-overlaps-record")]
)
def test_a_loader_where_the_board_has_other_things_is_refused(address: int, reason: str, tmp_path: Path) -> None:
    loader, made = tmp_path / "loader.hex", tmp_path / "factory.hex"
    loader.write_bytes(program([(address, bytes(64))]))
    words = ("factory", BLINK, "--loader", loader, "--board", "atmega328p", "-o", made)
    refused(otaflash(*words), 5, reason, f"0x{address:08X}")
    result = otaflash(*words, "--json").result
    assert (result["ok"], result["code"], result["reason"]) == (False, 5, reason)
    assert not made.exists()


def test_inputs_that_cannot_be_used_are_refused_by_name(tmp_path: Path, loader: Path) -> None:
    made, text, bundle = tmp_path / "factory.hex", tmp_path / "text.hex", tmp_path / "blink.otab"
    text.write_text("hello\n")
    otaflash("bundle", BLINK, "--board", "atmega328p", "-o", bundle)
    board = ("--board", "atmega328p", "-o", made)
    refused(otaflash("factory", text, "--loader", loader, *board), 5, "not-firmware")
    refused(otaflash("factory", BLINK, "--loader", text, *board), 5, "not-firmware", str(text))
    refused(otaflash("factory", BLINK, "--loader", bundle, *board), 5, "loader-is-bundle", "bundle")
    refused(otaflash("factory", BLINK, "--loader", tmp_path / "none.hex", *board), 5, "file-missing")
    refused(otaflash("factory", loader, "--loader", loader, *board), 5, "image-outside-slot")
    refused(otaflash("factory", BLINK, "--loader", loader, "--board", "none", "-o", made), 3, "unknown-board")
    refused(otaflash("factory", BLINK, "--loader", loader, "-o", made), 2, "no-board")
    refused(otaflash("factory", BLINK, *board), 2, "usage")
    refused(otaflash("factory", BLINK, "--loader", loader, *board, "--version", "one"), 2, "bad-version")
    assert not made.exists()


def test_it_does_not_replace_what_it_is_made_of(tmp_path: Path, loader: Path) -> None:
    file = tmp_path / "blink.hex"
    file.write_bytes(BLINK.read_bytes())
    for target in (file, loader):
        before = target.read_bytes()
        ended = otaflash("factory", file, "--loader", loader, "--board", "atmega328p", "-o", target)
        refused(ended, 2, "output-is-input", str(target))
        assert target.read_bytes() == before


def test_a_loader_that_sets_uicr_is_told_that_it_is_left_out(tmp_path: Path) -> None:
    loader, made = tmp_path / "loader.hex", tmp_path / "factory.hex"
    loader.write_bytes(program([(0, bytes(64)), (0x1000_1014, bytes(4))]))
    file = write_program(tmp_path, PROFILES["nrf51822"])
    ended = otaflash("factory", file, "--loader", loader, "--board", "nrf51822", "-o", made, "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out.splitlines()[0])["id"] == "uicr-dropped"


def test_the_public_key_goes_into_its_page_and_inspect_finds_it_there(tmp_path: Path) -> None:
    known = PROFILES["atmega328p-lms"]
    key, target = tmp_path / "device.key", tmp_path / "factory.hex"
    generate(key, signatures=32)
    words = ("--loader", write_loader(tmp_path, known), "--board", known.name, "-o", target)
    made = otaflash("factory", write_program(tmp_path, known), *words, "--key", f"{key}.pub", "--json")
    assert made.code == 0, made.err
    public = read_public(key)
    at = known.slot_base + known.pages * known.page_bytes
    (page,) = [segment.data for segment in read_hex(target).segments if segment.address == at]
    assert page == public.page()
    found = otaflash("inspect", target, "--json").result
    assert (found["key_id"], found["scheme"]) == (public.key_id.hex(), "lms")
    assert sum(part["bytes"] for part in found["loader"]) == 1024, "the key is no part of the loader"


def test_a_loader_that_reaches_into_the_key_page_is_refused(tmp_path: Path) -> None:
    known = PROFILES["atmega328p-lms"]
    key, loader = tmp_path / "device.key", tmp_path / "loader.hex"
    generate(key, signatures=32)
    loader.write_bytes(program([(known.slot_base + known.pages * known.page_bytes, bytes(200))]))
    words = ("--loader", loader, "--board", known.name, "-o", tmp_path / "factory.hex", "--key", f"{key}.pub")
    refused(otaflash("factory", write_program(tmp_path, known), *words), 5, "loader-overlaps-key", "key page")
