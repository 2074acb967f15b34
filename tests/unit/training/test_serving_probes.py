"""A version answers what serving may be asked, or is not served."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Metric, Task
from hindsight.registry.schema import Schema
from hindsight.training.gate.serving_probes import unserved_input
from hindsight.training.models.frame import to_frame
from hindsight.training.models.scoring import LoadedVersion

FEATURES = {"plan": FeatureType.CATEGORICAL, "age": FeatureType.NUMERIC, "new": FeatureType.BOOLEAN}
ROWS = [{"plan": "abc"[place % 3], "age": float(place), "new": place % 2 == 0} for place in range(30)]


def version(encode: Any, impute: Any, task: Task = Task.BINARY, model: Any = None) -> LoadedVersion:
    targets = np.arange(len(ROWS)) % (3 if task is Task.MULTICLASS else 2)
    columns = ColumnTransformer([("plan", encode, ["plan"]), ("numbers", impute, ["age", "new"])])
    pipeline = Pipeline([("columns", columns), ("model", model or LogisticRegression())])
    pipeline.fit(to_frame(ROWS, FEATURES), targets)
    classes = {Task.BINARY: ("0", "1"), Task.MULTICLASS: ("a", "b", "c"), Task.REGRESSION: ()}[task]
    return LoadedVersion(
        Schema(model="m", version="v", task=task, metric=Metric.MAE, features=FEATURES, classes=classes), pipeline
    )


def encoder(**settings: Any) -> Any:
    texts = FunctionTransformer(lambda frame: frame.fillna("missing").astype(str))
    return make_pipeline(texts, OneHotEncoder(**settings))


TOLERANT = {"encode": encoder(handle_unknown="ignore"), "impute": SimpleImputer()}


@pytest.mark.parametrize(
    ("task", "model"),
    [(Task.BINARY, None), (Task.MULTICLASS, None), (Task.REGRESSION, HistGradientBoostingRegressor(max_iter=3))],
)
def test_version_that_answers_all_is_served(task: Task, model: Any) -> None:
    found = version(**TOLERANT, task=task, model=model)
    if task is Task.REGRESSION:
        found.pipeline.set_params(columns__sparse_threshold=0).fit(to_frame(ROWS, FEATURES), np.arange(30.0))

    assert unserved_input(found, ROWS[:5]) is None


@pytest.mark.parametrize(
    ("encode", "impute", "named"),
    [
        (encoder(), SimpleImputer(), "all features null: v cannot score: ValueError"),
        (OneHotEncoder(), SimpleImputer(), "all features null: v cannot score: ValueError"),
        (encoder(handle_unknown="ignore"), "passthrough", "all features null: v cannot score: ValueError"),
        (
            make_pipeline(SimpleImputer(strategy="most_frequent", missing_values=None), OneHotEncoder()),
            SimpleImputer(),
            "a category never seen in plan: v cannot score: ValueError",
        ),
    ],
)
def test_version_that_fails_at_a_null_or_a_new_category_is_named_by_it(encode: Any, impute: Any, named: str) -> None:
    assert unserved_input(version(encode, impute), ROWS[:5]) == named


class Answers:
    """A pipeline whose chances are what a function makes of the frame."""

    classes_ = np.array([0, 1])

    def __init__(self, chances: Any) -> None:
        self.chances = chances

    def predict_proba(self, frame: pd.DataFrame) -> Any:
        return self.chances(frame)


def answering(chances: Any, task: Task = Task.BINARY) -> LoadedVersion:
    schema = Schema(model="m", version="v", task=task, metric=Metric.MAE, features=FEATURES, classes=("0", "1"))
    return LoadedVersion(schema, Answers(chances))


def pairs(positive: Sequence[float]) -> Any:
    return np.column_stack([1 - np.asarray(positive), positive])


@pytest.mark.parametrize(
    ("chances", "task", "named"),
    [
        (lambda frame: pairs(frame["age"].to_numpy() * 0), Task.BINARY, "all features null: the score is nan"),
        (
            lambda frame: pairs(np.where(frame["age"] > 1e20, 2.0, 0.5)),
            Task.BINARY,
            "the largest number in age: the score 2 is no probability",
        ),
        (
            lambda frame: np.full((len(frame), 2), 0.4),
            Task.MULTICLASS,
            "all features null: the probabilities add up to 0.8",
        ),
        (
            lambda frame: np.full((len(frame), 2), 0.4),
            Task.BINARY,
            "all features null: the probabilities add up to 0.8",
        ),
        (lambda frame: pairs([0.3]), Task.BINARY, "2 rows in one call: v cannot score: ValueError"),
        (
            lambda frame: pairs(np.full(len(frame), np.nan if frame["plan"].isna().all() else 0.3)),
            Task.BINARY,
            "all features null: the score is nan in a call of one row",
        ),
        (
            lambda frame: pairs(np.full(len(frame), 1 / len(frame))),
            Task.BINARY,
            "a row among others, which is answered otherwise than alone",
        ),
    ],
)
def test_answer_that_is_no_prediction_is_named(chances: Any, task: Task, named: str) -> None:
    assert unserved_input(answering(chances, task), ROWS[:5]) == named
