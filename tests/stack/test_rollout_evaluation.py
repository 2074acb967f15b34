"""From label records in the lake to a pointer that has moved, its announcement and the back-off, on a running stack."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from sklearn.dummy import DummyClassifier

from hindsight.adapters.models_table.registry_table import DynamoRegistry
from hindsight.config.features import FeatureType
from hindsight.config.metrics import Metric, Task
from hindsight.core.times import format_time
from hindsight.lake.object_store import LABELS, day_prefix, version_prefix
from hindsight.registry.moves import AuditInfo, promote, start_rollout
from hindsight.registry.pointer import Pointer, RolloutMode
from hindsight.registry.schema import Schema
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.rollout.deployment import servable
from hindsight.training.models.artifact import artifact_digest, dump_artifact
from hindsight.training.models.scoring import LoadedVersion
from local.client import StackClient
from tests.event_schemas import require_promised
from tests.stack.waiting import eventually
from tests.unit.rollout.world import drawn, records

# Later than any replay's checks, so that no alarm here speaks of what a replay left behind.
TOOK_OVER = datetime(2027, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NOW = TOOK_OVER + 3 * DAY

Row = dict[str, Any]


def configure(client: StackClient, model: str) -> None:
    document = {
        "model": model,
        "task": "binary",
        "features": {"x": {"type": "numeric"}},
        "labels": {"rules": [{"event": "outcome", "window": "P1D"}]},
        "triggers": {"cooldown": "P1D", "min_new_labels": 0, "schedule": None, "volume": None},
        "gate": {"metric": "accuracy"},
    }
    client.call("PUT", f"models/{model}", key="operator", json=document)


def registry(client: StackClient) -> DynamoRegistry:
    return DynamoRegistry(client.stack.outputs["ModelsTable"], client.aws("dynamodb"))


def proven(client: StackClient, model: str, version: str, decision: int) -> VersionRecord:
    """A version that can be loaded, answers every question alike, and was worth 0.85 where the one before was 0.8."""
    pipeline = DummyClassifier(strategy="constant", constant=decision)
    pipeline.fit(pd.DataFrame({"x": [0.0, 1.0]}), [0, 1])
    schema = Schema(
        model=model,
        version=version,
        task=Task.BINARY,
        metric=Metric.ACCURACY,
        features={"x": FeatureType.NUMERIC},
        classes=("0", "1"),
    )
    content, key = dump_artifact(LoadedVersion(schema, pipeline)), version_prefix(model, version) + "model.skops"
    client.lake.write_bytes(key, content, "application/octet-stream")
    record = VersionRecord(
        version=version,
        created_at=TOOK_OVER,
        candidate="constant",
        decision_id=f"decision-{version}",
        dataset_id="d",
        configuration_revision=1,
        code_version="test",
        artifact_key=key,
        artifact_digest=artifact_digest(content),
        verdict=Verdict.PROMOTE,
        metrics={"accuracy": 0.85},
        compared_with="v1",
        champion_metrics={"accuracy": 0.8},
    )
    return registry(client).put_version(model, record)


def serve_two(client: StackClient, model: str) -> tuple[Pointer, VersionRecord]:
    """Configure a model, put its first version into service and make its second one."""
    configure(client, model)
    first, second = (proven(client, model, version, place) for place, version in enumerate(("v1", "v2")))
    pointer = registry(client).move_pointer(model, promote(None, servable(first), audit(TOOK_OVER - 30 * DAY)))
    return pointer, second


def audit(at: datetime) -> AuditInfo:
    return AuditInfo(reason="better", actor="pipeline", at=at, decision_id="decision-v2")


def label(client: StackClient, model: str, version: str, rights: Sequence[bool]) -> None:
    day = (TOOK_OVER + DAY).date()
    client.lake.write_lines(
        f"{day_prefix(LABELS, model, day)}{version}.jsonl.gz", records(version, rights, TOOK_OVER, hours=10)
    )


def serving(client: StackClient, model: str) -> str:
    instance = {"features": {"x": 0.5}, "occurred_at": format_time(NOW)}
    (answer,) = client.call("POST", f"models/{model}/predict", key="app", json={"instances": [instance]})["predictions"]
    return str(answer["model_version"])


def test_a_bad_champion_on_probation_is_rolled_back_and_the_next_run_waits(
    client: StackClient, announcements: Any
) -> None:
    model = "rolled-back"
    pointer, second = serve_two(client, model)
    registry(client).move_pointer(model, promote(pointer, servable(second), audit(TOOK_OVER)))
    assert serving(client, model) == "v2"
    label(client, model, "v2", drawn(120, 0.3))

    (found,) = client.run_schedule("EvaluateRollouts", NOW, model)["evaluations"]

    assert (found["subject"], found["verdict"], found["version"]) == ("probation", "roll_back", "v2")
    assert serving(client, model) == "v1"
    newest = client.call("GET", f"models/{model}/deployments", key="operator")["deployments"][0]
    assert (newest["change"], newest["from"], newest["to"], newest["actor"]) == (
        "rolled_back",
        "v2",
        "v1",
        "rollout_evaluation",
    )
    assert newest["reason"] == found["reason"]
    (announced,) = eventually(lambda: announcements(model))
    assert announced["detail-type"] == "ModelRolledBack"
    require_promised("ModelRolledBack", announced["detail"])
    assert client.run_schedule("EvaluateRollouts", NOW, model)["evaluations"] == []

    asked = {"reason": "again", "occurred_at": format_time(NOW + DAY)}
    held = client.call("POST", f"models/{model}/retrain", key="operator", json=asked)
    assert (held["triggered"], held["blocked_by"][0]["code"]) == (False, "back_off")


def test_a_canary_that_is_worse_goes_and_one_that_is_not_takes_over(client: StackClient) -> None:
    for model, accuracy, serves in (("bad-canary", 0.4, "v1"), ("good-canary", 0.82, "v2")):
        pointer, second = serve_two(client, model)
        rollout = start_rollout(pointer, servable(second), RolloutMode.CANARY, 0.1, audit(TOOK_OVER))
        registry(client).move_pointer(model, rollout)
        label(client, model, "v2", drawn(1_000, accuracy))
        label(client, model, "v1", drawn(9_000, 0.8, seed=2))
        held = client.call("POST", f"models/{model}/retrain", key="operator", json={"reason": "now"})
        assert held["blocked_by"][0]["code"] == "undecided_rollout"

        (found,) = client.run_schedule("EvaluateRollouts", NOW, model)["evaluations"]

        assert found["subject"] == "rollout"
        now_serving = registry(client).pointer(model)
        assert now_serving is not None
        assert (now_serving.champion, now_serving.rollout) == (serves, None)
        assert (now_serving.probation is not None) == (serves == "v2")
