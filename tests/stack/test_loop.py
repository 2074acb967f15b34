"""The whole loop on a running stack: from the first prediction to the version that a change of the world asks for."""

import csv
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hindsight.core import compact_json
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.lake.object_store import LABELS, day_prefix
from local.client import StackClient
from local.replay.replay_file import ReplayFiles, prepare_replay, run_replay
from tests.stack.waiting import eventually

START = datetime(2026, 1, 10, tzinfo=UTC)
CHANGE = datetime(2026, 2, 1, tzinfo=UTC)
# Later than any replay here, so that no replay's checks take up what a test left behind.
LATER = datetime(2027, 3, 1, 12, tzinfo=UTC)
SCHEDULED = {"schedule": "P5D", "cooldown": "PT1H", "min_new_labels": 30, "drift": False, "performance": False}
BY_HAND = {**SCHEDULED, "schedule": None}


def configuration(model: str, features: list[str], task: str = "binary", **sections: Any) -> dict[str, Any]:
    return {
        "model": model,
        "task": task,
        "features": {name: {"type": "categorical" if name == "kind" else "numeric"} for name in features},
        "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "P1D"}]},
        "monitoring": {"window": "P5D", "min_rows": 50, "performance": {"min_labels": 30}},
        "triggers": BY_HAND,
        "training": {"window": "P10D", "candidates": ["logistic_regression"]},
        "gate": {"floor": 0.6, "margin": -0.05, "confidence": 0.8},
        **sections,
    }


def replay(
    client: StackClient, folder: Path, document: dict[str, Any], rows: list[dict[str, Any]], **spec: Any
) -> dict[str, Any]:
    """Replay rows, 15 a day, through the stack; return the summary."""
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    described = {
        "configuration": "configuration.yaml",
        "time": {"start": format_time(START), "rows_per_day": 15},
        "outcome": {"column": "outcome", "event": "outcome", "known_after": "P1D"},
        "bootstrap": {"rows": 300},
        "check_every": "P5D",
        **spec,
    }
    # JSON is YAML too.
    (folder / "configuration.yaml").write_text(json.dumps(document), encoding="utf-8")
    (folder / "spec.yaml").write_text(json.dumps(described), encoding="utf-8")
    prepared = prepare_replay(ReplayFiles(folder / "rows.csv", folder / "spec.yaml", strict=True))
    return run_replay(client, prepared, folder, Console(quiet=True))


def changing_rows(count: int) -> list[dict[str, Any]]:
    """Rows whose outcome follows x, and from the change on its opposite."""
    rng = random.Random(1)
    rows = []
    for position in range(count):
        x = rng.gauss(0, 1)
        signal = x + rng.gauss(0, 0.3)
        changed = START + position * timedelta(days=1) / 15 >= CHANGE
        rows.append({"x": round(x, 4), "kind": rng.choice("abc"), "outcome": int((signal > 0) != changed)})
    return rows


def get(client: StackClient, path: str) -> Any:
    return client.call("GET", f"models/{path}", key="operator")


def configure(client: StackClient, model: str) -> None:
    client.call("PUT", f"models/{model}", key="operator", json=configuration(model, ["x", "kind"]))


def log(client: StackClient, model: str, *names: str, at: datetime = LATER) -> None:
    rows = [
        {
            "prediction_id": name,
            "features": {"x": 0.5, "kind": "a"},
            "score": 0.5,
            "model_version": "elsewhere",
            "occurred_at": format_time(at),
        }
        for name in names
    ]
    receipt = client.call("POST", f"models/{model}/predictions", key="app", json={"predictions": rows})
    assert receipt == {"accepted": list(names), "rejected": []}


def send_feedback(client: StackClient, model: str, *events: dict[str, Any]) -> None:
    receipt = client.call("POST", f"models/{model}/feedback", key="app", json={"events": list(events)})
    assert receipt == {"accepted": [event["feedback_id"] for event in events], "rejected": []}


def outcome(prediction_id: str, value: int = 1) -> dict[str, Any]:
    return {
        "feedback_id": f"{prediction_id}-outcome",
        "prediction_id": prediction_id,
        "name": "outcome",
        "value": value,
        "occurred_at": format_time(LATER + timedelta(hours=1)),
    }


