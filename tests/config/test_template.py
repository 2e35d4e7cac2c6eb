"""The file that `otaflash init` writes: it is read again, and states what was found and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from otaflash.config import KEYS, Config, Plugged, parse_file, resolve, template

LAMP = Plugged("usb:0403:6001:A1", "atmega328p", "FT232R, unique id 01, runs 1.0.0")
SHED = Plugged("/dev/ttyACM0", "atmega328p", "")
OVEN = Plugged("COM7", "oven board", "")
GPS = Plugged("/dev/ttyUSB9", "", "receiver, silent")


def read(text: str, **flags: str) -> Config:
    return resolve(flags, {}, [parse_file(Path("otaflash.toml"), text.encode())])


def test_one_board_is_stated_with_its_port_and_the_rest_explained() -> None:
    text = template([GPS, LAMP], {"baud": 57600})
    found = read(text)
    assert (found.board, found.port, found.baud, found.enter) == ("atmega328p", "usb:0403:6001:A1", 57600, None)
    assert set(found.origins) == {"board", "port", "baud"}
    assert all(f"\n{key} = " in text or f"\n# {key} = " in text for key in KEYS)
    assert "/dev/ttyUSB9  # receiver, silent" in text


def test_nothing_that_answers_leaves_comments_alone() -> None:
    assert read(template([GPS], {})).origins == {}
    assert read(template([], {})).origins == {}


def test_each_of_several_boards_gets_a_name_and_none_is_chosen() -> None:
    text = template([LAMP, SHED, OVEN], {"enter": "dtr"})
    found = read(text)
    assert (found.port, found.board, found.enter) == (None, None, "dtr")
    assert found.ports == {"atmega328p": "usb:0403:6001:A1", "atmega328p-2": "/dev/ttyACM0", "board": "COM7"}
    assert read(text, port="board").board == "oven board"


def test_the_line_that_chooses_one_of_several_does_what_it_says() -> None:
    text = template([LAMP, SHED], {}).replace('# port = "atmega328p"', 'port = "atmega328p"')
    assert read(text).port == "usb:0403:6001:A1"


def test_every_example_is_one_that_may_be_stated() -> None:
    text = "".join(line.removeprefix("# ") for line in template([], {}).splitlines(True) if " = " in line)
    assert set(read(text).origins) == set(KEYS)


@pytest.mark.parametrize("text", ['quo"te', "back\\slash", "new\nline", "\x7f\x00", "\u00e4\U0001f4a1", "# no comment"])
def test_whatever_a_device_calls_itself_the_file_can_be_read(text: str) -> None:
    found = read(template([Plugged(f"usb:0403:6001:{text}", text, text), Plugged(text, "", text)], {}))
    assert (found.port, found.board) == (f"usb:0403:6001:{text}", text)
