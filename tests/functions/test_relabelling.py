"""The steps of a relabelling, in the order of its state machine, through their handlers and moto."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from functions.coordinate_relabelling.app import handler as coordinate
from functions.get_model.app import handler as report
from functions.relabel_files.app import handler as relabel_files
from functions.request_jobs.app import handler as request
from hindsight.bootstrap import labelling, stores
from hindsight.labels.relabelling.job import run_input
from tests.functions.conftest import Context
from tests.functions.labelling import FILE, FIRST, SECOND, outcome, predict, write_feedback
from tests.functions.requests import paths, send
from tests.ports import forget_ports
from tests.unit.labels.builders import DEMAND, MODEL, NOON, at, configuration, key

Event = dict[str, Any]
Sample = Callable[[str], Event]

JOBS = f"/models/{MODEL}/jobs"


@dataclass(frozen=True)
class Hurried(Context):
    def get_remaining_time_in_millis(self) -> int:
        return 1


@pytest.fixture
def executions(deployed: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """List the names of the executions started."""
    client: Any = boto3.client("stepfunctions")
    definition = '{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": true}}}'
    role = "arn:aws:iam::123456789012:role/run"
    arn = client.create_state_machine(name="relabelling", definition=definition, roleArn=role)["stateMachineArn"]
    monkeypatch.setenv("RELABELLING_STATE_MACHINE_ARN", arn)
    forget_ports()
    return lambda: [found["name"] for found in client.list_executions(stateMachineArn=arn)["executions"]]


@pytest.fixture
def mended(executions: Callable[[], list[str]]) -> None:
    """A model with two labels made by another threshold than today's."""
    stores.configurations().put(configuration(DEMAND), NOON)
    predict(FIRST, SECOND)
    write_feedback(outcome(FIRST, 75), b"nonsense\n", outcome(SECOND, 150))
    labelling.feedback_files().join(FILE)
    stores.configurations().put(configuration({**DEMAND, "positive": {"greater_than": 50}}), at(50))


def begun() -> Event:
    status, answer = send(request, "request_jobs")
    assert (status, list(answer)) == (202, ["job_id"])
    return run_input(stores.relabel_store().job(MODEL, answer["job_id"]))


def files(run: Event, *keys: str) -> Event:
    return {name: run[name] for name in ("model", "job_id", "attempt")} | {"keys": list(keys)}


def follow(job_id: str) -> Event:
    status, answer = send(report, "get_model", path=f"{JOBS}/{job_id}")
    assert status == 200
    found: Event = answer
    return found


def values(prediction_id: str) -> list[object]:
    (found,) = stores.label_store().load([key(prediction_id)])
    return [record.label.value for record in found.labels]


@pytest.mark.usefixtures("mended")
def test_the_samples_relabel_a_model(sample: Sample, context: Context, executions: Callable[[], list[str]]) -> None:
    run = begun()
    assert executions() == [f"{run['job_id']}-1"]
    # The samples are of the very relabelling that the sample request begins.
    assert run["job_id"] == sample("coordinate_relabelling")["job_id"]

    counted = coordinate(sample("coordinate_relabelling"), context)
    files_found = {"files": 1, "feedback_files": 1, "feedback": 1, "predictions": 0, "after": "", "is_done": True}
    assert counted == {**files_found, "workers": 2, "feedback_batch": 1, "predictions_batch": 1}
    answer = relabel_files(sample("relabel_files"), context)
    assert (answer["keys"], answer["is_done"]) == ([], True)
    ended = coordinate(sample("coordinate_relabelling_finalize"), context)

    assert (ended["status"], ended["concluded"]) == ("completed", True)
    assert values(FIRST) == [0, 1]
    assert values(SECOND) == [1]
    found = follow(run["job_id"])
    assert found == {name: value for name, value in ended.items() if name not in {"concluded", "model"}}
    assert found["progress"] == {"done": 1, "total": 1}
    assert (found["result"]["events"], found["result"]["labels_changed"]) == (2, 1)
    assert (found["actor"], found["reason"]) == ("key:operator", "demand above 50, not 100, is high")
    assert found["request"] == {
        "from": "2026-02-01",
        "rules_revision": 2,
        "known_at": "2026-03-08T12:30:00.000000Z",
        "attempt": 1,
    }


