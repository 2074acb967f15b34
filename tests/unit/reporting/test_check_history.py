from datetime import UTC, date, datetime, timedelta

import pytest

from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput, NotFound
from hindsight.monitoring.results.check import Check, CheckKind, Verdict, page_key, report_key
from hindsight.reporting.check_history import CheckHistory, CheckQuery
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.models.configurations import InMemoryConfigurations

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MODEL = "bike-demand"


def keep(lake: InMemoryLake, kind: CheckKind, at: datetime) -> str:
    """Keep a check's report as the monitor does; return its key."""
    key = report_key(MODEL, kind, at)
    page = page_key(MODEL, at) if kind is CheckKind.DRIFT else None
    check = Check(
        model=MODEL,
        kind=kind,
        at=at,
        verdict=Verdict.OK,
        reason="fine",
        summary={"rows": 5},
        report_key=key,
        page_key=page,
    )
    lake.write_bytes(key, compact_json.dumps({**check.to_json(), "report": {"long": 1}}).encode(), "application/json")
    return key


@pytest.fixture
def lake() -> InMemoryLake:
    return InMemoryLake()


@pytest.fixture
def history(lake: InMemoryLake) -> CheckHistory:
    return CheckHistory(InMemoryConfigurations(configuration()), lake)


def query(kind: str | None = None, first: date | None = None, last: date | None = None) -> CheckQuery:
    return CheckQuery.parse(kind, first, last, NOON)


def test_checks_come_newest_first_in_pages_over_days(history: CheckHistory, lake: InMemoryLake) -> None:
    kept = [keep(lake, CheckKind.DRIFT, NOON - timedelta(hours=13 * number)) for number in range(5)]

    first = history.keys(MODEL, query(), 3)
    second = history.keys(MODEL, query(), 3, before=first[-1])

    assert first + second == kept


def test_only_checks_of_the_kind_and_days_asked_for_are_listed(history: CheckHistory, lake: InMemoryLake) -> None:
    wanted = keep(lake, CheckKind.PERFORMANCE, NOON - timedelta(days=3))
    keep(lake, CheckKind.ESTIMATE, NOON - timedelta(days=3))
    keep(lake, CheckKind.PERFORMANCE, NOON)

    asked = query("performance", date(2026, 3, 6), date(2026, 3, 8))

    assert history.keys(MODEL, asked, 10) == [wanted]


def test_check_is_shown_with_its_numbers_and_links(history: CheckHistory, lake: InMemoryLake) -> None:
    shown = history.show(keep(lake, CheckKind.DRIFT, NOON))

    assert (shown["verdict"], shown["summary"], shown["kind"]) == ("ok", {"rows": 5}, "drift")
    assert shown["report_url"].startswith("https://")
    assert ".html" in shown["page_url"]
    assert "report" not in shown


def test_check_without_a_page_has_no_link_to_one(history: CheckHistory, lake: InMemoryLake) -> None:
    assert "page_url" not in history.show(keep(lake, CheckKind.PERFORMANCE, NOON))


@pytest.mark.parametrize(
    ("kind", "first", "last", "at_fault"),
    [
        ("colour", None, None, "kind"),
        (None, date(2026, 3, 9), date(2026, 3, 8), "from"),
        (None, date(2025, 3, 9), date(2026, 3, 8), "from"),
    ],
)
def test_query_that_makes_no_sense_is_refused_by_its_path(
    kind: str | None, first: date | None, last: date | None, at_fault: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        query(kind, first, last)
    assert [fault.path for fault in refused.value.faults] == [at_fault]


def test_unknown_model_has_no_checks(lake: InMemoryLake) -> None:
    with pytest.raises(NotFound):
        CheckHistory(InMemoryConfigurations(), lake).keys(MODEL, query(), 10)
