"""The built-in families of models, as pipelines from a frame of features to predictions."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.utils.validation import has_fit_parameter

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Task
from hindsight.config.training import Candidate
from hindsight.registry.schema import Schema

# Histogram bins are one byte and one of them means missing, so a column has room for this many categories.
_MAX_CATEGORIES = 254
_MAX_INDICATORS = 100
MANY_ROWS = 10_000


def build(
    candidate: Candidate,
    schema: Schema,
    frame: pd.DataFrame,
    seed: int,
    settings: Mapping[str, Any] | None = None,
) -> Pipeline:
    """Build the untrained pipeline of a built-in candidate for the frame it is to be trained on.

    A column without a single value teaches nothing, and trees cannot be grown on it; it is left out. ``settings`` of
    the estimator take the place of the defaults.
    """
    pipeline = _with_defaults(candidate, schema, frame, seed)
    return pipeline.set_params(**{f"estimator__{name}": value for name, value in (settings or {}).items()})


def fit(
    pipeline: Any, frame: pd.DataFrame, targets: npt.NDArray[Any], weights: npt.NDArray[np.float64] | None = None
) -> Any:
    """Train a pipeline in place and return it; one that stops short of convergence is judged as it is.

    ``weights``, shape (n,), are for one that takes them.
    """
    given = {}
    if weights is not None and takes_weights(pipeline):
        # 1 on average, or the same for all: then as if there were none, to the bit.
        step = f"{pipeline.steps[-1][0]}__" if isinstance(pipeline, Pipeline) else ""
        given = {} if np.ptp(weights) == 0 else {f"{step}sample_weight": weights}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipeline.fit(frame, targets, **given)
    return pipeline


def takes_weights(pipeline: Any) -> bool:
    """Decide whether rows can weigh differently when a pipeline is trained."""
    return bool(has_fit_parameter(_estimator(pipeline), "sample_weight"))


def hyperparameters(pipeline: Any) -> dict[str, Any]:
    """List the settings of a pipeline's estimator that are plain values, for the model card."""
    settings = _estimator(pipeline).get_params(deep=False)
    return {name: value for name, value in sorted(settings.items()) if isinstance(value, bool | int | float | str)}


def _estimator(pipeline: Any) -> BaseEstimator:
    estimator: BaseEstimator = pipeline[-1] if isinstance(pipeline, Pipeline) else pipeline
    return estimator


def _with_defaults(candidate: Candidate, schema: Schema, frame: pd.DataFrame, seed: int) -> Pipeline:
    read = {name: kind for name, kind in schema.features.items() if bool(frame[name].notna().any())}
    categorical = [name for name, kind in read.items() if kind is FeatureType.CATEGORICAL]
    numbers = [name for name in read if name not in categorical]
    if candidate is Candidate.GRADIENT_BOOSTING:
        return Pipeline(
            [("columns", _coded(categorical, numbers)), ("estimator", _boosting(schema, categorical, len(frame), seed))]
        )
    return Pipeline([("columns", _scaled(categorical, numbers)), ("estimator", _linear(schema, seed))])


def _linear(schema: Schema, seed: int) -> BaseEstimator:
    if schema.task is Task.REGRESSION:
        return Ridge(alpha=1.0, random_state=seed)
    return LogisticRegression(C=1.0, max_iter=1000, random_state=seed)


def _boosting(schema: Schema, categorical: list[str], rows: int, seed: int) -> BaseEstimator:
    """Build trees on histograms: few leaves and many rows a leaf, so that 200 rows do not overfit."""
    regression = schema.task is Task.REGRESSION
    estimator = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    return estimator(
        categorical_features=list(range(len(categorical))) or None,
        max_iter=rounds(schema, rows),
        learning_rate=0.08,
        max_leaf_nodes=15 if rows < MANY_ROWS else 31,
        min_samples_leaf=20,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )


def rounds(schema: Schema, rows: int) -> int:
    """Compute the number of boosting rounds: each grows a tree a class, so that with many classes there are fewer."""
    trees = 100 if rows < MANY_ROWS else 200
    return max(40, trees * 2 // max(2, len(schema.classes)))


def _coded(categorical: list[str], numbers: list[str]) -> ColumnTransformer:
    """Build the columns of trees: categories as codes first, then numbers; unseen categories count as missing."""
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=_MAX_CATEGORIES,
    )
    return ColumnTransformer([("codes", codes, categorical), ("numbers", "passthrough", numbers)])


def _scaled(categorical: list[str], numbers: list[str]) -> ColumnTransformer:
    """Build the columns of linear models: numbers on one scale, missing ones marked, frequent categories indicated."""
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    scaled = Pipeline([("impute", imputer), ("scale", StandardScaler())])
    indicators = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=_MAX_INDICATORS)
    return ColumnTransformer([("numbers", scaled, numbers), ("indicators", indicators, categorical)])