@pytest.mark.usefixtures("mended")
def test_a_batch_given_twice_is_counted_once(context: Context) -> None:
    run = begun()
    relabel_files(files(run, FILE), context)
    relabel_files(files(run, FILE), context)
    found = follow(run["job_id"])
    done = found["progress"]["done"], found["result"]["events"], found["result"]["labels_changed"]
    assert done == (1, 2, 1)
    assert values(FIRST) == [0, 1]


@pytest.mark.usefixtures("mended")
def test_out_of_time_the_files_are_left() -> None:
    batch = files(begun(), FILE, "feedback/date=2026-03-02/other")
    assert relabel_files(batch, Hurried()) == {**batch, "is_done": False}
    assert values(FIRST) == [0]


@pytest.mark.usefixtures("mended")
def test_a_second_request_names_the_open_one(
    sample: Sample, context: Context, executions: Callable[[], list[str]]
) -> None:
    run = begun()
    second = sample("request_jobs")
    second["requestContext"]["requestId"] = "another"
    answer = request(second, context)
    error = json.loads(answer["body"])["error"]
    assert (answer["statusCode"], error["code"]) == (409, "conflict")
    assert run["job_id"] in error["message"]
    assert executions() == [f"{run['job_id']}-1"]


@pytest.mark.usefixtures("mended")
def test_a_failed_one_is_resumed(context: Context, executions: Callable[[], list[str]]) -> None:
    run = begun()
    coordinate({**run, "step": "finalize", "failure": "Files: it broke", "at": "2026-03-08T13:00:00Z"}, context)
    assert (follow(run["job_id"])["status"], follow(run["job_id"])["failure"]) == ("failed", "Files: it broke")

    status, answer = send(request, "request_jobs", path=f"{JOBS}/{run['job_id']}/resume")

    assert (status, answer) == (202, {"job_id": run["job_id"]})
    assert f"{run['job_id']}-2" in executions()
    resumed = follow(run["job_id"])
    assert (resumed["status"], resumed["request"]["attempt"], "failure" in resumed) == ("running", 2, False)
    status, answer = send(request, "request_jobs", path=f"{JOBS}/{run['job_id']}/resume")
    assert (status, answer["error"]["code"]) == (409, "not_resumable")


@pytest.mark.usefixtures("mended")
def test_relabellings_are_listed_newest_first(context: Context) -> None:
    run = begun()
    coordinate({**run, "step": "finalize", "at": "2026-03-08T13:00:00Z"}, context)
    status, answer = send(report, "get_model", path=JOBS, queryStringParameters={"kind": "relabelling"})
    assert (status, [row["job_id"] for row in answer["jobs"]]) == (200, [run["job_id"]])


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "reason"),
        ({"reason": "x", "from": "yesterday"}, "from"),
        ({"reason": "x", "to": "2026-02-30"}, "to"),
        ({"reason": "x", "from": "2026-03-02", "to": "2026-03-01"}, "from"),
        ({"reason": "x", "occurred_at": "noon"}, "occurred_at"),
        ({"reason": "x", "until": "2026-03-01"}, "until"),
    ],
)
def test_a_malformed_request_names_its_path_and_begins_nothing(
    body: Any, path: str, executions: Callable[[], list[str]]
) -> None:
    status, answer = send(request, "request_jobs", body)
    assert (status, paths(answer)) == (400, [path])
    assert executions() == []


@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    "path",
    ["/models/unknown/relabel", f"{JOBS}/relabelling-none", f"{JOBS}/none/resume", f"{JOBS}/relabelling-none/resume"],
)
def test_missing_relabelling_is_not_found(path: str) -> None:
    handler, sample = (report, "get_model") if path.endswith("none") else (request, "request_jobs")
    status, answer = send(handler, sample, path=path)
    assert (status, answer["error"]["code"]) == (404, "not_found")
