"""Past predictions and feedback, from files in the lake to labels."""

import gzip
import json
from datetime import timedelta
from typing import Any

from hindsight.core.times import format_time
from local.client import StackClient
from tests.stack.test_quarantine import THEN, configure, counts, get, labels, outcome, replay, thumb
from tests.stack.waiting import eventually, timeout

RIGHT = {"up": 1, "down": 0}


def prediction(name: str | None, **changes: Any) -> dict[str, Any]:
    item = {"features": {"x": 0.5}, "score": 0.5, "model_version": "past", "occurred_at": format_time(THEN), **changes}
    return item if name is None else {"prediction_id": name, **item}


def upload(client: StackClient, key: str, *lines: object) -> None:
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    content = b"\n".join(texts) + b"\n"
    client.lake.write_bytes(key, gzip.compress(content) if key.endswith(".gz") else content, "application/x-ndjson")


def imports(client: StackClient, model: str, done: int) -> list[dict[str, Any]]:
    """Wait until so many imports of a model are done; give its newest ones."""

    def look() -> Any:
        found = get(client, f"{model}/jobs?kind=import")["jobs"]
        return len(found) == done and all(row["status"] != "running" for row in found) and found

    found: list[dict[str, Any]] = eventually(look)
    return found


def test_history_is_imported_with_its_labels_and_its_bad_lines_can_be_mended(client: StackClient) -> None:
    model = "imported"
    configure(client, model, {"good": 1})
    names = [f"p-{number}" for number in range(700)]
    late = outcome("p-2", 0)
    # Feedback first: it waits for its predictions.
    upload(
        client,
        f"imports/model={model}/feedback/2025.jsonl.gz",
        *(outcome(name, int(name != "p-1")) for name in names if name != "p-2"),
        {**late, "received_at": format_time(THEN + timedelta(hours=5))},
        b"{not json}",
        thumb("p-3"),
    )
    upload(
        client,
        f"imports/model={model}/predictions/2025.jsonl.gz",
        *(prediction(name) for name in names),
        prediction(None),
        prediction("p-bad", score=7),
    )

    found = imports(client, model, done=2)

    assert {row["request"]["kind"]: (row["progress"]["done"], row["result"]) for row in found} == {
        "prediction": (702, {"accepted": 701, "rejected": 1}),
        "feedback": (702, {"accepted": 700, "rejected": 2}),
    }
    for name, value, hours in (("p-1", 0, 1), ("p-2", 0, 5), ("p-699", 1, 1)):
        label = eventually(lambda name=name: labels(client, model, name))[-1]
        assert (label["value"], label["known_at"]) == (value, format_time(THEN + timedelta(hours=hours)))
    assert counts(client, model) == {"invalid": 2, "malformed": 1}
    rows = get(client, f"{model}/quarantine")["rows"]
    assert {(row["kind"], row["line"], row["code"], row.get("path")) for row in rows} == {
        ("feedback", 701, "malformed", None),
        ("feedback", 702, "invalid", "value"),
        ("prediction", 702, "invalid", "score"),
    }

    configure(client, model, RIGHT)
    assert replay(client, model)["result"] == {"replayed": 1, "joined": 0, "kept": {"invalid": 1, "malformed": 1}}
    explained = eventually(lambda: len((seen := get(client, f"{model}/predictions/p-3"))["feedback"]) == 2 and seen)
    assert {row["name"] for row in explained["feedback"]} == {"outcome", "thumb"}


def test_a_file_delivered_twice_and_uploaded_again_changes_nothing(client: StackClient) -> None:
    model = "imported-twice"
    configure(client, model, RIGHT)
    key = f"imports/model={model}/predictions/part.jsonl"
    lines = [prediction("p"), prediction(None), prediction("q", score=7)]
    upload(client, key, *lines)
    [first] = imports(client, model, done=1)
    upload(client, f"imports/model={model}/feedback/part.jsonl", outcome("p", 1))
    imports(client, model, done=2)
    before = eventually(lambda: labels(client, model, "p"))
    # The lake's rows of predictions come by the table's stream, one each for what is stored anew.
    stored = eventually(lambda: len(found := archived(client, model)) == 2 and found)

    upload(client, key, *lines)

    found = imports(client, model, done=3)
    assert found[0]["result"] == first["result"] == {"accepted": 2, "rejected": 1}
    assert labels(client, model, "p") == before
    assert archived(client, model) == stored
    assert counts(client, model) == {"invalid": 1}


def test_an_import_that_runs_out_of_time_is_gone_on_with(client: StackClient) -> None:
    model = "imported-in-turns"
    configure(client, model, RIGHT)
    names = [f"p-{number}" for number in range(1_100)]
    # As much as is held in reserve: after each chunk the time is up.
    with timeout(client, "ImportFiles", 30):
        upload(client, f"imports/model={model}/predictions/long.jsonl", *(prediction(name) for name in names))
        [done] = imports(client, model, done=1)
    assert (done["progress"]["done"], done["result"]) == (1_100, {"accepted": 1_100, "rejected": 0})
    assert eventually(lambda: len(archived(client, model)) == len(names))


def archived(client: StackClient, model: str) -> list[str]:
    return sorted(
        row["prediction_id"]
        for key in client.lake.keys(f"predictions/model={model}/")
        for row in client.lake.read_lines(key)
    )


def test_a_file_of_a_model_that_is_not_there_says_so(client: StackClient) -> None:
    model = "unknown"
    upload(client, f"imports/model={model}/feedback/a.jsonl", outcome("p", 1))

    # Until the import has begun, nothing is known of such a model.
    eventually(lambda: any(client.lake.keys(f"quarantine/model={model}/")))
    [found] = imports(client, model, done=1)
    assert (found["status"], found["failure"]) == ("failed", f"the model {model!r} does not exist")
    assert found["result"]["accepted"] == 0
    assert counts(client, model) == {"unknown_model": 1}
