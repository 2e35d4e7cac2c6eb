"""Single questions and orders, and what is believed of the answers."""

from __future__ import annotations

from otaflash.engine import Done, Event, Failed, LinkShape, Operation, Request
from otaflash.errors import Fault
from otaflash.wire.messages import BootState, ConfirmReply, Reason, RevertReply
from tests.engine.peer import SHAPE, Answer, Peer, device, info, inspect_reply


def ask(operation: Operation, inspects: list[object], **replies: Answer) -> tuple[Event | None, Peer]:
    peer = Peer(Request(SHAPE, 7, operation), device(list(inspects), **replies))  # type: ignore[arg-type]
    return peer.run(), peer


ON_TRIAL = info(boot_state=BootState.TRIAL, mode=1, way_back_crc=9)


def test_info_is_one_inspect() -> None:
    end, peer = ask(Operation.INFO, [info()])
    assert isinstance(end, Done)
    assert end.result.info == info()
    assert peer.names() == ["Inspect"]


def test_a_record_in_parts_is_read_until_two_readings_agree() -> None:
    readings = [info(), info(mode=1), info(mode=1)]
    turn = {"done": 0}

    def answer(request: object) -> Answer:
        record = readings[min(turn["done"], 2)]
        reply = inspect_reply(request, record)  # type: ignore[arg-type]
        turn["done"] += reply.offset + len(reply.part) >= reply.total
        return reply

    peer = Peer(Request(LinkShape(None, stream=False, frame_bytes=20), 7, Operation.INFO), answer)
    peer._reader = type(peer._reader)(stream=False)
    sent: list[Event] = []
    now = 0.0
    while not sent and now < 5:
        peer.engine.wake(now)
        for frame in peer.engine.bytes_to_send(now):
            assert len(frame) <= 20
            peer._reply(frame)
        for _, raw in peer._flying:
            from otaflash.wire.cobs import cobs_decode  # noqa: PLC0415

            peer.engine.receive(cobs_decode(raw.rstrip(b"\0")), now)
        peer._flying.clear()
        sent = [event for event in peer.engine.events() if isinstance(event, Done | Failed)]
        now += 0.01
    assert isinstance(sent[0], Done)
    assert sent[0].result.info.mode == 1


def test_confirm_is_done_when_inspect_shows_it() -> None:
    end, peer = ask(Operation.CONFIRM, [ON_TRIAL, info(mode=1)])
    assert isinstance(end, Done)
    assert peer.names() == ["Inspect", "Confirm", "Inspect"]


def test_confirm_of_what_is_confirmed_asks_nothing_more() -> None:
    end, peer = ask(Operation.CONFIRM, [info()])
    assert isinstance(end, Done)
    assert peer.names() == ["Inspect"]


def test_a_refused_confirm_is_an_error_with_its_reason() -> None:
    end, _ = ask(Operation.CONFIRM, [ON_TRIAL], Confirm=ConfirmReply(Reason.FLASH_FAILED))
    assert isinstance(end, Failed)
    assert end.error.reason == "flash-failed"


def test_revert_waits_until_another_image_runs() -> None:
    old = info(image_crc=9)
    end, peer = ask(Operation.REVERT, [ON_TRIAL, ON_TRIAL, old])
    assert isinstance(end, Done)
    assert end.result.info.image_crc == 9
    assert peer.names().count("Revert") == 2


def test_revert_without_a_trial_is_refused_by_name() -> None:
    end, _ = ask(Operation.REVERT, [info()])
    assert isinstance(end, Failed)
    assert end.error.reason == "no-trial"
    assert end.error.fault is Fault.USER  # nothing is wrong with any file


def test_a_refused_revert_is_an_error_with_its_reason() -> None:
    end, _ = ask(Operation.REVERT, [ON_TRIAL], Revert=RevertReply(Reason.FLASH_FAILED))
    assert isinstance(end, Failed)
    assert end.error.reason == "flash-failed"


def test_reboot_names_the_device_and_looks_afterwards() -> None:
    end, peer = ask(Operation.REBOOT, [info()])
    assert isinstance(end, Done)
    assert peer.names() == ["Inspect", "Reboot", "Inspect"]


def test_a_confirm_after_which_another_image_runs_is_a_revert_and_no_success() -> None:
    for state in (BootState.IDLE, BootState.TRIAL):
        end, _ = ask(Operation.CONFIRM, [ON_TRIAL, info(image_crc=9, boot_state=state)])
        assert isinstance(end, Failed)
        assert end.error.reason == "not-confirmed"
