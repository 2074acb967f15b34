"""A model that is served and trained elsewhere, on a running stack: asked for a version, scored, judged, deployed."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import requests

from hindsight.core.times import format_time
from hindsight.lake.object_store import LABELS, day_prefix
from local.client import CallFailed, StackClient
from local.judge import Judge
from tests.event_schemas import require_promised
from tests.stack.test_approval import FEATURES, get, outcome, post
from tests.stack.waiting import eventually
from tests.unit.training.world import BINARY_RULE, START, learnable

AS_OF = START + timedelta(days=30)


def prepare(client: StackClient, model: str) -> dict[str, Any]:
    """Give a model a champion of another server, which guessed, and its labels; return these by prediction."""
    document = {
        "model": model,
        "task": "binary",
        "serving": "external",
        "features": FEATURES,
        "labels": {"rules": [BINARY_RULE]},
        "triggers": {"min_new_labels": 0},
        "training": {"engine": "external", "window": "P40D", "deadline": "PT2H"},
    }
    client.call("PUT", f"models/{model}", key="operator", json=document)
    post(client, f"{model}/versions", version="ours-1")
    post(client, f"{model}/versions/ours-1/promote", reason="it serves")
    dice, days = np.random.default_rng(1), dict[str, list[dict[str, Any]]]()
    rows = [replace(row, model=model, model_version="ours-1", score=dice.uniform()) for row in learnable(600)]
    for row in rows:
        days.setdefault(day_prefix(LABELS, model, row.matured_at.date()), []).append(row.to_row())
    for prefix, found in days.items():
        client.lake.write_lines(f"{prefix}examples.jsonl.gz", found)
    return {row.prediction_id: row.value for row in rows}


def requested(announcements: Any, model: str) -> dict[str, Any]:
    """Wait for the event by which the run asks for a version; return its data."""
    events = eventually(
        lambda: [event for event in announcements(model) if event["detail-type"] == "RetrainingRequested"]
    )
    require_promised("RetrainingRequested", events[0]["detail"])
    data: dict[str, Any] = events[0]["detail"]["data"]
    return data


@pytest.mark.parametrize(("knows", "ends"), [(0.4, "promoted"), (0.0, "rejected")])
def test_run_waits_for_a_version_and_its_scores_decide(
    client: StackClient, announcements: Any, tmp_path: Path, knows: float, ends: str
) -> None:
    model = f"trained-elsewhere-{ends}"
    labels = prepare(client, model)
    asked = post(client, f"{model}/retrain", reason="ask", force=True, occurred_at=format_time(AS_OF))
    assert asked["triggered"], asked
    data = requested(announcements, model)
    assert get(client, model)["waiting_for_version"]["dataset_id"] == data["dataset_id"]
    part = tmp_path / "holdout.parquet"
    client.download(data["parts"]["train"]["url"], tmp_path / "train.parquet")
    client.download(data["parts"]["holdout"]["url"], part)
    columns = {name for name, *_ in duckdb.sql(f"DESCRIBE SELECT * FROM '{part}'").fetchall()}
    assert "feature.temperature" in columns
    assert columns.isdisjoint({"label", "score"})
    ids = [name for (name,) in duckdb.sql(f"SELECT prediction_id FROM '{part}'").fetchall()]
    assert len(ids) == data["rows"]["holdout"]
    assert Judge(client, model).holdout(None).prediction_ids == ids
    dice = np.random.default_rng(2)
    scores = [0.5 + (knows if labels[name] else -knows) + dice.uniform(-0.05, 0.05) for name in ids]
    lines = [json.dumps({"prediction_id": name, "score": score}) for name, score in zip(ids, scores, strict=True)]
    upload = post(client, f"{model}/uploads") if ends == "rejected" else data["upload"]
    for content, key in ((lines[1:], upload), (lines, data["upload"])):
        assert requests.put(key["url"], data="\n".join(content), timeout=30).status_code == 200
    body = {"version": "ours-2", "dataset_id": data["dataset_id"], "holdout_scores_key": data["upload"]["key"]}
    if ends == "rejected":
        with pytest.raises(CallFailed, match=f"has no row for 1 of the holdout.s {len(ids)} predictions"):
            post(client, f"{model}/versions", **body | {"holdout_scores_key": upload["key"]})

    made = post(client, f"{model}/versions", **body)

    assert (made["verdict"], made["decision_id"]) == ("promote" if knows else "reject", asked["decision_id"])
    ended = outcome(client, model)
    assert (ended["outcome"], ended["outcome_version"]) == (ends, "ours-2")
    shown = get(client, f"{model}/versions/ours-2")
    assert shown["gate"]["compared_with"] == "ours-1"
    serving = client.call("GET", f"models/{model}/serving", key="app")
    assert serving["champion"] == {"version": "ours-2" if knows else "ours-1", "external": True}
    assert "token" not in str(get(client, model))
