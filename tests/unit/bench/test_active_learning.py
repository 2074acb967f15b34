"""The benchmark on rows made up here: what it compares must differ in nothing but which rows are sampled."""

import random
from datetime import timedelta

import numpy as np
import pytest

from bench.active_learning import ARMS, BUDGET_A_DAY, FIRST_LABELS, HELD_OUT, ROWS_A_DAY, START, Rentals, learn
from hindsight.config.metrics import Metric, Task
from hindsight.config.training import Candidate
from hindsight.registry.schema import Schema
from hindsight.training.models.frame import to_frame
from local.replay.demo import SPEC
from local.replay.spec import load_spec
from local.replay.stream import Row

DAYS = 3


@pytest.fixture(scope="module")
def rentals() -> Rentals:
    dice = random.Random(1)
    _, configuration = load_spec(SPEC)
    rows = [
        Row(
            prediction_id=str(number),
            features={"hr": str(dice.randrange(24)), "temp": dice.random(), "workingday": dice.random() < 0.7},
            occurred_at=START,
            outcome=dice.randrange(200),
            known_at=START + timedelta(days=1),
            outcome_due_at=None,
            entity_id=None,
        )
        for number in range(HELD_OUT + FIRST_LABELS + DAYS * ROWS_A_DAY)
    ]
    kinds = {name: feature.type for name, feature in configuration.features.items()}
    schema = Schema(model="bike-demand", version="v", task=Task.BINARY, metric=Metric.ACCURACY, features=kinds)
    labels = np.array([int(str(row.features["hr"])) >= 12 for row in rows], dtype=np.int64)
    return Rentals(configuration, rows, to_frame([row.features for row in rows], kinds), labels, schema)


def test_every_arm_spends_the_same_labels_and_starts_from_the_same_rows(rentals: Rentals) -> None:
    curves = [learn(rentals, arm, 1, Candidate.LOGISTIC_REGRESSION) for arm in ARMS]
    labels = [FIRST_LABELS + day * BUDGET_A_DAY for day in range(DAYS + 1)]
    assert all([spent for spent, _ in curve] == labels for curve in curves)
    assert len({curve[0] for curve in curves}) == 1
    assert all(curve[-1][1] > curve[0][1] - 0.02 for curve in curves)


def test_of_two_classes_least_confidence_and_margin_sample_the_same_rows(rentals: Rentals) -> None:
    named = {arm.name: arm for arm in ARMS}
    found = [learn(rentals, named[name], 2, Candidate.LOGISTIC_REGRESSION) for name in ("least_confidence", "margin")]
    assert found[0] == found[1]
