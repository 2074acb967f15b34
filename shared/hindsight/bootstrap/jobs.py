"""The requests for jobs, put together: relabelling, replay, erasure, verification, export, and to resume one."""

from functools import cache

from hindsight.adapters.aws.background import LambdaBackground
from hindsight.bootstrap import clients, stores
from hindsight.core.jobs import JobKind, JobResumptions
from hindsight.datasets.building.verification_requests import VerificationRequests
from hindsight.datasets.exports.export_requests import ExportRequests
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
def export_requests() -> ExportRequests:
    """Build the intake of requests to export labels."""
    work = _background("export_function")
    return ExportRequests(stores.job_store(), stores.configurations(), work, stores.client_timestamps())


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
        {
            JobKind.RELABELLING: relabel_requests().resume,
            JobKind.ERASURE: erasure_requests().resume,
            JobKind.REPLAY: replay_requests().resume,
            JobKind.EXPORT: export_requests().resume,
        },
    )


@cache
def verification_requests() -> VerificationRequests:
    """Build the intake of requests to verify a dataset."""
    return VerificationRequests(
        stores.job_store(), stores.registry(), stores.configurations(), _background("verify_function")
    )


def _background(name: str) -> LambdaBackground:
    return LambdaBackground(clients.name_of(name), clients.client("lambda"))
