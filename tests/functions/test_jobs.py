"""Jobs of every kind as operators read them: one list, one shape, one way to resume."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.request_jobs.app import handler as request
from hindsight.bootstrap import stores
from hindsight.core.jobs import Job, JobKind, name_job
from hindsight.labels.relabelling.job import RelabelJob
from hindsight.reporting.jobs import DIED
from hindsight.runtime.http.pages import token_of
from hindsight.testing.builders.configuration import configuration
from tests.functions.reads import MODEL, get
from tests.functions.requests import paths, send

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
RESULT = {"is_reproducible": True, "problems": [], "digest": "d", "rows": {"train": 1, "holdout": 1}, "sources": 1}
CHECKPOINTS: dict[JobKind, dict[str, Any]] = {
    JobKind.IMPORT: {"line": 500},
    JobKind.REPLAY: {"after": "quarantine/x"},
    JobKind.ERASURE: {"steps": 4, "steps_total": 28},
    JobKind.VERIFICATION: RESULT,
    JobKind.EXPORT: {"attempts": 1, "rows": 20, "rows_total": 100},
}
COUNTS: dict[JobKind, dict[str, int]] = {
    JobKind.IMPORT: {"accepted": 499, "rejected": 1},
    JobKind.REPLAY: {"replayed": 3, "joined": 2, "kept:invalid": 1},
    JobKind.ERASURE: {"table": 9},
    JobKind.VERIFICATION: {},
    JobKind.EXPORT: {},
}


@pytest.fixture(autouse=True)
def model(deployed: None) -> None:
    stores.configurations().put(configuration(), START)


def job(kind: JobKind, number: int = 0, model: str = MODEL) -> Job:
    at = START + timedelta(hours=number)
    name = name_job(kind, at, str(number))
    found = Job(kind=kind, model=model, job_id=name, at=at, started_at=at, request={"entity_id": "customer-17"})
    return replace(found, checkpoint=CHECKPOINTS[kind], counts=COUNTS[kind])


def start_each() -> list[str]:
    """Start two jobs of each kind, one after another; return their ids, the newest first."""

    def started() -> Iterator[str]:
        for number, kind in enumerate([*CHECKPOINTS, *CHECKPOINTS]):
            yield stores.job_store().start(job(kind, number)).job_id
        at = START + timedelta(hours=3, minutes=30)
        relabelling = RelabelJob(
            model=MODEL,
            job_id=name_job(JobKind.RELABELLING, at),
            reason="mended",
            rules_revision=1,
            known_at=at,
            started_at=at,
        )
        assert stores.relabel_store().begin(relabelling, None)
        yield relabelling.job_id

    return sorted(started(), key=lambda name: name.partition("-")[2], reverse=True)


def test_jobs_of_all_kinds_are_listed_newest_first_in_pages() -> None:
    names = start_each()

    found: list[str] = []
    token: dict[str, str] = {}
    pages = 0
    while pages < 10:
        status, answer = get(f"{MODEL}/jobs", limit="4", **token)
        assert status == 200
        found += [row["job_id"] for row in answer["jobs"]]
        pages += 1
        if "next_token" not in answer:
            break
        token = {"next_token": answer["next_token"]}

    assert found == names
    assert pages == 3


@pytest.mark.parametrize("kind", list(JobKind))
def test_jobs_of_one_kind_are_listed_and_read_alike(kind: JobKind) -> None:
    names = [name for name in start_each() if name.startswith(f"{kind}-")]

    _, answer = get(f"{MODEL}/jobs", kind=kind)

    assert [row["job_id"] for row in answer["jobs"]] == names
    for row in answer["jobs"]:
        _, shown = get(f"{MODEL}/jobs/{row['job_id']}")
        versions = shown.get("result", {}).pop("versions", [])
        assert (shown, versions) == (row, [])
        # Nothing is at work any more on a verification of long ago.
        assert (shown["kind"], shown["status"]) == (kind, "failed" if kind is JobKind.VERIFICATION else "running")
        assert "customer-17" not in str(shown)


def test_verification_whose_function_died_each_time_has_failed_unless_it_ends_after_all() -> None:
    begun = stores.job_store().start(replace(job(JobKind.VERIFICATION), checkpoint={}))
    just_begun = stores.job_store().start(replace(begun, job_id=f"{begun.job_id}-2", started_at=datetime.now(UTC)))

    _, shown = get(f"{MODEL}/jobs/{begun.job_id}")
    assert (shown["status"], shown["failure"], shown["finished_at"]) == ("failed", DIED, "2026-03-01T13:15:00.000000Z")
    assert get(f"{MODEL}/jobs/{just_begun.job_id}")[1]["status"] == "running"

    stores.job_store().save(begun.completed(datetime.now(UTC), RESULT))
    _, shown = get(f"{MODEL}/jobs/{begun.job_id}")
    assert (shown["status"], shown["result"]) == ("completed", RESULT)
    assert "failure" not in shown


def test_unknown_kind_is_named() -> None:
    status, answer = get(f"{MODEL}/jobs", kind="backup")
    assert (status, paths(answer)) == (400, ["kind"])
    assert "relabelling" in answer["error"]["message"]


def test_token_that_is_no_job_s_id_begins_before_the_first() -> None:
    stores.job_store().start(job(JobKind.IMPORT))
    assert get(f"{MODEL}/jobs", next_token=token_of("x")) == (200, {"jobs": []})


@pytest.mark.parametrize("name", ["import", "import-", "import-20260301T120000.000000Z-none", "backup-1", "none"])
def test_id_of_no_job_is_not_found(name: str) -> None:
    stores.job_store().start(job(JobKind.IMPORT))
    assert get(f"{MODEL}/jobs/{name}")[0] == 404


def test_job_of_another_model_is_not_found() -> None:
    other = stores.job_store().start(job(JobKind.IMPORT, model="another"))
    assert get(f"{MODEL}/jobs/{other.job_id}")[0] == 404
    assert get(f"another/jobs/{other.job_id}")[0] == 200


@pytest.mark.parametrize(
    "kind", [kind for kind in CHECKPOINTS if kind not in {JobKind.ERASURE, JobKind.EXPORT, JobKind.REPLAY}]
)
def test_job_that_goes_on_by_itself_is_not_resumed(kind: JobKind) -> None:
    started = stores.job_store().start(job(kind))

    status, answer = send(request, "request_jobs", path=f"/models/{MODEL}/jobs/{started.job_id}/resume")

    assert (status, answer["error"]["code"]) == (409, "not_resumable")
    assert stores.job_store().load(MODEL, started.job_id) == started
