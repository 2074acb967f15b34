"""Items that could not be taken, from their rejection to what their replay makes of them."""

from datetime import datetime, timedelta
from typing import Any

from hindsight.core import compact_json
from hindsight.core.times import format_time, parse_time
from local.client import StackClient
from local.job_end import start_and_wait
from tests.stack.waiting import eventually, timeout

# Before any replay of a file here, and in no model's windows of training.
THEN = datetime.fromisoformat("2025-03-01T12:00:00+00:00")
WRONG, RIGHT = {"good": 1, "bad": 0}, {"up": 1, "down": 0}


def configure(client: StackClient, model: str, mapping: dict[str, int], **sections: Any) -> None:
    document = {
        "model": model,
        "task": "binary",
        "features": {"x": {"type": "numeric"}},
        "labels": {
            "rules": [
                {"event": "outcome", "kind": "outcome", "window": "P2D"},
                {"event": "thumb", "kind": "explicit", "map": mapping},
            ]
        },
        "triggers": {"schedule": None, "drift": False, "performance": False},
        **sections,
    }
    client.call("PUT", f"models/{model}", key="operator", json=document)


def log(client: StackClient, model: str, *names: str, entity: str | None = None) -> None:
    item = {"features": {"x": 0.5}, "score": 0.5, "model_version": "elsewhere", "occurred_at": format_time(THEN)}
    items = [{**item, "prediction_id": name, **({"entity_id": entity} if entity else {})} for name in names]
    client.call("POST", f"models/{model}/predictions", key="app", json={"predictions": items})


def thumb(name: str, value: str = "up") -> dict[str, Any]:
    moment = format_time(THEN + timedelta(hours=1))
    return {
        "feedback_id": f"{name}-thumb",
        "prediction_id": name,
        "name": "thumb",
        "value": value,
        "occurred_at": moment,
    }


def outcome(name: str, value: int, hours: float = 1) -> dict[str, Any]:
    moment = format_time(THEN + timedelta(hours=hours))
    event = {"feedback_id": f"{name}-outcome", "prediction_id": name, "name": "outcome", "value": value}
    return {**event, "occurred_at": moment}


def send(client: StackClient, model: str, *events: dict[str, Any]) -> Any:
    return client.call("POST", f"models/{model}/feedback", key="app", json={"events": list(events)})


def get(client: StackClient, path: str) -> Any:
    return client.call("GET", f"models/{path}", key="operator")


