"""The benchmark in small: what it measures is the whole of what it says it measures."""

from pathlib import Path

from bench.folder_lake import folder_lake
from bench.profiles import HOURS, MODEL, START, VERSION, WEEK, check, measure_building, measure_reading, write_history
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.logs.hourly import window_profile


def test_a_check_of_the_week_reads_every_row_there_was(tmp_path: Path) -> None:
    write_history(tmp_path, 3_000, seed=1)
    found = check(folder_lake(tmp_path))
    window = window_profile(folder_lake(tmp_path), MODEL, START, START + WEEK)

    assert (found.report.rows, found.report.reference_rows, list(window.by_version)) == (3_000, 50_000, [VERSION])
    assert found.report.verdict is Verdict.OK
    assert len(list(tmp_path.rglob("hour=*.profile"))) == HOURS
    assert {column.present for column in window.all.features.values()} == {3_000}
    assert len(window.all.features) == 20


def test_speeds_are_of_the_rows_that_were_asked_for() -> None:
    building, reading = measure_building(5_000, seed=1, rounds=1), measure_reading(2_000, seed=1, rounds=1)

    assert (building["profile_rows"], reading["profile_lines"]) == (5_000, 2_000)
    assert building["floor_rows_per_second"] > 0
    assert building["profile_rows_per_second"] > reading["profile_lines_per_second"] > 0
