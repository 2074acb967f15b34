from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.evaluate_rollouts.app import handler
from hindsight.bootstrap import stores
from hindsight.registry.moves import AuditInfo, promote, start_rollout
from hindsight.registry.pointer import Change, Pointer, RolloutMode
from hindsight.rollout.deployment import servable
from tests.functions.conftest import Context
from tests.functions.served import serve_version
from tests.unit.rollout.world import DAY, MODEL, NEW, OLD, drawn, put, records, rules

Sample = Callable[[str], dict[str, Any]]

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)  # the sample's
TOOK_OVER = NOW - 3 * DAY


@pytest.fixture
def champion(deployed: None) -> Pointer:
    """Two versions that can be loaded, of which the older one serves."""
    stores.configurations().put(rules(), NOW - 60 * DAY)
    registry = stores.registry()
    trained = registry.version(MODEL, serve_version(1))
    boto3.client("dynamodb").delete_item(TableName="models", Key={"pk": {"S": MODEL}, "sk": {"S": "pointer"}})
    boto3.client("dynamodb").delete_item(
        TableName="models", Key={"pk": {"S": MODEL}, "sk": {"S": "deployment#00000001"}}
    )
    for name in (OLD, NEW):
        proved: dict[str, Any] = {
            "metrics": {"accuracy": 0.9},
            "champion_metrics": {"accuracy": 0.88},
            "compared_with": OLD,
        }
        registry.put_version(MODEL, trained.replace(version=name, **proved))
    first = promote(None, servable(registry.version(MODEL, OLD)), by("pipeline", NOW - 30 * DAY))
    return registry.move_pointer(MODEL, first)


def by(whom: str, at: datetime) -> AuditInfo:
    return AuditInfo(reason="better", actor=whom, at=at, decision_id="decision-1")


def newer() -> Any:
    return servable(stores.registry().version(MODEL, NEW))


def label(version: str, accuracy: float, count: int, name: str = "a") -> None:
    put(stores.lake(), records(version, drawn(count, accuracy), TOOK_OVER), name)


def announced(bus: str = "events") -> Callable[[], list[str]]:
    """Follow a bus with a queue; return what came."""
    events: Any = boto3.client("events")
    queues: Any = boto3.client("sqs")
    url = queues.create_queue(QueueName="follow")["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": ["hindsight"]}')
    events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])

    def read() -> list[str]:
        found = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [message["Body"] for message in found]

    return read


def test_the_sample_schedule_rolls_a_bad_champion_back(champion: Pointer, sample: Sample, context: Context) -> None:
    stores.registry().move_pointer(MODEL, promote(champion, newer(), by("pipeline", TOOK_OVER)))
    label(NEW, 0.2, 80)
    heard = announced()

    (found,) = handler(sample("evaluate_rollouts"), context)["evaluations"]

    assert (found["model"], found["subject"], found["verdict"]) == (MODEL, "probation", "roll_back")
    pointer = stores.registry().pointer(MODEL)
    assert pointer is not None
    assert (pointer.champion, pointer.serving_since, pointer.probation) == (OLD, NOW, None)
    assert stores.registry().deployments(MODEL, 1)[0].change is Change.ROLLED_BACK
    assert stores.trigger_store().load(MODEL).rolled_back_at == NOW
    (message,) = heard()
    assert "ModelRolledBack" in message
    assert handler(sample("evaluate_rollouts"), context)["evaluations"] == []
    assert heard() == []


@pytest.mark.parametrize(("accuracy", "serves"), [(0.88, NEW), (0.3, OLD)])
def test_a_canary_is_decided(champion: Pointer, sample: Sample, context: Context, accuracy: float, serves: str) -> None:
    rollout = start_rollout(champion, newer(), RolloutMode.CANARY, 0.1, by("pipeline", TOOK_OVER))
    stores.registry().move_pointer(MODEL, rollout)
    label(NEW, accuracy, 250, "a")
    label(OLD, 0.88, 2250, "b")
    handler(sample("evaluate_rollouts"), context)
    pointer = stores.registry().pointer(MODEL)
    assert pointer is not None
    assert (pointer.champion, pointer.rollout) == (serves, None)


def test_looks_add_up_over_invocations(champion: Pointer, sample: Sample, context: Context) -> None:
    stores.registry().move_pointer(MODEL, promote(champion, newer(), by("pipeline", TOOK_OVER)))
    label(NEW, 0.88, 250)
    sight = sample("evaluate_rollouts")
    verdicts = []
    for hours in (30, 36, 42, 48, 54):
        event = {**sight, "time": (TOOK_OVER + timedelta(hours=hours)).isoformat()}
        verdicts += [(found["labels"], found["verdict"]) for found in handler(event, context)["evaluations"]]
    assert verdicts == [(52, "wait"), (114, "wait"), (177, "wait"), (239, "keep")]


def test_a_version_that_is_tampered_with_is_not_gone_back_to(
    champion: Pointer, sample: Sample, context: Context
) -> None:
    stores.registry().move_pointer(MODEL, promote(champion, newer(), by("pipeline", TOOK_OVER)))
    label(NEW, 0.2, 80)
    stores.lake().write_bytes(champion.artifact_key, b"not what was registered", "application/octet-stream")
    (found,) = handler(sample("evaluate_rollouts"), context)["evaluations"]
    assert found["verdict"] == "rollback_unavailable"
    pointer = stores.registry().pointer(MODEL)
    assert pointer is not None
    assert pointer.champion == NEW
