"""Pushes that are interrupted, on either side, and go on by themselves."""

from __future__ import annotations

import pytest

from otaflash.bench.link import bring_into_loader, holds, make_image
from otaflash.engine import Event, Progress
from otaflash.errors import ExitCode
from otaflash.sim.radio import Way
from otaflash.sim.station import Power
from otaflash.wire import encode, on_stream
from otaflash.wire.messages import Offer
from tests.system.pushing import Bench

LINK = Way(delay_s=0.03)
WHOLE_PUSH = 10_500
"""Wire bytes of a push of the same image that nothing interrupts."""


def test_a_host_killed_in_the_middle_resumes_from_the_map_that_the_device_kept() -> None:
    bench = Bench(LINK)
    bench.push_until(0.6)
    again = bench.push()
    assert again.result is not None, again.error
    assert bench.is_right()
    assert again.result.wire_bytes_down < 0.7 * WHOLE_PUSH


def test_a_host_that_comes_back_after_the_device_left_its_loader_resumes_from_a_survey() -> None:
    bench = Bench(LINK)
    bench.push_until(0.6)
    bench.world.run_until(bench.world.now + 30.0)
    again = bench.push()
    assert again.result is not None, again.error
    assert bench.is_right()
    assert again.result.wire_bytes_down < 0.7 * WHOLE_PUSH


@pytest.mark.parametrize(
    ("board", "part"), [("atmega1284p", 0.7), ("nrf51822", 0.5), ("stm32f103", 0.5), ("nrf52832", 0.5)]
)
@pytest.mark.parametrize("gone", ["host", "both"])
def test_in_the_single_slot_too_only_what_is_missing_is_sent(board: str, part: float, gone: str) -> None:
    """What is there must not be given up by a new host's offer, nor by blocks that go along with its questions. Of what
    was held, `part` more may be sent after a restart: the pages that the digest, slow on an AVR, had not come to."""
    bench = Bench(LINK, board=board, image_bytes=50_000)
    image = make_image(bench.board.profile, 50_000, 2, single_slot=True)
    bench.push_until(0.6, image)
    if gone == "both":
        bench.port.station.reset()
    again = bench.push(image=image)
    assert again.result is not None, again.error
    assert holds(bench.board, image.span)
    assert again.result.wire_bytes_down < 1.12 * part * 50_000


@pytest.mark.parametrize("cut_at_s", [0.3, 0.6, 0.9, 1.1, 1.3, 1.6, 2.2, 3.0])
@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_a_device_that_loses_power_at_any_moment_is_picked_up_again(cut_at_s: float, loss: float) -> None:
    bench = Bench(Way(delay_s=0.03, loss=loss), power=Power(cut_at_s=cut_at_s, off_s=2.0))
    outcome = bench.push()
    assert outcome.result is not None, outcome.error
    assert bench.is_right()


@pytest.mark.parametrize("operation", [0, 1, 5, 40, 120, 150, 200, 260, 300, 340])
@pytest.mark.parametrize("how", [1, 2, 3])
def test_a_power_cut_in_any_flash_operation_ends_in_the_new_image(operation: int, how: int) -> None:
    bench = Bench(LINK, power=Power(cut_operation=operation, cut_how=how, off_s=1.0))
    outcome = bench.push()
    assert outcome.result is not None, outcome.error
    assert bench.is_right()


def test_a_device_that_never_answers_is_told_after_ten_seconds() -> None:
    bench = Bench(Way(loss=1.0))
    began = bench.world.now
    outcome = bench.push()
    assert outcome.error is not None
    assert (outcome.error.reason, outcome.error.exit_code) == ("no-answer", ExitCode.LINK_LOST)
    assert "Inspect" in outcome.error.text
    assert bench.world.now - began < 11.0


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_board_lost_in_mid_push_is_told_within_eleven_seconds_with_what_was_awaited(part: float) -> None:
    bench = Bench(LINK)
    lost_at = []

    def lose(event: Event, now: float) -> None:
        if isinstance(event, Progress) and event.done_bytes >= part * event.total_bytes and not lost_at:
            lost_at.append(now)
            bench.port.station.switch_off()

    outcome = bench.push(on_event=lose)
    assert outcome.error is not None
    assert (outcome.error.reason, outcome.error.exit_code) == ("link-lost", ExitCode.LINK_LOST)
    assert "no answer for 10 s" in outcome.error.text
    assert "report" in outcome.error.text
    assert 10.0 <= bench.world.now - lost_at[0] < 11.0


def test_an_outage_of_nine_seconds_only_costs_its_time() -> None:
    bench = Bench(Way(delay_s=0.03, outage_from_s=0.7, outage_s=9.0))
    outcome = bench.push()
    assert outcome.result is not None, outcome.error
    assert bench.is_right()


@pytest.mark.parametrize("seed", range(24))
def test_a_new_host_gets_through_where_another_left_half_an_offer_behind(seed: int) -> None:
    """The device still counts in the old session: what it then expects next says nothing to the new host."""
    bench = Bench(Way(delay_s=0.1, loss=0.3), frame_bytes=100, image_bytes=500, seed=seed)
    bring_into_loader(bench.world, [bench.port.station])
    for _ in range(8):
        bench.port.write(on_stream(encode(Offer(0, bench.image.manifest.pack()[:90]), 77, 0)))
        bench.world.run_until(bench.world.now + 0.05)
    outcome = bench.push(until_s=120.0)
    assert outcome.result is not None, outcome.error
    assert bench.is_right()
