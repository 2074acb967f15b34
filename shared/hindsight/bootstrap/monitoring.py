"""The monitor of a model, put together; numpy is imported once a model is checked."""

from functools import cache
from typing import TYPE_CHECKING

from hindsight.bootstrap import stores

if TYPE_CHECKING:
    from hindsight.monitoring.checks.monitor import Monitor
    from hindsight.monitoring.estimation.estimator import Estimator, LossPredictor


@cache
def monitor() -> "Monitor":
    """Build the monitor, which makes, stores and publishes a model's checks."""
    from hindsight.monitoring.checks.model_checks import ModelChecks  # noqa: PLC0415  needs numpy
    from hindsight.monitoring.checks.monitor import Monitor  # noqa: PLC0415
    from hindsight.monitoring.checks.verdict_changes import VerdictAnnouncer  # noqa: PLC0415
    from hindsight.monitoring.performance.live_performance import DegradationMonitor  # noqa: PLC0415

    return Monitor(
        configurations=stores.configurations(),
        model_checks=ModelChecks(
            stores.registry(),
            stores.lake(),
            DegradationMonitor(stores.sequential_tests()),
            _estimators_of_version,
            stores.effects(),
            stores.served_features(),
        ),
        lake=stores.lake(),
        checks=stores.check_store(),
        announcer=VerdictAnnouncer(stores.check_store(), stores.announcements(), _page_link),
        sink=stores.metric_sink(),
    )


def _page_link(key: str) -> str:
    """Build an address at which a check's page can be read for an hour."""
    from hindsight.reporting.status import LINKS_LAST  # noqa: PLC0415

    return stores.lake().link(key, LINKS_LAST)


def _estimators_of_version(model: str, version: str) -> "tuple[Estimator | None, LossPredictor | None]":
    """Load what estimates a version's performance, as its training left it in the lake."""
    from hindsight.training.estimators.estimator_files import load_estimator  # noqa: PLC0415  needs numpy

    fitted = load_estimator(stores.lake(), model, version)
    return (None, None) if fitted is None else (fitted.estimator, fitted.loss_model)
