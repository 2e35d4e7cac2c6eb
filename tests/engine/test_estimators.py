"""Runs, round trips, loss, frame sizes, pacing: numbers in, numbers out."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otaflash.engine.air import AirWatch
from otaflash.engine.channel import with_lead
from otaflash.engine.loss import LossEstimate
from otaflash.engine.pacing import AHEAD_S, Pacer
from otaflash.engine.rtt import FIRST_GUESSES_S, LONGEST_S, RoundTrip
from otaflash.engine.runs import Runs
from otaflash.engine.sizing import FrameSizes
from otaflash.engine.transfer import Verdict
from otaflash.wire import FrameReader, decode, encode, on_stream
from otaflash.wire.messages import Block

STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.integers(0, 12)), max_size=40)


@given(STEPS)
def test_runs_hold_what_a_set_would(steps: list[tuple[bool, int, int]]) -> None:
    runs, model = Runs(), set[int]()
    for add, start, count in steps:
        (runs.add if add else runs.remove)(start, start + count)
        model = model | set(range(start, start + count)) if add else model - set(range(start, start + count))
    held = list(runs)
    assert {at for start, stop in held for at in range(start, stop)} == model
    assert all(a[1] < b[0] for a, b in pairwise(held))
    assert runs.count() == len(model)
    assert all(runs.overlaps(at, at + 1) == (at in model) for at in range(60))
    assert runs.last_stop() == max(model, default=-1) + 1


def test_runs_hold_what_a_set_would_after_every_removal_from_two_runs() -> None:
    for start, stop in combinations(range(9), 2):
        runs = Runs([(1, 4), (5, 8)])
        runs.remove(start, stop)
        held = {1, 2, 3, 5, 6, 7} - set(range(start, stop))
        assert {at for first, last in runs for at in range(first, last)} == held
        assert all(first < last for first, last in runs)


def test_before_a_round_trip_is_known_the_first_tries_follow_each_other_quickly() -> None:
    rtt = RoundTrip()
    assert [rtt.timeout_s(n) for n in range(4)] == list(FIRST_GUESSES_S)
    assert rtt.timeout_s(9) == FIRST_GUESSES_S[-1]


def test_the_first_guess_leaves_a_slow_line_time_for_its_bytes() -> None:
    assert RoundTrip(120.0).timeout_s() > FIRST_GUESSES_S[0] + 2.0


def test_time_outs_follow_round_trips_stalls_and_repeats() -> None:
    rtt = RoundTrip()
    for _ in range(50):
        rtt.sample(0.1)
    assert rtt.timeout_s() == pytest.approx(0.103, abs=0.002)
    rtt.stall_s = 0.05
    assert rtt.timeout_s() == pytest.approx(0.153, abs=0.002)
    assert rtt.timeout_s(1) == rtt.timeout_s()
    assert rtt.timeout_s(2) == pytest.approx(2 * rtt.timeout_s())
    assert rtt.timeout_s(9999) == pytest.approx(4 * rtt.timeout_s())


def test_no_repeat_waits_longer_than_a_second() -> None:
    rtt = RoundTrip()
    rtt.sample(0.6)
    assert rtt.timeout_s(99) == LONGEST_S


def test_one_absurd_round_trip_does_not_end_all_patience() -> None:
    rtt = RoundTrip()
    rtt.sample(60.0)
    assert rtt.timeout_s() <= 5.0


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.2])
def test_the_loss_estimate_comes_near_the_loss(loss: float) -> None:
    estimate = LossEstimate()
    every = round(1 / loss)
    for number in range(1, 2001):
        if number % every:
            estimate.delivered(1)
        else:
            estimate.lost(1)
    assert estimate.per_packet() == pytest.approx(loss, rel=0.25)


def test_a_change_for_the_worse_is_noticed_within_a_hundred_packets() -> None:
    estimate = LossEstimate()
    for _ in range(2000):
        estimate.delivered(1)
    for number in range(100):
        (estimate.lost if number % 4 == 0 else estimate.delivered)(1)
    assert estimate.per_packet() > 0.08


@pytest.mark.parametrize(("loss", "packets"), [(0.0, 10), (0.001, 10), (0.01, 4), (0.03, 2), (0.08, 1), (0.3, 1)])
def test_frames_are_as_long_as_the_loss_allows(loss: float, packets: int) -> None:
    assert FrameSizes(8, 1056, stream=True).best(loss).packets == packets


def test_every_frame_fills_whole_radio_packets() -> None:
    for size in FrameSizes(8, 1056, stream=True).sizes:
        frame = encode(Block(0, bytes(8 * size.blocks)), 1, 0)
        assert len(on_stream(frame, size.wire_bytes)) == size.wire_bytes == 100 * size.packets


def test_a_frame_with_no_byte_to_spare_answers_for_the_end_of_the_one_before() -> None:
    risks = {size.packets: size.risk for size in FrameSizes(8, 1056, stream=True).sizes}
    assert risks == {1: 1, 2: 2, 3: 4, 4: 4, 6: 6, 8: 8, 10: 10}


def test_a_frame_never_exceeds_what_the_device_takes() -> None:
    for limit in (20, 64, 98, 100, 208, 512, 1056):
        for stream in (True, False):
            for size in FrameSizes(8, limit, stream=stream).sizes:
                assert len(encode(Block(0, bytes(8 * size.blocks)), 1, 0)) <= limit


def test_a_short_run_does_not_end_in_a_frame_that_is_nearly_empty() -> None:
    sizes = FrameSizes(8, 1056, stream=True)
    assert sizes.for_run(36, 0.05).packets == 3
    assert sizes.for_run(11, 0.0).packets == 1


def test_the_pacer_keeps_the_line_busy_and_no_more_than_a_little_ahead() -> None:
    pacer = Pacer(10_000.0)
    now, sent = 0.0, 0
    while now < 1.0:
        now = max(now, pacer.open_at())
        pacer.sent(100, now)
        sent += 100
        assert pacer.idle_at() - now <= AHEAD_S + 0.01 + 1e-6
    assert sent == pytest.approx(10_000, rel=0.03)


def test_without_a_rate_nothing_is_paced() -> None:
    pacer = Pacer(None)
    assert pacer.sent(1000, 5.0) == 5.0
    assert pacer.may_send(5.0)


class Air:
    """What an AirWatch sees of a link on which frames arrive by `arrives(rate)`."""

    def __init__(self, arrives: object) -> None:
        self.pacer = Pacer(11520.0)
        self.watch = AirWatch(self.pacer, RoundTrip(), LossEstimate())
        self.arrives = arrives
        self.now, self.sequence = 0.0, 0

    def run(self, seconds: float) -> float:
        """Lets frames go by; the rate at the end."""
        until = self.now + seconds
        while self.now < until:
            assert self.pacer.rate is not None
            fates = tuple((self.sequence + n, bool(self.arrives(self.pacer.rate, self.sequence + n))) for n in range(4))  # type: ignore[operator]
            self.sequence += 4
            self.now += 400 / self.pacer.rate
            self.watch.report(Verdict(100 * sum(arrived for _, arrived in fates), fates), self.sequence, self.now)
        return float(self.pacer.rate or 0.0)


def test_a_radio_slower_than_its_line_is_found_and_paced_to() -> None:
    air = Air(lambda rate, number: rate < 9750)
    assert 0.93 * 9750 < air.run(5.0) < 9750


def test_random_loss_is_not_taken_for_a_slow_radio() -> None:
    assert Air(lambda rate, number: number * 7919 % 10 >= 3).run(20.0) == 11520.0


def test_an_experiment_that_shows_nothing_ends_at_the_full_rate() -> None:
    assert Air(lambda rate, number: number % 10 == 0).run(6.0) <= 11520.0
    air = Air(lambda rate, number: number % 10 == 0)
    rates = {air.run(0.5) for _ in range(40)}
    assert 11520.0 in rates


def test_a_frame_that_lost_its_end_does_not_take_the_next_one_along() -> None:
    first, second = (with_lead(on_stream(encode(Block(n, bytes(8 * 23)), 1, n), 200)) for n in (0, 23))
    assert len(second) == 200
    frames = list(FrameReader(stream=True).feed(first[:100] + second))
    assert decode(frames[-1]).serial == 23


def guessing(*arrived: bool) -> Pacer:
    """A pacer after a first report that was late, and that says what came of the frames sent before it."""
    pacer = Pacer(11520.0)
    watch = AirWatch(pacer, RoundTrip(), LossEstimate())
    watch.overdue(20)
    assert pacer.rate is not None
    assert pacer.rate < 9000
    watch.report(Verdict(0, tuple(enumerate(arrived))), 30, 0.5)
    return pacer


def test_a_late_first_report_slows_down_until_it_shows_that_the_line_carries() -> None:
    assert guessing(False, True, False, True, False).rate == 11520.0


def test_a_late_first_report_that_shows_next_to_nothing_is_no_verdict_on_the_line() -> None:
    assert guessing(False, False).rate == 11520.0


def test_a_late_first_report_that_shows_everything_lost_keeps_the_lower_rate() -> None:
    assert guessing(*[False] * 12).rate == pytest.approx(0.76 * 11520)
