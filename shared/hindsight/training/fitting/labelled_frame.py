"""A part of a dataset as columns and targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hindsight.config.features import FeatureType
from hindsight.config.labels import LabelKind
from hindsight.config.model import ModelConfiguration
from hindsight.datasets.dataset import Manifest, Part
from hindsight.datasets.formats.columns import Categories
from hindsight.datasets.part import Arrays, features_in, read_arrays, targets_in, texts_in, unpack, unpack_json
from hindsight.datasets.split import Longs
from hindsight.evaluation.weights import Sampling
from hindsight.lake.object_store import Lake
from hindsight.profiles.sample import hash_ids
from hindsight.training.models.frame import frame_of


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The moments of n predictions, made and due, as microseconds since 1970, each shape (n,)."""

    occurred: Longs
    due: Longs


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """n rows: ids, features by column, labels as ``as_targets`` gives them, and the first few rows as logged.

    ``weights``, shape (n,), are the numbers of predictions each stands for, by ``label_weights``. ``entity_ids`` name
    which rows are of one subject and so not independent, None where the app named none.
    """

    frame: pd.DataFrame
    labels: npt.NDArray[Any]
    moments: Moments
    first_features: list[Mapping[str, Any]]
    prediction_ids: list[str]
    weights: npt.NDArray[np.float64]
    entity_ids: list[str | None]

    def at(self, positions: Sequence[int] | npt.NDArray[np.integer[Any]]) -> "LabelledFrame":
        """Select some of the rows."""
        places = np.asarray(positions, dtype=np.intp)
        chosen = places.tolist()
        return LabelledFrame(
            self.frame.iloc[places],
            self.labels[places],
            Moments(self.moments.occurred[places], self.moments.due[places]),
            self.first_features,
            [self.prediction_ids[place] for place in chosen],
            self.weights[places],
            [self.entity_ids[place] for place in chosen],
        )

    def representative(self) -> "LabelledFrame":
        """Sample rows that resemble all predictions: each is kept with a probability in proportion to its weight.

        The heaviest are all kept, and none comes twice: a copy would claim to be evidence. The chance lies in the hash
        of the id, so that the same rows give the same ones. Where all weights are the same, all stay as they are.
        """
        if not len(self.weights) or np.ptp(self.weights) == 0.0:
            return self
        # Another hash than that of samples, which would keep the light rows it has left in.
        draws = hash_ids([f"representative {name}" for name in self.prediction_ids]) / 2.0**64
        return self.at(np.flatnonzero(draws < self.weights / self.weights.max()))


def load_part(
    lake: Lake, manifest: Manifest, part: Part, features: Mapping[str, FeatureType], configuration: ModelConfiguration
) -> LabelledFrame:
    """Load a part of a dataset in the order of the predictions' times. Raises UnusableDataset, NotFound.

    ``features`` may be others than are declared: a snapshot also holds those that the champion of its time read
    otherwise. One that it does not hold, or only by another type, is missing in all rows.
    """
    arrays = read_arrays(lake, manifest, part)
    rows = len(arrays["seq"])
    return LabelledFrame(
        frame=frame_of(features_in(arrays, features), rows),
        labels=targets_in(arrays, manifest.task),
        moments=Moments(np.array(arrays["occurred_at"]), np.array(arrays["outcome_due_at"])),
        first_features=unpack_json(arrays["first_features"]),
        prediction_ids=texts_in(arrays, "prediction_id"),
        weights=_sampling(arrays).weights(configuration),
        entity_ids=[text or None for text in texts_in(arrays, "entity_id")],
    )


def _sampling(arrays: Arrays) -> Sampling:
    """Read the sampling of a part's rows; a canary's chance is no part of the decision's propensity."""
    kinds = unpack("kind", arrays)
    assert isinstance(kinds, Categories)
    is_manual = np.array([text == LabelKind.MANUAL for text in kinds.vocabulary] + [False])[kinds.codes]
    share = arrays["version_share"]
    return Sampling(
        logged_for=arrays["weight"],
        propensity=np.minimum(1.0, arrays["propensity"] / np.where(np.isnan(share), 1.0, share)),
        selection_probability=arrays["selection_probability"],
        reviewed_alone=is_manual & ~arrays["labelled_without_review"],
    )
