"""Files of every kind through push, bundle, factory and inspect: told by content, and what they say of themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from otaflash.image.hexfile import read_hex
from tests.cli.running import BLINK, ROOT, Ended, otaflash, running_image
from tests.image.elves import ARM, Extra, Part, elf
from tests.image.test_gitversion import commit, git
from tests.image.test_uf2file import block

BOARD = "sim:atmega328p?state=board.bin"
(SEGMENT,) = read_hex(BLINK).segments
LOADER = ROOT / "firmware/ports/atmega328p/atmega328p.hex"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def made(kind: str) -> Path:
    """Blink as a file of that kind, under a name that says nothing."""
    path = Path("program")
    if kind == "elf":
        path.write_bytes(elf([Part(0, SEGMENT.data)]))
    elif kind == "bin":
        path.write_bytes(SEGMENT.data)
    elif kind == "uf2":
        pages = range(0, len(SEGMENT.data), 256)
        parts = (SEGMENT.data[at : at + 256] for at in pages)
        path.write_bytes(b"".join(block(n, len(pages), 256 * n, p, flags=0) for n, p in enumerate(parts)))
    elif kind == "ti-txt":
        rows = (SEGMENT.data[at : at + 16].hex(" ") for at in range(0, len(SEGMENT.data), 16))
        path.write_text("@0\n" + "\n".join(rows) + "\nq\n")
    else:
        form = {"hex": "ihex", "srec": "srec"}[kind]
        subprocess.run(["avr-objcopy", "-I", "ihex", "-O", form, str(BLINK), str(path)], check=True)
    return path


def refused(ended: Ended, code: int, reason: str, words: str = "") -> None:
    assert (ended.code, ended.err.split(":", maxsplit=1)[0]) == (code, f"error {code} {reason}"), ended.err
    assert words in ended.err


KINDS = {"hex": (), "elf": (), "srec": (), "ti-txt": (), "uf2": (), "bin": ("--base", "0x0")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_board_runs_the_same_program_whatever_kind_of_file_it_came_in(kind: str) -> None:
    assert otaflash("bundle", BLINK, "--board", "atmega328p", "-o", "reference.otab").code == 0
    file, options = made(kind), KINDS[kind]
    assert otaflash("inspect", file, *options, "--json").result["kind"] == kind
    assert otaflash("bundle", file, "--board", "atmega328p", "-o", "program.otab", *options).code == 0
    assert Path("program.otab").read_bytes() == Path("reference.otab").read_bytes()
    ended = otaflash("push", file, "--port", BOARD, "--json", *options)
    assert ended.code == 0, ended.err
    assert running_image(BOARD)[1] == otaflash("inspect", "reference.otab", "--json").result["image_crc"]
    assert otaflash("factory", file, "--loader", LOADER, "--board", "atmega328p", *options).code == 0


def test_a_raw_binary_needs_a_base_and_the_slots_own_can_be_named() -> None:
    file = made("bin")
    refused(otaflash("push", file, "--port", BOARD), 5, "bin-no-base", "--base slot")
    assert otaflash("push", file, "--port", BOARD, "--base", "slot").code == 0
    ended = otaflash("bundle", file, "--board", "nrf52832", "--base", "slot", "-o", "nrf.otab", "--json")
    assert ended.result["slot_base"] == 0x2000
    refused(otaflash("bundle", file, "--board", "nrf52832", "--base", "0x0", "-o", "x"), 5, "image-outside-slot")
    refused(otaflash("inspect", BLINK, "--base", "slot"), 2, "base-not-needed")


@pytest.mark.parametrize("base", ["here", "-1", "0x100000000", "", "1e3"])
def test_a_base_that_is_none_is_refused(base: str) -> None:
    refused(otaflash("inspect", made("bin"), "--base", base), 2, "usage", "nor slot")


@pytest.mark.parametrize(
    "words", [("push", ""), ("bundle", ""), ("bundle", BLINK, "-o", ""), ("factory", BLINK, "--loader", "")]
)
def test_an_empty_name_of_a_file_is_not_taken_for_this_folder(words: tuple[str, ...]) -> None:
    refused(otaflash(*words), 2, "usage", "the name of the file is empty")


def about(text: str, machine: int = 83) -> Path:
    Path("program.elf").write_bytes(elf([Part(0, SEGMENT.data)], [Extra(".otaflash", text.encode())], machine=machine))
    return Path("program.elf")


def test_version_and_board_come_from_the_elf() -> None:
    file = about("version=3.1.4+15\nboard=atmega328p\n")
    assert otaflash("push", file, "--port", BOARD).code == 0
    assert running_image(BOARD)[0] == "3.1.4+15"
    result = otaflash("bundle", file, "--json").result
    assert (result["board"], result["version"]) == ("atmega328p", "3.1.4+15")
    assert otaflash("factory", file, "--loader", LOADER, "--json").result["version"] == "3.1.4+15"


def test_a_version_on_the_command_line_wins_and_the_difference_is_told() -> None:
    ended = otaflash("push", about("version=3.1.4\n"), "--port", BOARD, "--version", "4.0.0")
    assert "3.1.4" in ended.err
    assert running_image(BOARD)[0] == "4.0.0"
    assert otaflash("push", about("version=3.1.4\n"), "--port", BOARD, "--version", "3.1.4").err == ""


def test_a_version_of_the_elf_wins_over_the_configuration() -> None:
    Path("otaflash.toml").write_text('version = "1.0.0"\n')
    assert otaflash("push", about("version=3.1.4\n"), "--port", BOARD).code == 0
    assert running_image(BOARD)[0] == "3.1.4"


def test_a_program_for_another_board_processor_or_chip_is_refused_before_it_is_written() -> None:
    before = running_image(BOARD)
    refused(otaflash("push", about("board=greenhouse-2\n"), "--port", BOARD), 5, "wrong-board", "greenhouse-2")
    refused(otaflash("push", about("", machine=ARM), "--port", BOARD), 5, "wrong-machine", "ARM")
    refused(otaflash("bundle", about(""), "--board", "nrf52832"), 5, "wrong-machine", "AVR")
    Path("nrf.uf2").write_bytes(block(0, 1, 0, b"program!"))
    refused(otaflash("push", "nrf.uf2", "--port", BOARD), 5, "wrong-machine", "ARM")
    refused(otaflash("bundle", "nrf.uf2", "--board", "nrf52832", "--move"), 5, "wrong-machine", "nrf52840")
    refused(otaflash("factory", BLINK, "--loader", about("", ARM), "--board", "atmega328p"), 5, "wrong-machine")
    assert running_image(BOARD) == before


def test_a_version_comes_from_git() -> None:
    git(Path(), "init", "-q")
    commit(Path(), "v2.7.1")
    commit(Path())
    assert otaflash("push", made("hex"), "--port", BOARD, "--version", "git").code == 0
    assert running_image(BOARD)[0] == "2.7.1+1"
    Path("otaflash.toml").write_text('version = "git"\n')
    assert otaflash("bundle", made("hex"), "--board", "atmega328p", "--json").result["version"] == "2.7.1+1"


def test_a_version_that_git_does_not_have_is_refused() -> None:
    refused(otaflash("push", made("hex"), "--port", BOARD, "--version", "git"), 2, "git-no-version")
