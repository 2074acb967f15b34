"""A feedback file that outlasts a run of its function."""

from datetime import timedelta

from msgspec.structs import replace as msgspec_replace

from functions.join_labels.app import RESERVED_MILLISECONDS
from hindsight.core.times import format_time
from hindsight.entities.feedback import Feedback
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.joining.feedback_files import CHUNK_LINES
from local.client import StackClient
from tests.stack.label_traffic import (
    END,
)
from tests.stack.waiting import eventually


def test_a_file_that_outlasts_a_run_is_joined_to_its_end(client: StackClient) -> None:
    model, moment = "outlasting", END + timedelta(days=1)
    rule = {
        "event": "demand",
        "kind": "outcome",
        "window": "P1D",
        "aggregate": "last",
        "positive": {"greater_than": 1},
    }
    document = {
        "model": model,
        "task": "binary",
        "features": {"hour": {"type": "numeric"}},
        "labels": {"rules": [rule]},
    }
    client.call("PUT", f"models/{model}", key="operator", json=document)
    row = {"features": {"hour": 1}, "score": 0.5, "model_version": "v", "occurred_at": format_time(moment)}
    rows = [{**row, "prediction_id": name} for name in ("first", "last")]
    client.call("POST", f"models/{model}/predictions", key="app", json={"predictions": rows})
    said = Feedback(
        model=model,
        prediction_id="first",
        feedback_id="again",
        name="demand",
        value=2,
        occurred_at=moment,
        received_at=moment,
        source=None,
        body_digest="d",
    )
    lines = [said] * CHUNK_LINES + [msgspec_replace(said, prediction_id="last")]
    functions, name = client.aws("lambda"), client.stack.outputs["JoinLabelsFunction"]
    timeout = functions.get_function_configuration(FunctionName=name)["Timeout"]

    # Less than a run keeps in reserve: each joins what it must, and leaves the rest to the next.
    functions.update_function_configuration(FunctionName=name, Timeout=RESERVED_MILLISECONDS // 1000)
    try:
        content = b"".join(map(feedback_line, lines))
        client.lake.write_bytes(f"feedback/date={moment:%Y-%m-%d}/outlasting", content, "application/x-ndjson")
        for prediction_id in ("first", "last"):
            path = f"models/{model}/predictions/{prediction_id}"
            stored = eventually(lambda path=path: client.call("GET", path, key="operator")["labels"])
            # The same event on every line but the last gives one label; the last line is another prediction's.
            assert [label["value"] for label in stored] == [1], prediction_id
    finally:
        functions.update_function_configuration(FunctionName=name, Timeout=timeout)
