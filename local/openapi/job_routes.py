"""The routes of operators' jobs, and of the quarantine."""

from functools import partial

from hindsight.core.jobs import JobKind
from hindsight.privacy.requests import ErasureRequest
from hindsight.quarantine.replay_request import ReplayRequest
from hindsight.validation.operator_request import DaysRequest
from local.openapi.answers import ACCEPTED_JOB, JOB, QUARANTINE
from local.openapi.route import Parameter, Route, page
from local.openapi.schemas import TEXT, ref

_job_start = partial(Route, method="post", answer=ACCEPTED_JOB, status=202, conflicts=True)
JOBS = [
    _job_start(
        name="verify_dataset",
        path="/models/{model}/datasets/{id}/verify",
        does="Begin to rebuild a dataset and compare it bit for bit",
    ),
    _job_start(
        name="export_labels",
        method="get",
        path="/models/{model}/labels",
        does="Begin to write matured labels with their features to one Parquet file",
        conflicts=False,
        query=(Parameter(name="from", schema=TEXT), Parameter(name="to", schema=TEXT)),
    ),
    _job_start(
        name="start_relabelling",
        path="/models/{model}/relabel",
        does="Begin a relabelling",
        body=ref(DaysRequest),
    ),
    Route(
        name="get_quarantine",
        method="get",
        path="/models/{model}/quarantine",
        does="Count and show rejected items",
        answer=QUARANTINE,
        most=300,
        paged=True,
    ),
    _job_start(
        name="start_replay",
        path="/models/{model}/quarantine/replay",
        does="Begin to replay rejected items",
        body=ref(ReplayRequest),
    ),
    _job_start(
        name="erase_entity",
        method="delete",
        path="/models/{model}/entities/{id}",
        does="Begin to erase all data of an entity",
        body=ref(ErasureRequest),
        needs_body=False,
    ),
    Route(
        name="list_jobs",
        method="get",
        path="/models/{model}/jobs",
        does="List jobs, newest first",
        answer=page("jobs", JOB),
        most=200,
        paged=True,
        query=(Parameter(name="kind", schema={"type": "string", "enum": [kind.value for kind in JobKind]}),),
    ),
    Route(
        name="get_job",
        method="get",
        path="/models/{model}/jobs/{id}",
        does="Report a job's progress and result",
        answer=JOB,
    ),
    _job_start(
        name="resume_job",
        path="/models/{model}/jobs/{id}/resume",
        does="Resume a job that ended before it was done",
    ),
]
