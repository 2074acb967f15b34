"""A script that trains versions of its own, on the datasets that Hindsight freezes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skops.io import dump
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def fit(features: Sequence[dict[str, Any]], labels: Sequence[int]) -> Pipeline:
    """Fit a model to rows of features."""
    model = make_pipeline(DictVectorizer(sparse=False), StandardScaler(), LogisticRegression(max_iter=1000))
    return model.fit(features, labels)


def keep(model: Pipeline, folder: Path, version: str) -> None:
    """Write a model's file where the server finds it, all of it or nothing."""
    whole = folder / f"{version}.part"
    dump(model, whole)
    whole.replace(folder / f"{version}.skops")
