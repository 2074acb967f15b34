"""The built-in families of models, as pipelines from a frame of features to an answer."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from shared.configuration.features import FeatureType
from shared.configuration.metrics import Task
from shared.configuration.training import Candidate
from shared.training.schema import Schema

# Histogram bins are one byte and one of them means missing, so a column has room for this many categories.
_MOST_CATEGORIES = 254
_MOST_INDICATORS = 100
_MANY_ROWS = 10_000


def build(candidate: Candidate, schema: Schema, rows: int, seed: int) -> Pipeline:
    """Return the untrained pipeline of a candidate for a schema, sized for a number of rows to train on."""
    if candidate is Candidate.GRADIENT_BOOSTING:
        return _gradient_boosting(schema, rows, seed)
    return _linear(schema, seed)


def fit(pipeline: Pipeline, frame: pd.DataFrame, targets: npt.NDArray[Any]) -> Pipeline:
    """Train a pipeline in place and return it; one that stops short of convergence is judged as it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        pipeline.fit(frame, targets)
    return pipeline


def hyperparameters(pipeline: Pipeline) -> dict[str, Any]:
    """Return the settings of a pipeline's estimator that are plain values, for the model card."""
    settings = pipeline[-1].get_params(deep=False)
    return {name: value for name, value in sorted(settings.items()) if isinstance(value, bool | int | float | str)}


def _linear(schema: Schema, seed: int) -> Pipeline:
    if schema.task is Task.REGRESSION:
        estimator = Ridge(alpha=1.0, random_state=seed)
    else:
        estimator = LogisticRegression(C=1.0, max_iter=1000, random_state=seed)
    return Pipeline([("columns", _scaled_columns(schema)), ("estimator", estimator)])


def _gradient_boosting(schema: Schema, rows: int, seed: int) -> Pipeline:
    """Trees on histograms: a few leaves each and many rows a leaf, so that 200 rows do not overfit."""
    categorical = schema.named(FeatureType.CATEGORICAL)
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=_MOST_CATEGORIES,
    )
    columns = ColumnTransformer([("codes", codes, categorical), ("numbers", "passthrough", _numbers(schema))])
    settings: dict[str, Any] = {
        "categorical_features": list(range(len(categorical))) or None,
        "max_iter": _rounds(schema, rows),
        "learning_rate": 0.08,
        "max_leaf_nodes": 15 if rows < _MANY_ROWS else 31,
        "min_samples_leaf": 20,
        "l2_regularization": 1.0,
        "early_stopping": False,
        "random_state": seed,
    }
    regression = schema.task is Task.REGRESSION
    estimator = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    return Pipeline([("columns", columns), ("estimator", estimator(**settings))])


def _rounds(schema: Schema, rows: int) -> int:
    """Return the number of boosting rounds: each grows a tree a class, so that with many classes there are fewer."""
    trees = 100 if rows < _MANY_ROWS else 200
    return max(40, trees * 2 // max(2, len(schema.classes)))


def _scaled_columns(schema: Schema) -> ColumnTransformer:
    numbers = Pipeline(
        [
            ("impute", SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)),
            ("scale", StandardScaler()),
        ]
    )
    indicators = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=_MOST_INDICATORS)
    return ColumnTransformer(
        [("numbers", numbers, _numbers(schema)), ("indicators", indicators, schema.named(FeatureType.CATEGORICAL))]
    )


def _numbers(schema: Schema) -> list[str]:
    return [name for name, kind in schema.features.items() if kind is not FeatureType.CATEGORICAL]
