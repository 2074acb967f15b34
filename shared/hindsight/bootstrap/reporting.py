"""The composition of operators' reports."""

import time
from functools import cache

from hindsight.bootstrap import stores
from hindsight.datasets.building.verification_requests import VerificationReports
from hindsight.labels.relabelling.requests import RelabelReports
from hindsight.privacy.requests import ErasureReports
from hindsight.quarantine.report import QuarantineReports
from hindsight.reporting.check_history import CheckHistory
from hindsight.reporting.dataset_reports import DatasetReports
from hindsight.reporting.intake_reports import IntakeReports
from hindsight.reporting.model_reports import ModelReports
from hindsight.review.tasks.overview import ReviewOverview


@cache
def check_history() -> CheckHistory:
    """Build the history of checks."""
    return CheckHistory(stores.configurations(), stores.check_store(), stores.lake())


@cache
def dataset_reports() -> DatasetReports:
    """Build the reports on datasets."""
    return DatasetReports(stores.configurations(), stores.registry(), stores.lake())


@cache
def erasure_reports() -> ErasureReports:
    """Build the reports on erasures."""
    return ErasureReports(stores.job_store(), stores.configurations(), stores.registry())


@cache
def intake_reports() -> IntakeReports:
    """Build the reports of imports and replays."""
    return IntakeReports(stores.configurations(), stores.job_store())


@cache
def model_reports() -> ModelReports:
    """Build the reports of models."""
    reviews = ReviewOverview(stores.review_tasks(), stores.client_timestamps())
    return ModelReports(
        stores.configurations(),
        stores.label_store(),
        stores.check_store(),
        stores.trigger_store(),
        stores.registry(),
        stores.lake(),
        reviews,
        stores.approvals(),
        evaluations=stores.evaluation_store(),
        members=stores.member_store(),
    )


@cache
def quarantine_reports() -> QuarantineReports:
    """Build the reports of quarantines."""
    return QuarantineReports(stores.lake(), stores.configurations(), time.monotonic)


@cache
def relabel_reports() -> RelabelReports:
    """Build the reports on relabellings."""
    return RelabelReports(stores.relabel_store(), stores.relabelling_state_machine(), stores.configurations())


@cache
def verification_reports() -> VerificationReports:
    """Build the reports on verifications of datasets."""
    return VerificationReports(stores.lake(), stores.registry(), stores.configurations())
