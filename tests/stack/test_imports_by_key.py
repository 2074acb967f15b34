"""Imports and replays of feedback that names an entity or a reference, on a running stack."""

import json
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from hindsight.core.times import format_time, parse_time
from local.client import StackClient
from local.file_import import ImportFile, upload_and_wait
from tests.stack.test_quarantine import THEN, configure, counts, get, labels, replay, send
from tests.stack.waiting import eventually

Row = dict[str, Any]


def rules(good: str = "yes") -> Row:
    mapping = {good: 1, "no": 0}
    return {
        "rules": [
            {"event": "churned", "kind": "outcome", "by": "entity", "window": "P2D", "map": mapping},
            {"event": "returned", "kind": "outcome", "by": "reference", "window": "P2D", "map": mapping},
        ]
    }


def prediction(name: str, hours: float, **keys: str) -> Row:
    moment = format_time(THEN + timedelta(hours=hours))
    return {
        "prediction_id": name,
        "features": {"x": 1},
        "score": 0.5,
        "model_version": "past",
        "occurred_at": moment,
    } | keys


def event(name: str, hours: float, value: str = "yes", **keys: str) -> Row:
    moment = format_time(THEN + timedelta(hours=hours))
    [key] = keys.values()
    return {"feedback_id": f"{name}-{key}-{hours}", "name": name, "value": value, "occurred_at": moment} | keys


PREDICTIONS = [
    prediction("first", 0, entity_id="customer"),
    prediction("last", 10, entity_id="customer", reference="order"),
    prediction("beside", 11, entity_id="other", reference="order"),
    prediction("alone", 12, entity_id="single"),
]
EVENTS = [
    event("churned", 5, "no", entity_id="customer"),
    event("churned", 20, entity_id="customer"),
    event("returned", 30, reference="order"),
]
# By the value of each and the hour from which it is known.
EXPECTED = {"first": [(0, 5)], "last": [(1, 20)], "beside": [(1, 30)], "alone": []}


def written(folder: Path, kind: str, rows: list[Row]) -> ImportFile:
    path = folder / f"{kind}.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return ImportFile(path, kind)


def known(client: StackClient, model: str) -> dict[str, list[tuple[Any, float]]]:
    """Read what each label was as of every moment, each value with the hour it is known from.

    Of the records of one moment the newest counts: until a later prediction arrives, an event may be an earlier one's.
    """
    found: dict[str, list[tuple[Any, float]]] = {}
    for name in EXPECTED:
        as_of: dict[float, Any] = {}
        for row in sorted(labels(client, model, name), key=lambda row: row["seq"]):
            hour = (parse_time(row["known_at"]) - THEN) / timedelta(hours=1)
            as_of = {moment: value for moment, value in as_of.items() if moment < hour} | {hour: row["value"]}
        found[name] = [(value, hour) for hour, value in _changes(as_of) if value is not None]
    return found


def _changes(as_of: dict[float, Any]) -> list[tuple[float, Any]]:
    values = [None, *as_of.values()]
    return [(hour, value) for before, (hour, value) in zip(values, as_of.items(), strict=False) if value != before]


def _is_as_expected(client: StackClient, model: str) -> bool:
    return known(client, model) == EXPECTED


def test_imported_history_has_its_labels_by_entity_and_reference_whichever_file_came_first(
    client: StackClient, tmp_path: Path
) -> None:
    for model, order in (("events-first", 1), ("predictions-first", -1)):
        configure(client, model, {}, labels=rules())
        files = [written(tmp_path, "feedback", EVENTS), written(tmp_path, "predictions", PREDICTIONS)][::order]
        for file in files:
            [done] = upload_and_wait(client, model, [file], patience=120)
            assert done["result"]["rejected"] == 0, done
        eventually(partial(_is_as_expected, client, model))
        upload_and_wait(client, model, files, patience=120)
        assert known(client, model) == EXPECTED
        assert counts(client, model) == {}


def test_replay_under_a_mended_rule_labels_by_entity_and_reference(client: StackClient) -> None:
    model = "misread-keys"
    configure(client, model, {}, labels=rules("wrong"))
    client.call("POST", f"models/{model}/predictions", key="app", json={"predictions": PREDICTIONS})
    receipt = send(client, model, event("churned", 13, "no", entity_id="single"), *EVENTS[1:])
    assert [row["code"] for row in receipt["rejected"]] == ["invalid", "invalid"]
    eventually(lambda: counts(client, model) == {"invalid": 2})
    configure(client, model, {}, labels=rules())

    done = replay(client, model)

    assert done["result"]["replayed"] == 2, done
    eventually(lambda: [bool(labels(client, model, name)) for name in EXPECTED] == [False, True, True, True])
    assert {labels(client, model, name)[-1]["value"] for name in ("last", "beside")} == {1}
    assert [row["name"] for row in get(client, f"{model}/predictions/beside")["feedback"]] == ["returned"]
    assert counts(client, model) == {}
