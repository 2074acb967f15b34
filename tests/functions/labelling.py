"""A deployment with one model and its predictions, for the tests of the functions that label."""

import gzip
import json
from typing import Any

import boto3

from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.bootstrap import stores
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import Prediction
from hindsight.ingestion.feedback_capture import feedback_line
from tests.unit.labels.builders import DEMAND, NOON, RETENTION, configuration, event, prediction

FILE = "feedback/date=2026-03-02/hindsight-feedback-1-2026-03-02-17-00-04-6f1f4c0e.gz"
FIRST, SECOND = "2026-03-01T17", "2026-03-01T18"


def outcome(prediction_id: str, value: object, hours: float = 29) -> Feedback:
    return event("demand", value, hours=hours, prediction_id=prediction_id)  # type: ignore[arg-type]


def configure() -> None:
    stores.configurations().put(configuration(DEMAND), NOON)


def predict(*names: str, hours: float = 5) -> list[Prediction]:
    made = [prediction(name, hours=hours) for name in names]
    DynamoPredictions("predictions", boto3.client("dynamodb")).save(made, RETENTION)
    return made


def write_feedback(*lines: bytes | Feedback, key: str = FILE) -> None:
    content = b"".join(line if isinstance(line, bytes) else feedback_line(line) for line in lines)
    stores.lake().write_bytes(key, gzip.compress(content), "application/x-ndjson")


def rows(prefix: str) -> list[dict[str, Any]]:
    lake = stores.lake()
    return [row for key in lake.keys(prefix) for row in lake.read_lines(key)]


def metric(output: str, name: str, **dimensions: str | None) -> list[tuple[str | None, float]]:
    """List the model and value of each metric record of a name with these dimensions; None is one it has not."""
    records = [json.loads(line) for line in output.splitlines() if line.startswith('{"_aws"')]
    wanted = dimensions.items()
    records = [record for record in records if all(record.get(key) == value for key, value in wanted)]
    found = [(record.get("Model"), record[name]) for record in records if name in record]
    return [(model, value[0] if isinstance(value, list) else value) for model, value in found]
