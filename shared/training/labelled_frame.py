"""A part of a dataset as columns and targets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from shared.configuration.features import FeatureType
from shared.configuration.metrics import Task
from shared.configuration.model import ModelConfiguration
from shared.lake import Lake
from shared.monitoring.metrics import as_targets
from shared.training.dataset import Manifest, Part, read_part
from shared.training.frame import to_frame

_CHUNK_ROWS = 20_000  # rows that are parsed JSON at one time; as columns they are a tenth of the size
_FIRST_ROWS = 10


@dataclass(frozen=True, slots=True)
class Moments:
    """When a prediction was made and its outcome due, as RFC 3339 text."""

    occurred_at: str
    outcome_due_at: str


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """n rows: ids, features by column, labels as ``as_targets`` gives them, and the first few rows as logged."""

    frame: pd.DataFrame
    labels: npt.NDArray[Any]
    moments: list[Moments]
    first_features: list[Mapping[str, Any]]
    prediction_ids: list[str]

    def at(self, positions: list[int]) -> "LabelledFrame":
        """Return some of the rows."""
        moments = [self.moments[position] for position in positions]
        ids = [self.prediction_ids[position] for position in positions]
        return LabelledFrame(self.frame.iloc[positions], self.labels[positions], moments, self.first_features, ids)


def feature_types(configuration: ModelConfiguration) -> dict[str, FeatureType]:
    """Return the types of the declared features, in the order they are declared."""
    return {name: feature.type for name, feature in configuration.features.items()}


def load_part(
    lake: Lake, manifest: Manifest, part: Part, features: Mapping[str, FeatureType], task: Task
) -> LabelledFrame:
    """Return a part of a dataset in the order of the predictions' times. Raises UnusableDataset, NotFound."""
    return _gather(read_part(lake, manifest, part), features, task)


def _gather(rows: Iterable[dict[str, Any]], features: Mapping[str, FeatureType], task: Task) -> LabelledFrame:
    remaining = iter(rows)
    frames, labels = [to_frame([], features)], [as_targets([], task)]
    moments: list[Moments] = []
    first: list[Mapping[str, Any]] = []
    ids: list[str] = []
    while chunk := list(islice(remaining, _CHUNK_ROWS)):
        first = first or [row["features"] for row in chunk[:_FIRST_ROWS]]
        frames.append(to_frame([row["features"] for row in chunk], features))
        labels.append(as_targets([row["value"] for row in chunk], task))
        ids.extend(row["prediction_id"] for row in chunk)
        moments.extend(Moments(row["occurred_at"], row["outcome_due_at"]) for row in chunk)
    if len(frames) > 1:
        frames, labels = frames[1:], labels[1:]
    return LabelledFrame(pd.concat(frames, ignore_index=True), np.concatenate(labels), moments, first, ids)
