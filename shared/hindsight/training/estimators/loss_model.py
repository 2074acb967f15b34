"""Models of a regression's own error: how far off its predictions will be (direct loss estimation)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Metric, Task
from hindsight.config.training import Candidate
from hindsight.evaluation.metrics import Floats, as_numbers
from hindsight.registry.schema import Schema
from hindsight.training.models.candidates import build, fit
from hindsight.training.models.frame import to_frame
from hindsight.training.models.scoring import LoadedVersion

_FOLDS = 3
_ROUNDS = 50  # an error is much harder to predict than a value: more trees would learn the noise


@dataclass(frozen=True, slots=True)
class LossModel:
    """Models of the absolute and the squared error, from features and the prediction itself.

    Direct loss estimation as in NannyML's documentation (DLE), there with gradient boosting too.
    """

    models: Mapping[str, LoadedVersion]
    score_feature: str

    def losses(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Floats]:
        """Predict the ``absolute`` and ``squared`` error of rows with ``features`` and ``score``, each (n,)."""
        if not rows:
            return {name: np.array([]) for name in self.models}
        scores = as_numbers([row["score"] for row in rows]).tolist()
        named = [{**row["features"], self.score_feature: score} for row, score in zip(rows, scores, strict=True)]
        return {name: _predict(model, to_frame(named, model.schema.features)) for name, model in self.models.items()}


@dataclass(frozen=True, slots=True)
class FittedLosses:
    """A loss model, and by name of the loss its out-of-fold predictions for the rows of the holdout."""

    model: LossModel
    out_of_fold: Mapping[str, Floats]


def fit_loss_model(
    schema: Schema, frame: pd.DataFrame, predictions: Floats, losses: Mapping[str, Floats], seed: int
) -> FittedLosses:
    """Fit the models of losses, each (n,), that a version's predictions for a frame of n rows had."""
    score_feature = _unused_name(schema.features)
    known = frame.assign(**{score_feature: predictions})
    of_loss = Schema(
        model=schema.model,
        version=schema.version,
        task=Task.REGRESSION,
        metric=Metric.MAE,
        features={**schema.features, score_feature: FeatureType.NUMERIC},
    )
    models = {name: _fit(of_loss, known, values, seed) for name, values in losses.items()}
    outside = {name: _out_of_fold(of_loss, known, values, seed) for name, values in losses.items()}
    return FittedLosses(LossModel(models, score_feature), outside)


def _out_of_fold(schema: Schema, frame: pd.DataFrame, losses: Floats, seed: int) -> Floats:
    found = np.empty(len(losses))
    for train, test in KFold(_FOLDS, shuffle=True, random_state=seed).split(losses):
        found[test] = _predict(_fit(schema, frame.iloc[train], losses[train], seed), frame.iloc[test])
    return found


def _fit(schema: Schema, frame: pd.DataFrame, losses: Floats, seed: int) -> LoadedVersion:
    pipeline = build(Candidate.GRADIENT_BOOSTING, schema, frame, seed).set_params(estimator__max_iter=_ROUNDS)
    return LoadedVersion(schema, fit(pipeline, frame, losses))


def _predict(model: LoadedVersion, frame: pd.DataFrame) -> Floats:
    return np.maximum(model.predict(frame).scores, 0.0)


def _unused_name(features: Mapping[str, FeatureType]) -> str:
    name = "prediction"
    while name in features:
        name += "_"
    return name
