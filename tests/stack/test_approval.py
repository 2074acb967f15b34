"""People and the gate on a running stack: a run that waits for them, and a version they put into service themselves."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hindsight.core.times import format_time
from hindsight.lake.object_store import LABELS, day_prefix
from local.client import CallFailed, StackClient
from tests.stack.waiting import eventually
from tests.unit.training.world import BINARY_RULE, START, learnable

AS_OF = START + timedelta(days=30)
FEATURES = {
    "temperature": {"type": "numeric"},
    "hour": {"type": "categorical"},
    "holiday": {"type": "boolean"},
}


def get(client: StackClient, path: str) -> Any:
    return client.call("GET", f"models/{path}", key="operator")


def post(client: StackClient, path: str, **body: Any) -> Any:
    return client.call("POST", f"models/{path}", key="operator", json=body)


def retrain(client: StackClient, model: str, feedback: dict[str, Any] | None = None, **gate: Any) -> str:
    """Configure a model, give it labels to learn from and start a run; return the decision's id."""
    document = {
        "model": model,
        "task": "binary",
        "features": FEATURES,
        "labels": {"rules": [BINARY_RULE]},
        "triggers": {"min_new_labels": 0, "cooldown": "PT1H"},
        "training": {"window": "P40D", "candidates": ["logistic_regression"]},
        "gate": gate,
        "feedback": feedback or {},
    }
    client.call("PUT", f"models/{model}", key="operator", json=document)
    days: dict[str, list[dict[str, Any]]] = {}
    for row in (replace(row, model=model) for row in learnable(600)):
        days.setdefault(day_prefix(LABELS, model, row.matured_at.date()), []).append(row.to_row())
    for prefix, rows in days.items():
        client.lake.write_lines(f"{prefix}examples.jsonl.gz", rows)
    asked = post(client, f"{model}/retrain", reason="ask people", force=True, occurred_at=format_time(AS_OF))
    assert asked["triggered"]
    decision_id: str = asked["decision_id"]
    return decision_id


def outcome(client: StackClient, model: str) -> dict[str, Any]:
    [decision] = eventually(
        lambda: [row for row in get(client, f"{model}/decisions")["decisions"] if row.get("outcome")]
    )
    found: dict[str, Any] = decision
    return found


@pytest.mark.parametrize(
    ("model", "answer", "ends"), [("asked-yes", "approve", "promoted"), ("asked-no", "reject", "rejected")]
)
def test_run_waits_for_an_approval_and_follows_it(client: StackClient, model: str, answer: str, ends: str) -> None:
    decision_id = retrain(client, model, approval=True, approval_expires="PT1H")

    waiting = eventually(lambda: get(client, model)["waiting_for_approval"])

    assert waiting["decision_id"] == decision_id
    assert get(client, model)["champion"] is None
    meanwhile = post(client, f"{model}/retrain", reason="again", occurred_at=format_time(AS_OF + timedelta(minutes=5)))
    assert not meanwhile["triggered"]
    said = post(client, f"{model}/versions/{waiting['version']}/{answer}", reason="the season has ended")
    assert said["approved"] is (answer == "approve")
    assert post(client, f"{model}/versions/{waiting['version']}/{answer}") == said
    ended = outcome(client, model)
    assert (ended["outcome"], ended["outcome_version"]) == (ends, waiting["version"])
    assert "the season has ended" in ended["outcome_reason"]
    status = get(client, model)
    assert (status["open_run"], status["waiting_for_approval"]) == (None, None)
    assert status["champion"] == (waiting["version"] if answer == "approve" else None)
    [version] = get(client, f"{model}/versions")["versions"]
    assert version["approval"]["answer"]["reason"] == "the season has ended"
    assert "token" not in str(version)
    if answer == "reject":
        require_promotion(client, model, waiting["version"])


def require_promotion(client: StackClient, model: str, version: str) -> None:
    """Promote a version that a person kept out before, and require that it serves."""
    made = post(client, f"{model}/versions/{version}/promote", reason="the season begins")
    assert (made["change"], made["to"], made["reason"]) == ("promoted", version, "the season begins")
    assert get(client, f"{model}/deployments")["deployments"] == [made]
    assert get(client, model)["champion"] == version


def test_an_operator_overrides_the_gate_and_history_says_so(client: StackClient) -> None:
    model = "overridden"
    retrain(client, model, floor=0.999)
    rejected = outcome(client, model)
    assert rejected["outcome"] == "rejected"
    version = rejected["outcome_version"]
    [shown] = get(client, f"{model}/versions")["versions"]
    assert {check["name"] for check in shown["gate"]["checks"] if not check["passed"]} == {"floor"}
    assert {"golden_rows", "load_seconds", "latency_seconds", "artifact_bytes", "schema"} <= {
        check["name"] for check in shown["gate"]["checks"] if check["passed"]
    }

    moves = [
        post(client, f"{model}/versions/{version}/approve", override=True, reason="good enough for the rollout")[
            "deployment"
        ]
        for _ in range(2)
    ]

    assert moves[0] == moves[1]
    [move] = get(client, f"{model}/deployments")["deployments"]
    assert (move["to"], move["actor"]) == (version, "key:operator")
    assert move["reason"] == "override of the gate's floor: good enough for the rollout"
    with pytest.raises(CallFailed, match="409"):
        post(client, f"{model}/versions/{version}/promote", reason="it serves already")
    asked = {"instances": [{"features": {"temperature": 1.5, "hour": 12, "holiday": False}}]}
    [answer] = client.call("POST", f"models/{model}/predict", key="app", json=asked)["predictions"]
    assert (answer["decision"], answer["model_version"]) == (1, version)
