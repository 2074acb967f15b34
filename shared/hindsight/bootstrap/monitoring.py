"""The monitor of a model, put together; numpy is imported once a model is checked."""

from functools import cache
from typing import TYPE_CHECKING

from hindsight.bootstrap import stores

if TYPE_CHECKING:
    from hindsight.config.model import ModelConfiguration
    from hindsight.label_records.rows import LabelRows
    from hindsight.monitoring.checks.monitor import Monitor
    from hindsight.monitoring.estimation.estimator import Estimator, LossPredictor


@cache
def monitor() -> "Monitor":
    """Build the monitor, which makes, stores and publishes a model's checks."""
    from hindsight.monitoring.checks.model_checks import ModelChecks  # noqa: PLC0415  needs numpy
    from hindsight.monitoring.checks.monitor import Monitor  # noqa: PLC0415
    from hindsight.monitoring.checks.verdict_changes import VerdictAnnouncer  # noqa: PLC0415
    from hindsight.monitoring.estimation.version_estimators import VersionEstimators  # noqa: PLC0415
    from hindsight.monitoring.performance.live_performance import DegradationMonitor  # noqa: PLC0415

    return Monitor(
        configurations=stores.configurations(),
        model_checks=ModelChecks(
            stores.registry(),
            stores.lake(),
            DegradationMonitor(stores.sequential_tests()),
            VersionEstimators(registry=stores.registry(), load=_estimators_of_version, fit=_fit_estimator),
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


def _fit_estimator(
    configuration: "ModelConfiguration",
    version: str,
    rows: "LabelRows",
    estimator: "Estimator | None",
    *,
    is_trusted: bool,
) -> bool:
    """Fit what estimates the performance of a version made elsewhere, where its labels are enough."""
    from hindsight.rollout.evaluation.rows import evenly_sampled  # noqa: PLC0415  needs numpy
    from hindsight.training.estimators.live_estimator import LiveEstimators  # noqa: PLC0415

    keeper = LiveEstimators(stores.lake(), evenly_sampled)
    return keeper.update(configuration, version, rows, estimator, is_trusted=is_trusted)
