import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from functions.import_files.app import RESERVED_MILLISECONDS, handler
from hindsight.bootstrap import stores
from hindsight.core.jobs import JobKind
from hindsight.ingestion import import_files
from tests.functions.conftest import Context
from tests.functions.labelling import configure, metric, rows
from tests.ports import forget_ports
from tests.unit.labels.builders import MODEL, key

pytestmark = pytest.mark.usefixtures("feedback_stream")
Sample = Callable[[str], dict[str, Any]]
FILE = f"imports/model={MODEL}/predictions/2025.jsonl.gz"
FEEDBACK = f"imports/model={MODEL}/feedback/2025.jsonl"


@dataclass(frozen=True)
class ShortOfTime(Context):
    """An invocation that is nearly over."""

    def get_remaining_time_in_millis(self) -> int:
        return RESERVED_MILLISECONDS - 1


def upload(file: str, *lines: object) -> None:
    content = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    stores.lake().write_bytes(file, gzip.compress(content) if file.endswith(".gz") else content, "text/plain")


def line(name: str, **changes: Any) -> dict[str, Any]:
    item = {"features": {"hour": 7, "temperature": 0.3}, "score": 0.7, "model_version": "old"}
    return {**item, "prediction_id": name, "occurred_at": "2025-03-01T12:00:00Z", **changes}


def of_file(event: dict[str, Any], file: str) -> dict[str, Any]:
    body = json.loads(event["Records"][0]["body"])
    body["Records"][0]["s3"]["object"]["key"] = file
    return {"Records": [{**event["Records"][0], "body": json.dumps(body)}]}


def test_the_sample_imports_its_file_and_lets_the_test_event_pass(
    sample: Sample, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    upload(FILE, line("p-1"), line("secret", score=7), line("p-2"), b"hunter2")

    answer = handler(sample("import_files"), context)

    assert answer == {"batchItemFailures": []}
    wanted = [key("p-1"), key("p-2")]
    assert set(stores.label_store().predictions(wanted)) == set(wanted)
    assert sorted((row["line"], row["code"]) for row in rows("quarantine/")) == [(2, "invalid"), (4, "malformed")]
    output = "".join(capsys.readouterr())
    assert (MODEL, 2) in metric(output, "LinesImported", Kind="prediction")
    assert (MODEL, 2) in metric(output, "LinesRefused", Kind="prediction")
    assert "hunter2" not in output
    assert "secret" not in output


def test_the_same_message_again_changes_nothing(sample: Sample, context: Context) -> None:
    configure()
    upload(FILE, line("p-1"), line("p-2", score=7))
    handler(sample("import_files"), context)
    before = rows("quarantine/")

    handler(sample("import_files"), context)

    (job,) = stores.job_store().newest(MODEL, JobKind.IMPORT, 10)
    assert (job.is_over, job.counts) == (True, {"accepted": 1, "rejected": 1})
    assert rows("quarantine/") == before


def test_feedback_goes_to_the_stream_dated_as_it_says(
    sample: Sample, context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    event = {"feedback_id": "f-1", "prediction_id": "p-1", "name": "demand", "value": 150}
    upload(FEEDBACK, {**event, "occurred_at": "2025-03-02T00:00:00Z"}, {**event, "name": "colour"})

    handler(of_file(sample("import_files"), FEEDBACK), context)

    assert [row["received_at"] for row in rows("feedback/")] == ["2025-03-02T00:00:00.000000Z"]
    assert metric(capsys.readouterr().out, "FeedbackQuarantined", Reason="invalid") == [(MODEL, 1)]


def test_a_file_that_outlasts_the_time_goes_on_with_the_next_message(
    sample: Sample, sent: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_files, "CHUNK_LINES", 2)
    configure()
    upload(FILE, *(line(f"p-{number}") for number in range(5)))
    event = of_file(sample("import_files"), FILE.replace("=", "%3D"))
    body = event["Records"][0]["body"]

    messages = []
    for _ in range(3):
        assert handler(event, ShortOfTime()) == {"batchItemFailures": []}
        messages.append(sent())

    assert messages == [[body], [body], []]
    (job,) = stores.job_store().newest(MODEL, JobKind.IMPORT, 10)
    assert (job.is_over, job.counts) == (True, {"accepted": 5})


def test_failed_message_is_delivered_again(sample: Sample, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    configure()
    upload(FEEDBACK, {"feedback_id": "f-1", "prediction_id": "p-1", "name": "demand", "value": 150})
    monkeypatch.setenv("FEEDBACK_STREAM", "elsewhere")
    forget_ports()

    answer = handler(of_file(sample("import_files"), FEEDBACK), context)

    assert len(answer["batchItemFailures"]) == 1


def test_a_folder_is_no_file(sample: Sample, context: Context) -> None:
    folder = f"imports/model={MODEL}/feedback/"

    assert handler(of_file(sample("import_files"), folder), context) == {"batchItemFailures": []}
    assert rows("quarantine/") == []
