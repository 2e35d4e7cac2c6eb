"""The library in an Arduino sketch, on the core of the Arduino itself: its Serial, its clock, its interrupts."""

from __future__ import annotations

from pathlib import Path

import pytest

from otaflash.image.build import Image
from otaflash.wire.messages import BootState, Mode
from tests.emulated import arduino
from tests.emulated.avr_apps import Listened, example, image_of
from tests.emulated.avr_host import ask, push

SKETCH = arduino.LIBRARY / "examples" / "Stages" / "Stages.ino"
SAYS = b"sketch 1.0.0\r\n"
UP_MS = 1500


@pytest.fixture(scope="module")
def programs(arduino_core: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Image, Image, Image]:
    """The example in plain C, the sketch, and the example again, each with a higher counter."""
    folder = tmp_path_factory.mktemp("arduino")
    sketch = image_of(arduino.sketch(arduino_core, folder / "sketch", SKETCH), 2)
    return example(folder, "stages", 1), sketch, example(folder, "stages", 3)


def test_a_sketch_takes_an_update_while_it_prints(programs: tuple[Image, Image, Image]) -> None:
    _, sketch, new = programs
    board = Listened(sketch)
    board.pass_ms(UP_MS)
    since = board.micros
    outcome = push(board, new)
    assert outcome.result is not None, outcome.error
    phases = dict(outcome.phases)
    assert "enter" not in phases
    assert board.lines(SAYS, since) >= 2 * (phases["apply"] - phases["transfer"]) - 1
    assert bytes(board.flash[: len(new.span)]) == new.span


def test_a_sketch_that_is_pushed_keeps_itself(programs: tuple[Image, Image, Image]) -> None:
    old, sketch, _ = programs
    board = Listened(old)
    board.pass_ms(UP_MS)
    push(board, sketch, confirm=False)
    board.pass_ms(4000)
    assert board.lines(SAYS) > 3
    outcome = ask(board)
    assert outcome.result is not None
    info = outcome.result.info
    assert (info.mode, info.boot_state, info.image_crc) == (Mode.STAGING, BootState.IDLE, sketch.image_crc)
