"""The verdict on scores of a holdout, against a champion that is known by its logged answers alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from hindsight.config.metrics import Task
from hindsight.datasets.building.snapshot import take_snapshot
from hindsight.datasets.dataset import Manifest
from hindsight.registry.moves import AuditInfo, Servable, promote
from hindsight.registry.pointer import Pointer
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.training.fitting.labelled_frame import LabelledFrame, load_part
from hindsight.training.gate.holdout_verdict import HoldoutVerdict, judge_holdout
from hindsight.training.models.scoring import Predictions
from tests.unit.training.world import MODEL, START, learnable, revision, store

AS_OF = START + timedelta(days=50)


class World:
    """Labelled answers of the champion ``ours-1``, for the share of the predictions that it answered."""

    def __init__(self, answered: float, task: str = "binary", **sections: Any) -> None:
        self.lake, self.task = InMemoryLake(), Task(task)
        self.revision = revision(task, training={"window": "P60D"}, **sections)
        dice = np.random.default_rng(2)
        # The holdout is the newest fifth of the 1,000.
        first = 800 + round(200 * answered)
        rows = [
            replace(
                row,
                model_version="ours-1" if position < first else "ours-0",
                decision=str(dice.choice(["low", "middle", "high"])) if task == "multiclass" else row.decision,
                score=float(dice.uniform()),
            )
            for position, row in enumerate(learnable(1000, task))
        ]
        store(self.lake, rows)
        taken = take_snapshot(self.lake, self.revision, AS_OF)
        assert isinstance(taken, Manifest)
        self.manifest, configuration = taken, self.revision.configuration
        self.holdout = load_part(self.lake, taken, "holdout", configuration.feature_types, configuration)

    def judge(self, predictions: Predictions) -> HoldoutVerdict:
        return judge_holdout(
            self.lake,
            self.manifest,
            self.revision.configuration,
            holdout=self.holdout,
            predictions=predictions,
            pointer=pointer(),
        )


def pointer() -> Pointer:
    registry = InMemoryRegistry()
    audit = AuditInfo(reason="the first", actor="key:operator", at=START)
    return registry.move_pointer(
        MODEL, promote(None, Servable(version="ours-1", artifact_key="", artifact_digest=""), audit)
    )


def knowing(holdout: LabelledFrame) -> Predictions:
    scores = np.where(holdout.labels == 1, 0.8, 0.2)
    return Predictions(Task.BINARY, (scores >= 0.5).astype(np.float64), scores)


@pytest.mark.parametrize(
    ("answered", "note"),
    [
        (1.0, None),
        (0.5, "the champion ours-1 answered 100 of the holdout's 200 rows: it is compared on these alone"),
    ],
)
def test_champion_is_compared_on_the_rows_that_it_answered(answered: float, note: str | None) -> None:
    world = World(answered, monitoring={"slices": ["holiday"]}, gate={"min_slice_rows": 5})
    verdict = world.judge(knowing(world.holdout))
    assert [check.name for check in verdict.checks if check.passed][:2] == ["floor", "better_than_champion"]
    assert len(verdict.checks) == 4
    assert verdict.compared_with == "ours-1"
    assert (note in verdict.notes) is (note is not None)
    assert verdict.metrics["roc_auc"] == 1.0
    assert verdict.champion_metrics is not None
    assert 0.4 < (verdict.champion_metrics["roc_auc"] or 0) < 0.6


def test_challenger_meets_the_baseline_if_the_champion_answered_too_few_rows() -> None:
    world = World(19 / 200)
    verdict = world.judge(knowing(world.holdout))
    assert [check.name for check in verdict.checks] == ["floor", "better_than_baseline"]
    assert (verdict.compared_with, verdict.champion_metrics) == (None, None)
    assert verdict.notes[0].endswith("answered 19 of the holdout's 200 rows, fewer than 20: judged as a first version")


def test_decisions_of_several_classes_are_compared_and_their_log_loss_is_not() -> None:
    for metric, compared in (("balanced_accuracy", "ours-1"), ("log_loss", None)):
        world = World(1.0, "multiclass", gate={"metric": metric})
        labels, classes = world.holdout.labels, ("high", "low", "middle")
        chances = np.array([[0.8 if name == label else 0.1 for name in classes] for label in labels])
        verdict = world.judge(Predictions(Task.MULTICLASS, labels, chances.max(axis=1), chances, classes))
        assert verdict.compared_with == compared
        assert all(check.passed for check in verdict.checks), verdict.checks
