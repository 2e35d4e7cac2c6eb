"""bench: the names that scripts rely on, and that a bound is a bound."""

from __future__ import annotations

from tests.cli.running import otaflash

CELL_FIELDS = {"delay_ms", "loss", "rate_baud", "tries", "completed", "goodput_ratio", "wrong_images"}
POWERCUT_FIELDS = {
    "board",
    "depth",
    "scenarios",
    "unbootable",
    "way_back_lost",
    "wrong_image",
    "max_erases_per_page",
    "seconds",
}


def test_bench_link_prints_one_cell_for_each_point_and_a_result() -> None:
    ended = otaflash("bench", "link", "--json", "--tries", "1", "--cell", "clean-0", "--cell", "loss-5")
    *cells, result = ended.events
    assert [cell["event"] for cell in cells] == ["cell", "cell"]
    assert all(cell.keys() >= CELL_FIELDS for cell in cells)
    assert result["event"] == "result"
    assert result["code"] == ended.code


def test_bench_link_is_the_same_each_time() -> None:
    words = ("bench", "link", "--json", "--tries", "1", "--cell", "loss-10", "--seed", "3")
    assert otaflash(*words).out == otaflash(*words).out


def test_bench_link_names_the_cells_that_there_are() -> None:
    ended = otaflash("bench", "link", "--cell", "moon")
    assert ended.code == 2
    assert "clean-0" in ended.err


def test_bench_powercut_finds_nothing_wrong_on_a_tiny_board() -> None:
    ended = otaflash("bench", "powercut", "--board", "tiny1", "--depth", "1", "--json")
    assert ended.code == 0
    assert ended.result.keys() >= POWERCUT_FIELDS
    assert [ended.result[name] for name in ("unbootable", "way_back_lost", "wrong_image")] == [0, 0, 0]
    assert ended.result["scenarios"] > 1000


def test_bench_powercut_refuses_a_board_that_it_does_not_know() -> None:
    assert otaflash("bench", "powercut", "--board", "moon").code == 3


def test_bench_scale_prints_the_single_push_each_fleet_and_a_result() -> None:
    ended = otaflash("bench", "scale", "--json", "--boards", "1", "--boards", "2")
    single, first, second, result = ended.events
    assert single["event"] == "single"
    assert {"cpu_seconds", "peak_rss_mb", "cpu_bar", "rss_bar_mb", "image_bytes", "ok"} <= single.keys()
    assert [(row["event"], row["boards"], row["completed"]) for row in (first, second)] == [
        ("fleet", 1, 1),
        ("fleet", 2, 2),
    ]
    assert {"cpu_seconds", "cpu_seconds_per_board"} <= first.keys()
    assert result["event"] == "result"
    assert {"ok", "code", "cpu_ratio", "cpu_ratio_bar"} <= result.keys()


SOAK_FIELDS = {"seeds", "updates", "wrong_images", "false_successes", "stuck", "seconds", "seeds_per_s", "cuts"}


def test_bench_soak_counts_what_it_did_and_what_was_wrong() -> None:
    ended = otaflash("bench", "soak", "--seeds", "10", "--first", "3", "--jobs", "1", "--json")
    assert ended.code == 0
    assert ended.result.keys() >= SOAK_FIELDS
    assert (ended.result["seeds"], ended.result["first"]) == (10, 3)
    assert [ended.result[name] for name in ("wrong_images", "false_successes", "stuck")] == [0, 0, 0]
    assert ended.result["updates"] > 10


def test_bench_soak_tells_the_story_of_one_seed() -> None:
    *story, result = otaflash("bench", "soak", "--seed", "7", "--json").events
    assert {event["event"] for event in story} == {"story"}
    assert story[0]["text"].startswith("board starts image 0")
    assert (result["event"], result["seeds"], result["first"]) == ("result", 1, 7)


def test_bench_soak_refuses_what_names_no_run() -> None:
    assert otaflash("bench", "soak", "--scenario", "{}").code == 2
    assert otaflash("bench", "soak", "--seed", "1", "--seeds", "2").code == 2
