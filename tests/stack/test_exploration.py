"""Exploration on a running stack: a share answered otherwise, its propensity in the log, and all that weighs by it."""

import random
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from hindsight.core.times import format_time
from hindsight.lake.object_store import LABELS, PREDICTIONS, model_prefix
from hindsight.serving.exploration import place_of
from local.client import StackClient
from tests.stack.test_approval import AS_OF, get, outcome, retrain
from tests.stack.waiting import eventually

MODEL = "exploring"
SHARE, GRANTED = 0.3, 1
COUNT = 600
MADE = AS_OF + timedelta(days=2)
JUDGED = MADE + timedelta(days=12)

Row = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """The answers to applications, and what was made of the outcomes of those that were granted."""

    answers: dict[str, Row]
    logged: dict[str, Row]
    outcomes: dict[str, int]
    performance: Row
    version: Row
    holdout: list[Row]

    def own(self, name: str) -> int:
        """Find the version's own decision."""
        row = self.logged[name]
        return int(row["model_decision"] if "model_decision" in row else row["decision"])

    def weight(self, name: str) -> float:
        """Compute what a granted application stands for."""
        return 1.0 if self.own(name) == GRANTED else 1 / SHARE


def entity(place: int) -> str:
    return f"applicant-{place % (COUNT // 2)}"


def made_at(place: int) -> datetime:
    return MADE + place * timedelta(days=10) / COUNT


def instances() -> list[Row]:
    """Applications, two of each applicant, that the version is unsure of."""
    dice = random.Random(3)
    return [
        {
            "prediction_id": f"a-{place}",
            "entity_id": entity(place),
            "features": {"temperature": dice.gauss(0, 1), "hour": place % 24, "holiday": False},
            "occurred_at": format_time(made_at(place)),
        }
        for place in range(COUNT)
    ]


def repaid(made: Row, dice: random.Random) -> int:
    """Draw an outcome: worse than what the version learned where it would decline, so that hiding it flatters."""
    features = made["features"]
    signal = features["temperature"] + (1.0 if 8 <= features["hour"] <= 18 else -1.0)
    return int(signal + dice.gauss(0, 0.3) > 0 if signal > 0 else dice.random() < 0.5)


def rows(client: StackClient, prefix: str, names: set[str]) -> dict[str, Row]:
    """Wait for the lake's rows of some predictions."""

    def look() -> dict[str, Row] | None:
        keys = client.lake.keys(model_prefix(prefix, MODEL))
        found = {row["prediction_id"]: row for key in keys for row in client.lake.read_lines(key)}
        return {name: found[name] for name in names} if names <= found.keys() else None

    found: Any = eventually(look)
    return dict(found)


def explore(client: StackClient) -> None:
    """Let the version that serves explore; without a default the outcome of what is declined stays hidden."""
    document = get(client, f"{MODEL}/configuration")["configuration"]
    document |= {
        "exploration": {"share": SHARE, "decision": GRANTED},
        "monitoring": {"window": "P13D", "min_rows": 50, "performance": {"metric": "accuracy", "min_labels": 30}},
        "triggers": {"min_new_labels": 0, "schedule": None, "drift": False, "performance": False},
        "training": {"window": "P13D", "candidates": ["logistic_regression"]},
        "gate": {"metric": "accuracy"},
    }
    client.call("PUT", f"models/{MODEL}", key="operator", json=document)


