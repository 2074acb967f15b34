"""Reads of operators about a model, through the handler."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.get_model.app import handler
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.bootstrap import labelling, stores
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.monitoring.results.check import Check, CheckKind, Verdict
from hindsight.testing.builders.configuration import configuration
from hindsight.triggers.decision import BlockCode, Blocker, Decision
from hindsight.triggers.inputs import Cause
from hindsight.triggers.signals.volume import VolumeSignal
from tests.functions.reads import MODEL, get, record_decisions
from tests.functions.requests import send
from tests.functions.served import serve_version
from tests.unit.labels.builders import NOTHING_JOINED, prediction
from tests.unit.training.world import START

NAME = "p00010"  # one of the rows that versions are trained on
OCCURRED = START + timedelta(hours=10)


@pytest.fixture(autouse=True)
def model(deployed: None) -> None:
    stores.configurations().put(configuration(), datetime(2026, 1, 1, tzinfo=UTC))


def feedback(feedback_id: str, name: str, value: Any, hours: float) -> Feedback:
    return Feedback(
        model=MODEL,
        prediction_id=NAME,
        feedback_id=feedback_id,
        name=name,
        value=value,
        occurred_at=OCCURRED + timedelta(hours=hours),
        received_at=OCCURRED + timedelta(hours=hours),
        source=None,
        body_digest=feedback_id,
    )


def test_the_sample_request_lists_decisions_newest_first() -> None:
    names = record_decisions(3)

    status, answer = send(handler, "get_model")

    assert status == 200
    assert [decision["decision_id"] for decision in answer["decisions"]] == names[::-1]
    assert {decision["blocked_by"][0]["code"] for decision in answer["decisions"]} == {"cooldown"}
    assert {decision["triggered"] for decision in answer["decisions"]} == {False}


def test_last_evaluation_is_shown_beside_the_decisions_and_in_the_status() -> None:
    assert get(f"{MODEL}/decisions")[1] == {"decisions": [], "last_evaluation": None}
    evaluation = Decision(
        decision_id="evaluation",
        model=MODEL,
        at=START,
        cause=Cause.SCHEDULE,
        reason="no signal is active",
        signals=(VolumeSignal.status("7 of 5000 new labels"),),
        blocked_by=(Blocker(code=BlockCode.NO_SIGNAL, reason="no signal is active", details={}),),
        explanation="Did not retrain because no signal is active (volume: 7 of 5000 new labels).",
    )
    stores.trigger_store().record_evaluation(evaluation)

    shown = get(f"{MODEL}/decisions")[1]["last_evaluation"]

    blocked_by = [{"code": "no_signal", "reason": "no signal is active", "details": {}}]
    assert (shown["blocked_by"], shown["signals"][0]["reason"]) == (blocked_by, "7 of 5000 new labels")
    assert get(MODEL)[1]["last_evaluation"] == {
        "at": format_time(START),
        "triggered": False,
        "blocked_by": blocked_by,
        "explanation": evaluation.explanation,
    }


def test_a_limit_keeps_the_newest_decisions() -> None:
    names = record_decisions(3)

    assert [row["decision_id"] for row in get(f"{MODEL}/decisions", limit="1")[1]["decisions"]] == names[-1:]


def test_the_status_of_a_model_that_was_only_configured() -> None:
    status, answer = get(MODEL)

    assert status == 200
    assert (answer["model"], answer["task"], answer["revision"]) == (MODEL, "binary", 1)
    assert (answer["champion"], answer["serving_since"], answer["open_run"], answer["checks"]) == (None, None, None, {})
    assert answer["join_health"] == NOTHING_JOINED
    assert answer["review_queue"]["open"] == 0


def test_status_shows_the_champion_its_checks_and_overdue_work() -> None:
    version = serve_version(1)
    save(OCCURRED - timedelta(days=30))
    check = Check(model=MODEL, kind=CheckKind.DRIFT, at=START, model_version=version, verdict=Verdict.OK, reason="none")
    stores.check_store().put(check)

    _, answer = get(MODEL)

    assert (answer["champion"], answer["previous"]) == (version, None)
    assert answer["checks"]["drift"]["verdict"] == "ok"
    assert (answer["join_health"]["overdue"], answer["join_health"]["overdue_capped"]) == (1, False)


def test_a_prediction_is_explained_from_its_feedback_to_the_versions_trained_on_it() -> None:
    save(OCCURRED)
    joiner = labelling.label_joiner()
    joiner.join([feedback("f-1", "demand", 150, 1)])
    joiner.join([feedback("f-2", "demand", 20, 2), feedback("f-3", "retracted", "f-1", 3)])
    version = serve_version(1)

    status, answer = get(f"{MODEL}/predictions/{NAME}")

    assert status == 200
    assert answer["prediction"]["features"] == {"hour": "17", "temperature": 0.3}
    assert answer["prediction"]["occurred_at"] == format_time(OCCURRED)
    marks = [(row["feedback_id"], row["disposition"], row["retracted"]) for row in answer["feedback"]]
    assert marks == [("f-1", "in_window", True), ("f-2", "in_window", False), ("f-3", "retraction", False)]
    assert [row["seq"] for row in answer["labels"]] == list(range(1, len(answer["labels"]) + 1))
    last = answer["labels"][-1]
    assert (answer["labels"][0]["value"], last["value"], last["kind"], last["rules_revision"]) == (1, 0, "outcome", 1)
    dataset = stores.registry().datasets(MODEL, 1)[0].dataset_id
    assert answer["datasets"] == [{"dataset_id": dataset, "part": "train", "seq": 1}]
    assert answer["versions"] == [version]


def test_a_prediction_no_dataset_has_used_names_none() -> None:
    save(OCCURRED)

    _, answer = get(f"{MODEL}/predictions/{NAME}")

    assert (answer["feedback"], answer["labels"], answer["datasets"], answer["versions"]) == ([], [], [], [])


def test_versions_and_moves_are_listed_newest_first_with_their_lineage() -> None:
    first, second = serve_version(1), serve_version(2, flip=True)

    _, versions = get(f"{MODEL}/versions")
    _, history = get(f"{MODEL}/deployments")

    assert [row["version"] for row in versions["versions"]] == [second, first]
    newest = versions["versions"][0]
    assert newest["gate"]["verdict"] == "promote"
    assert newest["lineage"]["decision_id"] == "decision-2"
    assert newest["lineage"]["dataset_id"] == stores.registry().datasets(MODEL, 1)[0].dataset_id
    moves = [(row["sequence"], row.get("from"), row["to"], row["actor"]) for row in history["deployments"]]
    assert moves == [(2, first, second, "pipeline"), (1, None, first, "pipeline")]


def test_an_unknown_prediction_is_404() -> None:
    for name in ("unknown", "%20", "a%2Fb"):
        status, answer = get(f"{MODEL}/predictions/{name}")
        assert (status, answer["error"]["code"]) == (404, "not_found"), name


def test_an_unknown_route_is_404_in_the_shape_of_errors() -> None:
    status, answer = get(f"{MODEL}/secrets")

    assert status == 404
    assert answer == {
        "error": {
            "code": "not_found",
            "message": "nothing answers this method at this address; GET /v1/openapi.json lists the calls",
            "details": [],
        }
    }


def save(occurred_at: datetime) -> None:
    due = occurred_at + timedelta(days=7)
    made = prediction(NAME, occurred_at=occurred_at, received_at=occurred_at, outcome_due_at=due)
    DynamoPredictions("predictions", boto3.client("dynamodb")).save([made], timedelta(days=400))


def test_one_decision_is_found_by_its_id() -> None:
    record_decisions(1)
    name = f"{START:%Y%m%dT%H%M%SZ}-0123456789abcdef"
    [kept] = stores.trigger_store().decisions(MODEL, 1)
    state = stores.trigger_store().load(MODEL)
    assert stores.trigger_store().record(kept.replace(decision_id=name), state.replace(version=2), 1)
    assert get(f"{MODEL}/decisions/{name}")[1]["decision_id"] == name
    for unknown in (f"{name}0", "20990101T000000Z-0123456789abcdef", "decision-7"):
        assert get(f"{MODEL}/decisions/{unknown}")[0] == 404
