"""What a push makes of a device's answers, one row after the other. The device is scripted."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otaflash.engine import Done, Event, Failed, Progress, Push
from otaflash.errors import ExitCode
from otaflash.wire import encode, on_stream
from otaflash.wire.messages import (
    REPORT_MORE,
    Apply,
    ApplyReply,
    BootState,
    ConfirmReply,
    Enter,
    Gap,
    Inspect,
    Message,
    OfferReply,
    Reason,
    Reboot,
    Refused,
    Report,
    ReportReply,
    TransferState,
)
from tests.engine.peer import (
    BLOCK,
    HELD,
    PAGE,
    REPLIES,
    SHAPE,
    Answer,
    Peer,
    bundle,
    device,
    info,
    inspect_reply,
    new_info,
)

APPLY_OK = ApplyReply(0, 100)
TRIAL_UP = new_info(boot_state=BootState.TRIAL, mode=1)
KEPT = new_info(mode=1)
GOOD = [info(), TRIAL_UP, KEPT]


def push(inspects: list[object], **replies: Answer) -> tuple[Event | None, Peer]:
    replies.setdefault("Apply", APPLY_OK)
    peer = Peer(Push(SHAPE, 7, resume=False), device(list(inspects), **replies))  # type: ignore[arg-type]
    return peer.run(), peer


def failed(end: Event | None) -> tuple[str, ExitCode]:
    assert isinstance(end, Failed), end
    assert end.error.text
    assert end.error.remedy.endswith(".")
    return end.error.reason, end.error.exit_code


def test_an_update_asks_in_the_order_that_the_protocol_wants() -> None:
    end, peer = push(GOOD)
    assert isinstance(end, Done)
    order = list(dict.fromkeys(peer.names()))
    assert order[:2] == ["Inspect", "Offer"]
    assert order[-2:] == ["Apply", "Confirm"]
    assert peer.names()[-1] == "Inspect"


def test_offer_and_first_blocks_go_in_one_go() -> None:
    _, peer = push(GOOD, Offer=None)
    first = peer.names()[:4]
    assert first[:2] == ["Inspect", "Offer"]
    assert first[2].startswith("Block")


def test_an_application_is_asked_to_enter_its_loader_first() -> None:
    end, peer = push([info(mode=1), *GOOD])
    assert isinstance(end, Done)
    assert peer.names().index("Enter") < peer.names().index("Offer")


def test_an_application_that_does_not_enter_is_told() -> None:
    end, _ = push([info(mode=1)])
    assert failed(end) == ("will-not-enter", ExitCode.LINK_LOST)


REFUSALS = [
    Reason.WRONG_BOARD, Reason.WRONG_GEOMETRY, Reason.TOO_LARGE, Reason.SLOT_IN_USE, Reason.COUNTER_TOO_LOW,
    Reason.UNKNOWN_SCHEME, Reason.BAD_SIGNATURE, Reason.BAD_MANIFEST, Reason.TRIAL_PENDING,
]  # fmt: skip


@pytest.mark.parametrize("reason", REFUSALS, ids=lambda reason: reason.name.lower())
def test_a_refused_offer_ends_with_its_own_name_and_exit_code_5(reason: Reason) -> None:
    end, peer = push([info()], Offer=OfferReply(reason, 128, 0))
    assert failed(end) == (reason.name.lower().replace("_", "-"), ExitCode.IMAGE_REFUSED)
    assert "Apply" not in peer.names()


SEEN = {
    "another image on trial": (info(boot_state=BootState.TRIAL), "trial-pending", ExitCode.IMAGE_REFUSED),
    "a swap that did not get through": (info(boot_state=BootState.SWAPPING), "flash-failed", ExitCode.VERIFY_FAILED),
    "only a newer protocol": (info(protocol_min=2, protocol_max=3), "protocol-too-new", ExitCode.IMAGE_REFUSED),
    "only an older protocol": (info(protocol_min=0, protocol_max=0), "protocol-too-old", ExitCode.IMAGE_REFUSED),
    "a newer record of few bytes": (b"\x02\x02", "protocol-too-new", ExitCode.IMAGE_REFUSED),
    "a record of few bytes": (b"\x01\x01\x01", "bad-info", ExitCode.IMAGE_REFUSED),
    "blocks of nothing": (info(block_bytes=0), "bad-info", ExitCode.IMAGE_REFUSED),
    "frames too short for a block": (info(frame_bytes=20, block_bytes=16), "bad-info", ExitCode.IMAGE_REFUSED),
    "other pages": (info(page_bytes=256), "wrong-geometry", ExitCode.IMAGE_REFUSED),
}


@pytest.mark.parametrize(("record", "reason", "code"), SEEN.values(), ids=SEEN)
def test_what_inspect_shows_may_end_a_push_before_anything_is_sent(record: object, reason: str, code: ExitCode) -> None:
    end, peer = push([record])
    assert failed(end) == (reason, code)
    assert set(peer.names()) == {"Inspect"}


def test_the_offered_image_that_runs_already_is_done_without_an_offer() -> None:
    end, peer = push([KEPT])
    assert isinstance(end, Done)
    assert end.result.already_running
    assert set(peer.names()) == {"Inspect"}


@pytest.mark.parametrize("other", [{"image_crc": 5}, {"image_bytes": 100}, {"version": bytes(8)}], ids=str)
def test_what_differs_from_the_offered_image_in_anything_is_replaced(other: dict[str, object]) -> None:
    running = replace(KEPT, **other)  # type: ignore[arg-type]
    end, peer = push([running, replace(running, mode=0), TRIAL_UP, KEPT])
    assert isinstance(end, Done)
    assert not end.result.already_running
    assert {"Enter", "Offer", "Apply"} <= set(peer.names())


def test_the_offered_image_on_trial_is_only_confirmed() -> None:
    end, peer = push([TRIAL_UP, KEPT])
    assert isinstance(end, Done)
    assert "Offer" not in peer.names()
    assert "Confirm" in peer.names()


def test_the_old_image_after_a_trial_means_not_confirmed() -> None:
    in_loader = new_info(boot_state=BootState.TRIAL)
    end, _ = push([info(), in_loader, info()])
    assert failed(end) == ("not-confirmed", ExitCode.NOT_CONFIRMED)


def test_a_loader_that_finds_nothing_whole_to_start_is_given_the_image_again_and_is_no_revert() -> None:
    """Seen with one misread byte in the check before the jump: nothing was given back, and the old image is gone."""
    nothing = info(boot_state=BootState.NO_IMAGE, image_bytes=0, image_crc=0)
    end, peer = push([info(), TRIAL_UP, nothing, TRIAL_UP, KEPT])
    assert isinstance(end, Done)
    assert peer.names().count("Apply") == 2
    end, peer = push([info(), TRIAL_UP, nothing])
    assert failed(end) == ("verification-failed", ExitCode.VERIFY_FAILED)
    assert peer.names().count("Apply") == 2


def test_an_answer_to_confirm_is_not_believed_until_inspect_shows_it() -> None:
    end, peer = push([info(), TRIAL_UP, TRIAL_UP, TRIAL_UP, KEPT])
    assert isinstance(end, Done)
    assert peer.names().count("Confirm") == 3


def test_a_confirm_that_fails_in_the_flash_is_told() -> None:
    end, _ = push([info(), TRIAL_UP], Confirm=ConfirmReply(Reason.FLASH_FAILED))
    assert failed(end) == ("flash-failed", ExitCode.VERIFY_FAILED)


@pytest.mark.parametrize("silent", ["Apply", "Confirm"])
def test_a_lost_answer_is_replaced_by_what_inspect_shows(silent: str) -> None:
    end, _ = push(GOOD, **{silent: None})
    assert isinstance(end, Done)


def test_a_trial_that_stays_in_the_loader_is_rebooted_into_its_application() -> None:
    in_loader = new_info(boot_state=BootState.TRIAL)
    end, peer = push([info(), *[in_loader] * 40, TRIAL_UP, KEPT])
    assert isinstance(end, Done)
    assert "Reboot" in peer.names()


def test_a_loader_that_listens_longer_than_the_host_waits_is_not_restarted_for_ever() -> None:
    """Its window is 5 s, and begins anew with each Reboot."""
    leaves_at = [math.inf]
    usual = device([info()], Apply=APPLY_OK)

    def answer(request: Message) -> Answer:
        if isinstance(request, Apply | Reboot):
            leaves_at[0] = peer.now + 5.0
        if isinstance(request, Inspect) and leaves_at[0] < math.inf:
            mode = int(peer.now >= leaves_at[0])
            state = BootState.IDLE if "Confirm" in peer.names() else BootState.TRIAL
            return inspect_reply(request, new_info(boot_state=state, mode=mode))
        return usual(request)

    peer = Peer(Push(SHAPE, 7, resume=False), answer)
    assert isinstance(peer.run(), Done)
    assert peer.now < 20.0


def test_while_a_board_is_away_it_is_asked_often_enough_to_meet_any_entry_window() -> None:
    asked_at: list[float] = []
    usual = device([info(stall_ms=250)], Apply=APPLY_OK)

    def answer(request: Message) -> Answer:
        if "Apply" not in peer.names():
            return usual(request)
        asked_at.append(peer.now)
        return APPLY_OK if isinstance(request, Apply) else None

    peer = Peer(Push(SHAPE, 7, resume=False), answer)
    assert failed(peer.run())[0] == "new-image-silent"
    assert len(asked_at) > 30
    assert max(after - before for before, after in pairwise(asked_at)) < 0.5


def test_flash_that_fails_while_blocks_come_is_exit_code_6() -> None:
    end, _ = push([info()], BlockReport=ReportReply(0, TransferState.FAILED, 48, 0, 0, ()))
    assert failed(end) == ("flash-failed", ExitCode.VERIFY_FAILED)


def test_a_digest_that_stays_wrong_after_repairs_is_given_up() -> None:
    damaged = ReportReply(0, TransferState.DAMAGED, 48, 0, 0, ())
    end, peer = push([info()], BlockReport=damaged, Report=damaged)
    assert failed(end)[1] == ExitCode.VERIFY_FAILED
    assert "Survey" in peer.names()
    assert "Apply" not in peer.names()


def test_a_device_that_lost_its_session_gets_the_offer_again() -> None:
    answers: list[Answer] = [Refused(0x04, Reason.NO_SESSION), HELD]
    usual = device([*GOOD[:1], *GOOD], Apply=APPLY_OK, BlockReport=None)

    def answer(request: object) -> Answer:
        if type(request).__name__ == "Report":
            return answers.pop(0) if len(answers) > 1 else answers[0]
        return usual(request)  # type: ignore[arg-type]

    peer = Peer(Push(SHAPE, 7, resume=False), answer)
    assert isinstance(peer.run(), Done)
    offers = [session for name, session in zip(peer.names(), peer.sessions, strict=True) if name == "Offer"]
    assert len(offers) >= 2
    assert offers[0] != offers[-1]  # what was said before the restart must not answer what is asked now


def test_an_image_of_more_blocks_than_can_be_numbered_is_not_begun() -> None:
    peer = Peer(Push(SHAPE, 7, resume=False), device(list(GOOD), Apply=APPLY_OK))
    assert failed(peer.run(use=bundle(65536 * BLOCK // PAGE)))[0] == "wrong-geometry"
    assert set(peer.names()) == {"Inspect"}


def done_bytes(peer: Peer) -> list[int]:
    return [event.done_bytes for event in peer.events if isinstance(event, Progress)]


def test_progress_counts_what_reports_show_to_be_held_and_nothing_else() -> None:
    missing = ReportReply(0, TransferState.RECEIVING, 48, 0, 0, (Gap(5, 43),))
    usual = device([info()], Report=missing, BlockReport=missing)
    peer = Peer(Push(SHAPE, 7, resume=False), usual)
    assert peer.run(limit_s=5.0) is None
    assert set(done_bytes(peer)) == {5 * BLOCK}


def test_what_a_report_leaves_out_is_asked_for_and_not_taken_to_be_held() -> None:
    cut_short = ReportReply(0, TransferState.RECEIVING | REPORT_MORE, 48, 0, 0, (Gap(2, 1),))
    usual = device([info()], Report=cut_short, BlockReport=cut_short)
    peer = Peer(Push(SHAPE, 7, resume=False), usual)
    assert peer.run(limit_s=5.0) is None
    assert set(done_bytes(peer)) == {2 * BLOCK}
    assert 3 in [message.start for message in peer.heard if isinstance(message, Report)]


def test_a_device_that_loses_every_session_is_given_up_by_its_own_name() -> None:
    end, peer = push([info()], BlockReport=None, Report=Refused(0x04, Reason.NO_SESSION))
    assert failed(end)[0] == "device-restarts"
    assert peer.now < 100


def test_a_digest_that_does_not_get_on_is_given_up_by_its_own_name() -> None:
    making = ReportReply(0, TransferState.VERIFYING, 48, 1, 0, ())
    end, _ = push([info()], Report=making, BlockReport=making)
    assert failed(end) == ("verification-failed", ExitCode.VERIFY_FAILED)


@pytest.mark.parametrize(("reconnects", "seconds"), [(False, 10.0), (True, 30.0)])
def test_silence_after_contact_lasts_longer_over_a_link_that_looks_for_the_board_itself(
    reconnects: bool, seconds: float
) -> None:
    answers = [inspect_reply(Inspect(200, 0, bytes(8)), info())]
    shape = replace(SHAPE, reconnects=reconnects)
    peer = Peer(Push(shape, 7, resume=False), lambda request: answers.pop() if answers else None)
    assert failed(peer.run()) == ("link-lost", ExitCode.LINK_LOST)
    assert peer.now == pytest.approx(seconds, abs=0.5)


def test_forced_the_image_that_runs_already_is_sent_again() -> None:
    peer = Peer(Push(SHAPE, 7, resume=False, force=True), device([KEPT, new_info(), TRIAL_UP, KEPT], Apply=APPLY_OK))
    end = peer.run()
    assert isinstance(end, Done)
    assert not end.result.already_running
    assert {"Enter", "Offer", "Apply", "Confirm"} <= set(peer.names())


def test_the_phases_of_a_push_add_up_to_its_time() -> None:
    end, _ = push(GOOD)
    assert isinstance(end, Done)
    names = [name for name, _ in end.result.phases]
    assert names == ["inspect", "bundle", "transfer", "verify", "apply", "start", "confirm"]
    assert sum(seconds for _, seconds in end.result.phases) == pytest.approx(end.result.seconds)


def test_the_time_that_a_device_names_for_its_swap_is_no_silence() -> None:
    usual = device(list(GOOD), Apply=ApplyReply(0, 60_000))

    def answer(request: object) -> Answer:
        silent = "Apply" in peer.names() and peer.now < 70
        return usual(request) if not silent or type(request).__name__ == "Apply" else None  # type: ignore[arg-type]

    peer = Peer(Push(SHAPE, 7, resume=False), answer)
    assert isinstance(peer.run(), Done)
    assert peer.now > 60


def test_once_a_device_has_answered_only_that_one_is_meant() -> None:
    end, peer = push([info(mode=1), *GOOD])
    assert isinstance(end, Done)
    first, *later = [message.target for message in peer.heard if isinstance(message, Inspect)]
    assert first == bytes(8)
    assert later
    assert set(later) == {info().uid}
    assert {message.target for message in peer.heard if isinstance(message, Enter)} == {info().uid}


def test_garbage_is_told_apart_from_silence_and_from_an_echo() -> None:
    for reply, reason in ((b"hello\0", "garbage"), (None, "no-answer")):
        peer = Peer(Push(SHAPE, 7), lambda request, reply=reply: reply)  # type: ignore[misc]
        assert failed(peer.run()) == (reason, ExitCode.LINK_LOST)
        assert peer.now == pytest.approx(10.0, abs=0.5)


def test_an_echo_is_no_device() -> None:
    engine = Push(SHAPE, 7)
    now = 0.0
    end: list[Event] = []
    while not end and now < 20:
        engine.wake(now)
        for frame in engine.bytes_to_send(now):
            engine.receive(frame, now)
        end = [event for event in engine.events() if isinstance(event, Failed)]
        now += 0.05
    assert failed(end[0])[0] == "echo"


@pytest.mark.parametrize(("session", "reason"), [(7, "flash-failed"), (8, "garbage"), (6, "garbage"), (0, "garbage")])
def test_answers_in_another_session_are_not_heard(session: int, reason: str) -> None:
    record = info(boot_state=BootState.SWAPPING)

    def answer(request: object) -> Answer:
        return on_stream(encode(inspect_reply(request, record), session, len(peer.heard) - 1))  # type: ignore[arg-type]

    peer = Peer(Push(SHAPE, 7), answer)
    assert failed(peer.run())[0] == reason


STRANGE = st.sampled_from(
    [None, b"\x00", *REPLIES.values(), APPLY_OK, OfferReply(0, 5, 0), OfferReply(0, 128, 0),
     ConfirmReply(Reason.WRONG_IMAGE), Refused(0x04, Reason.NO_SESSION), Refused(0x03, Reason.IN_APPLICATION),
     ReportReply(0, TransferState.RECEIVING, 48, 0, 0, ()), ReportReply(0, 0x82, 9, 0, 65535, ())]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(STRANGE, min_size=1, max_size=12), st.lists(st.sampled_from([info(), info(mode=1)]), min_size=1))
def test_whatever_a_device_says_no_push_is_done_unless_inspect_shows_the_image(
    replies: list[Answer], seen: list
) -> None:  # type: ignore[type-arg]
    turn = {"at": 0}
    usual = device(list(seen))

    def answer(request: object) -> Answer:
        if type(request).__name__ == "Inspect":
            return usual(request)  # type: ignore[arg-type]
        turn["at"] += 1
        return replies[turn["at"] % len(replies)]

    peer = Peer(Push(SHAPE, 7), answer)
    end = peer.run(limit_s=120.0, use=bundle(5))
    assert not isinstance(end, Done)
