import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from functions.join_labels.app import handler
from hindsight.bootstrap import stores
from hindsight.labels.joining import feedback_files
from tests.functions.conftest import Context
from tests.functions.labelling import FILE, FIRST, SECOND, configure, metric, outcome, predict, rows, write_feedback
from tests.unit.labels.builders import MODEL, key

pytestmark = pytest.mark.usefixtures("deployed")
Sample = Callable[[str], dict[str, Any]]


def label_values(*names: str) -> list[object]:
    return [
        found.labels[-1].label.value if found.labels else None
        for found in stores.label_store().load([key(name) for name in names])
    ]


def test_the_sample_joins_its_file_and_lets_the_test_event_pass(
    sample: Sample, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    predict(FIRST, SECOND)
    write_feedback(outcome(FIRST, 150), b"not json\n", outcome(SECOND, 50))

    answer = handler(sample("join_labels"), context)

    assert answer == {"batchItemFailures": []}
    assert label_values(FIRST, SECOND) == [1, 0]
    assert [row["line"] for row in rows("quarantine/")] == [2]
    output = capsys.readouterr().out
    assert (MODEL, 2) in metric(output, "FeedbackJoined")
    assert metric(output, "FeedbackQuarantined", Reason="malformed") == [("_unreadable", 1)]
    assert sum(value for model, value in metric(output, "FeedbackQuarantined", Reason=None) if model) == 1
    assert metric(output, "FeedbackQuarantined", Model=None, Reason=None) == [(None, 1)]


def test_the_same_batch_again_changes_nothing(sample: Sample, context: Context) -> None:
    configure()
    predict(FIRST)
    write_feedback(outcome(FIRST, 150))
    handler(sample("join_labels"), context)
    before = stores.label_store().load([key(FIRST)])

    handler(sample("join_labels"), context)

    assert stores.label_store().load([key(FIRST)]) == before


def test_a_file_that_is_missing_fails_alone(sample: Sample, context: Context) -> None:
    configure()
    predict(FIRST)
    write_feedback(outcome(FIRST, 150))
    event = sample("join_labels")
    lost = copy.deepcopy(event["Records"][0])
    lost["messageId"], lost["body"] = "lost", lost["body"].replace("6f1f4c0e", "gone")
    event["Records"] = [lost, *event["Records"]]

    answer = handler(event, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "lost"}]}
    assert label_values(FIRST) == [1]


def test_a_batch_of_failures_only_is_a_partial_failure_too(sample: Sample, context: Context) -> None:
    event = sample("join_labels")
    event["Records"] = event["Records"][:1]

    answer = handler(event, context)

    assert len(answer["batchItemFailures"]) == 1


def test_a_key_outside_the_feedback_is_left_alone(sample: Sample, context: Context) -> None:
    event = sample("join_labels")
    body = json.loads(event["Records"][0]["body"])
    body["Records"][0]["s3"]["object"]["key"] = "feedback/errors/date%3D2026-03-02/x"
    event["Records"][0]["body"] = json.dumps(body)

    assert handler(event, context) == {"batchItemFailures": []}


def test_neither_features_nor_values_are_logged(
    sample: Sample, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    predict(FIRST)
    write_feedback(outcome(FIRST, 987654), b'{"secret": "hunter2"}\n', key=FILE)

    handler(sample("join_labels"), context)

    output = "".join(capsys.readouterr())
    assert "987654" not in output
    assert "hunter2" not in output


@dataclass(frozen=True)
class Hurried(Context):
    def get_remaining_time_in_millis(self) -> int:
        return 1


def test_file_that_outlasts_a_run_is_joined_by_the_next_ones(
    sample: Sample, sent: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback_files, "CHUNK_LINES", 2)
    configure()
    predict(FIRST, SECOND)
    write_feedback(outcome(FIRST, 150), b"not json\n", b"\n", outcome(SECOND, 50), outcome(FIRST, 40))
    event = sample("join_labels")
    event["Records"] = event["Records"][:1]

    assert handler(event, Hurried()) == {"batchItemFailures": []}
    assert label_values(FIRST, SECOND) == [1, None]
    [message] = sent()
    event["Records"][0]["body"] = message
    assert handler(event, Hurried()) == {"batchItemFailures": []}
    assert sent() == []
    assert label_values(FIRST, SECOND) == [0, 0]
    assert len(rows("quarantine/")) == 1
