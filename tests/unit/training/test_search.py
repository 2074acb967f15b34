"""Better settings are found where there are any, the defaults kept where there are none, and the clock obeyed."""

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from hindsight.config.metrics import Task
from hindsight.config.training import Candidate, Search, Training
from hindsight.core.codec import from_plain, to_plain
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.training.fitting import search as searching
from hindsight.training.fitting.labelled_frame import LabelledFrame
from hindsight.training.fitting.paired_losses import Truth, is_better
from hindsight.training.fitting.pipeline_spec import PipelineSpec
from hindsight.training.fitting.search import SearchOutcome, Stopwatch, search
from hindsight.training.fitting.validation_split import ValidationSplit
from hindsight.training.train import train_candidate
from tests.unit.training.test_candidates import COMBINATIONS, schema
from tests.unit.training.trainings import part, training_job

TRAINING = Training(search=Search(trials=6))


def spec(candidate: Candidate, task: Task = Task.BINARY, training: Training = TRAINING) -> PipelineSpec:
    return PipelineSpec(candidate, schema(task), training, {})


def split(rows: LabelledFrame) -> ValidationSplit:
    found = ValidationSplit.of(rows, TRAINING)
    assert found is not None
    return found


def ticking(*seconds: float) -> Stopwatch:
    """A stopwatch that shows these, one after the other, and then the last again."""
    times: Iterator[float] = iter(seconds)
    shown = [0.0]

    def read() -> float:
        shown[0] = next(times, shown[0])
        return shown[0]

    return read


@pytest.mark.parametrize(("task", "candidate"), COMBINATIONS)
def test_every_candidate_is_tried_on_every_task_and_the_same_rows_give_the_same_outcome(
    task: Task, candidate: Candidate
) -> None:
    rows = part(2_200, task.value, noise=0.8)

    found = search(spec(candidate, task), split(rows))

    assert len(found.trials) == 6
    assert found.ended_by == "trials"
    assert found.trials[0].settings == {}
    assert all(np.isfinite(trial.loss) and trial.rows == found.trials[0].rows for trial in found.trials)
    assert search(spec(candidate, task), split(rows)) == found
    assert from_plain(SearchOutcome, json.loads(json.dumps(to_plain(found)))) == found
    assert spec(candidate, task).with_settings(found.settings).train(rows).predict(rows.frame).scores.shape == (2_200,)


def test_settings_that_are_better_beyond_doubt_take_the_defaults_place() -> None:
    rows = part(3_000, noise=1.5)  # so noisy that fifteen leaves a tree learn mostly noise

    found = search(spec(Candidate.GRADIENT_BOOSTING), split(rows))

    losses = {json.dumps(dict(trial.settings)): trial.loss for trial in found.trials}
    assert found.settings != {}
    assert losses[json.dumps(dict(found.settings))] == min(losses.values()) < losses["{}"]


def test_defaults_stay_if_nothing_can_be_learnt() -> None:
    rows = part(2_200)
    coins = np.random.default_rng(1).integers(0, 2, size=2_200).astype(np.float64)

    found = search(spec(Candidate.LOGISTIC_REGRESSION), split(replace(rows, labels=coins, frame=rows.frame)))

    # A stronger penalty is right about coins too; nothing else may be taken.
    assert found.settings in ({}, {"C": 0.1}, {"C": 0.01}, {"C": 0.001})


def test_few_rows_are_not_searched_on() -> None:
    found = search(spec(Candidate.GRADIENT_BOOSTING), split(part(1_000)))

    assert (found.settings, found.trials, found.ended_by) == ({}, (), "too_few_rows")


def test_one_trial_is_no_search() -> None:
    training = Training(search=Search(trials=1))

    found = search(spec(Candidate.GRADIENT_BOOSTING, training=training), split(part(3_000)))

    assert (found.settings, found.ended_by) == ({}, "nothing_to_try")


def test_another_trial_begins_only_if_one_as_long_as_the_longest_still_ends_in_time() -> None:
    training = Training(search=Search(trials=6, seconds=10))
    rows = split(part(2_200))

    found = search(spec(Candidate.LOGISTIC_REGRESSION, training=training), rows, ticking(100.0, 104.0, 107.0))
    slow = search(spec(Candidate.LOGISTIC_REGRESSION, training=training), rows, ticking(100.0, 190.0))

    assert (len(found.trials), found.ended_by) == (2, "seconds")
    assert (len(slow.trials), slow.settings, slow.ended_by) == (1, {}, "seconds")


def test_many_rows_are_searched_a_few_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_MIN_RUNG", 200)
    training = Training(search=Search(trials=9))

    found = search(spec(Candidate.LOGISTIC_REGRESSION, training=training), split(part(2_500)))

    sizes = sorted(trial.rows for trial in found.trials)
    assert len(found.trials) == 9
    assert sizes[0] * 9 <= sizes[-1] < sizes[0] * 9 + 9
    assert found.trials[0].rows == sizes[-1]  # the defaults are never left behind
    assert sum(rows == sizes[-1] for rows in sizes) <= 2


def test_time_that_ends_within_a_rung_leaves_the_rung_before_to_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_MIN_RUNG", 200)
    training = Training(search=Search(trials=4, seconds=10))
    # Four trials of the first rung, one of the second; the next would end too late.
    clock = ticking(0, 1, 2, 3, 4, 8.5)

    found = search(spec(Candidate.LOGISTIC_REGRESSION, training=training), split(part(2_500)), clock)

    assert found.ended_by == "seconds"
    assert len(found.trials) == 4
    assert found.settings in [dict(trial.settings) for trial in found.trials]


def test_a_repeated_step_trains_with_the_outcome_that_was_stored_first() -> None:
    lake = InMemoryLake()
    settings = {"training": {"window": "P150D", "search": {"trials": 6, "seconds": 10}}}
    job = training_job(lake, Candidate.GRADIENT_BOOSTING, rows=3_000, noise=1.5, **settings)

    first = train_candidate(lake, job)
    again = train_candidate(lake, job, ticking(0.0, 50.0))  # so slow that only the defaults would be tried

    key = first.artifact_key.replace("model.skops", "search.json")
    assert json.loads(lake.objects[key])["ended_by"] == "trials"
    assert again == first


def test_luck_on_few_rows_is_no_reason() -> None:
    rng = np.random.default_rng(3)
    truth = Truth(np.zeros(100), np.ones(100))
    taken = [is_better(rng.normal(size=100), rng.normal(size=100), truth) for _ in range(1_000)]

    assert 0.12 < np.mean(taken) < 0.20  # one in six lies a standard error above its mean


def test_weights_count_in_the_choice_of_the_better_candidate() -> None:
    worse, better = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.5, 0.6, 0.5, 0.6])

    assert not is_better(better, worse, Truth(np.zeros(4), np.ones(4)))
    assert is_better(better, worse, Truth(np.zeros(4), np.array([50.0, 50.0, 1.0, 1.0])))
