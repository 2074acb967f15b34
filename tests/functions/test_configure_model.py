"""Configurations through their handler, each change a revision."""

import json
from typing import Any

import pytest

from functions.configure_model.app import handler
from hindsight.bootstrap import stores
from hindsight.core import recent_reads
from hindsight.testing.builders.configuration import document
from tests.functions.requests import paths, send


@pytest.fixture(autouse=True)
def account(deployed: None) -> None:
    """An empty deployment."""


def put(configuration: Any, model: str = "bike-demand", query: dict[str, str] | None = None) -> tuple[int, Any]:
    changes: dict[str, Any] = {"path": f"/models/{model}", "queryStringParameters": query}
    return send(handler, "configure_model", configuration, content_type="application/json", **changes)


def test_the_sample_request_stores_the_first_revision() -> None:
    assert send(handler, "configure_model") == (200, {"model": "bike-demand", "revision": 1, "effects": []})
    assert stores.configurations().models() == ["bike-demand"]


def test_the_same_configuration_in_json_is_the_same_revision() -> None:
    send(handler, "configure_model")

    assert put(document()) == (200, {"model": "bike-demand", "revision": 1, "effects": []})


def test_a_change_is_a_new_revision_and_the_old_one_stays() -> None:
    put(document())

    assert put({**document(), "retention": "P500D"})[1]["revision"] == 2
    assert stores.configurations().revision("bike-demand", 1).configuration.retention.days == 400
    assert stores.configurations().current("bike-demand").configuration.retention.days == 500


def test_change_is_answered_once_every_busy_process_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("functions.configure_model.app.sleep", waits.append)
    monkeypatch.setattr(recent_reads, "EVERY_SECONDS", 0.5)

    for changed in ({}, {"retention": "P500D"}, {"retention": "P500D"}):
        put({**document(), **changed})

    assert waits == [0.5]


def test_each_revision_has_its_actor_and_its_reason() -> None:
    put(document(), query={"reason": "the first one"})
    put({**document(), "retention": "P500D"})
    assert put(document(), query={"reason": "x" * 501})[0] == 400

    stored = stores.configurations().revisions("bike-demand", 10)

    assert [(found.sent.actor, found.sent.reason) for found in stored] == [
        ("key:operator", None),
        ("key:operator", "the first one"),
    ]


def test_a_name_may_be_left_to_the_address() -> None:
    nameless = {name: value for name, value in document().items() if name != "model"}

    assert put(nameless, "trees") == (200, {"model": "trees", "revision": 1, "effects": []})


@pytest.mark.parametrize(
    ("change", "model", "at_fault"),
    [
        ({"colour": "red"}, "bike-demand", "colour"),
        ({"retention": "soon"}, "bike-demand", "retention"),
        ({}, "another", "model"),
        ({"model": "no%2Fslash"}, "no%2Fslash", "model"),
    ],
)
def test_a_bad_configuration_is_refused_by_its_path(change: dict[str, Any], model: str, at_fault: str) -> None:
    status, answer = put({**document(), **change}, model)

    assert (status, paths(answer)) == (400, [at_fault])
    assert stores.configurations().models() == []


def test_a_configuration_is_json_or_yaml() -> None:
    assert send(handler, "configure_model", content_type="text/csv")[0] == 415


def test_configuration_is_kept_as_it_was_sent() -> None:
    text = "# our first\n" + json.dumps(document())
    send(handler, "configure_model", text, content_type="text/yaml", path="/models/bike-demand")

    sent = stores.configurations().stored("bike-demand").sent

    assert (sent.text, sent.content_type) == (text, "text/yaml")


def test_dry_run_shows_the_changes_and_stores_nothing() -> None:
    put(document())

    status, answer = put({**document(), "retention": "P500D"}, query={"dry_run": "true"})

    assert status == 200
    assert answer == {
        "model": "bike-demand",
        "revision": 2,
        "dry_run": True,
        "effects": [{"code": "retention_changed", "message": "what is kept already ends when it was to end"}],
        "diff": [{"path": "retention", "before": "P400D", "after": "P500D"}],
    }
    assert stores.configurations().current("bike-demand").revision == 1


def test_another_task_is_a_conflict_unless_it_is_forced() -> None:
    put(document())
    other = {
        "task": "regression",
        "features": {"hour": {"type": "categorical"}},
        "labels": {"rules": [{"event": "demand", "window": "P2D"}]},
    }

    status, answer = put(other)
    assert (status, paths(answer)) == (409, ["task"])

    status, answer = put(other, query={"force": "true"})
    assert (status, answer["revision"], answer["effects"][0]["code"]) == (200, 2, "task_changed")


def test_fault_is_named_with_its_line() -> None:
    text = "task: binary\nfeatures: {a: {type: numeric}}\nlabels:\n  rules:\n    - {event: a, kid: manual}\n"
    changes: dict[str, Any] = {"path": "/models/bike-demand", "queryStringParameters": None}
    status, answer = send(handler, "configure_model", text, content_type="application/yaml", **changes)
    assert status == 400
    assert [(fault["path"], fault["line"]) for fault in answer["error"]["details"]] == [("labels.rules[0].kid", 5)]
