"""The requests for jobs, put together: relabelling, replay, erasure, verification, and to resume one."""

from functools import cache

from hindsight.adapters.aws.background import LambdaBackground
from hindsight.bootstrap import clients, stores
from hindsight.core.jobs import JobKind, JobResumptions
from hindsight.datasets.building.verification_requests import VerificationRequests
from hindsight.labels.relabelling.requests import RelabelRequests
from hindsight.privacy.requests import ErasureRequests
from hindsight.replay.quarantine_replay import ReplayRequests


@cache
def erasure_requests() -> ErasureRequests:
    """Build the intake of requests to erase an entity."""
    return ErasureRequests(
        stores.job_store(),
        stores.configurations(),
        stores.erasure_queue(),
        stores.client_timestamps(),
    )


@cache
def relabel_requests() -> RelabelRequests:
    """Build the intake of requests to relabel."""
    return RelabelRequests(
        stores.relabel_store(),
        stores.relabelling_state_machine(),
        stores.configurations(),
        stores.client_timestamps(),
    )


@cache
def replay_requests() -> ReplayRequests:
    """Build the intake of requests to replay a quarantine."""
    return ReplayRequests(
        stores.job_store(),
        stores.configurations(),
        stores.lake(),
        stores.replay_queue(),
        stores.client_timestamps(),
    )


@cache
def resumptions() -> JobResumptions:
    """Build what resumes jobs."""
    return JobResumptions(
        stores.job_store(),
        {JobKind.RELABELLING: relabel_requests().resume, JobKind.ERASURE: erasure_requests().resume},
    )


@cache
def verification_requests() -> VerificationRequests:
    """Build the intake of requests to verify a dataset."""
    work = LambdaBackground(clients.name_of("verify_function"), clients.client("lambda"))
    return VerificationRequests(stores.job_store(), stores.registry(), stores.configurations(), work)
