"""The composition of operators' reports."""

import time
from functools import cache

from hindsight.bootstrap import clients, stores
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.relabelling.requests import RelabelReports
from hindsight.quarantine.report import QuarantineReports
from hindsight.reporting.check_history import CheckHistory
from hindsight.reporting.dataset_reports import DatasetReports
from hindsight.reporting.jobs import JobReports
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
def job_reports() -> JobReports:
    """Build the reports on jobs."""
    relabellings = RelabelReports(stores.relabel_store(), stores.relabelling_state_machine())
    return JobReports(
        stores.job_store(),
        relabellings,
        stores.registry(),
        stores.configurations(),
        stores.lake(),
        clients.utc_now,
    )


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
        stores.training_requests(),
        evaluations=stores.evaluation_store(),
        members=stores.member_store(),
        new_labels=NewLabels(stores.new_label_store()),
        effects=stores.effects(),
    )


@cache
def quarantine_reports() -> QuarantineReports:
    """Build the reports of quarantines."""
    return QuarantineReports(stores.lake(), stores.configurations(), time.monotonic)
