from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from functions.close_windows.app import handler
from hindsight.bootstrap import fan_out, labelling, stores
from hindsight.entities.label import LabelStatus
from hindsight.labels.joining.window_closing import SWEEPS
from tests.functions.conftest import Context, FannedOut
from tests.functions.labelling import FIRST, SECOND, configure, outcome, predict, rows, write_feedback
from tests.unit.labels.builders import at, key

pytestmark = pytest.mark.usefixtures("deployed")
Sample = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class Hurried(Context):
    def get_remaining_time_in_millis(self) -> int:
        return 1


def test_the_sample_closes_the_windows_that_are_due(sample: Sample, context: Context) -> None:
    configure()
    predict(FIRST)
    predict(SECOND, hours=6)

    answer = handler(sample("close_windows"), context)

    first, second = stores.label_store().load([key(FIRST), key(SECOND)])
    assert answer == {"examined": 1, "is_complete": True}
    assert [(found.label.status, found.known_at) for found in first.labels] == [(LabelStatus.CENSORED, at(53))]
    assert second.labels == ()


def test_out_of_time_nothing_is_begun(sample: Sample) -> None:
    configure()
    predict(FIRST)

    assert handler(sample("close_windows"), Hurried()) == {"examined": 0, "is_complete": False}


def test_feedback_without_its_prediction_is_quarantined_at_the_limit(sample: Sample, context: Context) -> None:
    configure()
    write_feedback(outcome("nowhere", 150), key="feedback/date=2026-03-02/early")
    labelling.feedback_files().join("feedback/date=2026-03-02/early")

    handler(sample("close_windows"), context)
    assert rows("quarantine/") == []
    handler({**sample("close_windows"), "time": "2026-03-09T17:00:00Z"}, context)

    assert [(row["code"], row["event"]["prediction_id"]) for row in rows("quarantine/")] == [("unmatched", "nowhere")]


def test_model_of_which_much_is_due_is_shared_out_and_each_share_is_closed(
    fanned_out: FannedOut, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hindsight.labels.joining.window_closing.MUCH_DUE", 20)
    monkeypatch.setattr(fan_out, "invocations", lambda _name: fanned_out.invocations)
    configure()
    predict(*(f"p-{number}" for number in range(20)))

    assert handler(sample("close_windows"), fanned_out.context) == {"examined": 0, "is_complete": False}
    assert [payload["detail"]["share"] for payload in fanned_out.invocations.payloads] == list(range(SWEEPS))
    answers, failures = fanned_out.invocations.make(lambda payload: handler(payload, fanned_out.context))

    assert not failures
    assert sum(answer["examined"] for answer in answers) == 20
    assert all(found.labels for found in stores.label_store().load([key(f"p-{number}") for number in range(20)]))
