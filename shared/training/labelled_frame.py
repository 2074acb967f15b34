"""A part of a dataset as columns and targets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from shared.configuration.features import FeatureType
from shared.configuration.labels import Labels
from shared.configuration.metrics import Task
from shared.configuration.model import ModelConfiguration
from shared.datasets.dataset import Manifest, Part, read_part
from shared.lake import Lake
from shared.monitoring.metrics import as_targets
from shared.monitoring.weights import review_weights
from shared.profiles.sample import hash_ids
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
    """n rows: ids, features by column, labels as ``as_targets`` gives them, and the first few rows as logged.

    ``entity_ids`` tell which rows are of one subject and so not independent, None where the app named none.
    ``weights``, shape (n,), tell how many predictions each stands for, as ``review_weight`` does.
    """

    frame: pd.DataFrame
    labels: npt.NDArray[Any]
    moments: list[Moments]
    first_features: list[Mapping[str, Any]]
    prediction_ids: list[str]
    weights: npt.NDArray[np.float64]
    entity_ids: list[str | None]

    def at(self, positions: list[int]) -> "LabelledFrame":
        """Return some of the rows."""
        moments = [self.moments[position] for position in positions]
        ids = [self.prediction_ids[position] for position in positions]
        return LabelledFrame(
            self.frame.iloc[positions],
            self.labels[positions],
            moments,
            self.first_features,
            ids,
            self.weights[positions],
            [self.entity_ids[position] for position in positions],
        )

    def representative(self) -> "LabelledFrame":
        """Return rows that look as all predictions do: each is kept with a chance in proportion to its weight.

        The heaviest are all kept, and none comes twice: a copy would claim to be evidence. The chance lies in the hash
        of the id, so that the same rows give the same ones. Where all weights are the same, all stay as they are.
        """
        if not len(self.weights) or np.ptp(self.weights) == 0.0:
            return self
        # Another hash than that of samples, which would keep the light rows it has left in.
        draws = hash_ids([f"representative {name}" for name in self.prediction_ids]) / 2.0**64
        return self.at(np.flatnonzero(draws < self.weights / self.weights.max()).tolist())


def feature_types(configuration: ModelConfiguration) -> dict[str, FeatureType]:
    """Return the types of the declared features, in the order they are declared."""
    return {name: feature.type for name, feature in configuration.features.items()}


def load_part(
    lake: Lake, manifest: Manifest, part: Part, features: Mapping[str, FeatureType], configuration: ModelConfiguration
) -> LabelledFrame:
    """Return a part of a dataset in the order of the predictions' times. Raises UnusableDataset, NotFound."""
    return _gather(read_part(lake, manifest, part), features, configuration.task, configuration.labels)


def _gather(
    rows: Iterable[dict[str, Any]], features: Mapping[str, FeatureType], task: Task, rules: Labels
) -> LabelledFrame:
    remaining = iter(rows)
    frames, labels = [to_frame([], features)], [as_targets([], task)]
    moments: list[Moments] = []
    first: list[Mapping[str, Any]] = []
    ids: list[str] = []
    entities: list[str | None] = []
    weights = [review_weights([], rules)]
    while chunk := list(islice(remaining, _CHUNK_ROWS)):
        first = first or [row["features"] for row in chunk[:_FIRST_ROWS]]
        frames.append(to_frame([row["features"] for row in chunk], features))
        labels.append(as_targets([row["value"] for row in chunk], task))
        ids.extend(row["prediction_id"] for row in chunk)
        entities.extend(row["entity_id"] for row in chunk)
        weights.append(review_weights(chunk, rules))
        moments.extend(Moments(row["occurred_at"], row["outcome_due_at"]) for row in chunk)
    if len(frames) > 1:
        frames, labels = frames[1:], labels[1:]
    frame, targets = pd.concat(frames, ignore_index=True), np.concatenate(labels)
    return LabelledFrame(frame, targets, moments, first, ids, np.concatenate(weights), entities)
