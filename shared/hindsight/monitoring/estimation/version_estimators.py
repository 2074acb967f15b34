"""The estimators of a model's versions: loaded, where the version was made elsewhere fitted first, and reconciled."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from hindsight.config.model import ModelConfiguration
from hindsight.label_records.rows import LabelRows
from hindsight.monitoring.estimation.estimated_performance import NO_ESTIMATOR, EstimateReport, check_estimate
from hindsight.monitoring.estimation.estimator import Estimator, LossPredictor
from hindsight.monitoring.estimation.reconciliation import Reconciliation, reconcile
from hindsight.monitoring.results.monitored_version import MonitoredVersion
from hindsight.profiles.profile import Profile
from hindsight.registry.external_version import is_made_elsewhere
from hindsight.registry.store import Registry

RECONCILED_AT = 0.01  # an estimate must be doubted early: at the level of alarms it hardly ever would be
TOO_FEW_LABELS = "the version has too few matured labels yet to fit an estimator of its performance on"

Loaded = tuple[Estimator | None, LossPredictor | None]


class Fit(Protocol):
    """A step that fits a version's estimator on its matured labels and stores it, where they are enough for one."""

    def __call__(
        self,
        configuration: ModelConfiguration,
        version: str,
        rows: LabelRows,
        estimator: Estimator | None,
        *,
        is_trusted: bool,
    ) -> bool:
        """Fit on rows of the version, given the stored estimator; return whether there is another one now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionEstimators:
    """The estimators of versions; ``load`` reads one by model and version, with the model of a regression's errors."""

    registry: Registry
    load: Callable[[str, str], Loaded]
    fit: Fit

    def check(
        self,
        predictions: Profile,
        matured: LabelRows,
        configuration: ModelConfiguration,
        version: MonitoredVersion,
        level: float,
    ) -> EstimateReport:
        """Estimate the performance of a version's predictions, and reconcile earlier estimates with matured records.

        Raises HindsightError for an estimator that cannot be read.
        """
        model, name = configuration.model, version.version
        loaded = self.load(model, name)
        paired = _reconciled(matured, configuration, name, loaded)
        is_elsewhere = is_made_elsewhere(self.registry, model, name)
        if is_elsewhere and self._fit(matured, configuration, name, loaded[0], paired):
            loaded = self.load(model, name)
            paired = _reconciled(matured, configuration, name, loaded)
        estimator, losses = loaded
        return check_estimate(
            predictions,
            estimator,
            configuration,
            level=level,
            gate_value=version.gate_value,
            losses=losses,
            reconciliation=paired,
            lacking=TOO_FEW_LABELS if is_elsewhere else NO_ESTIMATOR,
        )

    def _fit(
        self,
        matured: LabelRows,
        configuration: ModelConfiguration,
        version: str,
        estimator: Estimator | None,
        paired: Reconciliation | None,
    ) -> bool:
        rows = matured.at(matured.values("model_version").is_text(version))
        return self.fit(configuration, version, rows, estimator, is_trusted=paired is None or paired.trusted)


def _reconciled(
    matured: LabelRows, configuration: ModelConfiguration, version: str, loaded: Loaded
) -> Reconciliation | None:
    estimator, losses = loaded
    return reconcile(matured, estimator, configuration, champion=version, level=RECONCILED_AT, losses=losses)
