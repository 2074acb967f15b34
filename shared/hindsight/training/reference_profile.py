"""The training reference that drift is measured against: a profile, as the hours of serving have theirs."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from hindsight.config.features import Feature
from hindsight.config.metrics import Task
from hindsight.profiles.build import Columns, choose_rows, profile_columns
from hindsight.profiles.profile import Profile
from hindsight.profiles.reading import Values, profile_column
from hindsight.profiles.sample import WINDOW_CAPACITY, RowSample
from hindsight.training.fitting.labelled_frame import LabelledFrame
from hindsight.training.models.scoring import LoadedVersion, Predictions


def reference_profile(
    version: LoadedVersion, train: LabelledFrame, holdout: LabelledFrame, declared: Mapping[str, Feature]
) -> Profile:
    """Build the profile of the features trained on, and of the scores and decisions on the holdout.

    The scores are the holdout's, because on the rows it was trained on a model is surer of itself than it will be
    in service. The sample is of the rows trained on, with the version's predictions. Where only those picked for
    review have a label, the doubtful among them are too many: the profile is of rows drawn by their weights.
    """
    train, holdout = train.representative(), holdout.representative()
    of_holdout = profile_columns(_columns(holdout, version.predict(holdout.frame)), {}, version.schema.task)
    return Profile(
        rows=len(train.frame),
        features={name: profile_column(train.frame[name].to_numpy(), feature) for name, feature in declared.items()},
        score=of_holdout.score,
        decision=of_holdout.decision,
        score_by_decision=of_holdout.score_by_decision,
        sample=_sample(version, train, declared),
    )


def _sample(version: LoadedVersion, train: LabelledFrame, declared: Mapping[str, Feature]) -> RowSample:
    chosen = train.at(choose_rows(train.prediction_ids, WINDOW_CAPACITY))
    columns = _columns(chosen, version.predict(chosen.frame))
    return profile_columns(columns, declared, version.schema.task, sample_capacity=WINDOW_CAPACITY).sample


def _columns(rows: LabelledFrame, predictions: Predictions) -> Columns:
    decisions = predictions.decisions.astype(np.intp) if predictions.task is Task.BINARY else predictions.decisions
    return Columns(
        prediction_ids=rows.prediction_ids,
        features=_by_name(rows.frame),
        scores=predictions.scores,
        decisions=decisions,
    )


def _by_name(frame: pd.DataFrame) -> dict[str, Values]:
    return {str(name): column.to_numpy() for name, column in frame.items()}
