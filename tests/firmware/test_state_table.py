"""The table of PROTOCOL.md section 6, row by row, through the real core."""

from __future__ import annotations

import pytest

from tests.firmware import scenarios_of_session, scenarios_of_trial  # noqa: F401  # they add their rows
from tests.firmware.scenarios import SCENARIOS
from tests.firmware.state_table import NEXT, PERSISTED, Row, read_table, says

TABLE = read_table()


def name_of(row: Row) -> str:
    return f"{row.number}-{row.operation}-{row.when}".replace(" ", "_").replace(",", "")


def test_the_rows_are_numbered_without_gaps() -> None:
    assert [row.number for row in TABLE] == list(range(1, len(TABLE) + 1))


def test_each_row_has_scenarios_and_each_scenario_a_row() -> None:
    assert set(SCENARIOS) == {row.number for row in TABLE}


def test_a_scenario_is_about_the_operation_of_its_row() -> None:
    for row in TABLE:
        assert SCENARIOS[row.number], row
        for make in SCENARIOS[row.number]:
            assert make.__doc__, make.__name__


@pytest.mark.parametrize(
    ("row", "number"),
    [
        pytest.param(row, number, id=f"{name_of(row)}-{number}")
        for row in TABLE
        for number in range(len(SCENARIOS.get(row.number, ())))
    ],
)
def test_the_core_does_what_the_row_says_and_a_second_copy_does_no_harm(row: Row, number: int) -> None:
    walk = SCENARIOS[row.number][number]()
    walk.go()
    says(walk.reply, row.reply, walk)
    PERSISTED[row.persisted](walk)
    NEXT[row.next](walk)
    walk.then(walk)
    settled = bytes(walk.bench.board.flash)
    again = walk.go_again()
    if walk.second:
        says(again, walk.second, walk)
    else:
        assert again == walk.reply
    assert bytes(walk.bench.board.flash) == settled
