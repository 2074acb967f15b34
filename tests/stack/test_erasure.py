"""An entity is erased: afterwards no byte of the lake, in any version, and no item of a table names it."""

import gzip
import io
import json
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pytest

from hindsight.core.times import format_time
from local.client import StackClient
from local.job_end import start_and_wait, wait_for_job
from tests.stack.test_datasets import run as take_snapshot
from tests.stack.waiting import eventually
from tests.unit.training.world import BINARY_RULE, learnable, store

MODEL = "forgetful"
MOVED = timedelta(days=800)  # apart from what other tests of the stack are about
AS_OF = datetime(2028, 6, 14, tzinfo=UTC)
RECORDS = 900
THEIRS, OTHERS = "customer-erased", "customer-kept"
ASKED = {"reason": "asked for", "occurred_at": format_time(AS_OF + timedelta(days=1))}
MARK = 77.125  # a temperature that no row but the subject's has


@pytest.fixture(scope="module")
def model(client: StackClient) -> None:
    configuration: dict[str, Any] = {
        "model": MODEL,
        "task": "binary",
        "features": {
            "temperature": {"type": "numeric"},
            "hour": {"type": "categorical"},
            "holiday": {"type": "boolean"},
        },
        "labels": {"rules": [BINARY_RULE, {"event": "annotation", "kind": "manual"}]},
        "training": {"candidates": ["logistic_regression"]},
        "review": {"random_rate": 1.0},
        "retention": "P3650D",
    }
    client.call("PUT", f"models/{MODEL}", key="operator", json=configuration)


def predictions(entity: str) -> list[dict[str, Any]]:
    return [
        {
            "prediction_id": f"{entity}-p{number}",
            "entity_id": entity,
            "features": {"temperature": MARK if entity == THEIRS else 12.0, "hour": "7", "holiday": False},
            "score": 0.5,
            "decision": 1,
            "model_version": "v1",
            "occurred_at": format_time(AS_OF - timedelta(days=3, hours=number)),
        }
        for number in range(4)
    ]


def feedback(entity: str) -> list[dict[str, Any]]:
    return [
        {
            "feedback_id": f"{entity}-f{number}",
            "prediction_id": f"{entity}-p{number}",
            "name": "outcome",
            "value": 1,
            "occurred_at": format_time(AS_OF - timedelta(days=3, hours=number - 1)),
        }
        for number in range(4)
    ]


def rejected(entity: str) -> dict[str, Any]:
    return {"feedback_id": f"{entity}-bad", "prediction_id": f"{entity}-p0", "name": "outcome", "value": "neither"}


def unlogged(entity: str) -> dict[str, Any]:
    """Build a prediction that is rejected, and so wide that it is cut."""
    wide = {f"column {number}": number for number in range(1000)}
    item = predictions(entity)[0]
    return {**item, "prediction_id": f"{entity}-wide", "features": {**item["features"], **wide}}


def live(client: StackClient) -> None:
    """Both entities leave traces wherever an entity can."""
    for entity in (THEIRS, OTHERS):
        sent = client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": predictions(entity)})
        assert not sent["rejected"], sent
        events = [*feedback(entity), rejected(entity)]
        client.call("POST", f"models/{MODEL}/feedback", key="app", json={"events": events})
        refused = [unlogged(entity), {**predictions(entity)[0], "score": 0.75}]
        sent = client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": refused})
        assert [one["code"] for one in sent["rejected"]] == ["invalid", "conflict"], sent
        past = [{**item, "prediction_id": f"{item['prediction_id']}-past"} for item in predictions(entity)]
        name = "a" if entity == THEIRS else "b"
        lines = "".join(json.dumps(item) + "\n" for item in past).encode()
        client.lake.write_bytes(f"imports/model={MODEL}/predictions/{name}.jsonl", lines, "text/plain")
        # What an earlier state of an object held.
        key = f"replayed/model={MODEL}/date=2028-06-11/{name}.jsonl"
        replayed = {"event": {**feedback(entity)[0], "model": MODEL}}
        client.lake.write_bytes(key, json.dumps(replayed).encode(), "text/plain")
        client.lake.write_bytes(key, b"{}", "text/plain")
    rows = []
    for number, row in enumerate(learnable(RECORDS)):
        times = {name: getattr(row, name) + MOVED for name in ("occurred_at", "outcome_due_at", "known_at")}
        entity = THEIRS if number % 300 == 17 else OTHERS
        features = {**row.features, **({"temperature": MARK} if entity == THEIRS else {})}
        rows.append(replace(row, model=MODEL, entity_id=entity, features=features, **times))
    for piece in range(3):
        store(client.lake, rows[piece::3])


