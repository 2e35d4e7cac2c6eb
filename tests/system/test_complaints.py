"""What users of other tools complain of, most told first; each held against the command line and the real core.

Simulated boards run in virtual time, so that ten seconds of silence cost none; where it must be real time they are
served on a pty. Every port is `sim:` with faults from a seed, so that each run is the same.
"""

from __future__ import annotations

import grp
import os
import random
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from otaflash.transport import serial
from otaflash.transport.serial_names import SerialPort
from tests.cli.devices import device
from tests.cli.running import (
    BLINK,
    PATIENCE_S,
    ROOT,
    Ended,
    otaflash,
    running_image,
    served_board,
    spawn,
    wait_for,
)
from tests.cli.test_bad_input import no_rights

COMPLAINTS = (
    "exit 0 on failure",
    "'done, thank you' after 56 s of silence",
    "a board killed by a power cut",
    "no rollback",
    "lost or late acknowledgements that corrupt",
    "the wrong port or the wrong device flashed",
    "time-outs without a cause",
    "permission denied shown as 'not found'",
    "no retry on a lossy link",
    "no resume after a reset",
    "exactly one trial and spurious reverts",
    "loaders too big",
    "retries that need tuning",
    "a bootloader that never exits",
    "nobody checks what booted",
)
_answered: list[str] = []


