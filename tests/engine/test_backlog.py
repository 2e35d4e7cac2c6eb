"""What may be unreported where the line's rate is not known."""

from __future__ import annotations

from otaflash.engine.backlog import FIRST_BYTES, QUEUE_S, Backlog


def after(rate: float, seconds: float, every_s: float = 0.1) -> int:
    """The bound after that long on a line that delivers `rate` bytes a second, a report every `every_s`."""
    backlog = Backlog(0.0)
    for n in range(1, round(seconds / every_s) + 1):
        backlog.delivered(round(rate * every_s), n * every_s)
    return backlog.bytes


def test_it_begins_with_little() -> None:
    assert Backlog(0.0).bytes == FIRST_BYTES


def test_on_a_fast_line_it_grows_with_all_that_is_delivered() -> None:
    assert after(100_000, 1.0) == FIRST_BYTES + 100_000


def test_on_a_slow_line_it_never_exceeds_what_the_line_delivers_in_two_seconds() -> None:
    for seconds in (1.0, 5.0, 60.0):
        assert after(5760, seconds) <= QUEUE_S * 5760


def test_a_line_that_delivers_next_to_nothing_keeps_what_it_began_with() -> None:
    assert after(10, 20.0) == FIRST_BYTES
