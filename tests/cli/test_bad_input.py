"""What bad input gets: its own exit code, one clear sentence, what to do next; and the board still runs what it ran."""

from __future__ import annotations

import grp
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otaflash.transport import open as opening
from otaflash.transport.serial import SerialPort
from tests.cli.devices import device, future_device
from tests.cli.running import BLINK, ROOT, Ended, otaflash, otaflash_apart, running_image

TEXT = BLINK.read_text()
LINES = TEXT.splitlines()
NOBODY = 65534


@pytest.fixture
def board(tmp_path: Path) -> str:
    """A simulated board that remembers what it holds from one command to the next."""
    return f"sim:atmega328p?state={tmp_path / 'board.bin'}"


def refusal(ended: Ended, code: int, reason: str) -> Ended:
    """Checks that a command failed as it should: code, reason, one sentence, what next, at most four lines."""
    assert (ended.code, ended.err.split(":", maxsplit=1)[0]) == (code, f"error {code} {reason}"), ended.err
    lines = ended.err.splitlines()
    assert 3 <= len(lines) <= 4
    assert [line.split(":")[0] for line in lines[-2:]] == ["cause", "next"]
    assert all(line.endswith(".") for line in lines)
    assert "Traceback" not in ended.err
    return ended


def push_refused(file: Path, board: str, code: int, reason: str, *options: str) -> None:
    """Pushes, and checks the refusal in words and in JSON, and that the board runs what it ran."""
    before = running_image(board)
    refusal(otaflash("push", file, "--port", board, *options), code, reason)
    result = otaflash("push", file, "--port", board, "--json", *options).result
    assert (result["ok"], result["code"], result["reason"]) == (False, code, reason)
    assert result["remedy"]
    assert running_image(board) == before


def with_line(number: int, line: str) -> str:
    return "\n".join([*LINES[:number], line, *LINES[number + 1 :]]) + "\n"


def record(body: str) -> str:
    """A HEX record with its checksum."""
    total = sum(bytes.fromhex(body))
    return f":{body}{-total & 0xFF:02X}"


BROKEN_HEX = {
    "hex-no-end": "\n".join(LINES[:-1]) + "\n",
    "hex-empty": LINES[-1] + "\n",
    "hex-after-end": TEXT + LINES[3] + "\n",
    "hex-overlap": with_line(2, LINES[1]),
    "hex-checksum": with_line(2, LINES[2][:-2] + f"{int(LINES[2][-2:], 16) ^ 1:02X}"),
    "hex-length": with_line(2, LINES[2][:-4]),
    "hex-character": with_line(2, LINES[2][:-1] + "Z"),
    "not-firmware": "hello\n",
    "hex-start-outside": with_line(len(LINES) - 1, record("0400000500010000") + "\n" + LINES[-1]),
}


@pytest.mark.parametrize("reason", BROKEN_HEX)
def test_a_malformed_hex_is_refused_by_name(reason: str, tmp_path: Path, board: str) -> None:
    file = tmp_path / "broken.hex"
    file.write_text(BROKEN_HEX[reason])
    push_refused(file, board, 5, reason)


def test_data_outside_the_slot_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "far.hex"
    file.write_text(with_line(len(LINES) - 1, record("10700000" + "AA" * 16) + "\n" + LINES[-1]))
    refusal(otaflash("bundle", file, "--board", "atmega328p"), 5, "image-outside-slot")


def test_an_image_that_is_too_large_is_refused(tmp_path: Path, board: str) -> None:
    file = tmp_path / "large.hex"
    rows = [record(f"10{at:04X}00" + "5A" * 16) for at in range(0, 0xE000, 16)]
    file.write_text("\n".join([*rows, LINES[-1]]) + "\n")
    push_refused(file, board, 5, "image-too-large")


def test_a_bundle_for_another_board_is_refused(tmp_path: Path, board: str) -> None:
    file = tmp_path / "other.otab"
    assert otaflash("bundle", BLINK, "--board", "atmega1284p", "-o", file).code == 0
    push_refused(file, board, 5, "wrong-board")


def test_another_board_than_the_one_meant_is_refused(board: str) -> None:
    push_refused(BLINK, board, 5, "wrong-board", "--board", "atmega1284p")
    ended = otaflash("push", BLINK, "--port", board, "--board", "atmega1284p", "--json")
    assert ended.result["fault"] == "user"  # the file is right


@pytest.mark.parametrize("keep", [0, 7, 31, 100, 2000])
def test_a_bundle_cut_short_is_refused(keep: int, tmp_path: Path, board: str) -> None:
    whole, cut = tmp_path / "whole.otab", tmp_path / "cut.otab"
    otaflash("bundle", BLINK, "--board", "atmega328p", "-o", whole)
    cut.write_bytes(whole.read_bytes()[:keep])
    before = running_image(board)
    ended = otaflash("push", cut, "--port", board)
    refusal(ended, 5, ended.err.split(" ")[2].rstrip(":"))
    assert running_image(board) == before


