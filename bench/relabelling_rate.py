"""The raw files a second that a relabelling works through, on a deployed stack and with its own functions.

The files are small, as those of a quiet stream are: what a file costs beyond its lines is what is measured. Batches are
handed out as the Distributed Map of the state machine does, so many files each and so many at once; embedded AWSs give
each file a separate child, which would measure their machine instead.
"""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from hindsight.adapters.jobs_table.relabel_table import DynamoRelabels
from hindsight.adapters.models_table.configuration_table import DynamoConfigurations
from hindsight.core.jobs import JobKind, JobStatus, name_job
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.relabelling.batches import files_per_batch
from hindsight.labels.relabelling.job import RelabelJob, run_input
from local.client import CallFailed, StackClient

MODEL = "relabelled"
AT_ONCE = 10
PAGE = 100


def measure(client: StackClient, *, made: datetime, files: int = 1000, events: int = 2) -> dict[str, Any]:
    """Relabel a model from so many files of so many events, made at a time no other model uses; return the figures.

    ``lost`` and ``doubled`` compare what the relabelling counted, and the labels that are there, with what was sent.
    """
    _configure(client, threshold=100)
    names = [f"p-{number}" for number in range(files)]
    log_predictions(client, MODEL, names, made)
    _write(client, names, made, events)
    _wait_until_joined(client, names)
    _configure(client, threshold=50)
    job = _begin(client, made)
    keys = [f"feedback/date={made:%Y-%m-%d}/rate-{name}" for name in names]
    size = files_per_batch(len(keys), len(keys), AT_ONCE)
    batches = [keys[start : start + size] for start in range(0, len(keys), size)]

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda batch: _work_off(client, job, batch), batches))
    seconds = time.perf_counter() - began

    finalize = {**run_input(job), "step": "finalize", "at": format_time(job.known_at)}
    ended = _invoke(client, "CoordinateRelabelling", finalize)
    done = ended["result"]
    return {
        "relabelling_files_per_second": round(files / seconds, 1),
        "relabelling_seconds": round(seconds, 2),
        "relabelling_files": files,
        "relabelling_events": files * events,
        "relabelling_status": ended["status"],
        "lost": max(0, files * events - done["events"]),
        "doubled": max(0, done["events"] - files * events) + max(0, done["labels_changed"] - files),
        "missing": sum(value != 1 for value in _labels(client, names)),
    }


def configuration(model: str, threshold: int) -> dict[str, Any]:
    """Build the configuration of a model of one feature, with labels by one threshold."""
    rule = {
        "event": "demand",
        "kind": "outcome",
        "window": "P1D",
        "aggregate": "last",
        "positive": {"greater_than": threshold},
    }
    return {
        "model": model,
        "task": "binary",
        "features": {"hour": {"type": "numeric"}},
        "labels": {"rules": [rule]},
    }


def log_predictions(client: StackClient, model: str, names: Sequence[str], made: datetime) -> None:
    """Log equal predictions of that model, all made at one moment."""
    for start in range(0, len(names), PAGE):
        rows = [
            {
                "prediction_id": name,
                "features": {"hour": 17},
                "score": 0.5,
                "model_version": "elsewhere",
                "occurred_at": format_time(made),
            }
            for name in names[start : start + PAGE]
        ]
        client.call("POST", f"models/{model}/predictions", key="app", json={"predictions": rows})


def _configure(client: StackClient, threshold: int) -> None:
    client.call("PUT", f"models/{MODEL}", key="operator", json=configuration(MODEL, threshold))


def _write(client: StackClient, names: list[str], made: datetime, events: int) -> None:
    lake = client.lake
    for name in names:
        content = b"".join(map(feedback_line, _events(name, made, events)))
        lake.write_bytes(f"feedback/date={made:%Y-%m-%d}/rate-{name}", content, "application/x-ndjson")


def _events(name: str, made: datetime, count: int) -> Iterator[Feedback]:
    for number in range(count):
        moment = made + timedelta(minutes=number + 1)
        yield Feedback(
            model=MODEL,
            prediction_id=name,
            feedback_id=f"{name}-{number}",
            name="demand",
            value=75,
            occurred_at=moment,
            received_at=moment,
            source=None,
            body_digest=f"{name}-{number}",
        )


def _wait_until_joined(client: StackClient, names: list[str], patience_seconds: float = 600) -> None:
    deadline = time.monotonic() + patience_seconds
    while any(value is None for value in _labels(client, names)):
        if time.monotonic() > deadline:
            raise CallFailed("the files were not joined in time")
        time.sleep(1)


def _labels(client: StackClient, names: list[str]) -> Iterator[int | None]:
    """Read the newest label of each prediction, as its head shows it."""
    table, dynamodb = client.stack.outputs["PredictionsTable"], client.aws("dynamodb")
    for start in range(0, len(names), PAGE):
        keys = [{"pk": {"S": f"{MODEL}#{name}"}, "sk": {"S": "prediction"}} for name in names[start : start + PAGE]]
        found = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
        for item in found["Responses"][table]:
            yield int(item["label_value"]["S"]) if "label_value" in item else None


def _begin(client: StackClient, made: datetime) -> RelabelJob:
    """Record a relabelling as its request does, without the machine that would work it off."""
    table, dynamodb = client.stack.outputs["ModelsTable"], client.aws("dynamodb")
    known_at = made + timedelta(days=10)
    job = RelabelJob(
        model=MODEL,
        job_id=name_job(JobKind.RELABELLING, known_at, "rate"),
        reason="how fast it is",
        rules_revision=DynamoConfigurations(table, dynamodb).current(MODEL).revision,
        known_at=known_at,
        started_at=known_at,
        first_day=made.date(),
        last_day=made.date(),
    )
    if not DynamoRelabels(table, dynamodb).begin(job, None):
        raise CallFailed("another relabelling is open")
    return job


def _work_off(client: StackClient, job: RelabelJob, keys: list[str]) -> None:
    event = {"model": job.model, "job_id": job.job_id, "attempt": job.attempt, "keys": keys}
    while not (event := _invoke(client, "RelabelFiles", event))["is_done"]:
        pass


def _invoke(client: StackClient, function: str, event: dict[str, Any]) -> dict[str, Any]:
    answer = client.aws("lambda").invoke(
        FunctionName=client.stack.outputs[f"{function}Function"], Payload=json.dumps(event).encode()
    )
    payload = answer["Payload"].read()
    if "FunctionError" in answer:
        raise CallFailed(f"{function} failed: {payload.decode()[:2000]}")
    found: dict[str, Any] = json.loads(payload)
    return found


def is_sound(figures: dict[str, Any]) -> bool:
    """Check that everything was relabelled once."""
    faults = figures["lost"] + figures["doubled"] + figures["missing"]
    return bool(figures["relabelling_status"] == JobStatus.COMPLETED and not faults)
