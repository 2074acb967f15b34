"""Jobs that are under way when their model is erased end with that as their reason, and as no dead letter."""

from typing import Any

import pytest

from functions.export_labels.app import handler as export
from functions.replay_quarantine.app import handler as replay
from functions.verify_dataset.app import handler as verify
from hindsight.bootstrap import stores
from hindsight.core.jobs import Job, JobKind, job_message, name_job
from tests.functions.erasures import Sample, Sent
from tests.functions.test_model_erasure import MODEL, erase, work_off, world
from tests.unit.labels.builders import NOON

__all__ = ["world"]


@pytest.mark.parametrize(("kind", "work"), [(JobKind.EXPORT, export), (JobKind.VERIFICATION, verify)])
def test_job_in_flight_fails_while_its_model_is_erased_and_needs_nothing_once_it_was(
    sample: Sample, sent: Sent, context: Any, kind: JobKind, work: Any
) -> None:
    asked = {"model": MODEL, "job_id": name_job(kind, NOON, "r")}
    stores.job_store().start(Job(**asked, kind=kind, at=NOON, started_at=NOON, request={"dataset_id": "d1"}))
    erase()
    report = work(asked, context)
    assert (report["status"], report["failure"]) == ("failed", "the model is being erased, and all that it kept")
    work_off(sample, sent)
    assert work(asked, context) == {}


def test_replay_in_flight_is_no_dead_letter_once_its_model_is_erased(sample: Sample, sent: Sent, context: Any) -> None:
    job = Job(kind=JobKind.REPLAY, model=MODEL, job_id=name_job(JobKind.REPLAY, NOON, "r"), at=NOON, started_at=NOON)
    stores.job_store().start(job)
    erase()
    work_off(sample, sent)
    event = {"Records": [{**sample("replay_quarantine")["Records"][0], "body": job_message(job)}]}
    assert replay(event, context) == {"batchItemFailures": []}