@pytest.mark.parametrize("part", [0.0, 0.004, 0.02, 0.05, 0.5, 0.999])
def test_a_bundle_with_one_flipped_bit_is_refused(part: float, tmp_path: Path, board: str) -> None:
    file = tmp_path / "flipped.otab"
    otaflash("bundle", BLINK, "--board", "atmega328p", "-o", file)
    content = bytearray(file.read_bytes())
    content[int(part * len(content))] ^= 0x10
    file.write_bytes(content)
    before = running_image(board)
    ended = otaflash("push", file, "--port", board)
    refusal(ended, 5, ended.err.split(" ")[2].rstrip(":"))
    assert running_image(board) == before


def test_a_lower_security_counter_is_refused(board: str) -> None:
    assert otaflash("push", BLINK, "--port", board, "--counter", "7").code == 0
    push_refused(BLINK, board, 5, "counter-too-low", "--counter", "6", "--version", "9.9.9")


@pytest.mark.parametrize("name", ["missing.hex", "folder"])
def test_a_file_that_cannot_be_read_is_refused(name: str, tmp_path: Path, board: str) -> None:
    (tmp_path / "folder").mkdir()
    push_refused(tmp_path / name, board, 5, "file-missing" if name == "missing.hex" else "file-is-directory")


def test_the_root_is_refused_as_the_folder_that_it_is(board: str) -> None:
    refusal(otaflash("inspect", "/", "--port", board), 5, "file-is-directory")


def test_a_name_that_is_too_long_to_be_one_is_refused(tmp_path: Path) -> None:
    refusal(otaflash("bundle", BLINK, "--board", "atmega328p", "-o", tmp_path / ("x" * 300)), 2, "name-too-long")


def test_a_bundle_states_its_version_itself(tmp_path: Path, board: str) -> None:
    file = tmp_path / "blink.otab"
    otaflash("bundle", BLINK, "--board", "atmega328p", "-o", file)
    push_refused(file, board, 2, "bundle-is-made", "--version", "2.0.0")


def test_a_bundle_does_not_replace_what_it_is_made_of(tmp_path: Path) -> None:
    file, other_name = tmp_path / "blink.hex", tmp_path / "link.hex"
    file.write_text(TEXT)
    other_name.symlink_to(file)
    for target in (file, other_name):
        ended = otaflash("bundle", file, "--board", "atmega328p", "-o", target)
        refusal(ended, 2, "output-is-input")
    assert file.read_text() == TEXT


def test_a_file_without_rights_is_refused_as_any_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "secret.hex"
    file.write_text(TEXT)
    file.chmod(0)
    otaflash("inspect", BLINK)  # everything is imported before the rights are gone
    with no_rights():
        refusal(otaflash("inspect", file), 5, "file-unreadable")


@pytest.mark.parametrize("content", ["", "root:x:0:0", "[]", '{"v": 1}'])
def test_a_file_that_is_no_state_is_refused_in_words(content: str, tmp_path: Path) -> None:
    file = tmp_path / "board.bin"
    file.write_text(content)
    ended = refusal(otaflash("info", "--port", f"sim:atmega328p?state={file}"), 2, "state-unreadable")
    assert "(it does not begin as one)" in ended.err
    assert file.read_text() == content


@pytest.mark.parametrize("version", ["1", "1.2", "v1.2.3", "1.2.3.4", "256.0.0", ""])
def test_a_version_that_is_none_is_refused(version: str, board: str) -> None:
    push_refused(BLINK, board, 2, "bad-version", "--version", version)


# --- ports ------------------------------------------------------------------------------------------------


def test_no_such_port(tmp_path: Path) -> None:
    refusal(otaflash("push", BLINK, "--port", tmp_path / "ttyNONE"), 3, "port-missing")


def test_no_port_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "find_serial_ports", list)
    refusal(otaflash("info"), 3, "port-none")


def test_two_matching_ports_are_listed_and_none_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [SerialPort(f"/dev/ttyUSB{n}", "bridge", f"usb:0403:6001:A{n}") for n in range(2)]
    monkeypatch.setattr(opening, "find_serial_ports", lambda: ports)
    ended = refusal(otaflash("info"), 3, "port-ambiguous")
    assert "/dev/ttyUSB0" in ended.err
    assert "/dev/ttyUSB1" in ended.err


def test_no_such_simulated_board() -> None:
    ended = refusal(otaflash("info", "--port", "sim:arduino"), 3, "unknown-board")
    assert "atmega328p" in ended.err


@pytest.mark.parametrize("words", [("--json", "info"), ("info", "--json"), ("--quiet", "--json", "confirm")])
def test_a_failure_is_told_in_json_wherever_json_stands(words: tuple[str, ...]) -> None:
    ended = otaflash(*words, "--port", "sim:arduino")
    assert (ended.code, ended.result["reason"]) == (3, "unknown-board")


