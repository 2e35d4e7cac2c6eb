"""Where a command gets its port from: names of otaflash.toml, the environment, and ways into the loader."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import otaflash
from tests.transport.wired import ConsoleDoor, wired


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def state(text: str) -> None:
    Path("otaflash.toml").write_text(text)


def test_a_board_is_named_by_its_name_in_otaflash_toml() -> None:
    state('[boards.lamp]\nport = "sim:atmega328p"\n[boards.shed]\nport = "sim:tiny2"\n')
    assert otaflash("info", "--port", "lamp", "--json").result["board"] == "atmega328p"
    assert otaflash("info", "--port", "shed", "--json").result["board"] == "tiny2"
    assert otaflash("info", "--port", "shed").out.startswith("shed is sim:tiny2\n")


def test_a_file_in_a_folder_above_holds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    state('port = "sim:atmega328p"\n')
    Path("src").mkdir()
    monkeypatch.chdir("src")
    assert otaflash("info", "--json").result["board"] == "atmega328p"


def test_flag_before_environment_before_file(monkeypatch: pytest.MonkeyPatch) -> None:
    state('port = "sim:atmega328p"\n')
    monkeypatch.setenv("OTAFLASH_PORT", "sim:tiny2")
    assert otaflash("info", "--json").result["board"] == "tiny2"
    assert otaflash("info", "--port", "sim:atmega328p", "--json").result["board"] == "atmega328p"


def test_the_board_of_the_environment_is_the_one_that_a_push_expects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTAFLASH_BOARD", "nrf51")
    hex_file = Path(__file__).parents[2] / "firmware/app/blink/blink-1.1.0.hex"
    ended = otaflash("push", hex_file, "--version", "1.1.0", "--port", "sim:atmega328p", "--json")
    assert ended.result["reason"] == "wrong-board"


def test_a_variable_that_cannot_be_is_told_in_the_words_of_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTAFLASH_BAUD", "fast")
    ended = otaflash("info", "--port", "sim:atmega328p")
    assert ended.code == 2
    assert "OTAFLASH_BAUD=fast: baud must be a whole number from 1 to 20000000." in ended.err


def test_a_name_that_no_file_states_is_a_port_that_is_missing() -> None:
    state('[boards.lamp]\nport = "sim:atmega328p"\n')
    ended = otaflash("info", "--port", "lmap")
    assert ended.code == 3
    assert "there is no port lmap" in ended.err
    assert "perhaps you mean lamp." in ended.err
    assert "Boards that have names: lamp." in otaflash("info", "--port", "COM99").err


def test_a_deaf_board_is_reached_by_the_way_in_that_its_table_states() -> None:
    with wired(ConsoleDoor) as (port, station):
        state(f'[boards.lamp]\nport = "{port}"\nenter = "text:reboot\\\\r\\\\n"\n')
        result = otaflash("info", "--port", "lamp", "--json").result
        assert (result["board"], result["mode"]) == ("atmega328p", "loader")
        assert station.counters.resets == 1


def test_power_is_asked_for_once_without_a_terminal() -> None:
    ended = otaflash("info", "--port", "sim:atmega328p", "--enter", "power:20s")
    assert ended.code == 0
    assert ended.out.count("switch the board on now") == 1


def test_a_way_in_that_a_file_states_is_not_for_simulated_boards() -> None:
    state('port = "/dev/ttyUSB0"\nenter = "dtr"\n')
    assert otaflash("info", "--port", "sim:atmega328p", "--json").code == 0
    ended = otaflash("info", "--port", "sim:atmega328p", "--enter", "dtr")
    assert ended.code == 2
    assert "error 2 enter-not-here" in ended.err
