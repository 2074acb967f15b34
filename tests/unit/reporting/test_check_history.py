from datetime import UTC, datetime, timedelta

import pytest

from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput, NotFound
from hindsight.monitoring.results.check import Check, CheckKind, Verdict, page_key, report_key
from hindsight.reporting.check_history import CheckHistory, CheckQuery
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.models.check_store import InMemoryChecks
from hindsight.testing.models.configurations import InMemoryConfigurations

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MODEL = "bike-demand"


def keep(lake: InMemoryLake, kind: CheckKind, at: datetime, version: str | None = None) -> str:
    """Keep a check's report as the monitor does; return its key."""
    key = report_key(MODEL, kind, at, version)
    page = page_key(MODEL, at, version) if kind is CheckKind.DRIFT else None
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
    lake.write_bytes(key, compact_json.dumps({**check.to_plain(), "report": {"long": 1}}).encode(), "application/json")
    return key


@pytest.fixture
def lake() -> InMemoryLake:
    return InMemoryLake()


@pytest.fixture
def history(lake: InMemoryLake) -> CheckHistory:
    checks = InMemoryChecks()
    checks.put(Check(model=MODEL, kind=CheckKind.ESTIMATE, at=NOON, verdict=Verdict.OK, reason="fine"))
    return CheckHistory(InMemoryConfigurations(configuration()), checks, lake)


def test_checks_come_newest_first_in_pages_over_days(history: CheckHistory, lake: InMemoryLake) -> None:
    kept = [keep(lake, CheckKind.DRIFT, NOON - timedelta(hours=13 * number)) for number in range(5)]

    first = history.keys(MODEL, CheckQuery(), 3)
    second = history.keys(MODEL, CheckQuery(), 3, before=first[-1])

    assert first + second == kept


def test_checks_of_one_version_are_listed(history: CheckHistory, lake: InMemoryLake) -> None:
    kept = [keep(lake, kind, NOON, "v/2 é") for kind in (CheckKind.PERFORMANCE, CheckKind.DRIFT)]
    others = [keep(lake, CheckKind.DRIFT, NOON, "v1"), keep(lake, CheckKind.JOIN_HEALTH, NOON)]
    assert history.keys(MODEL, CheckQuery.parse(version="v/2 é"), 10) == kept
    assert history.keys(MODEL, CheckQuery.parse(kind="drift", version="v/2 é"), 10) == kept[1:]
    assert sorted(history.keys(MODEL, CheckQuery(), 10)) == sorted([*kept, *others])
    with pytest.raises(InvalidInput):
        CheckQuery.parse(version=" v1")


def test_only_checks_of_the_kind_and_days_asked_for_are_listed(history: CheckHistory, lake: InMemoryLake) -> None:
    wanted = keep(lake, CheckKind.PERFORMANCE, NOON - timedelta(days=3))
    keep(lake, CheckKind.ESTIMATE, NOON - timedelta(days=3))
    keep(lake, CheckKind.PERFORMANCE, NOON)

    asked = CheckQuery.parse("performance", "2026-03-06", "2026-03-08")

    assert history.keys(MODEL, asked, 10) == [wanted]


def test_check_is_shown_with_its_numbers_and_links(history: CheckHistory, lake: InMemoryLake) -> None:
    shown = history.show(keep(lake, CheckKind.DRIFT, NOON))

    assert shown is not None
    assert (shown["verdict"], shown["summary"], shown["kind"]) == ("ok", {"rows": 5}, "drift")
    assert shown["report_url"].startswith("https://")
    assert ".html" in shown["page_url"]
    assert "report" not in shown


def test_check_without_a_page_has_no_link_to_one(history: CheckHistory, lake: InMemoryLake) -> None:
    assert "page_url" not in (history.show(keep(lake, CheckKind.PERFORMANCE, NOON)) or {"page_url": ""})


def test_check_that_expired_since_it_was_listed_is_left_out(history: CheckHistory, lake: InMemoryLake) -> None:
    key = keep(lake, CheckKind.PERFORMANCE, NOON)
    lake.delete(key)
    assert history.show(key) is None


def test_moments_bound_the_checks_within_a_day(history: CheckHistory, lake: InMemoryLake) -> None:
    kept = [keep(lake, CheckKind.DRIFT, NOON - timedelta(hours=number)) for number in range(5)]

    asked = CheckQuery.parse(None, "2026-03-10T10:00:00+01:00", "2026-03-10T11:00:00Z")

    assert history.keys(MODEL, asked, 10) == kept[1:4]


def test_model_without_a_check_has_no_history(lake: InMemoryLake) -> None:
    history = CheckHistory(InMemoryConfigurations(configuration()), InMemoryChecks(), lake)
    assert history.keys(MODEL, CheckQuery(), 10) == []


def test_span_that_reaches_too_far_back_from_the_newest_check_is_refused(history: CheckHistory) -> None:
    with pytest.raises(InvalidInput) as refused:
        history.keys(MODEL, CheckQuery.parse(None, "2025-03-10"), 10)
    assert [fault.path for fault in refused.value.faults] == ["from"]


@pytest.mark.parametrize(
    ("kind", "first", "last", "at_fault"),
    [
        ("colour", None, None, "kind"),
        (None, "2026-03-09", "2026-03-08", "from"),
        (None, "2025-03-09", "2026-03-08", "from"),
        (None, "2026-02-30", None, "from"),
        (None, "2026-03-08T12:00:00", None, "from"),
        (None, None, "yesterday", "to"),
        (None, None, "", "to"),
    ],
)
def test_query_that_makes_no_sense_is_refused_by_its_path(
    kind: str | None, first: str | None, last: str | None, at_fault: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        CheckQuery.parse(kind, first, last)
    assert [fault.path for fault in refused.value.faults] == [at_fault]


def test_unknown_model_has_no_checks(lake: InMemoryLake) -> None:
    with pytest.raises(NotFound):
        CheckHistory(InMemoryConfigurations(), InMemoryChecks(), lake).keys(MODEL, CheckQuery(), 10)


def test_newest_check_of_each_kind_and_version_a_day_is_listed_where_asked_for(
    history: CheckHistory, lake: InMemoryLake
) -> None:
    newest = keep(lake, CheckKind.DRIFT, NOON)
    keep(lake, CheckKind.DRIFT, NOON - timedelta(hours=1))
    beside = keep(lake, CheckKind.DRIFT, NOON - timedelta(hours=2), "v1")
    other = keep(lake, CheckKind.PERFORMANCE, NOON - timedelta(hours=3))
    before = keep(lake, CheckKind.DRIFT, NOON - timedelta(days=1))
    assert history.keys(MODEL, CheckQuery(daily=True), 10) == [newest, beside, other, before]
    assert history.keys(MODEL, CheckQuery(daily=True), 10, before=newest) == [beside, other, before]