@pytest.fixture(scope="module")
def story(client: StackClient, tmp_path_factory: pytest.TempPathFactory) -> Story:
    retrain(client, MODEL)
    assert outcome(client, MODEL)["outcome"] == "promoted"
    explore(client)
    made = {row["prediction_id"]: row for row in instances()}
    answers: dict[str, Row] = {}
    for page in (list(made.values())[: COUNT // 2], list(made.values())[COUNT // 2 :]):
        answered = client.call("POST", f"models/{MODEL}/predict", key="app", json={"instances": page})["predictions"]
        answers |= {row["prediction_id"]: row for row in answered}
    logged = rows(client, PREDICTIONS, set(made))
    dice = random.Random(5)
    outcomes = {name: repaid(row, dice) for name, row in made.items() if answers[name]["decision"] == GRANTED}
    events = [
        {
            "feedback_id": f"f-{name}",
            "prediction_id": name,
            "name": "outcome",
            "value": value,
            "occurred_at": made[name]["occurred_at"],
        }
        for name, value in outcomes.items()
    ]
    receipt = client.call("POST", f"models/{MODEL}/feedback", key="app", json={"events": events})
    assert len(receipt["accepted"]) == len(events)
    rows(client, LABELS, set(outcomes))
    client.run_schedule("Monitor", JUDGED, MODEL)
    performance = get(client, MODEL)["checks"]["performance"]
    run = client.call(
        "POST",
        f"models/{MODEL}/retrain",
        key="operator",
        json={"reason": "weigh", "force": True, "occurred_at": format_time(JUDGED)},
    )
    ended: Row = eventually(
        lambda: next((row for row in get(client, f"{MODEL}/decisions")["decisions"] if _has_ended(row, run)), {})
    )
    assert ended["outcome"] in {"promoted", "rejected"}, ended
    version = get(client, f"{MODEL}/versions/{ended['outcome_version']}")
    part = tmp_path_factory.mktemp(MODEL) / "holdout.parquet"
    newest = get(client, f"{MODEL}/datasets?limit=1")["datasets"][0]["dataset_id"]
    dataset = get(client, f"{MODEL}/datasets/{newest}?labels=true")
    client.download(dataset["parts"]["holdout"]["url"], part)
    names = ("prediction_id", "label", "propensity")
    found = duckdb.connect().execute(f"SELECT {', '.join(names)} FROM '{part}'").fetchall()
    holdout = [dict(zip(names, row, strict=True)) for row in found]
    return Story(answers, logged, outcomes, performance, version, holdout)


def _has_ended(row: Row, run: Row) -> bool:
    return row["decision_id"] == run["decision_id"] and bool(row.get("outcome"))


def test_share_of_the_entities_is_answered_otherwise_always_the_same_ones(story: Story) -> None:
    for place in range(COUNT):
        name, is_explored = f"a-{place}", place_of(MODEL, entity(place)) < SHARE
        own, answer = story.own(name), story.answers[name]
        assert answer["decision"] == (GRANTED if is_explored else own), name
        assert bool(answer.get("explored")) == (is_explored and own != GRANTED), name
    explored = [name for name, answer in story.answers.items() if answer.get("explored")]
    declined = [name for name in story.answers if story.own(name) != GRANTED]
    assert 0.2 < len(explored) / len(declined) < 0.4


def test_log_has_the_exact_propensity_of_the_decision_that_was_taken(story: Story) -> None:
    for name, row in story.logged.items():
        own, taken = story.own(name), row["decision"]
        expected = 1.0 if own == GRANTED else SHARE if taken == GRANTED else 1 - SHARE
        assert row["propensity"] == expected, name
        assert ("model_decision" in row) == (taken != own), name
    assert {row["propensity"] for row in story.logged.values()} == {1.0, SHARE, 1 - SHARE}


def test_performance_is_that_of_all_applications_not_of_the_granted_ones(story: Story) -> None:
    right = {name: float(story.own(name) == value) for name, value in story.outcomes.items()}
    weights = {name: story.weight(name) for name in right}
    weighed = sum(weights[name] * right[name] for name in right) / sum(weights.values())
    plain = sum(right.values()) / len(right)
    assert story.performance["summary"]["value"] == pytest.approx(weighed, abs=1e-9)
    assert abs(plain - weighed) > 0.05


def test_gate_weighs_the_holdout_by_propensity(story: Story) -> None:
    rows = [row for row in story.holdout if row["label"] is not None]
    assert {row["propensity"] for row in rows} == {1.0, SHARE}
    weights = [1 / row["propensity"] for row in rows]
    right = [float(story.own(row["prediction_id"]) == row["label"]) for row in rows]
    weighed = sum(weight * found for weight, found in zip(weights, right, strict=True)) / sum(weights)
    [check] = (row for row in story.version["gate"]["checks"] if row["name"] == "better_than_champion")
    said = re.match(r"accuracy is (better|worse) by ([\d.]+)", check["detail"])
    assert said is not None
    gain = float(said[2]) * (1 if said[1] == "better" else -1)
    assert story.version["metrics"]["accuracy"] - gain == pytest.approx(weighed, abs=1e-4)
    assert abs(weighed - sum(right) / len(right)) > 0.02