def decoded(key: str, content: bytes) -> str:
    """Decode the text of an object, in any form in which it is stored."""
    if key.endswith(".parquet"):
        with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
            file.write(content)
            file.flush()
            return str(duckdb.execute("SELECT CAST(r AS VARCHAR) FROM read_parquet(?) r", [file.name]).fetchall())
    if key.endswith(".npz"):
        with np.load(io.BytesIO(content), allow_pickle=False) as part:
            return str([part[name].tobytes() if name == "first_features" else part[name].tolist() for name in part])
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    return content.decode("utf-8", "replace")


def traces(client: StackClient, *marks: str) -> list[str]:
    """List the objects, in any of their versions, and the items of tables that hold one of some texts."""
    s3, bucket, found = client.aws("s3"), client.stack.outputs["LakeBucket"], []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in page.get("Versions", []):
            if MODEL not in version["Key"] and not version["Key"].startswith("feedback/"):
                continue
            content = s3.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
            text = decoded(version["Key"], content)
            found += [f"{version['Key']} ({mark})" for mark in marks if mark in text or mark in version["Key"]]
    for table in ("PredictionsTable", "ModelsTable"):
        for page in client.aws("dynamodb").get_paginator("scan").paginate(TableName=client.stack.outputs[table]):
            for item in page["Items"]:
                if "erased" not in item:
                    text = str(item)
                    found += [f"{table} {item['pk']} {item['sk']} ({mark})" for mark in marks if mark in text]
    return found


def test_an_entity_is_erased_everywhere_and_the_others_stay_whole(
    client: StackClient, model: None, announcements: Any
) -> None:
    live(client)
    eventually(lambda: _rejected(client) == {"feedback": 2, "prediction": 4})
    eventually(lambda: _labels(client, OTHERS) == _labels(client, THEIRS) == 4)
    eventually(lambda: _imported(client))
    taken = take_snapshot(client, 1, AS_OF, MODEL)
    assert taken["status"] == "ready", taken
    client.run_schedule("CompactLabels", AS_OF + timedelta(days=10), MODEL)
    second = take_snapshot(client, 2, AS_OF + timedelta(hours=1), MODEL)
    before = {mark: len(traces(client, mark)) for mark in (THEIRS, OTHERS, str(MARK))}
    assert min(before.values()) > 10, before
    kept = _lines(client, OTHERS)
    both = sorted([taken["dataset_id"], second["dataset_id"]])
    assert _datasets(client, THEIRS) == _datasets(client, OTHERS) == both

    asked = client.call("DELETE", f"models/{MODEL}/entities/{THEIRS}", key="operator", json=ASKED)
    again = client.call("DELETE", f"models/{MODEL}/entities/{THEIRS}", key="operator", json=ASKED)
    assert again["job_id"] == asked["job_id"]
    job = wait_for_job(client, MODEL, asked["job_id"], patience=120)
    assert job["status"] == "completed"
    result = job["result"]
    assert result["unreadable"] == []
    assert sorted(result["datasets"]) == sorted({taken["dataset_id"], second["dataset_id"]})
    for place in ("table", "predictions", "feedback", "imports", "quarantine", "datasets"):
        assert place in result["counts"], result
    assert traces(client, THEIRS, str(MARK)) == []
    assert _lines(client, OTHERS) == kept
    assert _datasets(client, OTHERS) == both
    for dataset in result["datasets"]:
        verified = start_and_wait(client, MODEL, "POST", f"datasets/{dataset}/verify", patience=120)
        assert verified["result"]["is_reproducible"], verified
    assert eventually(lambda: [event for event in announcements(MODEL) if event["detail-type"] == "SubjectErased"])

    # What comes late does not bring it back.
    assert deliver_late(client, *(item["prediction_id"] for item in predictions(THEIRS))) == {"batchItemFailures": []}
    assert traces(client, THEIRS, str(MARK)) == []
    late = {**feedback(THEIRS)[0], "feedback_id": "late"}
    client.call("POST", f"models/{MODEL}/feedback", key="app", json={"events": [late]})
    again = predictions(THEIRS)[:1]
    refused = client.call("POST", f"models/{MODEL}/predictions", key="app", json={"predictions": again})
    assert [one["code"] for one in refused["rejected"]] == ["conflict"]
    assert take_snapshot(client, 3, AS_OF + timedelta(hours=2), MODEL)["status"] == "ready"
    assert traces(client, str(MARK)) == []


