"""What is missing, in flight and to be sent next, told by scripted reports."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otaflash.engine.channel import SERIALS
from otaflash.engine.loss import LossEstimate
from otaflash.engine.sizing import FrameSizes
from otaflash.engine.transfer import CLEAN_PACKETS, Reported, Transfer

TOTAL = 110


def transfer(total: int = TOTAL, window_bytes: int = 0, limit: int | None = None) -> Transfer:
    made = Transfer(total, FrameSizes(8, 98, stream=True), LossEstimate(), window_bytes)
    made.accepted(0, total if limit is None else limit)
    return made


class Sender:
    """Sends frames one after the other and remembers what they carried."""

    def __init__(self, made: Transfer) -> None:
        self.transfer = made
        self.sequence = 1
        self.carried: dict[int, tuple[int, int]] = {}

    def send(self, count: int = 1000) -> list[int]:
        sent = []
        while len(sent) < count and self.transfer.room(self.sequence):
            piece = self.transfer.next_piece()
            if piece is None or piece.copy:
                break
            self.transfer.sent(piece, self.sequence, 100, self.sequence / 100)
            self.carried[self.sequence] = (piece.place, piece.place + piece.count)
            sent.append(self.sequence)
            self.sequence += 1
        return sent

    def report(self, heard: int, *gaps: tuple[int, int], stop: int = TOTAL) -> bool:
        return self.transfer.report(Reported(heard, heard, heard / 100, 0, stop, gaps)) is not None


def test_blocks_go_in_order_and_each_once() -> None:
    sender = Sender(transfer())
    sender.send()
    assert [sender.carried[n] for n in range(1, 11)] == [(11 * n, 11 * n + 11) for n in range(10)]


def test_a_frame_before_the_one_heard_and_still_missing_is_sent_again() -> None:
    sender = Sender(transfer())
    sender.send()
    sender.report(5, (11, 22), (55, 110))
    assert [sender.carried[n] for n in sender.send()] == [(11, 22)]
    assert sender.transfer.retransmitted == 11


def test_a_spare_copy_of_what_is_in_flight_does_not_count_as_sent_again() -> None:
    sender = Sender(transfer())
    sender.send()
    piece = sender.transfer.next_piece()
    assert piece is not None
    assert piece.copy
    sender.transfer.sent(piece, sender.sequence, 100, 1.0)
    assert (sender.transfer.retransmitted, sender.transfer.spares) == (0, piece.count)


def test_a_link_that_has_lost_nothing_for_long_gets_no_spare_copies() -> None:
    sender = Sender(transfer())
    sender.transfer.loss.delivered(CLEAN_PACKETS)
    sender.send()
    assert sender.transfer.next_piece() is None
    sender.transfer.loss.lost(1)
    assert sender.transfer.next_piece() is not None


def test_what_was_sent_after_the_one_heard_is_waited_for() -> None:
    sender = Sender(transfer())
    sender.send()
    sender.report(5, (55, 110))
    assert sender.send() == []
    assert sender.transfer.held_count() == 55


def test_an_older_report_changes_nothing() -> None:
    sender = Sender(transfer())
    sender.send()
    sender.report(8, (88, 110))
    assert not sender.report(3, (33, 110))
    assert not sender.report(8, (0, 110))
    assert sender.transfer.held_count() == 88


def test_a_report_that_was_cut_short_says_nothing_of_what_lies_behind() -> None:
    sender = Sender(transfer())
    sender.send()
    sender.report(10, (11, 22), stop=22)
    assert sender.transfer.held_count() == 11
    assert [sender.carried[n] for n in sender.send()] == [(11, 22)]


def test_a_place_that_a_later_report_misses_again_is_sent_again() -> None:
    sender = Sender(transfer())
    sender.send()
    sender.report(10)
    assert sender.transfer.all_held()
    sender.report(11, (22, 33))
    assert [sender.carried[n] for n in sender.send()] == [(22, 33)]


def test_nothing_goes_beyond_the_credit() -> None:
    sender = Sender(transfer(limit=30))
    sender.send()
    assert max(stop for _, stop in sender.carried.values()) == 30


def test_without_any_credit_one_frame_alone_asks_for_it() -> None:
    sender = Sender(transfer(limit=0))
    assert sender.send() == [1]
    assert sender.send() == []
    assert not sender.transfer.has_more()
    sender.transfer.limit = 30
    sender.report(1, (11, TOTAL))
    sender.send()
    assert [sender.carried[n] for n in (1, 2, 3)] == [(0, 11), (11, 22), (22, 30)]


def test_the_frame_that_asks_for_credit_is_sent_again_when_it_was_lost() -> None:
    sender = Sender(transfer(limit=0))
    sender.send()
    sender.report(2, (0, TOTAL))
    assert [sender.carried[n] for n in sender.send()] == [(0, 11)]


def test_what_lies_beyond_the_credit_waits_until_all_before_it_is_known_to_have_come() -> None:
    sender = Sender(transfer(limit=11))
    assert sender.send() == [1]
    sender.report(1)
    sender.transfer.report(Reported(2, 2, 0.02, 0, TOTAL, ((11, TOTAL),)))
    assert [sender.carried[n] for n in sender.send()] == [(11, 22)]


def test_the_window_bounds_what_is_unreported() -> None:
    sender = Sender(transfer(window_bytes=450))
    assert len(sender.send()) == 4


def test_fewer_frames_fly_than_half_of_the_serials() -> None:
    sender = Sender(transfer(total=11 * 500))
    assert 100 < len(sender.send()) < SERIALS / 2


def test_withheld_places_wait_for_their_survey() -> None:
    made = transfer()
    made.withhold(0, 22)
    sender = Sender(made)
    sender.send()
    assert min(start for start, _ in sender.carried.values()) == 22
    made.surveyed(0, 11, agrees=True, sequence=sender.sequence)
    made.surveyed(11, 22, agrees=False, sequence=sender.sequence)
    assert [sender.carried[n] for n in sender.send()] == [(11, 22)]


def test_losses_before_the_offer_was_accepted_say_nothing_of_the_link() -> None:
    made = Transfer(TOTAL, FrameSizes(8, 98, stream=True), LossEstimate(), 0)
    made.limit = TOTAL
    sender = Sender(made)
    before = made.loss.per_packet()
    sender.send()
    made.accepted(8, TOTAL)
    sender.report(10, (0, 88))
    assert made.loss.per_packet() < before


def test_a_late_original_teaches_patience() -> None:
    sender = Sender(transfer())
    sender.send()
    sender.report(5, (11, 22), (55, 110))
    assert sender.send() == [11]
    sender.report(6, (66, 110))
    assert sender.transfer.patience_s > 0


@given(st.data())
def test_whatever_is_lost_everything_is_held_in_the_end(data: st.DataObject) -> None:
    sender = Sender(transfer())
    held: set[int] = set()
    for _ in range(200):
        if sender.transfer.all_held():
            break
        for number in sender.send(data.draw(st.integers(1, 12))):
            if data.draw(st.booleans()):
                held |= set(range(*sender.carried[number]))
        sender.sequence += 1  # the request for a report
        missing = sorted(set(range(TOTAL)) - held)
        if data.draw(st.integers(0, 3)):
            sender.report(sender.sequence - 1, *[(place, place + 1) for place in missing])
    else:
        return  # every report was lost: nothing to be said
    assert held == set(range(TOTAL))


def test_a_copy_whose_original_is_known_to_be_lost_is_sent_again_while_the_line_would_idle() -> None:
    sender = Sender(transfer())
    sender.transfer.loss.lost(1)
    sender.send()
    copied = []
    while (piece := sender.transfer.next_piece()) is not None and sender.sequence < 21:
        assert piece.copy
        sender.transfer.sent(piece, sender.sequence, 100, sender.sequence / 100)
        copied.append(piece.place)
        sender.sequence += 1
    assert copied == [11 * n for n in range(10)]
    sender.report(10, (99, 110))
    again = sender.transfer.next_piece()
    assert again is not None
    assert (again.place, again.count, again.copy) == (99, 11, True)


def test_what_is_known_to_be_held_is_not_copied() -> None:
    sender = Sender(transfer())
    sender.transfer.loss.lost(1)
    sender.send()
    sender.report(3, (55, 66))
    piece = sender.transfer.next_piece()
    assert piece is not None
    assert (piece.place, piece.copy) == (55, True)
