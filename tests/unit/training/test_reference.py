"""The reference that a training leaves is a profile like those of the hours of service."""

import numpy as np
import pytest

from shared.configuration.features import Feature, FeatureType
from shared.configuration.metrics import Task
from shared.configuration.training import Candidate
from shared.profiles.build import profile_rows
from shared.profiles.codec import decode, encode
from shared.profiles.profile import Profile
from shared.times import format_time
from shared.training.frame import to_frame
from shared.training.labelled_frame import LabelledFrame, Moments
from shared.training.profile import reference_profile
from tests.unit.training.test_candidates import FEATURES, trained
from tests.unit.training.world import learnable

DECLARED = {name: Feature(type=kind) for name, kind in FEATURES.items()} | {
    "temperature": Feature(type=FeatureType.NUMERIC, min=-1.0, max=1.5)
}
CANDIDATE = dict.fromkeys(Task, Candidate.LOGISTIC_REGRESSION) | {Task.REGRESSION: Candidate.LINEAR_REGRESSION}


def part(count: int, seed: int) -> LabelledFrame:
    examples = learnable(count, seed=seed)
    features = [example.features for example in examples]
    return LabelledFrame(
        frame=to_frame(features, FEATURES),
        labels=np.array([example.value for example in examples]),
        moments=[Moments(format_time(found.occurred_at), format_time(found.outcome_due_at)) for found in examples],
        first_features=features[:10],
        prediction_ids=[example.prediction_id for example in examples],
    )


def reference(task: Task) -> Profile:
    return decode(encode(reference_profile(trained(task, CANDIDATE[task]), part(3000, 1), part(500, 2), DECLARED)))


@pytest.mark.parametrize("task", list(Task))
def test_it_counts_every_row_trained_on_and_every_score_of_the_holdout_once(task: Task) -> None:
    profile = reference(task)

    assert profile.rows == 3000
    for column in profile.features.values():
        assert column.rows == 3000 == column.missing + column.distribution.rows + sum(column.counts.values())
        assert column.invalid == 0
    assert profile.features["always_missing"].missing == profile.features["never_given"].missing == 3000
    assert profile.score.rows == profile.score.distribution.rows == 500
    if task is Task.REGRESSION:
        assert (profile.decision, profile.score_by_decision) == (None, {})
    else:
        assert profile.decision is not None
        assert sum(profile.decision.counts.values()) == 500
        assert {name: found.rows for name, found in profile.score_by_decision.items()} == profile.decision.counts


@pytest.mark.parametrize("task", list(Task))
def test_its_sample_is_of_rows_trained_on_as_the_version_answers_them(task: Task) -> None:
    version = trained(task, CANDIDATE[task])
    rows = reference(task).sample.rows
    by_id = {example.prediction_id: example for example in learnable(3000, seed=1)}

    assert len(rows) == 2000
    answers = version.score([row["features"] for row in rows])
    assert [row["score"] for row in rows] == pytest.approx([answer.score for answer in answers])
    decisions = [answer.decision for answer in answers]
    assert [row["decision"] for row in rows] == (pytest.approx(decisions) if task is Task.REGRESSION else decisions)
    for row in rows[:100]:
        given = by_id[row["prediction_id"]].features
        assert row["features"]["holiday"] is given["holiday"]
        assert row["features"]["temperature"] == given["temperature"]
        assert row["features"]["hour"] == str(given["hour"])


def test_rows_served_as_those_trained_on_have_the_same_profile() -> None:
    trained_on = reference(Task.BINARY)
    rows = [
        {"prediction_id": example.prediction_id, "features": example.features, "score": 0.5, "decision": 1}
        for example in learnable(3000, seed=1)
    ]
    served = profile_rows(rows, DECLARED, Task.BINARY)

    for name in DECLARED:
        before, now = trained_on.features[name], served.features[name]
        assert (before.kind, before.rows, before.missing, before.below, before.above, before.counts) == (
            now.kind,
            now.rows,
            now.missing,
            now.below,
            now.above,
            now.counts,
        )
