"""Rows to train on without a lake, and whole trainings with one."""

from datetime import timedelta
from typing import Any

import numpy as np

from hindsight.config.metrics import Task
from hindsight.config.training import Candidate
from hindsight.core.times import microseconds
from hindsight.datasets.building.snapshot import take_snapshot
from hindsight.datasets.dataset import Manifest
from hindsight.evaluation.metrics import as_targets
from hindsight.lake.object_store import Lake
from hindsight.training.fitting.fit import TrainingJob
from hindsight.training.fitting.labelled_frame import LabelledFrame, Moments
from hindsight.training.models.frame import to_frame
from tests.unit.training.test_candidates import FEATURES
from tests.unit.training.world import START, learnable, revision, run, store


def part(count: int, task: str = "binary", seed: int = 0, noise: float = 0.3) -> LabelledFrame:
    examples = learnable(count, task, seed=seed, noise=noise)
    features = [example.features for example in examples]
    return LabelledFrame(
        frame=to_frame(features, FEATURES),
        labels=as_targets([example.value for example in examples if example.value is not None], Task(task)),
        moments=Moments(
            np.array([microseconds(found.occurred_at) for found in examples]),
            np.array([microseconds(found.outcome_due_at) for found in examples]),
        ),
        first_features=features[:10],
        prediction_ids=[example.prediction_id for example in examples],
        weights=np.ones(count),
        entity_ids=[None] * count,
    )


def training_job(
    lake: Lake, candidate: Candidate, task: str = "binary", rows: int = 1000, noise: float = 0.3, **sections: Any
) -> TrainingJob:
    """Store examples, take the snapshot of them, and return what to train."""
    store(lake, learnable(rows, task, noise=noise))
    configured = revision(task, **sections)
    as_of = START + timedelta(hours=rows + 30)
    taken = take_snapshot(lake, configured, as_of)
    assert isinstance(taken, Manifest), taken
    return TrainingJob(
        run=run(as_of),
        manifest=taken,
        configuration=configured.configuration,
        candidate=candidate,
        code_version="test",
    )