def complaint(text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Says which complaint a test answers."""
    assert text in COMPLAINTS
    _answered.append(text)
    return lambda test: test


PROGRAM = random.Random(7).randbytes(9000)
"""As long as a program is that fills most of a slot of this board."""


class Bench:
    """A simulated board that remembers what it holds from one command to the next."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "board.bin"
        self.port = f"sim:atmega328p?state={self.state}"
        self.program = folder / "program.bin"
        self.program.write_bytes(PROGRAM)

    def over(self, faults: str) -> str:
        """The same board, with faults on link, power or program."""
        return f"{self.port}&{faults}" if faults else self.port

    def push(self, version: str, faults: str = "", *options: str) -> Ended:
        words = ("--base", "slot", "--version", version, "--port", self.over(faults), "--json", *options)
        return otaflash("push", self.program, *words)

    def ask(self, faults: str = "") -> dict[str, object]:
        """What runs, asked over a clean line. The question switches the board on."""
        ended = otaflash("info", "--port", self.over(faults), "--json")
        assert ended.code == 0, ended.err
        return ended.result


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    assert made.push("1.0.0").code == 0
    return made


BAD_LINKS = (
    "loss=30%",
    "biterr=0.003",
    "dup=20%&reorder=20%&jitter=80ms",
    "rate=19200&outage=1s+60s/100%",
    "down.loss=97%",
)


@complaint("exit 0 on failure")
@pytest.mark.parametrize("link", BAD_LINKS)
def test_success_is_reported_only_if_the_new_program_runs_and_failure_leaves_a_whole_one(
    link: str, bench: Bench
) -> None:
    kept = bench.state.read_bytes()
    for seed in range(4):
        bench.state.write_bytes(kept)
        version = f"2.0.{seed}"
        before = bench.ask()
        ended = bench.push(version, f"{link}&seed={seed}")
        after = bench.ask()
        assert (ended.code == 0) == ended.result["ok"] == (ended.result["code"] == 0)
        if ended.code == 0:
            assert (after["version"], after["boot_state"]) == (version, "idle")
            assert ended.result["running_version"] == version
        else:
            assert ended.result["fault"] == "link"
            is_old = (after["version"], after["image_crc"]) == (before["version"], before["image_crc"])
            on_trial = (after["version"], after["boot_state"]) == (version, "trial")
            assert is_old or (on_trial and after["way_back_crc"] == before["image_crc"])


@complaint("'done, thank you' after 56 s of silence")
@pytest.mark.parametrize("moment", ["600ms", "1500ms"])
def test_silence_is_never_thanked_for_and_ends_within_ten_seconds(moment: str, bench: Bench) -> None:
    ended = bench.push("2.0.0", f"rate=19200&outage={moment}+1000s/100%")
    assert (ended.code, ended.result["reason"], ended.result["fault"]) == (4, "link-lost", "link")
    silent_s = re.search(r"no answer for (\d+) s while waiting for \w+", ended.result["text"])
    assert silent_s is not None
    assert int(silent_s[1]) <= 10
    assert bench.ask()["version"] == "1.0.0"


@complaint("a board killed by a power cut")
@pytest.mark.parametrize("how", ["before", "torn", "after"])
def test_a_power_cut_in_any_flash_operation_leaves_a_whole_program_and_a_way_on(how: str, bench: Bench) -> None:
    """Sampled here, at the command line; `otaflash bench powercut` looks at every one, twice over."""
    kept = bench.state.read_bytes()
    seen = set()
    for operation in range(0, 1000, 50):
        bench.state.write_bytes(kept)
        # The push stops when the power fails, as it does when the host runs on the same supply.
        ended = bench.push("2.0.0", f"cut={operation}:{how}&off=1000s")
        assert ended.code in (0, 4, 7)
        runs = bench.ask()
        assert runs["version"] in ("1.0.0", "2.0.0")
        seen.add(runs["version"])
        assert bench.push("2.0.0").code == 0
        assert bench.ask()["boot_state"] == "idle"
    assert seen == {"1.0.0", "2.0.0"}


@complaint("no rollback")
@pytest.mark.parametrize("behaviour", ["crash", "hang"])
def test_a_program_that_does_not_work_is_taken_back_by_the_board_itself(behaviour: str, bench: Bench) -> None:
    before = bench.ask()
    ended = bench.push("2.0.0", f"app=2.0.0:{behaviour}")
    assert (ended.code, ended.result["fault"]) == (7, "image")
    for _ in range(3):  # trials that were left when the command ended
        after = bench.ask(f"app=2.0.0:{behaviour}")
    assert (after["version"], after["image_crc"], after["boot_state"]) == ("1.0.0", before["image_crc"], "idle")


@complaint("no rollback")
def test_a_program_on_trial_is_taken_back_by_a_word(bench: Bench) -> None:
    assert bench.push("2.0.0", "", "--no-confirm").code == 0
    assert bench.ask()["boot_state"] == "trial"
    assert otaflash("revert", "--port", bench.port).code == 0
    assert (bench.ask()["version"], bench.ask()["boot_state"]) == ("1.0.0", "idle")


@complaint("lost or late acknowledgements that corrupt")
@pytest.mark.parametrize("seed", range(6))
def test_lost_late_doubled_and_reordered_answers_never_change_the_image(seed: int, bench: Bench) -> None:
    """The case that fooled sfxb, 35 ms of delay and a damaged frame, and far worse ones on the way back alone."""
    link = f"delay=35ms&biterr=0.0001&up.loss=20%&up.dup=30%&up.reorder=30%&up.jitter=300ms&seed={seed}"
    ended = bench.push("2.0.0", link)
    assert ended.code == 0, ended.err
    assert PROGRAM in bench.state.read_bytes()
    assert bench.ask()["version"] == "2.0.0"


@complaint("the wrong port or the wrong device flashed")
def test_of_several_ports_none_is_touched_and_all_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [os.openpty() for _ in range(2)]
    names = [os.ttyname(theirs) for _, theirs in pairs]
    ports = [SerialPort(name, "bridge", f"usb:0403:6001:A{n}") for n, name in enumerate(names)]
    monkeypatch.setattr(serial, "find_serial_ports", lambda: ports)
    monkeypatch.setattr("otaflash.transport.open.find_serial_ports", lambda: ports)
    try:
        for words in (("--port", "usb:0403:6001"), ()):
            ended = otaflash("push", BLINK, *words)
            assert (ended.code, ended.err.split(":")[0]) == (3, "error 3 port-ambiguous")
            assert all(name in ended.err for name in names)
        for ours, _ in pairs:
            os.set_blocking(ours, False)
            with pytest.raises(BlockingIOError):
                os.read(ours, 1)
    finally:
        for end in sum(pairs, ()):
            os.close(end)


@complaint("the wrong port or the wrong device flashed")
def test_a_program_for_another_device_is_refused_before_anything_is_written(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other.otab"
    assert otaflash("bundle", BLINK, "--board", "nrf52832", "--move", "-o", other).code == 0
    before = bench.state.read_bytes()
    for file, options in ((other, ()), (BLINK, ("--board", "nrf52832"))):
        ended = otaflash("push", file, "--port", bench.port, "--json", *options)
        assert (ended.code, ended.result["reason"]) == (5, "wrong-board")
    assert bench.state.read_bytes() == before


@complaint("time-outs without a cause")
@pytest.mark.parametrize(
    ("link", "reason", "cause"),
    [
        ("down.loss=100%", "no-answer", "Check power, port and baud rate"),
        ("up.biterr=0.2", "garbage", "Check the baud rate"),
        ("rate=19200&outage=1s+1000s/100%", "link-lost", "Bring the board back into reach"),
    ],
)
def test_a_time_out_names_what_was_awaited_and_what_to_look_at(
    link: str, reason: str, cause: str, bench: Bench
) -> None:
    ended = bench.push("2.0.0", link)
    assert (ended.code, ended.result["reason"]) == (4, reason)
    assert re.search(r"waiting for [a-z]", ended.result["text"])
    assert cause in ended.result["remedy"]
    assert reason in otaflash("explain", reason).out


@complaint("time-outs without a cause")
def test_an_echo_is_not_called_a_time_out() -> None:
    with device(lambda data: data) as port:
        ended = otaflash("push", BLINK, "--port", port, "--json")
    assert (ended.code, ended.result["reason"]) == (4, "echo")


@complaint("permission denied shown as 'not found'")
def test_permission_denied_and_not_found_are_two_errors_with_two_remedies(tmp_path: Path) -> None:
    otaflash("push", BLINK, "--port", tmp_path / "none")  # all is imported before the rights are gone
    ours, theirs = os.openpty()
    try:
        path = os.ttyname(theirs)
        os.chmod(path, 0o060)
        if os.geteuid() == 0:
            os.chown(path, 0, grp.getgrnam("daemon").gr_gid)
        with no_rights():
            denied = otaflash("push", BLINK, "--port", path, "--json")
            missing = otaflash("push", BLINK, "--port", f"{path}999", "--json")
    finally:
        os.close(ours)
        os.close(theirs)
    assert (denied.code, denied.result["reason"]) == (3, "port-permission")
    assert "usermod" in denied.result["remedy"]
    assert (missing.code, missing.result["reason"]) == (3, "port-missing")


@complaint("no retry on a lossy link")
@pytest.mark.parametrize("loss", ["10%", "20%", "30%"])
def test_a_lossy_link_costs_time_and_nothing_else(loss: str, bench: Bench) -> None:
    ended = bench.push("2.0.0", f"rate=57600&delay=30ms&loss={loss}&seed=5")
    assert ended.code == 0, ended.err
    assert ended.result["retransmitted_blocks"] > 0
    assert bench.ask()["version"] == "2.0.0"


@complaint("no resume after a reset")
def test_a_board_that_resets_in_the_middle_is_picked_up_in_the_same_push(bench: Bench) -> None:
    ended = bench.push("2.0.0", "rate=19200&cutat=1200ms&off=1s")
    assert ended.code == 0, ended.err
    assert bench.ask()["version"] == "2.0.0"


@complaint("no resume after a reset")
def test_after_host_and_board_were_gone_only_what_is_missing_is_sent(bench: Bench) -> None:
    slow = "rate=19200"
    kept = bench.state.read_bytes()
    whole = bench.push("2.0.0", slow)
    bench.state.write_bytes(kept)
    assert bench.push("2.0.0", f"{slow}&cutat=4s&off=1000s").code == 4
    again = bench.push("2.0.0", slow)
    assert again.code == 0, again.err
    assert again.result["wire_bytes_down"] < 0.6 * whole.result["wire_bytes_down"]


@complaint("exactly one trial and spurious reverts")
def test_power_failures_during_a_trial_are_no_verdict(bench: Bench) -> None:
    assert bench.push("2.0.0", "", "--no-confirm").code == 0
    for _ in range(6):  # the power fails before the program has begun
        now = bench.ask()
        assert (now["version"], now["boot_state"]) == ("2.0.0", "trial")


@complaint("exactly one trial and spurious reverts")
def test_a_program_on_trial_is_started_three_times_before_it_is_given_up() -> None:
    with served_board("atmega328p", "--pty") as port:
        assert otaflash("push", BLINK, "--version", "2.0.0", "--no-confirm", "--port", port).code == 0
        seen = [start_of(port) for _ in range(3)]
    assert [now["boot_state"] for now in seen] == ["trial", "trial", "idle"]  # push itself started it first
    assert seen[0]["trials_max"] == 3


def start_of(port: str) -> dict[str, object]:
    """Restarts the board, waits until its program has begun, and asks it."""
    assert otaflash("reboot", "--port", port).code == 0
    time.sleep(2.5)  # the loader listens for 1 s, then starts it
    now = otaflash("info", "--port", port, "--json").result
    assert now["mode"] == "application"
    return dict(now)


@complaint("exactly one trial and spurious reverts")
def test_a_confirmed_program_never_goes_back_however_often_the_power_fails(bench: Bench) -> None:
    assert bench.push("2.0.0", "", "--no-confirm").code == 0
    assert bench.ask()["boot_state"] == "trial"  # the power failed once, and it is on trial still
    assert otaflash("confirm", "--port", bench.port).code == 0
    for _ in range(6):
        assert (bench.ask()["version"], bench.ask()["boot_state"]) == ("2.0.0", "idle")


@complaint("loaders too big")
def test_the_loaders_that_are_shipped_fit_their_place_and_leave_a_program_its_room(tmp_path: Path) -> None:
    boot_section = {"atmega328p": 4096, "nrf51": 8192}
    for name, limit in boot_section.items():
        ended = otaflash("inspect", ROOT / f"firmware/ports/{name}/{name}.hex", "--json")
        assert ended.result["segments"][-1]["bytes"] <= limit
    program = tmp_path / "full.bin"
    loader = ROOT / "firmware/ports/atmega328p/atmega328p.hex"
    program.write_bytes(bytes(range(256)) * 40)
    ended = otaflash("factory", program, "--base", "slot", "--loader", loader, "--board", "atmega328p", "--json")
    assert (ended.code, ended.result["image_whole"]) == (0, True)


@complaint("retries that need tuning")
@pytest.mark.parametrize(
    "link",
    ["", "rate=9600", "rate=57600&delay=300ms", "rate=115200&delay=30ms&loss=10%", "packet=100&buffer=202&air=20000"],
)
def test_one_command_line_serves_every_link(link: str, bench: Bench) -> None:
    assert bench.push("2.0.0", link).code == 0
    offered = otaflash("push", "--help").out
    assert not re.search(r"--\w*(retr|timeout|time-out|window|packet|chunk|block|pace|delay)", offered)


@complaint("a bootloader that never exits")
def test_a_board_whose_host_went_away_returns_to_its_program_by_itself() -> None:
    with served_board("atmega328p?rate=9600", "--pty") as port:
        before = running_image(port)
        with spawn("push", BLINK, "--port", port, "--baud", "9600", "--json") as pushing:
            wait_for(pushing, "progress")
            pushing.send_signal(signal.SIGKILL)
            pushing.wait(timeout=PATIENCE_S)
        time.sleep(16.0)  # the loader waits for 15 s for a host that fell silent
        assert otaflash("info", "--port", port, "--baud", "9600", "--json").result["mode"] == "application"
        assert running_image(port) == before


@complaint("nobody checks what booted")
def test_what_is_called_a_success_was_said_by_the_new_program_itself(bench: Bench) -> None:
    mute = bench.push("2.0.0", "app=2.0.0:silent")
    assert (mute.code, mute.result["ok"], mute.result["reason"]) == (7, False, "new-image-silent")
    assert otaflash("revert", "--port", bench.port).code == 0
    assert bench.ask()["version"] == "1.0.0"
    ended = bench.push("3.0.0")
    assert (ended.code, ended.result["running_version"]) == (0, "3.0.0")
    assert (bench.ask()["version"], bench.ask()["boot_state"]) == ("3.0.0", "idle")


def test_all_fifteen_complaints_are_answered() -> None:
    assert len(COMPLAINTS) == 15
    assert set(_answered) == set(COMPLAINTS)
