"""What operators read, put together."""

import time
from functools import cache

from hindsight.bootstrap import clients, stores
from hindsight.quarantine.report import QuarantineReports
from hindsight.reporting.intake_reports import IntakeReports
from hindsight.reporting.model_reports import ModelReports
from hindsight.review.tasks.overview import ReviewOverview


@cache
def intake_reports() -> IntakeReports:
    """Return what operators read of imports and replays."""
    return IntakeReports(stores.configurations(), stores.job_store())


@cache
def model_reports() -> ModelReports:
    """Return what operators read of models."""
    reviews = ReviewOverview(stores.review_tasks(), clients.settings().client_timestamps)
    return ModelReports(
        stores.configurations(),
        stores.label_store(),
        stores.check_store(),
        stores.trigger_store(),
        stores.registry(),
        stores.lake(),
        reviews,
        stores.approvals(),
        watch=stores.watch_progress(),
        members=stores.member_store(),
    )


@cache
def quarantine_reports() -> QuarantineReports:
    """Return what operators read of quarantines."""
    return QuarantineReports(stores.lake(), stores.configurations(), time.monotonic)
