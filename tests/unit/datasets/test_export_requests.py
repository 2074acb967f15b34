"""The range of an export, by how far clients' times are trusted."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hindsight.core.errors import InvalidInput, Unavailable
from hindsight.core.jobs import JobKind
from hindsight.datasets.exports.export_requests import ExportRequests
from hindsight.testing.aws.invocations import InMemoryInvocations
from hindsight.testing.jobs.job_store import InMemoryJobs
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.validation.timestamps import ClientTimestamps
from tests.unit.training.world import MODEL, revision

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)
TODAY = "2026-03-08T23:59:59.999999Z"


def asked(first: str | None, last: str | None, trust: ClientTimestamps) -> Any:
    work = InMemoryInvocations()
    requests = ExportRequests(InMemoryJobs(), InMemoryConfigurations(revision().configuration), work, trust)
    job = requests.take(MODEL, first, last, now=NOW, request_id="r", actor="key:operator")
    assert work.payloads == [{"model": MODEL, "job_id": job.job_id}]
    return {name: text for name, text in job.request.items() if name in {"from", "to"}}


@pytest.mark.parametrize(
    ("trust", "end"),
    [(ClientTimestamps.BOUNDED, "2026-03-08T12:00:00.000000Z"), (ClientTimestamps.TRUSTED, TODAY)],
)
def test_range_ends_now_unless_the_future_is_simulated(trust: ClientTimestamps, end: str) -> None:
    assert asked(None, "2026-03-08", trust) == {"to": end}
    assert asked(None, None, trust) == {"to": "2026-03-08T12:00:00.000000Z"}


def test_range_that_begins_after_now_is_refused() -> None:
    with pytest.raises(InvalidInput, match="must lie before to, and in the past"):
        asked("2026-03-09", None, ClientTimestamps.BOUNDED)


def test_export_whose_work_could_not_be_started_is_kept_and_can_be_resumed() -> None:
    jobs, work = InMemoryJobs(), InMemoryInvocations(refused=[MODEL])
    requests = ExportRequests(jobs, InMemoryConfigurations(revision().configuration), work, ClientTimestamps.BOUNDED)
    with pytest.raises(Unavailable):
        requests.take(MODEL, None, None, now=NOW, request_id="r", actor="key:operator")
    (job,) = jobs.newest(MODEL, JobKind.EXPORT, 10)
    requests.resume(MODEL, job.job_id)
    assert work.payloads == [{"model": MODEL, "job_id": job.job_id}]
