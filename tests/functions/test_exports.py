"""Labels exported through their handlers and moto."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pytest

from functions.compact_labels.app import handler as compact
from functions.export_labels.app import handler as export
from functions.request_jobs.app import handler as request
from hindsight.bootstrap import stores
from hindsight.core.times import format_time, microseconds
from hindsight.datasets.exports import label_export
from hindsight.lake.object_store import export_key
from tests.functions.background import create_function
from tests.functions.conftest import ENVIRONMENT, EVENTS, Context
from tests.functions.reads import get
from tests.functions.requests import paths, send
from tests.functions.test_datasets import Hurried, Patient, Sample, objects
from tests.unit.training.world import DELAY, MODEL, START, example, learnable, revision, store

ROWS = learnable(60)
END = START + timedelta(hours=60) + DELAY
Row = dict[str, Any]


@pytest.fixture(autouse=True)
def labelled(deployed: None) -> None:
    stores.configurations().put(revision().configuration, START)
    store(stores.lake(), ROWS)
    create_function(ENVIRONMENT["EXPORT_FUNCTION"])


def ask(model: str = MODEL, **query: str) -> tuple[int, Any]:
    sample = json.loads((EVENTS / "request_jobs_export.json").read_text())
    context = {**sample["requestContext"], "requestId": str(uuid4())}
    path = f"/models/{model}/labels"
    return send(request, "request_jobs_export", path=path, queryStringParameters=query or None, requestContext=context)


def begin(**query: str) -> str:
    status, taken = ask(**query)
    assert (status, list(taken)) == (202, ["job_id"])
    name: str = taken["job_id"]
    return name


def work(job_id: str, context: Context | None = None) -> Any:
    return export({"model": MODEL, "job_id": job_id}, context or Patient())


def shown(job_id: str) -> Any:
    status, job = get(f"{MODEL}/jobs/{job_id}")
    assert status == 200
    return job


def resume(job_id: str) -> tuple[int, Any]:
    return send(request, "request_jobs_export", path=f"/models/{MODEL}/jobs/{job_id}/resume", httpMethod="POST")


def rows_of(job_id: str, folder: Path) -> list[Row]:
    path = folder / "labels.parquet"
    path.write_bytes(stores.lake().read_bytes(export_key(MODEL, job_id)))
    moments = ", ".join(f"epoch_us({name}) AS {name}" for name in ("occurred_at", "known_at", "outcome_due_at"))
    found = duckdb.sql(f"SELECT * REPLACE ({moments}) FROM read_parquet('{path}')")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def exported(folder: Path, **query: str) -> list[Row]:
    name = begin(**query)
    assert work(name)["status"] == "completed"
    return rows_of(name, folder)


def test_labels_are_exported_once_each_with_features_and_the_newest_value(tmp_path: Path) -> None:
    first, second, *_ = ROWS
    changes: list[dict[str, Any]] = [
        {"value": 1 - int(str(first.value)), "known_at": first.known_at + DELAY},
        {"value": None, "kind": None, "known_at": second.known_at + DELAY},
    ]
    amended = [example(place, seq=2, features=ROWS[place].features, **made) for place, made in enumerate(changes)]
    store(stores.lake(), [*amended, *ROWS[:5]])  # delivered twice

    rows = {row["prediction_id"]: row for row in exported(tmp_path)}

    assert list(rows) == [row.prediction_id for row in ROWS if row is not second]
    row = rows["p00000"]
    assert (row["label"], row["seq"], row["known_at"]) == (amended[0].value, 2, microseconds(amended[0].known_at))
    answer = ("entity_id", "occurred_at", "model_version", "decision", "score", "status", "kind")
    assert [row[name] for name in answer] == [None, microseconds(START), "v0", "1", 0.5, "final", "outcome"]
    assert (row["propensity"], row["selection_probability"], row["labelled_without_review"]) == (None, None, False)
    for place, logged in enumerate(ROWS):
        if logged is not second:
            given = {name: rows[logged.prediction_id][f"feature.{name}"] for name in logged.features}
            assert given == {**logged.features, "hour": str(place % 24)}


def test_export_is_shown_with_its_rows_and_a_link_until_its_file_is_gone(tmp_path: Path) -> None:
    store(stores.lake(), [example(90, value=None, kind=None), example(91, value="many")])
    name = begin(**{"from": "2026-03-01", "to": format_time(END)})
    assert shown(name)["progress"] == {"done": 0}

    work(name)

    job = shown(name)
    size = len(stores.lake().read_bytes(export_key(MODEL, name)))
    assert (job["status"], job["progress"]) == ("completed", {"done": 60, "total": 60})
    assert f"{name}.parquet?" in job["result"].pop("url")
    assert job["result"] == {"rows": 60, "dropped": {"unlabelled": 0, "unusable_value": 0}, "bytes": size}
    asked = {"from": format_time(START), "to": format_time(END), "configuration_revision": 1}
    assert (job["request"], job["actor"]) == (asked, "key:operator")
    stores.lake().delete(export_key(MODEL, name))
    assert "url" not in shown(name)["result"]
    assert work(name)["status"] == "completed"
    assert objects("exports/") == []


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({"from": "2026-03-02"}, 24, 60),
        ({"to": format_time(START + timedelta(hours=36))}, 0, 13),  # due and known by then
        ({"from": "2026-03-01T10:00:00+01:00", "to": "2026-03-02"}, 9, 24),
        ({"from": "2026-03-04"}, 0, 0),
    ],
)
def test_export_holds_predictions_of_the_range_whose_labels_were_known_and_due_by_its_end(
    query: dict[str, str], first: int, last: int, tmp_path: Path
) -> None:
    rows = exported(tmp_path, **query)

    assert [row["prediction_id"] for row in rows] == [row.prediction_id for row in ROWS[first:last]]


def test_compacted_labels_are_exported_as_others(sample: Sample, tmp_path: Path) -> None:
    before = exported(tmp_path)
    assert not compact(sample("compact_labels"), Patient())["unreadable"]
    store(stores.lake(), [example(60)])

    after = exported(tmp_path)

    assert after[:-1] == before
    assert after[-1]["prediction_id"] == "p00060"


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-03-01T12:00:00"}, "to"),
        ({"to": "2026-02-30"}, "to"),
        ({"from": "2026-03-03", "to": "2026-03-02"}, "from"),
        ({"from": "2027-01-01"}, "from"),
    ],
)
def test_bad_range_is_named(query: dict[str, str], path: str) -> None:
    status, answer = ask(**query)
    assert (status, paths(answer)) == (400, [path])


def test_range_that_is_asked_for_twice_is_exported_twice() -> None:
    names = [begin(to="2026-03-02") for _ in range(2)]
    assert [work(name)["result"]["rows"] for name in names] == [24, 24]
    assert objects("exports/") == sorted(export_key(MODEL, name) for name in names)


def test_labels_of_an_unknown_model_are_not_found() -> None:
    assert ask("another")[0] == 404


def test_export_out_of_time_fails_by_name_and_is_resumed(tmp_path: Path) -> None:
    name = begin()
    work(name, Hurried())
    job = shown(name)
    assert (job["status"], "ask for a shorter range" in job["failure"], "result" in job) == ("failed", True, False)

    assert resume(name) == (202, {"job_id": name})
    assert shown(name)["status"] == "running"
    work(name)

    assert (shown(name)["status"], len(rows_of(name, tmp_path))) == ("completed", 60)
    assert resume(name)[1]["error"]["code"] == "not_resumable"


def test_export_that_is_cut_off_twice_fails_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    name = begin()
    with monkeypatch.context() as cut_off:
        cut_off.setattr(label_export, "scratch_space", raise_memory_error)
        for _ in range(2):
            with pytest.raises(MemoryError):
                work(name)

    assert work(name)["failure"].startswith("the work was cut off 2 times")


def raise_memory_error() -> None:
    raise MemoryError


def test_worker_that_another_has_taken_over_stops() -> None:
    name = begin()

    @dataclass(frozen=True)
    class Overtaken(Patient):
        def get_remaining_time_in_millis(self) -> int:
            job = stores.job_store().load(MODEL, name)
            if job is not None and job.checkpoint:
                stores.job_store().save(job.advanced(job.checkpoint))
            return super().get_remaining_time_in_millis()

    assert work(name, Overtaken())["status"] == "running"
    assert objects("exports/") == []


def test_damaged_object_fails_the_export_by_name() -> None:
    key = f"labels/model={MODEL}/date=2026-03-03/broken.jsonl.gz"
    stores.lake().write_bytes(key, b"{}", "application/x-ndjson")

    assert key in work(begin())["failure"]


def test_the_samples_ask_for_a_model_and_a_job_that_are_not_there(sample: Sample) -> None:
    assert send(request, "request_jobs_export")[0] == 202
    with pytest.raises(Exception, match="no job"):
        export(sample("export_labels"), Patient())