def labels(client: StackClient, model: str, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(client, f"{model}/predictions/{name}")["labels"]
    return found


def replay(client: StackClient, model: str, **request: Any) -> dict[str, Any]:
    """Replay a quarantine; return the replay once it is done."""
    body = {"reason": "the configuration is mended", **request}
    done = start_and_wait(client, model, "POST", "quarantine/replay", patience=120, body=body)
    assert (done["kind"], done["status"]) == ("replay", "completed")
    return done


def counts(client: StackClient, model: str) -> dict[str, int]:
    found: dict[str, int] = get(client, f"{model}/quarantine")["counts"]
    return found


def test_feedback_rejected_by_a_wrong_rule_becomes_a_label_once_the_rule_is_mended_and_replayed(
    client: StackClient,
) -> None:
    model = "misdeclared"
    configure(client, model, WRONG)
    log(client, model, "p", "q")
    receipt = send(client, model, thumb("p"), thumb("q", "sideways"), outcome("q", 1))
    assert [row["code"] for row in receipt["rejected"]] == ["invalid", "invalid"]
    eventually(lambda: counts(client, model) == {"invalid": 2})
    shown = get(client, f"{model}/quarantine?limit=1")
    assert len(shown["rows"]) == 1
    assert (shown["rows"][0]["path"], shown["rows"][0]["reason"]) == ("value", "is none of 'bad', 'good'")
    configure(client, model, RIGHT)

    done = replay(client, model, codes=["invalid"])

    assert done["result"] == {"replayed": 1, "joined": 0, "kept": {"invalid": 1}}
    label = eventually(lambda: labels(client, model, "p"))[-1]
    assert (label["value"], label["kind"]) == (1, "explicit")
    assert parse_time(label["known_at"]) >= parse_time(done["started_at"])
    [left] = get(client, f"{model}/quarantine")["rows"]
    assert left["reason"] == "is none of 'down', 'up'"
    [kept] = [row for key in client.lake.keys(f"replayed/model={model}/") for row in client.lake.read_lines(key)]
    assert (kept["outcome"], kept["job_id"]) == ("replayed", done["job_id"])


def test_predictions_rejected_for_an_undeclared_feature_are_logged_once_it_is_declared_and_replayed(
    client: StackClient,
) -> None:
    model = "undeclared"
    configure(client, model, RIGHT)
    item = {"features": {"x": 0.5}, "score": 0.5, "model_version": "elsewhere", "occurred_at": format_time(THEN)}
    colourful = {**item, "prediction_id": "p", "entity_id": "customer-17", "features": {"x": 0.5, "colour": "red"}}
    items = [{**item, "prediction_id": "q"}, colourful, {**item, "prediction_id": "q", "score": 0.9}]
    receipt = client.call("POST", f"models/{model}/predictions", key="app", json={"predictions": items})
    assert receipt["accepted"] == ["q"]
    assert [row["code"] for row in receipt["rejected"]] == ["invalid", "conflict"]
    send(client, model, outcome("p", 1))
    eventually(lambda: counts(client, model) == {"conflict": 1, "invalid": 1})
    shown = {row["code"]: row for row in get(client, f"{model}/quarantine")["rows"]}
    assert {row["kind"] for row in shown.values()} == {"prediction"}
    assert (shown["invalid"]["path"], compact_json.loads(shown["invalid"]["text"])) == ("features.colour", colourful)
    configure(client, model, RIGHT, features={"x": {"type": "numeric"}, "colour": {"type": "categorical"}})

    done = replay(client, model)

    assert done["result"] == {"replayed": 1, "joined": 0, "kept": {"conflict": 1}}
    # Feedback that had come before the prediction was taken waits for it.
    assert eventually(lambda: labels(client, model, "p"))[-1]["value"] == 1
    kept = get(client, f"{model}/predictions/p")["prediction"]
    assert (kept["entity_id"], kept["features"]) == ("customer-17", {"x": 0.5, "colour": "red"})
    assert parse_time(kept["occurred_at"]) == THEN
    assert parse_time(kept["received_at"]) >= parse_time(done["started_at"])
    assert counts(client, model) == {"conflict": 1}


def test_a_second_replay_changes_nothing(client: StackClient) -> None:
    model = "replayed-twice"
    configure(client, model, WRONG)
    log(client, model, "p", "q")
    send(client, model, thumb("p"), outcome("q", 1))
    eventually(lambda: counts(client, model) == {"invalid": 1})
    configure(client, model, RIGHT)
    replay(client, model)
    before = eventually(lambda: labels(client, model, "p"))

    done = replay(client, model)

    assert done["result"] == {"replayed": 0, "joined": 0, "kept": {}}
    assert labels(client, model, "p") == before
    assert counts(client, model) == {}


def test_a_replay_that_runs_out_of_time_is_gone_on_with(client: StackClient) -> None:
    model, names = "replayed-in-turns", [f"p-{number}" for number in range(40)]
    configure(client, model, WRONG)
    log(client, model, *names)
    for name in names:
        send(client, model, thumb(name), outcome(name, 1))
    eventually(lambda: counts(client, model) == {"invalid": len(names)})
    configure(client, model, RIGHT)
    # A second more than what is held in reserve: too little for so many objects.
    with timeout(client, "ReplayQuarantine", 61):
        done = replay(client, model)
    assert done["result"] == {"replayed": len(names), "joined": 0, "kept": {}}


def test_a_call_in_which_nothing_was_valid_is_kept_too(client: StackClient) -> None:
    model = "all-invalid"
    configure(client, model, WRONG)
    answer = client._http.post(
        f"{client.stack.api_url}/models/{model}/feedback",
        json={"events": [thumb("p"), 7]},
        headers={"x-api-key": client.stack.keys["app"]},
        timeout=60,
    )
    assert answer.status_code == 400

    eventually(lambda: counts(client, model) == {"invalid": 2})


def test_feedback_on_a_model_that_comes_later_is_joined_once_it_is_there(client: StackClient) -> None:
    model = "latecomer"
    moment = format_time(THEN + timedelta(hours=1))
    line = {**outcome("p", 1), "model": model, "received_at": moment, "body_digest": "d"}
    key = f"feedback/date={THEN:%Y-%m-%d}/{model}.jsonl"
    client.lake.write_bytes(key, compact_json.dumps(line).encode(), "application/x-ndjson")
    eventually(lambda: any(client.lake.keys(f"quarantine/model={model}/")))
    assert counts(client, model) == {"unknown_model": 1}
    configure(client, model, RIGHT)
    log(client, model, "p")

    assert replay(client, model)["result"]["replayed"] == 1

    assert eventually(lambda: labels(client, model, "p"))[-1]["value"] == 1


def test_a_conflict_stays_for_the_first_received_does(client: StackClient) -> None:
    model = "contradicting"
    configure(client, model, RIGHT)
    log(client, model, "p")
    send(client, model, outcome("p", 1, hours=1))
    send(client, model, outcome("p", 0, hours=2))
    eventually(lambda: counts(client, model) == {"conflict": 1})

    done = replay(client, model)

    assert done["result"] == {"replayed": 0, "joined": 0, "kept": {"conflict": 1}}
    assert labels(client, model, "p")[-1]["value"] == 1
    [row] = get(client, f"{model}/quarantine")["rows"]
    assert (row["event"]["value"], row["code"]) == (0, "conflict")


def test_unmatched_feedback_stays_until_its_prediction_has_come(client: StackClient) -> None:
    model = "unmatched"
    configure(client, model, RIGHT)
    log(client, model, "known")
    send(client, model, outcome("lost", 1), outcome("known", 1))
    eventually(lambda: labels(client, model, "known"))
    client.run_schedule("CloseWindows", THEN + timedelta(days=9), model)
    eventually(lambda: counts(client, model) == {"unmatched": 1})
    assert replay(client, model)["result"]["kept"] == {"unmatched": 1}

    log(client, model, "lost")
    done = replay(client, model)

    assert done["result"] == {"replayed": 0, "joined": 1, "kept": {}}
    assert labels(client, model, "lost")[-1]["value"] == 1
    assert counts(client, model) == {}


def test_feedback_beyond_an_entity_s_limit_waits_for_an_operator(client: StackClient) -> None:
    model, names = "limited", [f"p{number}" for number in range(5)]
    limits: dict[str, Any] = {"per_entity": {"count": 3, "per": "P3650D"}}
    configure(client, model, RIGHT, feedback={"limits": limits})
    log(client, model, *names, entity="customer-17")
    send(client, model, *(outcome(name, 1) for name in names))
    eventually(lambda: counts(client, model) == {"rate_limited": 2})
    assert sum(bool(labels(client, model, name)) for name in names) == 3

    # Spans of another length are counted anew.
    limits["per_entity"]["per"] = "P1D"
    configure(client, model, RIGHT, feedback={"limits": limits})
    assert replay(client, model, codes=["rate_limited"])["result"]["replayed"] == 2

    eventually(lambda: all(labels(client, model, name) for name in names))
    assert counts(client, model) == {}
