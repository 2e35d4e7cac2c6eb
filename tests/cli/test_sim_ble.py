"""BLE at the command line: a push over the modelled link, its figures, wrong values, the bench."""

from __future__ import annotations

import pytest

from tests.cli.running import BLINK, otaflash

ROW_FIELDS = {"name", "ceiling_bytes_per_s", "goodput_bytes_per_s", "ratio", "bar", "ok"}


@pytest.mark.parametrize(
    ("query", "ceiling"),
    [
        ("ble=2M,247,15ms", 162_667),
        ("ble=1M,247,30ms,6", 48_800),
        ("ble=2M,247,15ms&uart=115200", 11_520),
    ],
)
def test_a_push_over_ble_tells_the_ceiling_of_its_air_as_the_line_rate(query: str, ceiling: int) -> None:
    result = otaflash("push", BLINK, "--version", "1.1.0", "--port", f"sim:nrf52832?{query}&seed=1", "--json").result
    assert (result["ok"], result["running_version"]) == (True, "1.1.0")
    assert round(result["line_rate_bytes_per_s"]) == ceiling
    sent = result["image_bytes"] / result["transfer_seconds"] / result["line_rate_bytes_per_s"]
    assert result["goodput_ratio"] == pytest.approx(sent, abs=0.001)


def test_a_push_over_ble_is_the_same_each_time() -> None:
    words = ("push", BLINK, "--port", "sim:nrf52832?ble=1M,247,30ms&loss=10%&dup=10%&disconnect=1s&seed=3", "--json")
    assert otaflash(*words).out == otaflash(*words).out


@pytest.mark.parametrize("value", ["3M,247,15ms", "2M,9000,15ms", "2M,247,15", "2M,247", "2M,247,15ms&host=amiga"])
def test_a_wrong_value_is_a_sentence_and_exit_code_2(value: str) -> None:
    ended = otaflash("push", BLINK, "--port", f"sim:nrf52832?ble={value}")
    assert ended.code == 2
    assert ended.err.startswith("error 2 port-bad-value: ")
    assert "Traceback" not in ended.err


def test_a_board_whose_blocks_fit_no_write_is_refused_by_name() -> None:
    result = otaflash("push", BLINK, "--port", "sim:stm32f103?ble=1M,23,30ms", "--json").result
    assert (result["code"], result["reason"]) == (4, "frames-too-small")


def test_a_message_link_is_not_served_as_a_stream_of_bytes() -> None:
    ended = otaflash("sim", "nrf52832?ble=2M,247,15ms", "--tcp", "0")
    assert ended.code == 2
    assert "uart=" in ended.err


def test_bench_ble_prints_a_row_for_each_cell_and_a_result() -> None:
    cells = ("air-1m-dle", "air-2m-dle", "2m-247-15ms")
    ended = otaflash("bench", "ble", "--json", *(word for cell in cells for word in ("--cell", cell)))
    *rows, result = ended.events
    assert [row["name"] for row in rows] == list(cells)
    assert all(row.keys() >= ROW_FIELDS for row in rows)
    assert all(
        row["ratio"] == pytest.approx(row["goodput_bytes_per_s"] / row["ceiling_bytes_per_s"], abs=1e-3) for row in rows
    )
    assert (result["ok"], ended.code) == (True, 0)


def test_bench_ble_names_the_cells_that_there_are() -> None:
    ended = otaflash("bench", "ble", "--cell", "moon")
    assert ended.code == 2
    assert "mtu-23" in ended.err
