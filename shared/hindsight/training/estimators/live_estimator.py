"""The estimator of a version made elsewhere, fitted on its own matured labels: there is no holdout of its training."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.core.times import moment_of
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.matured_labels import MaturedLabels, read_matured
from hindsight.label_records.rows import LabelRows
from hindsight.lake.object_store import Lake
from hindsight.monitoring.estimation.estimator import Estimator
from hindsight.registry.schema import Schema
from hindsight.training.estimators.estimator_files import store_estimator
from hindsight.training.estimators.performance_estimator import MAX_ROWS, FittedEstimator, fit_estimator
from hindsight.training.models.frame import to_frame
from hindsight.training.models.scoring import Predictions

MIN_ROWS = 500
"""Matured labels that a first estimator is fitted on."""
GROWTH = 2
"""It is fitted again on so many times as many, until they are as many as are used at all."""
_SEED = 7


@dataclass(frozen=True, slots=True)
class LiveEstimators:
    """The keeper of estimators of versions made elsewhere.

    ``evenly`` selects the rows that stand for the traffic: of reviewed ones as many as an even audit had picked.
    """

    lake: Lake
    evenly: Callable[[Sequence[LabelFields], ModelConfiguration], LabelRows]

    def update(
        self,
        configuration: ModelConfiguration,
        version: str,
        rows: LabelRows,
        estimator: Estimator | None,
        *,
        is_trusted: bool,
    ) -> bool:
        """Fit and store a version's estimator where its matured labels are enough for a first or a better one.

        One that labels contradict stays as it is: to fit it again would call a concept drift calibration.
        """
        least = needed_rows(estimator, is_trusted=is_trusted)
        if least is None or len(rows) < least:
            return False
        matured = read_matured(self.evenly(rows, configuration), configuration)
        if len(matured.rows) < least:
            return False
        fitted = fit_live_estimator(configuration, version, matured)
        if fitted is None:
            return False
        store_estimator(self.lake, configuration.model, version, fitted)
        return True


def needed_rows(estimator: Estimator | None, *, is_trusted: bool) -> int | None:
    """Compute how many labels the next estimator of a version is fitted on, None where there will be none."""
    if estimator is None:
        return MIN_ROWS
    return GROWTH * estimator.rows if is_trusted and estimator.rows < MAX_ROWS else None


def fit_live_estimator(
    configuration: ModelConfiguration, version: str, matured: MaturedLabels
) -> FittedEstimator | None:
    """Fit the estimator of a version to the newest of its matured labels, None where they are too few or constant."""
    occurred = matured.rows.times("occurred_at").microseconds
    newest = matured.at(np.sort(np.argsort(occurred, kind="stable")[-MAX_ROWS:]))
    schema = Schema(
        model=configuration.model,
        version=version,
        task=configuration.task,
        metric=configuration.performance_metric,
        features={name: feature.type for name, feature in configuration.features.items()},
    )
    answers = newest.predictions
    fitted = fit_estimator(
        schema,
        _frame(newest.rows, schema),
        answers.labels,
        Predictions(configuration.task, answers.decisions, answers.scores),
        _SEED,
    )
    if fitted is None:
        return None
    estimator = replace(fitted.estimator, fitted_until=moment_of(int(occurred.max())))
    return replace(fitted, estimator=estimator)


def _frame(rows: LabelRows, schema: Schema) -> pd.DataFrame:
    """Build the frame of the features, which only the errors of a regression are modelled by."""
    if schema.task is not Task.REGRESSION:
        return pd.DataFrame(index=pd.RangeIndex(len(rows)))
    return to_frame([row["features"] for row in rows], schema.features)
