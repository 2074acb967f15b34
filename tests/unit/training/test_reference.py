"""The reference that a training leaves is a profile like those of the hours of service."""

from dataclasses import replace

import numpy as np
import pytest

from hindsight.config.features import Feature, FeatureType
from hindsight.config.metrics import Task
from hindsight.config.training import Candidate
from hindsight.core.times import microseconds
from hindsight.monitoring.drift.input_drift import check_drift
from hindsight.monitoring.results.check import Verdict
from hindsight.profiles.build import Columns, profile_columns, profile_rows
from hindsight.profiles.codec import decode, encode
from hindsight.profiles.profile import Profile
from hindsight.testing.builders.configuration import configuration
from hindsight.training.fitting.labelled_frame import LabelledFrame, Moments
from hindsight.training.models.frame import to_frame
from hindsight.training.models.scoring import LoadedVersion
from hindsight.training.reference_profile import reference_profile
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
        moments=Moments(
            np.array([microseconds(found.occurred_at) for found in examples]),
            np.array([microseconds(found.outcome_due_at) for found in examples]),
        ),
        first_features=features[:10],
        prediction_ids=[example.prediction_id for example in examples],
        weights=np.ones(count),
        entity_ids=[example.entity_id for example in examples],
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


def picked_for_review(count: int, audit: float, seed: int) -> LabelledFrame:
    """List the labelled ones of ``count`` predictions: those near the boundary, and a few at random."""
    everyone, rng = part(count, seed), np.random.default_rng(seed)
    temperature = everyone.frame["temperature"].to_numpy()
    probability = np.where(np.abs(temperature) < 0.3, 1.0, audit)
    chosen = np.flatnonzero(rng.uniform(size=count) < probability)
    return replace(everyone.at(chosen.tolist()), weights=1 / probability[chosen])


def test_a_reference_of_reviewed_rows_looks_as_all_predictions_do() -> None:
    version = trained(Task.BINARY, CANDIDATE[Task.BINARY])
    reviewed = picked_for_review(20_000, audit=0.05, seed=3)
    window = profile_of(part(3_000, 4), version)
    of = configuration(
        features={"temperature": {"type": "numeric"}, "hour": {"type": "categorical"}, "holiday": {"type": "boolean"}},
        monitoring={"min_rows": 100},
    )

    as_labelled = replace(reviewed, weights=np.ones(len(reviewed.weights)))
    found = {
        name: check_drift(reference_profile(version, rows, rows, DECLARED), window, window, of, level=1e-6)
        for name, rows in {"weighted": reviewed, "as labelled": as_labelled}.items()
    }

    assert found["as labelled"].drifting == ["temperature"]
    assert found["weighted"].drifting == []
    assert found["weighted"].score.verdict is Verdict.OK
    assert found["weighted"].reference_rows == pytest.approx(1_000, rel=0.1)  # as many as the audit alone would have


def profile_of(rows: LabelledFrame, version: LoadedVersion) -> Profile:
    answers = version.predict(rows.frame)
    columns = {str(name): column.to_numpy() for name, column in rows.frame.items()}
    decisions = answers.decisions.astype(int)
    predictions = Columns(
        prediction_ids=rows.prediction_ids, features=columns, scores=answers.scores, decisions=decisions
    )
    return profile_columns(predictions, DECLARED, Task.BINARY)


def test_representative_rows_are_kept_by_weight_and_none_twice() -> None:
    rows = replace(part(4_000, 5), weights=np.tile([4.0, 1.0, 1.0, 2.0], 1_000))
    drawn = rows.representative()
    places = [int(name[1:]) % 4 for name in drawn.prediction_ids]

    assert len(set(drawn.prediction_ids)) == len(drawn.prediction_ids)
    assert [places.count(place) for place in range(4)] == [1_000, *(pytest.approx(n, abs=60) for n in (250, 250, 500))]
    assert drawn.weights.tolist() == rows.weights[[int(name[1:]) for name in drawn.prediction_ids]].tolist()
    assert drawn.prediction_ids == rows.representative().prediction_ids


@pytest.mark.parametrize("weight", [1.0, 50.0])
def test_rows_of_one_weight_stay_as_they_are(weight: float) -> None:
    rows = replace(part(100, 6), weights=np.full(100, weight))

    assert rows.representative() is rows


def test_no_rows_represent_nothing_else() -> None:
    none = part(0, 7)

    assert none.representative() is none
