"""An example to copy, a smooth curve through clipped numbers: ``training: {pipeline: "example:smooth"}``."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Task
from hindsight.registry.schema import Schema


class Winsorizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A clip of every column to the quantiles ``share`` and ``1 - share`` of its training data; missing stays missing.

    >>> clip = Winsorizer(share=0.25).fit([[0.0], [1.0], [2.0], [3.0], [4.0]])
    >>> clip.transform([[-9.0], [2.0], [9.0]]).ravel().tolist()
    [1.0, 2.0, 3.0]
    """

    def __init__(self, share: float = 0.01) -> None:
        self.share = share

    def fit(self, columns: Any, _targets: Any = None) -> Self:
        """Learn the bounds; a column without a value has none."""
        values = np.asarray(columns, dtype=np.float64)
        self.n_features_in_ = values.shape[1]
        bounds = [_bounds(column, self.share) for column in values.T]
        self.least_, self.greatest_ = (np.array(side) for side in zip(*bounds, strict=True))
        return self

    def transform(self, columns: Any) -> npt.NDArray[np.float64]:
        """Clip the columns."""
        return np.clip(np.asarray(columns, dtype=np.float64), self.least_, self.greatest_)


def smooth(schema: Schema, _frame: pd.DataFrame, seed: int) -> Pipeline:
    """Build the untrained pipeline: a linear model of kernel features (Williams and Seeger, 2001).

    Its input is a frame with the schema's features as columns: numbers and booleans as floats, categories as text,
    missing as NaN or None. A classifier's targets are 0 and 1, or for several classes their places in
    ``schema.classes``.
    """
    categories = schema.named(FeatureType.CATEGORICAL)
    numbers = [name for name in schema.features if name not in categories]
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    clipped = Pipeline([("clip", Winsorizer()), ("impute", impute), ("scale", StandardScaler())])
    indicators = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False)
    columns = ColumnTransformer([("numbers", clipped, numbers), ("indicators", indicators, categories)])
    kernel = Nystroem(gamma=0.1, n_components=50, random_state=seed)
    regression = schema.task is Task.REGRESSION
    estimator = Ridge() if regression else LogisticRegression(C=10.0, max_iter=1000, random_state=seed)
    return Pipeline([("columns", columns), ("kernel", kernel), ("estimator", estimator)])


def _bounds(column: npt.NDArray[np.float64], share: float) -> tuple[float, float]:
    present = column[np.isfinite(column)]
    if not len(present):
        return -np.inf, np.inf
    low, high = np.quantile(present, [share, 1 - share])
    return float(low), float(high)
