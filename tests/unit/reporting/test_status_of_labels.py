"""The labels that wait, and the feedback that came, as the status of a model counts them."""

from datetime import timedelta

import pytest

from hindsight.core.errors import NotFound
from hindsight.labels.joining.effects import EffectCounts, FeedbackEffect
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.reporting import model_reports
from hindsight.reporting.model_reports import ModelReports
from hindsight.testing.predictions.effects import InMemoryEffects
from hindsight.testing.predictions.label_store import InMemoryLabels
from tests.unit.labels.builders import MODEL, NOON, NOTHING_JOINED, RETENTION, event, prediction
from tests.unit.labels.joining import Bench
from tests.unit.reporting.test_status import effects, labels, reports, tasks

__all__ = ["effects", "labels", "reports", "tasks"]


def test_join_health_shows_waiting_labels_and_the_counts_of_the_newest_check(
    reports: ModelReports, labels: InMemoryLabels
) -> None:
    before = reports.status(MODEL, NOON)["join_health"]
    assert before == NOTHING_JOINED
    for name, hours in (("p-1", 3), ("p-2", 1), ("p-3", -100)):
        labels.save(prediction(name, hours=hours), RETENTION)
    counted = {"predictions": 40, "by_status": {"final": 30, "pending": 10}}
    check = Check(model=MODEL, kind=CheckKind.JOIN_HEALTH, at=NOON, verdict=Verdict.OK, reason="", summary=counted)
    reports.checks.put(check)

    health = reports.status(MODEL, NOON)["join_health"]

    assert (health["awaiting"], health["overdue"], health["next_due_at"]) == (2, 1, "2026-03-03T13:00:00.000000Z")
    assert health["window"] == {"at": "2026-03-01T12:00:00.000000Z", **counted}


def test_join_health_counts_the_feedback_of_a_day_by_the_cause_for_which_it_changes_nothing(
    reports: ModelReports, effects: InMemoryEffects
) -> None:
    counts = EffectCounts()
    counts.add(event("demand", 5), FeedbackEffect.COUNTED, 3)
    counts.add(event("demand", 5), FeedbackEffect.UNKNOWN_PREDICTION, 2)
    effects.add(counts)
    assert reports.status(MODEL, NOON + timedelta(hours=2))["join_health"]["feedback"] == {
        "since": "2026-02-28T15:00:00.000000Z",
        "events": 5,
        "without_effect": 2,
        "by_cause": {"unknown_prediction": 2},
    }


def test_prediction_that_was_never_logged_is_unknown_with_the_feedback_that_waits_for_it(
    reports: ModelReports, labels: InMemoryLabels
) -> None:
    bench = Bench()
    bench.joiner.join([event("demand", 5), event("demand", 6, hours=2)])
    labels.collections.update(bench.store.collections)
    with pytest.raises(NotFound, match=r"has no prediction 'p-1'; events that wait for it: 2$"):
        reports.prediction(MODEL, "p-1")
    with pytest.raises(NotFound, match=r"has no prediction 'p-2'$"):
        reports.prediction(MODEL, "p-2")


@pytest.mark.parametrize(("overdue", "shown"), [(0, (0, False)), (3, (3, False)), (4, (4, True)), (9, (4, True))])
def test_a_backlog_is_counted_up_to_a_limit(
    monkeypatch: pytest.MonkeyPatch,
    reports: ModelReports,
    labels: InMemoryLabels,
    overdue: int,
    shown: tuple[int, bool],
) -> None:
    monkeypatch.setattr(model_reports, "MAX_OVERDUE", 4)
    for number in range(overdue):
        labels.save(prediction(f"p-{number}"), RETENTION)
    labels.save(prediction("not due yet", hours=1000), RETENTION)

    backlog = reports.status(MODEL, NOON + timedelta(days=3))["join_health"]

    assert (backlog["overdue"], backlog["overdue_capped"]) == shown
