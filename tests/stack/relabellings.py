"""Requests for the tests of relabelling on a stack."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bench.relabelling_rate import configuration, log_predictions
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.lake.object_store import PREDICTIONS, day_prefix
from local.client import StackClient
from local.job_end import wait_for_job
from tests.stack.waiting import eventually

# Days that no replay and no other test of the stack touches.
MADE = datetime(2026, 6, 1, 12, tzinfo=UTC)


NOTICED = MADE + timedelta(days=10)


def configure(client: StackClient, model: str, threshold: int, default: int, *excluded: dict[str, Any]) -> int:
    document = configuration(model, threshold)
    document["labels"] |= {"default": {"value": default, "after": "P2D"}, "excluded_sources": list(excluded)}
    revision: int = client.call("PUT", f"models/{model}", key="operator", json=document)["revision"]
    return revision


def log(client: StackClient, model: str, *names: str, at: datetime = MADE) -> None:
    """Log predictions and wait until the lake has them."""
    log_predictions(client, model, names, at)
    prefix = day_prefix(PREDICTIONS, model, at.date())
    eventually(
        lambda: (
            {row["prediction_id"] for key in client.lake.keys(prefix) for row in client.lake.read_lines(key)}
            == set(names)
        )
    )


def demand(model: str, prediction_id: str, value: int, at: datetime = MADE) -> Feedback:
    moment = at + timedelta(hours=1)
    return Feedback(
        model=model,
        prediction_id=prediction_id,
        feedback_id=f"{prediction_id}-demand",
        name="demand",
        value=value,
        occurred_at=moment,
        received_at=moment,
        source=None,
        body_digest=f"{prediction_id}-{value}",
    )


def write(client: StackClient, name: str, *events: Feedback, day: datetime = MADE) -> None:
    content = b"".join(feedback_line(event) for event in events)
    client.lake.write_bytes(f"feedback/date={day:%Y-%m-%d}/{name}.jsonl", content, "application/x-ndjson")


def labels(client: StackClient, model: str, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.call("GET", f"models/{model}/predictions/{name}", key="operator")["labels"]
    return found


def label_states(client: StackClient, model: str, name: str) -> list[tuple[Any, str, int]]:
    return [(row["value"], row["status"], row["rules_revision"]) for row in labels(client, model, name)]


def relabel(client: StackClient, model: str, at: datetime = NOTICED, **body: Any) -> dict[str, Any]:
    request = {"reason": "the threshold was wrong", "occurred_at": format_time(at), **body}
    answer: dict[str, Any] = client.call("POST", f"models/{model}/relabel", key="operator", json=request)
    return answer


def only(day: datetime) -> dict[str, str]:
    """Narrow a relabelling to one day: the other tests have left many files."""
    return {"from": f"{day:%Y-%m-%d}", "to": f"{day:%Y-%m-%d}"}


def progress(client: StackClient, model: str, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.call("GET", f"models/{model}/jobs/{job_id}", key="operator")
    return found


def finished(client: StackClient, model: str, job_id: str) -> dict[str, Any]:
    return wait_for_job(client, model, job_id, patience=120)
