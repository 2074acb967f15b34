"""What operators read of a model, through the handler."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from functions.get_model.app import handler
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.bootstrap import labelling, stores
from hindsight.config.store import SentDocument
from hindsight.core import compact_json
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.monitoring.results.check import Check, CheckKind, Verdict, report_key
from hindsight.runtime.http.pages import token_of
from hindsight.testing.builders.configuration import configuration
from hindsight.triggers.decision import BlockCode, Blocker, Decision
from hindsight.triggers.inputs import Cause
from hindsight.triggers.signals.volume import VolumeSignal
from hindsight.triggers.state import TriggerState
from tests.functions.requests import Answer, paths, send
from tests.functions.served import serve_version
from tests.unit.labels.builders import prediction
from tests.unit.training.world import START

MODEL = "bike-demand"
NAME = "p00010"  # one of the rows that versions are trained on
OCCURRED = START + timedelta(hours=10)


@pytest.fixture(autouse=True)
def model(deployed: None) -> None:
    stores.configurations().put(configuration(), datetime(2026, 1, 1, tzinfo=UTC))


def get(path: str, **query: str) -> Answer:
    return send(handler, "get_model", path=f"/models/{path}", queryStringParameters=query or None)


def record_decisions(count: int) -> list[str]:
    """Blocked decisions, an hour between them, oldest first."""
    triggers = stores.trigger_store()
    names = [f"decision-{number}" for number in range(count)]
    for number, name in enumerate(names):
        decision = Decision(
            decision_id=name,
            model=MODEL,
            at=START + timedelta(hours=number),
            cause=Cause.SCHEDULE,
            reason="drift",
            signals=(),
            blocked_by=(Blocker(code=BlockCode.COOLDOWN, reason="the cooldown lasts", details={}),),
            explanation="Did not retrain because the cooldown lasts.",
        )
        assert triggers.record(decision, TriggerState(model=MODEL, version=number + 1), number)
    return names


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
    assert (answer["model"], answer["task"], answer["configuration_revision"]) == (MODEL, "binary", 1)
    assert (answer["champion"], answer["serving_since"], answer["open_run"], answer["checks"]) == (None, None, None, {})
    assert answer["label_backlog"] == {"overdue": 0, "capped": False}
    assert answer["review_queue"]["open"] == 0


def test_the_status_tells_what_serves_what_was_checked_and_what_is_overdue() -> None:
    version = serve_version(1)
    save(OCCURRED - timedelta(days=30))
    check = Check(model=MODEL, kind=CheckKind.DRIFT, at=START, model_version=version, verdict=Verdict.OK, reason="none")
    stores.check_store().put(check)

    _, answer = get(MODEL)

    assert (answer["champion"], answer["previous"]) == (version, None)
    assert answer["checks"]["drift"]["verdict"] == "ok"
    assert answer["label_backlog"] == {"overdue": 1, "capped": False}


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


LISTS = ["decisions", "versions", "deployments", "configurations", "datasets", "checks"]


@pytest.mark.parametrize("route", LISTS)
def test_a_limit_out_of_range_is_named(route: str) -> None:
    for limit in ("0", "-1", "1001", "ten", "1.5", "", "٣"):
        status, answer = get(f"{MODEL}/{route}", limit=limit)
        assert (status, paths(answer)) == (400, ["limit"]), limit


@pytest.mark.parametrize("route", LISTS)
def test_token_that_no_list_answered_is_named(route: str) -> None:
    status, answer = get(f"{MODEL}/{route}", next_token="!")
    assert (status, paths(answer)) == (400, ["next_token"])


@pytest.mark.parametrize("route", ["decisions", "deployments", "configurations"])
def test_token_of_another_list_is_named(route: str) -> None:
    status, answer = get(f"{MODEL}/{route}", next_token=token_of("v20260301"))
    assert (status, paths(answer)) == (400, ["next_token"])


def test_an_unknown_model_is_404_on_every_route() -> None:
    singles = ("", "/predictions/p", "/configuration", "/versions/v", "/datasets/d")
    for route in (*singles, *(f"/{name}" for name in LISTS)):
        status, answer = get(f"nobody{route}")
        assert (status, answer["error"]["code"]) == (404, "not_found"), route


def test_an_unknown_prediction_is_404() -> None:
    for name in ("unknown", "%20", "a%2Fb"):
        status, answer = get(f"{MODEL}/predictions/{name}")
        assert (status, answer["error"]["code"]) == (404, "not_found"), name


def test_an_unknown_route_is_404_in_the_shape_of_errors() -> None:
    status, answer = get(f"{MODEL}/secrets")

    assert status == 404
    assert answer == {"error": {"code": "not_found", "message": "there is nothing at this address", "details": []}}


def test_models_are_listed_by_name_in_pages() -> None:
    for name in ("aardvark", "zebra"):
        stores.configurations().put(configuration().model_copy(update={"model": name}), START)
    version = serve_version(1)

    _, first = send(handler, "get_model", path="/models", queryStringParameters={"limit": "2"})
    again = {"limit": "2", "next_token": first["next_token"]}
    _, second = send(handler, "get_model", path="/models", queryStringParameters=again)

    assert [row["model"] for row in first["models"]] == ["aardvark", MODEL]
    assert [row["model"] for row in second["models"]] == ["zebra"]
    assert "next_token" not in second
    assert first["models"][1] == {
        "model": MODEL,
        "task": "binary",
        "revision": 1,
        "serving": "hindsight",
        "champion": version,
        "state": "serving",
        "attention": [],
    }


def test_configuration_is_answered_as_it_was_sent() -> None:
    text = "# by hand\nmodel: bike-demand\nretention: P400D\n"
    sent = SentDocument(text=text, content_type="application/yaml")
    changed = configuration().model_copy(update={"retention": timedelta(days=401)})
    stores.configurations().put(changed, START, sent)

    _, newest = get(f"{MODEL}/configuration")
    _, first = get(f"{MODEL}/configuration", revision="1")
    _, listed = get(f"{MODEL}/configurations")

    assert newest == {
        "model": MODEL,
        "revision": 2,
        "created_at": format_time(START),
        "content_type": "application/yaml",
        "document": text,
        "configuration": {"model": MODEL, "retention": "P400D"},
    }
    assert (first["revision"], first["content_type"]) == (1, "application/json")
    assert listed == {"configurations": [newest, first]}


def test_revision_that_is_none_is_refused() -> None:
    assert get(f"{MODEL}/configuration", revision="2")[0] == 404
    status, answer = get(f"{MODEL}/configuration", revision="zero")
    assert (status, paths(answer)) == (400, ["revision"])


@pytest.mark.parametrize(("route", "name"), [("decisions", "decision_id"), ("deployments", "sequence")])
def test_pages_of_a_list_hold_each_item_once(route: str, name: str) -> None:
    if route == "decisions":
        record_decisions(3)
    else:
        serve_version(1)
        serve_version(2)
        serve_version(3)
    whole = [row[name] for row in get(f"{MODEL}/{route}")[1][route]]

    _, first = get(f"{MODEL}/{route}", limit="2")
    _, second = get(f"{MODEL}/{route}", limit="2", next_token=first["next_token"])

    assert len(whole) == 3
    assert [row[name] for row in (*first[route], *second[route])] == whole
    assert "next_token" not in second


def test_one_version_is_shown_as_in_the_list_with_links_to_its_artefact() -> None:
    serve_version(1)
    name = serve_version(2)

    _, shown = get(f"{MODEL}/versions/{name}")
    _, first = get(f"{MODEL}/versions", limit="1")
    _, second = get(f"{MODEL}/versions", limit="1", next_token=first["next_token"])

    assert [shown["version"], "next_token" in second] == [name, False]
    assert shown.keys() == first["versions"][0].keys()
    assert f"{name}/model.skops?" in shown["artifact_url"]
    assert second["versions"][0]["version"] < name
    assert get(f"{MODEL}/versions/v-unknown")[0] == 404


def test_dataset_is_shown_with_its_manifest_and_its_holdout_is_linked_only_with_labels() -> None:
    serve_version(1)
    _, listed = get(f"{MODEL}/datasets")
    name = listed["datasets"][0]["dataset_id"]

    _, shown = get(f"{MODEL}/datasets/{name}")
    _, labelled = get(f"{MODEL}/datasets/{name}", labels="true")

    assert shown["manifest"]["dataset_id"] == name
    assert shown["sources_total"] == len(shown["manifest"]["sources"]) > 0
    assert "manifest.json?" in shown["manifest_url"]
    assert shown["parts"]["holdout"] == {"format": "npz"}
    assert "train.npz?" in shown["parts"]["train"]["url"]
    assert "holdout.npz?" in labelled["parts"]["holdout"]["url"]
    assert get(f"{MODEL}/datasets/d-unknown")[0] == 404
    status, answer = get(f"{MODEL}/datasets/{name}", labels="perhaps")
    assert (status, paths(answer)) == (400, ["labels"])


def test_expired_dataset_keeps_its_manifest_and_no_link_to_a_part() -> None:
    serve_version(1)
    name = stores.registry().datasets(MODEL, 1)[0].dataset_id
    stores.registry().expire_dataset(MODEL, name, START)

    _, shown = get(f"{MODEL}/datasets/{name}", labels="true")

    assert shown["expired_at"] == format_time(START)
    assert shown["parts"] == {"train": {"format": "npz"}, "holdout": {"format": "npz"}}


def keep_check(kind: CheckKind, at: datetime) -> None:
    """Keep a check and its report as the monitor does."""
    key = report_key(MODEL, kind, at)
    check = Check(model=MODEL, kind=kind, at=at, verdict=Verdict.OK, reason="fine", report_key=key)
    stores.lake().write_bytes(key, compact_json.dumps(check.to_json()).encode(), "application/json")
    stores.check_store().put(check)


def test_checks_are_listed_newest_first_in_pages_by_kind_and_days() -> None:
    for hours in range(3):
        keep_check(CheckKind.DRIFT, START + timedelta(hours=20 * hours))
    keep_check(CheckKind.JOIN_HEALTH, START)

    _, first = get(f"{MODEL}/checks", limit="2")
    _, second = get(f"{MODEL}/checks", limit="2", next_token=first["next_token"])
    _, chosen = get(f"{MODEL}/checks", **{"kind": "drift", "from": "2026-03-01", "to": format_time(START)})

    found = [(row["kind"], row["at"]) for row in (*first["checks"], *second["checks"])]
    drift = [("drift", format_time(START + timedelta(hours=20 * hours))) for hours in (2, 1, 0)]
    assert found == [*drift[:2], ("join_health", format_time(START)), drift[2]]
    assert "next_token" not in second
    assert [(row["kind"], row["at"]) for row in chosen["checks"]] == drift[2:]
    assert first["checks"][0]["report_url"].startswith("https://")


@pytest.mark.parametrize(("name", "value"), [("kind", "mood"), ("from", "yesterday"), ("to", "2026-02-30")])
def test_check_filter_that_makes_no_sense_is_named(name: str, value: str) -> None:
    status, answer = get(f"{MODEL}/checks", **{name: value})
    assert (status, paths(answer)) == (400, [name])


def save(occurred_at: datetime) -> None:
    due = occurred_at + timedelta(days=7)
    made = prediction(NAME, occurred_at=occurred_at, received_at=occurred_at, outcome_due_at=due)
    DynamoPredictions("predictions", boto3.client("dynamodb")).save([made], timedelta(days=400))