@contextmanager
def no_rights() -> Iterator[None]:
    """Whoever runs the tests, inside it is not root."""
    if os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def test_permission_denied_names_the_group() -> None:
    otaflash("info", "--port", "/dev/null/none")  # everything is imported before the rights are gone
    ours, theirs = os.openpty()
    try:
        path = os.ttyname(theirs)
        os.chmod(path, 0o060)
        if os.geteuid() == 0:
            os.chown(path, 0, grp.getgrnam("daemon").gr_gid)  # the group of a pty has no name everywhere
        with no_rights():
            ended = refusal(otaflash("info", "--port", path), 3, "port-permission")
        assert re.search(r"group \w+", ended.err)
    finally:
        os.close(ours)
        os.close(theirs)


# --- devices ----------------------------------------------------------------------------------------------


def test_a_device_that_never_answers_is_waited_for_and_told() -> None:
    refusal(otaflash("push", BLINK, "--port", "sim:atmega328p?down.loss=100%"), 4, "no-answer")


def test_a_device_that_answers_garbage_is_told() -> None:
    refusal(otaflash("push", BLINK, "--port", "sim:atmega328p?up.biterr=0.2"), 4, "garbage")


def test_a_device_that_speaks_only_a_newer_protocol_is_told() -> None:
    with device(future_device(lowest=2)) as port:
        refusal(otaflash("push", BLINK, "--port", port), 5, "protocol-too-new")


def test_a_link_that_echoes_is_told() -> None:
    with device(lambda data: data) as port:
        refusal(otaflash("info", "--port", port), 4, "echo")


def test_a_new_program_that_hangs_is_reverted_and_told(board: str) -> None:
    before = running_image(board)
    ended = otaflash("push", BLINK, "--port", board + "&app=new:hang", "--version", "3.0.0")
    refusal(ended, 7, ended.err.split(" ")[2].rstrip(":"))
    for _ in range(3):  # trials that were left when the command gave up are used up by power-ups
        after = running_image(board)
    assert after == before


# --- this computer ----------------------------------------------------------------------------------------


def test_a_full_disk_is_told_and_leaves_no_half_file(tmp_path: Path) -> None:
    file = tmp_path / "blink.otab"

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    ended = otaflash_apart("bundle", BLINK, "--board", "atmega328p", "-o", file, preexec_fn=no_room)
    refusal(ended, 2, "disk-full")
    assert list(tmp_path.iterdir()) == []


def test_a_device_without_room_is_told() -> None:
    refusal(otaflash("bundle", BLINK, "--board", "atmega328p", "-o", "/dev/full"), 2, "disk-full")


def test_standard_output_without_room_is_told() -> None:
    with open("/dev/full", "w") as full:
        ended = otaflash_apart("inspect", BLINK, stdout=full)
    assert ended.code == 2
    assert "disk-full" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-", "2>&-", "2>/dev/full", ">&- 2>&-"])
@pytest.mark.parametrize("words", ["info --port sim:tiny1 --json", "info --port sim:none --json", "push no.hex"])
def test_streams_that_cannot_be_written_leave_no_traceback(words: str, redirection: str) -> None:
    shell = ["sh", "-c", f'"$0" -m otaflash.cli.main {words} {redirection}', sys.executable]
    ended = subprocess.run(shell, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == {"info --port sim:none --json": 3, "push no.hex": 5}.get(
        words, 2 if redirection == ">/dev/full" else 0
    )
    assert "Traceback" not in ended.stderr


def test_a_warning_that_cannot_be_written_does_not_end_the_update() -> None:
    with open("/dev/full", "w") as full:
        ended = otaflash_apart("push", BLINK, "--port", "sim:nrf52832", "--json", stderr=full)
    assert (ended.code, ended.result["ok"]) == (0, True)


@pytest.mark.parametrize("encoding", ["ascii", "utf-8:strict"])
def test_a_file_name_that_cannot_be_spelled_is_shown_with_escapes(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"\xc3\xa9\xe9.otab")
    ended = otaflash_apart(
        "bundle", BLINK, "--board", "atmega328p", "-o", file, env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    )
    assert ended.code == 0, ended.err
    assert "\\udce9.otab" in ended.out
    assert file.exists()


def test_a_malformed_configuration_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("otaflash.toml").write_text('board = "atmega328p"\nbaud = fast\n')
    ended = refusal(otaflash("push", BLINK, "--port", board), 2, "config-malformed")
    assert "otaflash.toml:2:" in ended.err


def test_an_unreadable_configuration_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("otaflash.toml").mkdir()
    refusal(otaflash("push", BLINK, "--port", board), 2, "config-unreadable")


def test_the_configuration_serves_where_the_command_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("otaflash.toml").write_text(f'port = "{board}"\nversion = "4.5.6"\nboard = "atmega328p"\n')
    assert otaflash("push", BLINK).code == 0
    assert running_image(board)[0] == "4.5.6"


def test_the_environment_names_the_port_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch, board: str) -> None:
    monkeypatch.setenv("OTAFLASH_PORT", board)
    assert otaflash("info", "--json").result["board"] == "atmega328p"
    assert otaflash("info", "--json", "--port", "sim:nrf51822").result["board"] == "nrf51822"
    assert otaflash("--port", "sim:nrf51822", "--json", "info").result["board"] == "nrf51822"
