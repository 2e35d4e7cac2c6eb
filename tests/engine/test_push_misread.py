"""What the device says of itself may be read wrong once: no verdict hangs on one answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otaflash.engine import Done, Push
from otaflash.wire.messages import ApplyReply, BootState, Info
from tests.engine.peer import SHAPE, Peer, device, info, new_info

TRIAL_UP = new_info(boot_state=BootState.TRIAL, mode=1)
KEPT = new_info(mode=1)


@pytest.mark.parametrize("misread", [{"image_crc": 5}, {"version": bytes(8)}], ids=str)
@pytest.mark.parametrize("right", [TRIAL_UP, KEPT], ids=["on trial", "kept"])
def test_one_misread_answer_after_apply_makes_no_failure(misread: dict[str, object], right: Info) -> None:
    """The device reads its trailer from flash each time; seen with one bit wrong while it confirmed."""
    wrong = replace(right, **misread)  # type: ignore[arg-type]
    told = device([info(), TRIAL_UP, wrong, right, KEPT], Apply=ApplyReply(0, 100))
    assert isinstance(Peer(Push(SHAPE, 7, resume=False), told).run(), Done)
