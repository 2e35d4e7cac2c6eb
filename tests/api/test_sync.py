"""A board as a program that waits sees it: questions, pushes, plans, and what is raised."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import otaflash
from otaflash import session
from otaflash.api.sync import SyncBoard, connect_sync
from otaflash.engine import Operation
from otaflash.image.bundle import write_bundle
from otaflash.image.program import slot_of
from tests.api.boards import BLINK, URL, HeldLink


def test_a_push_tells_what_it_does_and_ends_with_what_runs() -> None:
    events: list[otaflash.PushEvent] = []
    with connect_sync(URL) as board:
        before = board.info()
        result = board.push(BLINK, version="1.1.0", on_event=events.append)
        assert board.info() == result.info
    assert (before.version, result.running_version, result.info.version) == ("0.0.1", "1.1.0", "1.1.0")
    assert not result.already_running
    names = [event.name for event in events if isinstance(event, otaflash.PhaseChanged)]
    assert [name for name in names if name != "enter"] == [
        "inspect", "bundle", "transfer", "verify", "apply", "start", "confirm"
    ]  # fmt: skip
    assert sum(seconds for _, seconds in result.phases) == pytest.approx(result.seconds)
    (ready,) = [event for event in events if isinstance(event, otaflash.ImageReady)]
    assert (ready.image_crc, ready.version, ready.info.uid) == (result.image_crc, "1.1.0", before.uid)


def test_the_numbers_of_a_board_are_told_in_the_words_of_info() -> None:
    with connect_sync(URL) as board:
        info = board.info()
        assert board.last_info == info
    assert (info.board, info.boot_state, info.scheme) == ("atmega328p", "idle", ("none",))
    assert info.mode in ("loader", "application")
    assert info.slot_bytes % info.page_bytes == 0
    assert not info.on_trial
    assert len(bytes.fromhex(info.uid)) == 8


def test_a_trial_is_confirmed_reverted_and_refused_by_name() -> None:
    with connect_sync(URL) as board:
        assert board.push(BLINK, version="1.1.0", confirm=False).info.on_trial
        assert board.revert().version == "0.0.1"
        board.push(BLINK, version="1.1.0", confirm=False)
        assert board.confirm().boot_state == "idle"
        with pytest.raises(otaflash.OtaflashError) as caught:
            board.revert()
        assert caught.value.reason == "no-trial"
        assert board.last_info is not None
        assert board.reboot().version == "1.1.0"


def test_what_was_read_before_is_pushed_as_the_file_would_be() -> None:
    program = otaflash.Program.read(BLINK, otaflash.Wanted(version="1.1.0"))
    with connect_sync(URL) as board:
        assert board.push(program).running_version == "1.1.0"
        with pytest.raises(TypeError):
            board.push(program, version="1.2.0")


def test_the_wrong_board_is_refused_before_anything_is_sent_to_it() -> None:
    link = HeldLink()
    before = link.flash
    with SyncBoard(link) as board, pytest.raises(otaflash.OtaflashError) as caught:
        board.push(BLINK, board="nrf52832")
    assert caught.value.reason == "wrong-board"
    assert link.flash == before
    assert link.closed


def test_the_same_image_is_sent_again_only_when_forced() -> None:
    with connect_sync(URL) as board:
        first = board.push(BLINK, version="1.1.0")
        again = board.push(BLINK, version="1.1.0")
        forced = board.push(BLINK, version="1.1.0", force=True)
    assert (first.already_running, again.already_running, forced.already_running) == (False, True, False)
    assert again.wire_bytes_down < 500
    assert forced.wire_bytes_down > first.image_bytes
    assert forced.info.boot_state == "idle"


def test_what_a_listener_raises_ends_the_push_and_the_next_one_resumes() -> None:
    def leave(event: otaflash.PushEvent) -> None:
        if isinstance(event, otaflash.Progress) and event.done_bytes > event.total_bytes / 2:
            raise RuntimeError("enough")

    with connect_sync(URL) as board:
        with pytest.raises(RuntimeError, match="enough"):
            board.push(BLINK, version="1.1.0", on_event=leave)
        rest = board.push(BLINK, version="1.1.0")
    assert rest.running_version == "1.1.0"
    assert rest.wire_bytes_down < 0.8 * rest.image_bytes


def test_another_thread_stops_a_push() -> None:
    link = HeldLink(hold_after_bytes=2000)
    with SyncBoard(link) as board:
        timer = threading.Timer(0.05, board.stop)
        timer.start()
        with pytest.raises(otaflash.OtaflashError) as caught:
            board.push(BLINK, version="1.1.0")
        timer.join()
        assert (caught.value.reason, caught.value.exit_code) == ("interrupted", otaflash.ExitCode.INTERRUPTED)
        with pytest.raises(otaflash.OtaflashError):
            board.info()
        board.go_on()
        link.hold_after_bytes = None
        assert board.push(BLINK, version="1.1.0").running_version == "1.1.0"


# --- plans ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["sim:atmega328p?rate=115200", "sim:nrf52832?delay=30ms", "sim:nrf52832?ble=2M,247,15ms"]
)
def test_a_plan_says_what_a_push_then_sends_and_about_how_long_it_takes(url: str) -> None:
    with connect_sync(url) as board:
        plan = board.plan(BLINK, version="1.1.0")
        result = board.push(BLINK, version="1.1.0")
    assert not plan.already_running
    assert (plan.image.version, plan.image.image_crc) == (result.running_version, result.image_crc)
    assert plan.image.image_bytes == result.image_bytes
    assert result.image_bytes < plan.wire_bytes < 1.05 * result.wire_bytes_down
    if "ble" in url:  # no line sets the pace there
        assert plan.seconds is None
    else:
        assert plan.seconds is not None
        assert 0.4 < plan.seconds / result.transfer_seconds < 1.6


def test_a_plan_changes_nothing_on_the_board() -> None:
    link = HeldLink()
    board = SyncBoard(link)
    before = board.info(), link.flash, link.operations
    board.plan(BLINK, version="1.1.0")
    assert (board.info(), link.flash, link.operations) == before


def test_a_plan_knows_what_runs_already() -> None:
    with connect_sync(URL) as board:
        board.push(BLINK, version="1.1.0", confirm=False)
        assert board.plan(BLINK, version="1.1.0").already_running
        with pytest.raises(otaflash.OtaflashError) as caught:
            board.plan(BLINK, version="1.2.0")
        assert caught.value.reason == "trial-pending"


def test_a_plan_foresees_what_the_board_would_refuse() -> None:
    with connect_sync(URL) as board:
        board.push(BLINK, version="1.1.0", counter=7)
        for call in (board.plan, board.push):
            with pytest.raises(otaflash.OtaflashError) as caught:
                call(BLINK, version="1.2.0", counter=6)
            assert caught.value.reason == "counter-too-low"


def test_a_file_that_is_none_is_told_before_a_port_is_used() -> None:
    link = HeldLink()
    with SyncBoard(link) as board, pytest.raises(otaflash.ImageError):
        board.push("nowhere.hex")
    assert link.written_bytes == 0


def test_a_link_of_messages_has_no_text() -> None:
    with connect_sync("sim:nrf52832?ble=2M,247,15ms") as board, pytest.raises(otaflash.UsageError) as caught:
        board.read_text(0.1)
    assert caught.value.reason == "no-text"


def test_a_bundle_is_pushed_as_it_is(tmp_path: Path) -> None:
    link = HeldLink()
    board = SyncBoard(link)
    program = otaflash.Program.read(BLINK, otaflash.Wanted("1.1.0", 3))
    bundle, _ = program.bundle_for(slot_of(session.request(link, Operation.INFO).info), 0)
    file = tmp_path / "blink.otab"
    write_bundle(file, bundle)
    assert board.plan(bundle).image.counter == 3
    assert board.push(file).running_version == "1.1.0"
    assert board.push(bundle).already_running


# --- text -------------------------------------------------------------------------------------------------


def test_what_the_program_prints_is_read_without_what_was_said_to_otaflash() -> None:
    with connect_sync("sim:atmega328p?says=100ms&delay=10ms") as board:
        board.info()
        text = b""
        for _ in range(30):
            text += board.read_text(0.2)
            board.info()
    assert text.startswith(b"".join(b"0.0.1: up %g s\r\n" % (n / 10) for n in range(6)))


def test_after_a_push_the_new_program_is_heard_from_its_first_line_on() -> None:
    with connect_sync("sim:atmega328p?says=50ms&delay=10ms") as board:
        board.push(BLINK, version="1.1.0")
        assert board.read_text(0.5).startswith(b"1.1.0: up 0 s\r\n")


def test_silence_is_nothing_after_the_time_that_was_given() -> None:
    with connect_sync("sim:atmega328p") as board:
        began = board.now()
        assert board.read_text(2.0) == b""
        assert board.now() - began == pytest.approx(2.0)
