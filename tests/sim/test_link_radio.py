"""The radio model by itself: rates, packets, and every fault, against what its parameters promise."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from otaflash.sim.clock import Clock
from otaflash.sim.radio import Direction, Way

PACKETS = 4000


class Rig:
    """A direction with a notebook at its end: times of arrival and bytes."""

    def __init__(self, way: Way, seed: int = 1, **options: object) -> None:
        self.clock = Clock()
        self.got: list[tuple[float, bytes]] = []
        self.direction = Direction(
            self.clock,
            way,
            lambda name: random.Random(f"{seed}/{name}"),
            lambda first, data: self.got.append((self.clock.now, data)),
            **options,  # type: ignore[arg-type]
        )

    @property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.got)

    def finish(self) -> None:
        while self.clock.step():
            pass


def numbered(count: int, size: int = 100) -> list[bytes]:
    return [number.to_bytes(4, "little") + b"\x55" * (size - 4) for number in range(count)]


def sent_through(way: Way, packets: list[bytes], seed: int = 1) -> Rig:
    rig = Rig(way, seed)
    rig.direction.write(b"".join(packets))
    rig.finish()
    return rig


def assert_every_byte_is_accounted_for(rig: Rig) -> None:
    counters = rig.direction.counters
    assert counters.in_flight_bytes == 0
    assert counters.delivered_bytes == len(rig.data)


def test_a_packet_forms_when_its_hundredth_byte_is_there() -> None:
    rig = Rig(Way(rate=10000))  # a character takes 1 ms
    rig.direction.write(bytes(250))
    rig.finish()
    assert [len(data) for _, data in rig.got] == [100, 100, 50]
    # 100 ms into the modem, 100 ms out of the far one; the last is shorter and waits three characters of silence
    assert [time for time, _ in rig.got] == pytest.approx([0.2, 0.3, 0.35])


def test_a_short_packet_leaves_after_three_characters_of_silence() -> None:
    rig = Rig(Way(rate=10000))
    rig.direction.write(bytes(10))
    rig.finish()
    assert rig.got[0][0] == pytest.approx(0.010 + 0.003 + 0.010)


def test_a_pause_shorter_than_the_silence_does_not_split_a_packet() -> None:
    rig = Rig(Way(rate=10000))
    rig.direction.write(bytes(10))
    rig.clock.at(0.012, lambda: rig.direction.write(bytes(10)))
    rig.clock.at(0.030, lambda: rig.direction.write(bytes(10)))
    rig.finish()
    assert [len(data) for _, data in rig.got] == [20, 10]


def test_a_stream_takes_ten_bits_a_byte_and_the_delay() -> None:
    rig = sent_through(Way(rate=115200, delay_s=0.03), numbered(300))
    assert rig.got[-1][0] == pytest.approx(300 * 100 * 10 / 115200 + 100 * 10 / 115200 + 0.03)


def test_a_board_hears_of_a_packet_with_its_first_byte() -> None:
    rig = Rig(Way(rate=10000), early=True)
    rig.direction.write(bytes(100))
    rig.finish()
    assert rig.got[0][0] == pytest.approx(0.101)


def test_a_plain_wire_has_neither_packets_nor_a_second_uart() -> None:
    rig = Rig(Way(rate=10000, packet_bytes=0, delay_s=0.5))
    rig.direction.write(bytes(30))
    rig.finish()
    assert [(round(time, 6), len(data)) for time, data in rig.got] == [(0.53, 30)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_loss_takes_the_share_it_promises_and_whole_packets_only(seed: int) -> None:
    rig = sent_through(Way(loss=0.05), numbered(PACKETS), seed)
    counters = rig.direction.counters
    assert 0.035 < counters.lost_packets / counters.packets < 0.065
    assert counters.lost_bytes == 100 * counters.lost_packets
    assert {len(data) for _, data in rig.got} == {100}
    assert_every_byte_is_accounted_for(rig)


def test_jitter_alone_keeps_the_order() -> None:
    packets = numbered(1000)
    rig = sent_through(Way(jitter_s=0.04, delay_s=0.03), packets)
    assert rig.data == b"".join(packets)


def test_reordering_changes_the_order_and_loses_nothing() -> None:
    packets = numbered(1000)
    rig = sent_through(Way(reorder=0.05), packets)
    arrived = [data for _, data in rig.got]
    assert arrived != packets
    assert sorted(arrived) == sorted(packets)


def test_full_reordering_spreads_packets_over_the_jitter() -> None:
    packets = numbered(1000)
    arrived = [data for _, data in sent_through(Way(reorder=1.0, jitter_s=0.04), packets).got]
    assert sum(a > b for a, b in pairwise(arrived)) > 200
    assert sorted(arrived) == sorted(packets)


def test_duplication_delivers_its_share_twice() -> None:
    rig = sent_through(Way(dup=0.05), numbered(PACKETS))
    assert 0.035 < rig.direction.counters.doubled_packets / PACKETS < 0.065
    assert len(rig.got) == PACKETS + rig.direction.counters.doubled_packets
    assert_every_byte_is_accounted_for(rig)


def test_bit_errors_flip_the_share_of_bits_they_promise() -> None:
    rig = Rig(Way(biterr=1e-3))
    rig.direction.write(bytes(100 * PACKETS))
    rig.finish()
    flipped = sum(byte.bit_count() for byte in rig.data)
    assert flipped == rig.direction.counters.flipped_bits
    assert flipped / (800 * PACKETS) == pytest.approx(1e-3, rel=0.1)


def test_every_bit_flips_at_a_chance_of_one() -> None:
    rig = sent_through(Way(biterr=1.0), [bytes(100)])
    assert rig.data == b"\xff" * 100


def test_bursts_lose_only_in_the_bad_stretch() -> None:
    way = Way(burst_good_s=2.0, burst_bad_s=0.2, burst_loss=0.9)
    rig = sent_through(way, numbered(PACKETS))
    counters = rig.direction.counters
    assert counters.lost_packets / counters.packets == pytest.approx(0.9 * 0.2 / 2.2, rel=0.25)
    assert way.loss_at(1.99, 0.0) == 0.0
    assert way.loss_at(2.01, 0.0) == 0.9
    assert way.loss_at(2.21, 0.0) == 0.0


def test_an_outage_loses_only_in_its_window() -> None:
    rig = sent_through(Way(rate=100000, outage_from_s=1.0, outage_s=1.0, outage_loss=1.0), numbered(300))
    assert 99 <= rig.direction.counters.lost_packets <= 101
    assert all(not 1.03 < time < 2.0 for time, _ in rig.got)


def test_a_slow_air_overruns_the_buffer_of_an_unpaced_sender() -> None:
    rig = sent_through(Way(rate=115200, air_rate=40000), numbered(300))
    counters = rig.direction.counters
    # the air takes 5,000 bytes a second of the 11,520 that come
    assert counters.delivered_bytes / counters.written_bytes == pytest.approx(5000 / 11520, rel=0.05)
    assert counters.dropped_bytes > 0
    assert_every_byte_is_accounted_for(rig)


def test_a_sender_at_the_pace_of_the_air_loses_nothing() -> None:
    rig = Rig(Way(rate=115200, air_rate=78000))
    for number, packet in enumerate(numbered(300)):
        rig.clock.at(number * 100 * 8 / 78000, lambda packet=packet: rig.direction.write(packet))  # type: ignore[misc]
    rig.finish()
    assert rig.direction.counters.dropped_bytes == 0
    assert len(rig.data) == 30000


def test_one_fault_does_not_change_the_draws_of_another() -> None:
    alone = sent_through(Way(loss=0.05), numbered(500))
    together = sent_through(Way(loss=0.05, biterr=1e-4, dup=0.1), numbered(500))
    assert alone.direction.counters.lost_packets == together.direction.counters.lost_packets


def test_the_same_seed_gives_the_same_bytes_at_the_same_times() -> None:
    way = Way(loss=0.1, dup=0.1, jitter_s=0.02, reorder=0.2, biterr=1e-4, delay_s=0.03, air_rate=90000)
    runs = [sent_through(way, numbered(500), seed).got for seed in (5, 5, 6)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_many_small_writes_are_as_one() -> None:
    whole = sent_through(Way(rate=57600), numbered(20))
    rig = Rig(Way(rate=57600))
    for byte in b"".join(numbered(20)):
        rig.direction.write(bytes([byte]))
    rig.finish()
    assert rig.data == whole.data
    assert [time for time, _ in rig.got] == pytest.approx([time for time, _ in whole.got])


def test_nothing_is_lost_on_a_clean_link_whatever_the_sizes() -> None:
    random_sizes = random.Random(3)
    for packet_bytes in (0, 1, 33, 100):
        rig = Rig(replace(Way(rate=9600), packet_bytes=packet_bytes))
        sent = bytearray()
        for _ in range(200):
            data = random_sizes.randbytes(random_sizes.randrange(1, 300))
            sent += data
            rig.clock.run_until(rig.clock.now + random_sizes.random() * 0.2)
            rig.direction.write(data)
        rig.finish()
        assert rig.data == bytes(sent)
