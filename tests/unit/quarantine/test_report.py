from collections.abc import Iterator
from typing import Any

import pytest

from hindsight.core.errors import NotFound
from hindsight.quarantine import report as quarantine_report
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.report import QuarantineReport, QuarantineReports, cursor_of, shown_row
from hindsight.quarantine.store import UNREADABLE, Quarantine, QuarantinedRow
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from tests.unit.labels.builders import MODEL, at, configuration

NOW = at(24 * 30)


def row(number: int, *, hours: float = 1, code: RejectCode = RejectCode.INVALID, model: str = MODEL) -> QuarantinedRow:
    return QuarantinedRow(
        code=code,
        reason="is none of 'down', 'up'",
        day=at(hours).date(),
        model=model,
        received_at=at(hours),
        file="feedback/date=2026-03-01/x",
        line=number,
        text=f'"{number}"',
    )


class Bench:
    def __init__(self) -> None:
        self.lake = InMemoryLake()
        self.quarantine = Quarantine(self.lake)
        self.seconds = 0.0
        self.reports = QuarantineReports(self.lake, InMemoryConfigurations(configuration()), lambda: self.seconds)

    def lines(self, limit: int = 50) -> list[int]:
        return [found.line for found in self.reports.newest(MODEL, limit, NOW).rows]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_empty_quarantine_is_that(bench: Bench) -> None:
    assert bench.reports.newest(MODEL, 50, NOW) == QuarantineReport(counts={}, capped=False, rows=[])


def test_counts_are_by_reason_and_rows_newest_first(bench: Bench) -> None:
    bench.quarantine.put([row(1), row(2, hours=50), row(3, hours=700, code=RejectCode.CONFLICT), row(4, hours=2)])

    report = bench.reports.newest(MODEL, 3, NOW)

    assert (report.counts, report.capped) == ({"conflict": 1, "invalid": 3}, False)
    assert [found.line for found in report.rows] == [3, 2, 4]
    assert shown_row(report.rows[1]) == {**row(2, hours=50).to_json(), "day": "2026-03-03"}


def test_page_begins_after_a_row_and_the_counts_are_of_all(bench: Bench) -> None:
    bench.quarantine.put([row(1), row(2, hours=50), row(3, hours=700), row(4, hours=2)])
    first = bench.reports.newest(MODEL, 2, NOW)

    second = bench.reports.newest(MODEL, 5, NOW, cursor_of(first.rows[-1]))

    assert [[found.line for found in page.rows] for page in (first, second)] == [[3, 2], [4, 1]]
    assert second.counts == {"invalid": 4}


def test_a_reject_that_stands_in_two_objects_is_one(bench: Bench) -> None:
    bench.quarantine.put([row(1), row(2)])
    bench.quarantine.put([row(1)])
    bench.quarantine.put([row(2).replace(reason="another", job_id="r")])

    report = bench.reports.newest(MODEL, 50, NOW)

    assert report.counts == {"invalid": 2}
    assert len(report.rows) == 2


def test_the_same_rows_again_replace_their_object(bench: Bench) -> None:
    bench.quarantine.put([row(1), row(2)])
    before = dict(bench.lake.objects)

    bench.quarantine.put([row(1), row(2)])

    assert bench.lake.objects == before


@pytest.mark.parametrize("hours", [1, 24 * 29, -24 * 5000, 24 * 60])
def test_old_and_future_days_are_found(bench: Bench, hours: float) -> None:
    bench.quarantine.put([row(1, hours=hours)])

    assert bench.lines() == [1]


def test_of_a_full_quarantine_the_newest_objects_are_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine_report, "MAX_OBJECTS", 5)
    for day in range(20):
        bench.quarantine.put([row(day, hours=24 * day)])

    report = bench.reports.newest(MODEL, 50, NOW)

    assert (report.counts, report.capped) == ({"invalid": 5}, True)
    assert [found.line for found in report.rows] == [19, 18, 17, 16, 15]


def test_crowded_past_does_not_hide_new_rows(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine_report, "MAX_OBJECTS", 50)
    monkeypatch.setattr(quarantine_report, "MAX_KEYS", 100)
    for number in range(300):
        bench.quarantine.put([row(number, hours=1)])
    bench.quarantine.put([row(1000, hours=24 * 29)])

    report = bench.reports.newest(MODEL, 50, NOW)

    assert (report.capped, [found.line for found in report.rows]) == (True, [1000])


def test_exactly_as_many_objects_as_are_read_is_all_of_them(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine_report, "MAX_OBJECTS", 3)
    for day in range(3):
        bench.quarantine.put([row(day, hours=24 * day)])

    assert bench.reports.newest(MODEL, 50, NOW).capped is False


def test_many_rows_are_counted_up_to_a_limit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine_report, "MAX_ROWS", 10)
    bench.quarantine.put([row(number) for number in range(11)])

    assert bench.reports.newest(MODEL, 2, NOW).capped is True


def test_long_texts_are_shown_in_part(bench: Bench) -> None:
    bench.quarantine.put([row(1).replace(text="x" * 10_000)])

    found = shown_row(bench.reports.newest(MODEL, 50, NOW).rows[0])

    assert (len(found["text"]), found["truncated"]) == (2000, True)


def test_models_do_not_see_each_other(bench: Bench) -> None:
    bench.quarantine.put([row(1, model=f"{MODEL}-2")])

    assert bench.lines() == []
    assert bench.reports.newest(f"{MODEL}-2", 50, NOW).counts == {"invalid": 1}
    assert bench.reports.newest(UNREADABLE, 50, NOW).counts == {}


def test_a_model_that_is_not_configured_and_has_nothing_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.reports.newest("unknown", 50, NOW)


def test_foreign_objects_among_them_are_passed_over(bench: Bench) -> None:
    bench.quarantine.put([row(1)])
    bench.lake.write_bytes(f"quarantine/model={MODEL}/date=2026-03-01/readme.txt", b"{", "text/plain")

    assert bench.lines() == [1]


def test_rows_received_within_a_day_are_ordered_too(bench: Bench) -> None:
    bench.quarantine.put([row(number, hours=number / 10) for number in (3, 1, 2)])

    assert bench.lines() == [3, 2, 1]


def test_report_names_rows_left_out_when_time_is_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        bench.quarantine.put([row(number, hours=number)])
    read = bench.lake.read_lines

    def slow(key: str) -> Iterator[dict[str, Any]]:
        bench.seconds += 1
        return read(key)

    monkeypatch.setattr(bench.lake, "read_lines", slow)
    report = bench.reports.newest(MODEL, 50, NOW)
    assert report.capped is True
    assert len(report.rows) == 16


def test_of_an_object_with_very_many_rows_the_first_are_read(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.quarantine.put([row(number) for number in range(10)])
    monkeypatch.setattr(quarantine_report, "MAX_ROWS_OF_ONE", 4)
    report = bench.reports.newest(MODEL, 50, NOW)
    assert (report.counts, report.capped) == ({"invalid": 4}, True)
