"""From the request to replay over the queue to the rows that are left, each through its handler."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from functions.get_model.app import handler as report
from functions.replay_quarantine.app import RESERVED_MILLISECONDS
from functions.replay_quarantine.app import handler as replay
from functions.request_jobs.app import handler as request
from hindsight.bootstrap import labelling, stores
from hindsight.core.jobs import Job, JobKind
from hindsight.quarantine.rejects import RejectCode
from hindsight.quarantine.store import QuarantinedRow
from tests.functions.conftest import Context
from tests.functions.labelling import configure, metric, rows
from tests.functions.requests import paths, send
from tests.unit.labels.builders import DEMAND, MODEL, NOON, THUMB, at, configuration

pytestmark = pytest.mark.usefixtures("feedback_stream")
Sample = Callable[[str], dict[str, Any]]
Sent = Callable[[], list[str]]


@dataclass(frozen=True)
class ShortOfTime(Context):
    """An invocation that is nearly over."""

    def get_remaining_time_in_millis(self) -> int:
        return RESERVED_MILLISECONDS - 1


@dataclass(frozen=True)
class Unhurried(Context):
    """An invocation that has just begun."""

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


def quarantined(number: int, value: str = "up", hours: float = -24) -> QuarantinedRow:
    item = {"feedback_id": f"f-{number}", "prediction_id": "p-1", "name": "thumb", "value": value}
    return QuarantinedRow(
        code=RejectCode.INVALID,
        reason="is none of 'bad', 'good'",
        path="value",
        day=at(hours).date(),
        model=MODEL,
        received_at=at(hours),
        file="feedback/date=2026-02-28/x",
        line=number,
        text=json.dumps(item),
    )


def keep(*found: QuarantinedRow) -> None:
    labelling.quarantine().put(found)


def mend() -> None:
    stores.configurations().put(configuration(DEMAND, THUMB), NOON)


def get(path: str, **query: str) -> tuple[int, Any]:
    return send(report, "get_model_quarantine", path=path, queryStringParameters=query or None)


def deliver(sample: Sample, body: str, context: Context) -> Any:
    event = sample("replay_quarantine")
    event["Records"][0]["body"] = body
    return replay(event, context)


def test_the_sample_shows_counts_and_the_newest_rows() -> None:
    configure()
    keep(*(quarantined(number) for number in range(30)))

    status, answer = send(report, "get_model_quarantine")

    assert (status, answer["counts"], answer["capped"]) == (200, {"invalid": 30}, False)
    assert len(answer["rows"]) == 20
    assert {row["reason"] for row in answer["rows"]} == {"is none of 'bad', 'good'"}


def test_models_without_configuration_are_shown_if_something_is_there() -> None:
    stores.lake().write_bytes("feedback/date=2026-02-28/x", b"{not json}\n", "text/plain")
    labelling.feedback_files().join("feedback/date=2026-02-28/x")

    assert get("/models/_unreadable/quarantine")[1]["counts"] == {"malformed": 1}
    for unknown in ("unknown", "_other", "a%2Fb"):
        assert get(f"/models/{unknown}/quarantine")[0] == 404


@pytest.mark.parametrize("limit", ["0", "301", "x"])
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    configure()

    assert paths(get(f"/models/{MODEL}/quarantine", limit=limit)[1]) == ["limit"]


def test_the_sample_requests_are_replayed_to_their_end(
    sample: Sample, sent: Sent, capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    keep(quarantined(1), quarantined(2, value="sideways"))
    mend()

    status, asked = send(request, "request_jobs_replay")
    (message,) = sent()
    assert (status, list(asked)) == (202, ["job_id"])
    assert json.loads(message) == {"model": MODEL, "job_id": asked["job_id"]}
    assert deliver(sample, message, Unhurried()) == {"batchItemFailures": []}

    _, shown = get(f"/models/{MODEL}/jobs/{asked['job_id']}")
    assert shown.pop("finished_at") > shown["started_at"]
    assert shown == {
        "job_id": asked["job_id"],
        "kind": "replay",
        "status": "completed",
        "started_at": "2026-03-01T12:00:00.000000Z",
        "progress": {"done": 2, "total": 2},
        "actor": "key:operator",
        "reason": "the rule for thumbs read good and bad",
        "request": {"codes": ["invalid"], "from": "2026-02-01"},
        "result": {"replayed": 1, "joined": 0, "kept": {"invalid": 1}},
    }
    assert [(row["feedback_id"], row["received_at"]) for row in rows("feedback/")] == [
        ("f-1", "2026-03-01T12:00:00.000000Z")
    ]
    assert get(f"/models/{MODEL}/quarantine")[1]["counts"] == {"invalid": 1}
    assert metric(capsys.readouterr().out, "QuarantineReplayed") == [(MODEL, 1)]


def test_the_message_of_the_sample_is_of_a_replay(sample: Sample) -> None:
    name = "replay-20260301T120000.000000Z-19f1064b619d"
    job = Job(kind=JobKind.REPLAY, model=MODEL, job_id=name, at=NOON, started_at=NOON)
    configure()
    stores.job_store().start(job)

    assert replay(sample("replay_quarantine"), Unhurried()) == {"batchItemFailures": []}
    assert get(f"/models/{MODEL}/jobs/{job.job_id}")[1]["status"] == "completed"


def test_a_replay_that_outlasts_the_time_goes_on_with_the_next_message(sample: Sample, sent: Sent) -> None:
    configure()
    keep(quarantined(1))
    mend()
    send(request, "request_jobs_replay")
    (message,) = sent()

    assert deliver(sample, message, ShortOfTime()) == {"batchItemFailures": []}

    assert sent() == [message]
    assert rows("feedback/") == []


def test_unrequested_replay_is_returned_to_the_queue(sample: Sample) -> None:
    answer = replay(sample("replay_quarantine"), Unhurried())

    assert len(answer["batchItemFailures"]) == 1


@pytest.mark.parametrize("body", [{}, {"reason": "x", "codes": ["other"]}, {"reason": "x", "from": "tomorrow"}, []])
def test_a_request_that_cannot_be_read_begins_nothing(body: Any, sent: Sent) -> None:
    configure()

    assert send(request, "request_jobs_replay", body)[0] == 400
    assert sent() == []


def test_the_unknown_is_not_found(sent: Sent) -> None:
    assert send(request, "request_jobs_replay", path="/models/unknown/quarantine/replay")[0] == 404
    configure()
    for name in ("none", "replay-none", "relabelling-none", "replay"):
        assert get(f"/models/{MODEL}/jobs/{name}")[0] == 404
    assert get("/models/unknown/jobs")[0] == 404
    assert get(f"/models/{MODEL}/jobs") == (200, {"jobs": []})
    assert sent() == []
