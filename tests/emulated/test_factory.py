"""What `otaflash factory` makes, flashed into the emulated chips: it boots, runs its program, and takes a push."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from otaflash.bench.link import offerable
from otaflash.engine import LinkShape, Operation, Push, Request
from otaflash.image.data import Firmware, Segment
from otaflash.image.factory import hex_text
from otaflash.image.hexfile import parse_hex
from otaflash.wire.messages import BootState
from tests.cli.running import otaflash
from tests.emulated.avr import ROOT
from tests.emulated.board import Board, drive
from tests.emulated.chips import CHIPS, Chip

PORT = {"nrf51822": "nrf51", "nrf52832": "nrf52"}
"""Folders of firmware/ports that are not called as their board is."""


@pytest.fixture(params=CHIPS)
def chip(request: pytest.FixtureRequest) -> Chip:
    return CHIPS[request.param]()


def program_of(chip: Chip, folder: Path) -> Path:
    """A program as a build leaves it, without a trailer."""
    span = chip.old.span[: chip.old.image_bytes]
    program = folder / "program.hex"
    program.write_bytes(hex_text((Segment(chip.slot.base, span),)))
    return program


def flashed(chip: Chip, content: Firmware) -> Board:
    """A chip that was erased whole and then given what the HEX file holds, and nothing else."""
    board = chip.make(1)
    flash = bytearray(b"\xff" * len(bytes(board.flash)))
    for segment in content.segments:
        flash[segment.address : segment.end] = segment.data
    board.flash[:] = bytes(flash)
    board.on()
    return board


def runs(board: Board) -> bool:
    end = board.micros + 4_000_000
    while board.micros < end and not board.runs_application:
        board.run(500)
    return board.runs_application


def test_a_factory_hex_boots_says_what_it_is_and_takes_a_push(chip: Chip, tmp_path: Path) -> None:
    port = PORT.get(chip.name, chip.name)
    loader = ROOT / "firmware" / "ports" / port / f"{port}.hex"
    made = tmp_path / "factory.hex"
    words = ("--loader", str(loader), "--board", chip.name, "--version", "1.0.0", "--counter", "4", "-o", str(made))
    ended = otaflash("factory", str(program_of(chip, tmp_path)), *words)
    assert ended.code == 0, ended.err

    facts = json.loads(otaflash("inspect", str(made), "--json").out.splitlines()[-1])
    assert (facts["kind"], facts["board"], facts["version"]) == ("factory", chip.name, "1.0.0")
    assert (facts["record"], facts["security_counter"], facts["image_whole"]) == ("idle", 4, True)
    assert facts["image_bytes"] == chip.old.image_bytes
    assert sum(part["bytes"] for part in facts["loader"]) == sum(
        len(segment.data) for segment in parse_hex(loader.read_bytes()).segments
    )

    board = flashed(chip, parse_hex(made.read_bytes()))
    shape = LinkShape(chip.baud / 10)
    asked = drive(board, Request(shape, 7, Operation.INFO))
    assert asked is not None
    assert (asked.info.boot_state, asked.info.counter) == (BootState.IDLE, 4), "the record stands, and is believed"
    assert asked.info.image_crc == facts["image_crc"]
    assert runs(board)
    board.off()
    board.on()
    newer = chip.image(2, 3, counter=4)
    drive(board, Push(shape, 9, confirm=False), offerable(newer), until=lambda: board.runs_application)
    assert board.runs_application
    assert bytes(board.flash).startswith(newer.span, chip.slot.base)
