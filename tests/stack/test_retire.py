"""A model is retired: it takes nothing new, and what is kept stays readable, or is erased."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.adapters.models_table.trigger_table import DynamoTriggers
from hindsight.core.times import format_time
from hindsight.testing.builders.configuration import document
from hindsight.triggers.decision import Decision
from hindsight.triggers.inputs import Cause
from hindsight.triggers.state import OpenRun, TriggerState
from local.client import CallFailed, StackClient
from local.job_end import wait_for_job
from tests.stack.waiting import eventually

MODEL = "retired"
ERASED, OTHER = "leaving", "leaving-2"
NOW = datetime(2029, 3, 1, 12, tzinfo=UTC)
LATER = format_time(NOW + timedelta(hours=1))
ITEM = {"features": {"hour": "7"}, "score": 0.5, "model_version": "v1", "occurred_at": format_time(NOW)}


def configure(client: StackClient, model: str) -> Any:
    return client.call("PUT", f"models/{model}", key="operator", json={**document(), "model": model})


def log(client: StackClient, model: str, name: str) -> Any:
    item = {**ITEM, "prediction_id": name}
    return client.call("POST", f"models/{model}/predictions", key="app", json={"predictions": [item]})


def begin_run(client: StackClient, model: str) -> None:
    """Give a model a run that holds its lock, as one does that waits for a person."""
    run = OpenRun(
        decision_id="waiting", fencing_token=1, started_at=NOW, lease_expires_at=NOW + timedelta(days=1), reason="asked"
    )
    decision = Decision(
        decision_id="waiting",
        model=model,
        at=NOW,
        cause=Cause.MANUAL,
        reason="asked",
        signals=(),
        blocked_by=(),
        explanation="Retrains.",
    )
    triggers = DynamoTriggers(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))
    assert triggers.record(decision, TriggerState(model=model, version=1, open_run=run), 0)


def models(client: StackClient) -> Iterator[dict[str, Any]]:
    """Walk the list of all models: other tests' are on the stack too."""
    token = ""
    while True:
        page = client.call("GET", f"models?limit=50{token}", key="operator")
        yield from page["models"]
        if "next_token" not in page:
            return
        token = f"&next_token={page['next_token']}"


def test_retired_model_takes_nothing_new_and_comes_back(client: StackClient) -> None:
    configure(client, MODEL)
    log(client, MODEL, "before")
    begin_run(client, MODEL)

    asked = {"reason": "replaced", "occurred_at": format_time(NOW)}
    retired = client.call("DELETE", f"models/{MODEL}", key="operator", json=asked)

    assert (retired["state"], retired["reason"], retired["at"]) == ("retired", "replaced", format_time(NOW))
    events = {"events": [{"feedback_id": "f-1", "prediction_id": "before", "name": "demand", "value": 1}]}
    for path, body in (
        ("predictions", {"predictions": [{**ITEM, "prediction_id": "after"}]}),
        ("feedback", events),
        ("predict", {"instances": [{"features": {"hour": "7"}}]}),
    ):
        with pytest.raises(CallFailed, match=r"409.*retired"):
            client.call("POST", f"models/{MODEL}/{path}", key="app", json=body)
    assert client.call("GET", f"models/{MODEL}", key="operator")["state"] == "retired"
    assert client.call("GET", f"models/{MODEL}/predictions/before", key="operator")["prediction"]["score"] == 0.5
    assert [one["state"] for one in models(client) if one["model"] == MODEL] == ["retired"]

    effects = [effect["code"] for effect in configure(client, MODEL)["effects"]]
    assert effects == ["back_in_service"]
    assert log(client, MODEL, "after")["accepted"] == ["after"]


def kept(client: StackClient, model: str) -> set[str]:
    """Find the items of a model, all versions and marks of its objects, and raw feedback that names it."""
    found, s3, bucket = set[str](), client.aws("s3"), client.stack.outputs["LakeBucket"]
    for table in ("PredictionsTable", "ModelsTable"):
        for page in client.aws("dynamodb").get_paginator("scan").paginate(TableName=client.stack.outputs[table]):
            keys = [(item["pk"]["S"], item["sk"]["S"]) for item in page["Items"]]
            found |= {f"{pk} {sk}" for pk, sk in keys if model in {pk.split("#")[0], sk}}
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            found |= {version["Key"]} if f"/model={model}/" in version["Key"] else set()
    for key in client.lake.keys("feedback/"):
        lines = client.lake.read_raw_lines(key)
        found |= {key.removesuffix(".erased")} if any(f'"{model}"'.encode() in line for line in lines) else set()
    return found


def use(client: StackClient, model: str) -> None:
    configure(client, model)
    log(client, model, "p-1")
    events = [
        {"feedback_id": f"f-{value}", "prediction_id": "p-1", "name": "demand", "value": value, "occurred_at": LATER}
        for value in (200, "many")
    ]
    client.call("POST", f"models/{model}/feedback", key="app", json={"events": events})
    for kind in ("checks", "training-jobs", "models"):
        for content in (b"before", b"after"):
            client.lake.write_bytes(f"{kind}/model={model}/date=2029-03-01/x.json", content, "application/json")
    for kind in ("predictions", "labels", "quarantine"):
        eventually(lambda kind=kind: list(client.lake.keys(f"{kind}/model={model}/")))  # type: ignore[misc]


def test_erased_model_leaves_its_record_and_the_job_and_others_stay(client: StackClient) -> None:
    for model in (ERASED, OTHER):
        use(client, model)
    before = kept(client, OTHER)
    assert len(kept(client, ERASED)) > 10

    asked = client.call("DELETE", f"models/{ERASED}?erase=true", key="operator", json={"reason": "the end"})
    job = wait_for_job(client, ERASED, asked["job_id"], patience=180)

    assert (job["status"], job["request"]["scope"]) == ("completed", "model")
    assert kept(client, ERASED) == {f"{ERASED} configuration", f"{ERASED} job#{asked['job_id']}"}
    assert before <= kept(client, OTHER)
    assert client.call("GET", f"models/{ERASED}", key="operator")["state"] == "erased"
    assert ERASED not in [one["model"] for one in models(client)]
    with pytest.raises(CallFailed, match=r"409.*retired"):
        log(client, ERASED, "late")

    assert configure(client, ERASED)["effects"] == []
    assert log(client, ERASED, "p-1")["accepted"] == ["p-1"]
