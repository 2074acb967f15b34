from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hindsight.core.errors import Conflict, NotResumable
from hindsight.core.jobs import JobKind, JobStatus, name_job
from hindsight.labels.relabelling.finish import RelabelConclusions
from hindsight.labels.relabelling.job import RelabelJob, prefixes
from hindsight.labels.relabelling.requests import RelabelReports, RelabelRequests
from hindsight.labels.relabelling.store import RelabelEnd
from hindsight.testing.aws.state_machine import InMemoryStateMachine
from hindsight.testing.jobs.relabels import InMemoryRelabels
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.validation.timestamps import ClientTimestamps
from tests.unit.labels.builders import DEMAND, MODEL, configuration

NOW = datetime(2026, 3, 8, 12, 30, tzinfo=UTC)
MENDED = {**DEMAND, "positive": {"greater_than": 50}}


class Bench:
    """Requests on fakes."""

    def __init__(self, trust: ClientTimestamps = ClientTimestamps.BOUNDED) -> None:
        self.store = InMemoryRelabels()
        self.machine = InMemoryStateMachine()
        self.configurations = InMemoryConfigurations(configuration(DEMAND), configuration(MENDED))
        self.requests = RelabelRequests(self.store, self.machine, self.configurations, trust)
        self.reports = RelabelReports(self.store, self.machine)
        self.conclusions = RelabelConclusions(self.store, self.configurations)

    def take(self, request_id: str = "r-1", now: datetime = NOW, **body: Any) -> RelabelJob:
        asked = {"reason": "mended", **body}
        return self.requests.take(MODEL, asked, now=now, request_id=request_id, actor="key:operator")

    def stands(self, job: RelabelJob) -> JobStatus:
        return self.reports.job(MODEL, job.job_id).status

    def conclude(self, job: RelabelJob, **more: Any) -> tuple[RelabelJob, bool]:
        run = {"model": MODEL, "job_id": job.job_id, "attempt": job.attempt, **more}
        return self.conclusions.conclude(run, NOW + timedelta(hours=1))


def test_a_request_starts_an_execution_named_by_its_attempt() -> None:
    bench = Bench()
    job = bench.take()
    assert list(bench.machine.inputs) == [f"{job.job_id}-1"]
    assert (job.rules_revision, job.known_at) == (2, NOW)
    assert bench.machine.inputs[job.execution]["predictions_prefix"] == f"predictions/model={MODEL}/"


def test_the_same_request_again_is_the_same_relabelling() -> None:
    bench = Bench()
    assert bench.take() == bench.take()
    assert len(bench.machine.inputs) == 1


def test_ids_are_in_order_of_time() -> None:
    ids = [name_job(JobKind.RELABELLING, NOW + timedelta(days=day), MODEL, "r") for day in range(40)]
    assert ids == sorted(ids)
    assert len(f"{ids[0]}-99999") <= 80  # as long as an execution's name may be


def test_while_one_runs_another_is_refused() -> None:
    bench = Bench()
    job = bench.take()
    with pytest.raises(Conflict, match=job.job_id):
        bench.take("r-2")


def test_a_start_that_a_crash_prevented_is_made_up_for() -> None:
    bench = Bench()
    job = bench.take()
    bench.machine.inputs.clear()
    with pytest.raises(Conflict):
        bench.take("r-2")
    assert list(bench.machine.inputs) == [job.execution]


def test_one_whose_execution_died_shows_as_stopped_and_makes_way() -> None:
    bench = Bench()
    job = bench.take()
    bench.machine.end(job.execution)
    assert bench.stands(job) is JobStatus.STOPPED
    other = bench.take("r-2", NOW + timedelta(hours=2))
    assert (bench.stands(job), bench.stands(other)) == (JobStatus.STOPPED, JobStatus.RUNNING)
    # What is left of the dead one cannot end the other.
    assert bench.conclude(job)[1] is False
    assert bench.stands(other) is JobStatus.RUNNING


def test_a_stopped_one_is_resumed_and_its_first_attempt_can_no_longer_conclude_it() -> None:
    bench = Bench()
    job = bench.take()
    bench.machine.end(job.execution)
    again = bench.requests.resume(MODEL, job.job_id)
    assert (again.attempt, again.known_at, again.execution) == (2, NOW, f"{job.job_id}-2")
    assert again.execution in bench.machine.inputs
    assert bench.conclude(job)[1] is False
    ended, concluded = bench.conclude(again)
    assert (ended.status, concluded) == (JobStatus.COMPLETED, True)


def test_a_failed_one_is_resumed_unless_another_runs() -> None:
    bench = Bench()
    job = bench.take()
    bench.conclude(job, failure="Files: it broke")
    other = bench.take("r-2", NOW + timedelta(hours=2))
    with pytest.raises(Conflict, match=other.job_id):
        bench.requests.resume(MODEL, job.job_id)
    bench.conclude(other)
    assert bench.requests.resume(MODEL, job.job_id).attempt == 2


@pytest.mark.parametrize("end", [JobStatus.COMPLETED, JobStatus.SUPERSEDED])
def test_finished_relabelling_is_not_resumed(end: JobStatus) -> None:
    bench = Bench()
    job = bench.take()
    bench.store.conclude(MODEL, job.job_id, 1, RelabelEnd(end, NOW))
    with pytest.raises(NotResumable, match=end.value):
        bench.requests.resume(MODEL, job.job_id)


def test_under_new_rules_a_relabelling_ends_superseded_and_is_not_resumed() -> None:
    bench = Bench()
    job = bench.take()
    bench.conclude(job, failure="Files: it broke")
    bench.configurations.put(configuration(DEMAND), NOW)
    with pytest.raises(NotResumable, match="rules have changed"):
        bench.requests.resume(MODEL, job.job_id)

    other = bench.take("r-2", NOW + timedelta(hours=2))
    bench.configurations.put(configuration(MENDED), NOW)
    assert bench.conclude(other)[0].status is JobStatus.SUPERSEDED


def test_failures_noted_on_the_way_fail_it() -> None:
    bench = Bench()
    job = bench.take()
    bench.store.note_failure(job, "feedback/one: KeyError")
    ended, _ = bench.conclude(job)
    assert (ended.status, ended.failure) == (JobStatus.FAILED, "feedback/one: KeyError")


@pytest.mark.parametrize("trust", list(ClientTimestamps))
def test_only_a_trusted_client_says_when_the_labels_become_known(trust: ClientTimestamps) -> None:
    then = datetime(2011, 5, 1, tzinfo=UTC)
    job = Bench(trust).take(occurred_at="2011-05-01T00:00:00Z")
    assert job.known_at == (then if trust is ClientTimestamps.TRUSTED else NOW)
    # What is remembered of its files must not have expired when it begins.
    assert job.checkpoint_expires_at > NOW


@pytest.mark.parametrize(
    ("days", "common"),
    [
        ({}, ""),
        ({"from": "2026-03-01"}, ""),
        ({"from": "2026-03-01", "to": "2026-03-01"}, "date=2026-03-01/"),
        ({"from": "2026-03-01", "to": "2026-03-09"}, "date=2026-03-0"),
        ({"from": "2025-12-31", "to": "2026-01-01"}, "date=202"),
    ],
)
def test_only_the_common_prefix_of_the_days_is_listed(days: dict[str, str], common: str) -> None:
    job = Bench().take(**days)
    assert prefixes(job) == (f"feedback/{common}", f"predictions/model={MODEL}/{common}")