def labels(client: StackClient, model: str, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(client, f"{model}/predictions/{name}")["labels"]
    return found


@pytest.fixture(scope="module")
def summary(client: StackClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    document = configuration("loop", ["x", "kind"], triggers=SCHEDULED)
    return replay(client, tmp_path_factory.mktemp("loop"), document, changing_rows(600))


def test_no_label_is_lost(summary: dict[str, Any]) -> None:
    assert (summary["predictions"], summary["labels"], summary["lost"]) == (300, 600, 0)


def test_retraining_restores_the_accuracy_lost_to_a_change(summary: dict[str, Any]) -> None:
    assert summary["promotions"] >= 2
    assert summary["static"]["2026-01"] > 0.8
    assert summary["static"]["2026-02"] < 0.3
    assert summary["live"]["2026-02"] > summary["static"]["2026-02"] + 0.2


def test_decisions_are_recorded_with_their_outcomes_and_no_run_stays_open(
    client: StackClient, summary: dict[str, Any]
) -> None:
    triggered = [row for row in get(client, "loop/decisions?limit=1000")["decisions"] if row["triggered"]]
    assert {row["outcome"] for row in triggered} <= {"promoted", "rejected"}
    assert [row["outcome"] for row in triggered].count("promoted") == summary["promotions"]
    assert {signal["kind"] for row in triggered for signal in row["signals"] if signal["active"]} == {
        "first_version",
        "schedule",
        "manual",
    }
    status = get(client, "loop")
    assert status["open_run"] is None
    assert set(status["checks"]) == {"drift", "performance", "estimated_performance", "feedback"}
    assert status["checks"]["feedback"]["verdict"] in ("ok", "insufficient")


def test_the_history_explains_the_pointer(client: StackClient, summary: dict[str, Any]) -> None:
    moves = get(client, "loop/deployments")["deployments"]
    promoted = [
        row for row in get(client, "loop/decisions?limit=1000")["decisions"] if row.get("outcome") == "promoted"
    ]
    status = get(client, "loop")
    assert (status["champion"], status["previous"]) == (moves[0]["to"], moves[0]["from"])
    assert [(move["decision_id"], move["to"]) for move in moves] == [
        (row["decision_id"], row["outcome_version"]) for row in promoted
    ]
    assert [move.get("from") for move in moves] == [*(move["to"] for move in moves[1:]), None]


def test_a_prediction_is_explained_up_to_the_versions_trained_on_it(
    client: StackClient, summary: dict[str, Any]
) -> None:
    explained = get(client, "loop/predictions/row-200")
    assert [row["name"] for row in explained["feedback"]] == ["outcome"]
    last = explained["labels"][-1]
    assert (last["value"], last["status"], last["kind"]) == (explained["feedback"][0]["value"], "final", "outcome")
    history = get(client, "loop/deployments")["deployments"]
    assert explained["datasets"]
    assert history[-1]["to"] in explained["versions"]


def test_a_line_that_cannot_be_read_does_not_hold_up_its_file(client: StackClient) -> None:
    model = "quarantining"
    configure(client, model)
    log(client, model, "first", "last")
    moment = LATER + timedelta(hours=1)
    good = [
        feedback_line(
            Feedback(
                model=model,
                prediction_id=name,
                feedback_id=f"{name}-outcome",
                name="outcome",
                value=1,
                occurred_at=moment,
                received_at=moment,
                source=None,
                body_digest=name,
            )
        )
        for name in ("first", "last")
    ]
    key = f"feedback/date={LATER:%Y-%m-%d}/by-hand.jsonl"

    client.lake.write_bytes(key, b'{"model": nonsense\n'.join(good), "application/x-ndjson")

    for name in ("first", "last"):
        assert eventually(lambda name=name: labels(client, model, name))[-1]["value"] == 1
    kept = [
        row
        for found in client.lake.keys(f"quarantine/model=_unreadable/date={LATER:%Y-%m-%d}/")
        for row in client.lake.read_lines(found)
        if row.get("file") == key
    ]
    assert [(row["line"], row["code"], row["text"]) for row in kept] == [(2, "malformed", '{"model": nonsense')]


def test_feedback_before_its_prediction_is_joined_as_soon_as_that_is_logged(client: StackClient) -> None:
    model = "hasty"
    configure(client, model)
    log(client, model, "known")
    # In one file: once the one is joined, the other is pending.
    send_feedback(client, model, outcome("unknown"), outcome("known"))
    eventually(lambda: labels(client, model, "known"))

    log(client, model, "unknown")

    assert labels(client, model, "unknown")[-1]["value"] == 1


def test_feedback_sent_again_is_one(client: StackClient) -> None:
    model = "repeating"
    configure(client, model)
    log(client, model, "p", "q")
    send_feedback(client, model, outcome("p"), outcome("p"))
    send_feedback(client, model, outcome("p"))
    send_feedback(client, model, outcome("q"))
    eventually(lambda: labels(client, model, "q") and labels(client, model, "p"))

    explained = get(client, f"{model}/predictions/p")

    assert [row["feedback_id"] for row in explained["feedback"]] == ["p-outcome"]
    assert [row["seq"] for row in explained["labels"]] == list(range(1, len(explained["labels"]) + 1))
    assert {row["value"] for row in explained["labels"]} == {1}


@pytest.mark.parametrize(("model", "ends"), [("empty", "skipped"), ("damaged", "failed")])
def test_a_run_that_cannot_succeed_ends_in_its_decision_and_holds_nothing(
    client: StackClient, model: str, ends: str
) -> None:
    configure(client, model)
    if model == "damaged":
        day = LATER - timedelta(days=1)
        times = dict.fromkeys(("occurred_at", "outcome_due_at", "known_at"), format_time(day))
        row = {"prediction_id": "p", "seq": 1, "value": 1, **times}  # an example without most of its fields
        client.lake.write_lines(f"{day_prefix(LABELS, model, day.date())}damaged.jsonl.gz", [row])
    request = {"reason": "it must end", "force": True, "occurred_at": format_time(LATER)}

    asked = client.call("POST", f"models/{model}/retrain", key="operator", json=request)

    assert asked["triggered"]
    [decision] = eventually(
        lambda: [row for row in get(client, f"{model}/decisions")["decisions"] if row.get("outcome")]
    )
    assert (decision["decision_id"], decision["outcome"]) == (asked["decision_id"], ends)
    assert decision["outcome_reason"]
    status = get(client, model)
    assert (status["open_run"], status["last_outcome"], status["champion"]) == (None, ends, None)


def test_a_model_of_several_classes_is_trained_and_answers(client: StackClient, tmp_path: Path) -> None:
    rng = random.Random(2)
    xs = [round(rng.gauss(0, 1), 4) for _ in range(330)]
    names = ["low" if x < -0.4 else "high" if x > 0.4 else "middle" for x in xs]
    rows = [{"x": x, "kind": "a", "outcome": name} for x, name in zip(xs, names, strict=True)]

    summary = replay(client, tmp_path, configuration("classes", ["x", "kind"], "multiclass"), rows)

    assert (summary["promotions"], summary["lost"]) == (1, 0)
    assert summary["live_mean"] > 0.7
    asked = {"instances": [{"features": {"x": 3.0, "kind": "a"}}]}
    [answer] = client.call("POST", "models/classes/predict", key="app", json=asked)["predictions"]
    assert answer["decision"] == "high"
    assert set(answer["probabilities"]) == {"low", "middle", "high"}


def test_three_hundred_columns_go_round(client: StackClient, tmp_path: Path) -> None:
    rng = random.Random(3)
    columns = [f"c{number}" for number in range(300)]
    rows: list[dict[str, Any]] = []
    for _ in range(330):
        row = {name: round(rng.gauss(0, 1), 3) for name in columns}
        rows.append({**row, "outcome": int(sum(row[name] for name in columns[:3]) > 0)})
    document = configuration("wide", columns, training={"window": "P20D", "candidates": ["gradient_boosting"]})

    summary = replay(client, tmp_path, document, rows)

    assert (summary["promotions"], summary["lost"]) == (1, 0)
    explained = get(client, "wide/predictions/row-320")
    assert len(explained["prediction"]["features"]) == 300
    assert len(compact_json.dumps(explained["prediction"]["features"])) > 3000
