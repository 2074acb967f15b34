"""Relabelling after corrected rules: past labels are computed again, and the old ones stay."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace as msgspec_replace

from hindsight.core.times import format_time, parse_time
from local.client import CallFailed, StackClient
from tests.stack.relabellings import (
    MADE,
    NOTICED,
    configure,
    demand,
    finished,
    label_states,
    labels,
    log,
    only,
    relabel,
    write,
)
from tests.stack.waiting import eventually

MATURE = MADE + timedelta(days=3)


def label_as_of(rows: list[dict[str, Any]], moment: datetime) -> Any:
    known = [row for row in rows if parse_time(row["known_at"]) <= moment]
    return max(known, key=lambda row: row["seq"])["value"] if known else None


def test_old_labels_stay_and_different_new_ones_are_reported(client: StackClient) -> None:
    model = "mended"
    assert configure(client, model, threshold=100, default=0) == 1
    log(client, model, "low", "middle", "high", "silent")
    write(client, "mended", *(demand(model, *pair) for pair in (("low", 40), ("middle", 75), ("high", 150))))
    eventually(lambda: labels(client, model, "high"))
    client.run_schedule("CloseWindows", MATURE, model)
    names = ("low", "middle", "high", "silent")
    before = {name: labels(client, model, name) for name in names}
    assert {name: rows[-1]["value"] for name, rows in before.items()} == {"low": 0, "middle": 0, "high": 1, "silent": 0}
    assert {rows[-1]["status"] for rows in before.values()} == {"final"}

    assert configure(client, model, threshold=50, default=1) == 2
    asked = relabel(client, model, **only(MADE))
    done = finished(client, model, asked["job_id"])

    assert (done["status"], "failure" in done) == ("completed", False)
    assert (done["request"]["rules_revision"], done["request"]["attempt"]) == (2, 1)
    assert done["progress"]["done"] == done["progress"]["total"]
    assert done["result"] == {"predictions": 4, "events": 3, "events_recovered": 0, "labels_changed": 2}
    assert done["finished_at"] > done["started_at"]
    after = {name: labels(client, model, name) for name in names}
    assert all(after[name][: len(before[name])] == before[name] for name in names)
    assert (after["low"], after["high"]) == (before["low"], before["high"])
    assert label_states(client, model, "middle")[-1] == (1, "final", 2)
    assert label_states(client, model, "silent")[-1] == (1, "final", 2)
    assert {after[name][-1]["known_at"] for name in ("middle", "silent")} == {format_time(NOTICED)}
    for name in names:
        for moment in (MATURE, NOTICED - timedelta(seconds=1)):
            assert label_as_of(after[name], moment) == before[name][-1]["value"]

    again = relabel(client, model, NOTICED + timedelta(hours=1), **only(MADE))
    second = finished(client, model, again["job_id"])
    assert (second["status"], second["result"]["predictions"]) == ("completed", 4)
    assert second["result"]["labels_changed"] == 0
    assert {name: labels(client, model, name) for name in names} == after
    listed = client.call("GET", f"models/{model}/jobs?kind=relabelling", key="operator")["jobs"]
    assert [row["job_id"] for row in listed] == [again["job_id"], asked["job_id"]]


def test_a_source_is_set_aside_for_a_time_and_its_labels_with_it_and_comes_back_when_it_is_trusted_again(
    client: StackClient,
) -> None:
    model, day = "excluding", MADE + timedelta(days=40)
    configure(client, model, threshold=50, default=1)
    log(client, model, "p", "q", at=day)
    said = (("p", "partner-a"), ("q", "partner-b"))
    events = [msgspec_replace(demand(model, name, 10, day), source=source) for name, source in said]
    write(client, "excluding", *events, day=day)
    eventually(lambda: labels(client, model, "q"))
    believed = {name: label_states(client, model, name)[-1] for name in "pq"}
    assert believed["p"][0] == believed["q"][0] == 0

    aside = {"source": "partner-a", "since": format_time(day), "reason": "its key leaked"}
    configure(client, model, 50, 1, aside)
    at = day + timedelta(days=10)
    done = finished(client, model, relabel(client, model, at, **only(day))["job_id"])
    assert done["result"]["labels_changed"] == 1
    assert label_states(client, model, "p")[-1] == (1, "final", 2)  # the default: no feedback counts
    assert label_states(client, model, "q")[-1] == believed["q"]
    (event,) = client.call("GET", f"models/{model}/predictions/p", key="operator")["feedback"]
    assert (event["disposition"], event["value"]) == ("excluded_source", 10)

    configure(client, model, threshold=50, default=1)
    again = relabel(client, model, at + timedelta(hours=1), **only(day))
    assert finished(client, model, again["job_id"])["result"]["labels_changed"] == 1
    assert label_states(client, model, "p")[-1] == (0, "final", 3)


def test_an_event_that_was_not_joined_is_recovered_from_its_raw_file(client: StackClient) -> None:
    model, day = "recovered", MADE + timedelta(days=1)
    configure(client, model, threshold=100, default=0)
    log(client, model, "p", "q", at=day)
    write(client, "recovered", demand(model, "p", 150, day), demand(model, "q", 150, day), day=day)
    eventually(lambda: labels(client, model, "q"))
    # As if the join had never seen the event: its item and its label are gone.
    table = client.stack.outputs["PredictionsTable"]
    for sk in ("feedback#p-demand", "label#00000001"):
        client.aws("dynamodb").delete_item(TableName=table, Key={"pk": {"S": f"{model}#p"}, "sk": {"S": sk}})
    days = only(day)

    done = finished(client, model, relabel(client, model, **days)["job_id"])

    assert done["status"] == "completed"
    assert (done["result"]["events"], done["result"]["events_recovered"]) == (2, 1)
    assert label_states(client, model, "p")[-1] == (1, "final", 1)


def test_a_relabelling_needs_an_operator_and_a_model(client: StackClient) -> None:
    with pytest.raises(CallFailed, match="403"):
        client.call("POST", "models/mended/relabel", key="app", json={"reason": "mine"})
    with pytest.raises(CallFailed, match="404"):
        relabel(client, "unknown")
