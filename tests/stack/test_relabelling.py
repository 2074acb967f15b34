"""Rules that were wrong and are mended: the labels of the past are told anew, and the old ones stay."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace as msgspec_replace

from bench import relabelling_rate
from hindsight.core.times import format_time, parse_time
from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.lake.object_store import PREDICTIONS, day_prefix
from local.client import CallFailed, StackClient
from tests.stack.waiting import eventually

# Days that no replay and no other test of the stack touches.
MADE = datetime(2026, 6, 1, 12, tzinfo=UTC)
MATURE = MADE + timedelta(days=3)
NOTICED = MADE + timedelta(days=10)
MANY = 80


def configure(client: StackClient, model: str, threshold: int, default: int, *excluded: dict[str, Any]) -> int:
    rule = {
        "event": "demand",
        "kind": "outcome",
        "window": "P1D",
        "aggregate": "last",
        "positive": {"greater_than": threshold},
    }
    document = {
        "model": model,
        "task": "binary",
        "features": {"hour": {"type": "numeric"}},
        "labels": {
            "rules": [rule],
            "default": {"value": default, "after": "P2D"},
            "excluded_sources": list(excluded),
        },
    }
    revision: int = client.call("PUT", f"models/{model}", key="operator", json=document)["revision"]
    return revision


def log(client: StackClient, model: str, *names: str, at: datetime = MADE) -> None:
    """Log predictions and wait until the lake has them."""
    rows = [
        {
            "prediction_id": name,
            "features": {"hour": 17},
            "score": 0.5,
            "model_version": "elsewhere",
            "occurred_at": format_time(at),
        }
        for name in names
    ]
    client.call("POST", f"models/{model}/predictions", key="app", json={"predictions": rows})
    prefix = day_prefix(PREDICTIONS, model, at.date())
    eventually(
        lambda: (
            {row["prediction_id"] for key in client.lake.keys(prefix) for row in client.lake.read_lines(key)}
            == set(names)
        )
    )


def demand(model: str, prediction_id: str, value: int, at: datetime = MADE) -> Feedback:
    moment = at + timedelta(hours=1)
    return Feedback(
        model=model,
        prediction_id=prediction_id,
        feedback_id=f"{prediction_id}-demand",
        name="demand",
        value=value,
        occurred_at=moment,
        received_at=moment,
        source=None,
        body_digest=f"{prediction_id}-{value}",
    )


def write(client: StackClient, name: str, *events: Feedback, day: datetime = MADE) -> None:
    content = b"".join(feedback_line(event) for event in events)
    client.lake.write_bytes(f"feedback/date={day:%Y-%m-%d}/{name}.jsonl", content, "application/x-ndjson")


def labels(client: StackClient, model: str, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.call("GET", f"models/{model}/predictions/{name}", key="operator")["labels"]
    return found


def told(client: StackClient, model: str, name: str) -> list[tuple[Any, str, int]]:
    return [(row["value"], row["status"], row["rules_revision"]) for row in labels(client, model, name)]


def label_as_of(rows: list[dict[str, Any]], moment: datetime) -> Any:
    known = [row for row in rows if parse_time(row["known_at"]) <= moment]
    return max(known, key=lambda row: row["seq"])["value"] if known else None


def relabel(client: StackClient, model: str, at: datetime = NOTICED, **body: Any) -> dict[str, Any]:
    request = {"reason": "the threshold was wrong", "occurred_at": format_time(at), **body}
    answer: dict[str, Any] = client.call("POST", f"models/{model}/relabel", key="operator", json=request)
    return answer


def only(day: datetime) -> dict[str, str]:
    """Narrow a relabelling to one day: the other tests have left many files."""
    return {"from": f"{day:%Y-%m-%d}", "to": f"{day:%Y-%m-%d}"}


def progress(client: StackClient, model: str, relabel_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.call("GET", f"models/{model}/relabel/{relabel_id}", key="operator")
    return found


def finished(client: StackClient, model: str, relabel_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        seen = progress(client, model, relabel_id)
        return seen if seen["status"] != "running" else None

    seen: dict[str, Any] = eventually(look)
    return seen


def test_old_labels_stay_and_new_ones_are_told_where_they_differ(client: StackClient) -> None:
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
    assert (asked["model"], asked["rules_revision"], asked["status"]) == (model, 2, "running")
    done = finished(client, model, asked["relabel_id"])

    assert (done["status"], done["failure"], done["attempt"]) == ("completed", None, 1)
    assert done["files"]["done"] == done["files"]["total"]
    assert (done["predictions"], done["events"], done["events_recovered"], done["labels_changed"]) == (4, 3, 0, 2)
    assert done["finished_at"] > done["started_at"]
    after = {name: labels(client, model, name) for name in names}
    assert all(after[name][: len(before[name])] == before[name] for name in names)
    assert (after["low"], after["high"]) == (before["low"], before["high"])
    assert told(client, model, "middle")[-1] == (1, "final", 2)
    assert told(client, model, "silent")[-1] == (1, "final", 2)
    assert {after[name][-1]["known_at"] for name in ("middle", "silent")} == {format_time(NOTICED)}
    for name in names:
        for moment in (MATURE, NOTICED - timedelta(seconds=1)):
            assert label_as_of(after[name], moment) == before[name][-1]["value"]

    again = relabel(client, model, NOTICED + timedelta(hours=1), **only(MADE))
    second = finished(client, model, again["relabel_id"])
    assert (second["status"], second["predictions"], second["labels_changed"]) == ("completed", 4, 0)
    assert {name: labels(client, model, name) for name in names} == after
    listed = client.call("GET", f"models/{model}/relabel", key="operator")["relabellings"]
    assert [row["relabel_id"] for row in listed] == [again["relabel_id"], asked["relabel_id"]]


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
    believed = {name: told(client, model, name)[-1] for name in "pq"}
    assert believed["p"][0] == believed["q"][0] == 0

    aside = {"source": "partner-a", "since": format_time(day), "reason": "its key leaked"}
    configure(client, model, 50, 1, aside)
    at = day + timedelta(days=10)
    assert finished(client, model, relabel(client, model, at, **only(day))["relabel_id"])["labels_changed"] == 1
    assert told(client, model, "p")[-1] == (1, "final", 2)  # the default: nobody said anything that counts
    assert told(client, model, "q")[-1] == believed["q"]
    (event,) = client.call("GET", f"models/{model}/predictions/p", key="operator")["feedback"]
    assert (event["disposition"], event["value"]) == ("excluded_source", 10)

    configure(client, model, threshold=50, default=1)
    again = relabel(client, model, at + timedelta(hours=1), **only(day))
    assert finished(client, model, again["relabel_id"])["labels_changed"] == 1
    assert told(client, model, "p")[-1] == (0, "final", 3)


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

    done = finished(client, model, relabel(client, model, **days)["relabel_id"])

    assert (done["status"], done["events"], done["events_recovered"]) == ("completed", 2, 1)
    assert told(client, model, "p")[-1] == (1, "final", 1)


def test_a_stopped_relabelling_is_resumed_and_counts_everything_once(client: StackClient) -> None:
    model, day = "stopped", MADE + timedelta(days=2)
    configure(client, model, threshold=100, default=0)
    names = [f"p-{number}" for number in range(MANY)]
    log(client, model, *names, at=day)
    for name in names:
        write(client, f"stopped-{name}", demand(model, name, 75, day), day=day)
    eventually(lambda: all(labels(client, model, name) for name in (names[0], names[-1])))
    client.run_schedule("CloseWindows", day + timedelta(days=3), model)
    eventually(lambda: all(labels(client, model, name) for name in names))
    configure(client, model, threshold=50, default=0)
    days = only(day)

    job = relabel(client, model, **days)["relabel_id"]
    with pytest.raises(CallFailed, match=rf"409.*{job}"):
        relabel(client, model, NOTICED + timedelta(hours=1))
    eventually(lambda: progress(client, model, job)["files"]["done"] >= 3)
    machine = client.stack.outputs["RelabellingStateMachine"]
    execution = machine.replace(":stateMachine:", ":execution:") + f":{job}-1"
    client.aws("stepfunctions").stop_execution(executionArn=execution)
    stopped = progress(client, model, job)
    assert stopped["status"] == "stopped"
    assert stopped["files"]["done"] < stopped["files"]["total"]

    resumed = client.call("POST", f"models/{model}/relabel/{job}/resume", key="operator")
    assert (resumed["relabel_id"], resumed["attempt"], resumed["status"]) == (job, 2, "running")
    done = finished(client, model, job)

    assert (done["status"], done["attempt"]) == ("completed", 2)
    assert done["files"]["done"] == done["files"]["total"] > MANY
    assert (done["predictions"], done["events"], done["labels_changed"]) == (MANY, MANY, MANY)
    assert {told(client, model, name)[-1] for name in names} == {(1, "final", 2)}
    with pytest.raises(CallFailed, match="409"):
        client.call("POST", f"models/{model}/relabel/{job}/resume", key="operator")


def test_a_file_that_cannot_be_read_fails_the_relabelling_alone_and_once_mended_it_is_resumed(
    client: StackClient,
) -> None:
    model, day = "damaged", MADE + timedelta(days=4)
    configure(client, model, threshold=100, default=0)
    log(client, model, "p", at=day)
    write(client, "damaged", demand(model, "p", 75, day), day=day)
    eventually(lambda: labels(client, model, "p"))
    configure(client, model, threshold=50, default=0)
    damaged = f"{day_prefix(PREDICTIONS, model, day.date())}damaged.jsonl"
    client.lake.write_bytes(damaged, b"{nonsense\n", "application/x-ndjson")
    days = only(day)

    job = relabel(client, model, **days)["relabel_id"]
    failed = finished(client, model, job)

    assert failed["status"] == "failed"
    assert failed["failure"].startswith(f"{damaged}: JSONDecodeError")
    assert (failed["files"]["total"] - failed["files"]["done"], failed["labels_changed"]) == (1, 1)
    client.lake.write_lines(damaged, [{"prediction_id": "p"}])
    client.call("POST", f"models/{model}/relabel/{job}/resume", key="operator")
    done = finished(client, model, job)
    assert (done["status"], done["failure"], done["labels_changed"]) == ("completed", None, 1)
    assert done["files"]["done"] == done["files"]["total"] == failed["files"]["total"]
    assert told(client, model, "p")[-1][0] == 1


def test_a_worker_that_crashes_fails_the_relabelling_and_says_why(client: StackClient) -> None:
    model, day = "crashing", MADE + timedelta(days=6)
    configure(client, model, threshold=100, default=0)
    log(client, model, "p", at=day)
    days = only(day)
    functions, name = client.aws("lambda"), client.stack.outputs["RelabelFilesFunction"]
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    without = {key: value for key, value in environment.items() if key != "MODELS_TABLE"}

    functions.update_function_configuration(FunctionName=name, Environment={"Variables": without})
    try:
        job = relabel(client, model, **days)["relabel_id"]
        failed = finished(client, model, job)
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": environment})

    assert (failed["status"], failed["files"]["done"]) == ("failed", 0)
    assert failed["failure"].startswith(f"predictions/model={model}/")
    assert "MODELS_TABLE" in failed["failure"]
    client.call("POST", f"models/{model}/relabel/{job}/resume", key="operator")
    assert finished(client, model, job)["status"] == "completed"


def test_a_relabelling_needs_an_operator_and_a_model(client: StackClient) -> None:
    with pytest.raises(CallFailed, match="403"):
        client.call("POST", "models/mended/relabel", key="app", json={"reason": "mine"})
    with pytest.raises(CallFailed, match="404"):
        relabel(client, "nobody")


def test_batches_of_small_files_are_relabelled_once(client: StackClient) -> None:
    figures = relabelling_rate.measure(client, made=MADE + timedelta(days=60), files=120, events=2)

    assert relabelling_rate.is_sound(figures), figures
