"""The labels of a first version, as the status of a model counts them."""

from datetime import timedelta

from hindsight.core.times import format_time
from hindsight.labels.archiving.new_label_counts import NewLabel
from hindsight.reporting.model_reports import ModelReports
from hindsight.testing.builders.pointers import promoted
from tests.unit.labels.builders import MODEL, NOON
from tests.unit.reporting.test_status import effects, labels, reports, tasks

__all__ = ["effects", "labels", "reports", "tasks"]


def test_labels_of_a_first_version_are_counted_until_one_serves(reports: ModelReports) -> None:
    for number in range(5):
        at = NOON + timedelta(days=number - 1)
        reports.new_labels.note([NewLabel(MODEL, f"p{number}", NOON, at)])
    status = reports.status(MODEL, NOON)
    assert status["first_version"] == {
        "labels_due": 2,
        "labels_needed": 200,
        "labels_not_due": 3,
        "next_due_at": format_time(NOON + timedelta(days=1)),
    }
    reports.registry.move_pointer(MODEL, promoted("v1", NOON))
    assert reports.status(MODEL, NOON)["first_version"] is None