def deliver_late(client: StackClient, *names: str) -> Any:
    """Hand the stream's records of predictions to the archiver again, as if it had taken them an hour until now."""
    streams, tables = client.aws("dynamodbstreams"), client.aws("dynamodb")
    described = tables.describe_table(TableName=client.stack.outputs["PredictionsTable"])["Table"]
    asked = {"StreamArn": described["LatestStreamArn"]}
    shard = streams.describe_stream(**asked)["StreamDescription"]["Shards"][-1]["ShardId"]
    asked |= {"ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator, found = streams.get_shard_iterator(**asked)["ShardIterator"], list[dict[str, Any]]()
    wanted = {f"{MODEL}#{name}" for name in names}
    while page := streams.get_records(ShardIterator=iterator, Limit=1000):
        if not page["Records"]:
            break
        found += (
            one
            for one in page["Records"]
            if one["eventName"] == "INSERT"
            and one["dynamodb"]["Keys"]["sk"]["S"] == "prediction"
            and one["dynamodb"]["Keys"]["pk"]["S"] in wanted
        )
        iterator = page["NextShardIterator"]
    assert {one["dynamodb"]["Keys"]["pk"]["S"] for one in found} == wanted
    late = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    records = [{**one, "dynamodb": {**one["dynamodb"], "ApproximateCreationDateTime": late}} for one in found]
    answer = client.aws("lambda").invoke(
        FunctionName=client.stack.outputs["ArchivePredictionsFunction"], Payload=json.dumps({"Records": records})
    )
    return json.loads(answer["Payload"].read())


def _labels(client: StackClient, entity: str) -> int:
    return sum(
        1
        for key in client.lake.keys(f"labels/model={MODEL}/date=")
        for row in client.lake.read_lines(key)
        if row["prediction_id"] in {item["prediction_id"] for item in predictions(entity)} and row["value"] is not None
    )


def _datasets(client: StackClient, entity: str) -> list[str]:
    """List the data sets that hold an entity's first prediction."""
    explained = client.call("GET", f"models/{MODEL}/predictions/{entity}-p0", key="operator")
    assert explained["all_datasets_searched"] is True
    return sorted(dataset["dataset_id"] for dataset in explained["datasets"])


def _rejected(client: StackClient) -> dict[str, int]:
    """Count the rows that calls have left in quarantine, by their kind."""
    rows = (row for key in client.lake.keys(f"quarantine/model={MODEL}/") for row in client.lake.read_lines(key))
    return dict(Counter(row["kind"] for row in rows if row["file"].startswith("feedback/")))


def _imported(client: StackClient) -> bool:
    imports = client.call("GET", f"models/{MODEL}/jobs?kind=import", key="operator")["jobs"]
    return len(imports) == 2 and all(one["status"] == "completed" for one in imports)


def _lines(client: StackClient, entity: str) -> dict[str, int]:
    """Count the lines of each kind that name an entity or one of its predictions."""
    found: dict[str, int] = {}
    of_the_model = (f"{kind}/model={MODEL}/" for kind in ("predictions", "labels", "quarantine", "imports"))
    for kind in ("feedback/", *of_the_model):
        for key in client.lake.keys(kind):
            found[kind] = found.get(kind, 0) + sum(entity.encode() in line for line in client.lake.read_raw_lines(key))
    return found
