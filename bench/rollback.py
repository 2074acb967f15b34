"""The labels until a failing version is rolled back, and the share of good ones that are; the same of rollouts.

Whole evaluations by ``hindsight.rollout.evaluation.evaluate`` of simulated label records, one every so many labels, of
a version that the gate has passed on a simulated holdout. ``python -m bench.rollback`` prints and keeps the figures.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console

from bench.rollback_records import (
    NEW,
    NEW_ACCURACY,
    OLD,
    OLD_ACCURACY,
    PATIENCE,
    SHARE,
    START,
    canary_records,
    label_records,
    shadow_records,
)
from bench.rollback_tables import ALLOWED, WITHIN, keep, shown
from bench.rollback_versions import audit, servable, version_record
from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.entities.label_row import LabelFields
from hindsight.evaluation.sequential.betting import Wealth, bet
from hindsight.evaluation.sequential.observation import scale_of
from hindsight.evaluation.sequential.sequential_test import IN_ROLLOUT
from hindsight.label_records.rows import LabelRows
from hindsight.registry.moves import promote, start_rollout
from hindsight.registry.pointer import Pointer, RolloutMode
from hindsight.registry.version import VersionRecord
from hindsight.rollout.evaluation.comparison import difference_hypothesis
from hindsight.rollout.evaluation.evaluate import Evaluation, EvaluationInput, evaluate_probation, evaluate_rollout
from hindsight.rollout.evaluation.verdict import Outcome
from hindsight.training.gate.gate import Contest, baseline_predictions, judge
from hindsight.training.models.scoring import Predictions

SEED = 1
HOLDOUT_ROWS, VERSIONS = 2_000, 20
EVALUATE_EVERY = 20
FLIPPED = (1.0, 0.5, 0.25)  # shares of the rows whose concept flips after the snapshot
FALLEN = (0.70, 0.75, 0.775, 0.80, 0.85)
RUNS_OF_BAD, RUNS_OF_GOOD = 200, 400
RUNS_OF_ROLLOUTS = {0.10: 60, ALLOWED: 200, 0.025: 100, 0.0: 200, -0.03: 60}
"""By how much worse a version is than the champion, in accuracy, with the rollouts of such versions."""
ROLLOUT_LABELS, EVALUATE_ROLLOUTS_EVERY = 2_500, 125
LONG, LONG_RUNS = 5_000, 500
Evaluate = Callable[[EvaluationInput], Evaluation]


@dataclass(frozen=True, slots=True)
class RolloutEnd:
    """The end of a rollout or a probation: its outcome, and the labels of the version until then."""

    outcome: Outcome
    labels: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The shares kept and rolled back, and after how many labels; None where that many were never rolled back."""

    kept: float
    rolled_back: float
    labels_median: int | None
    labels_ninth_decile: int | None


@dataclass(frozen=True, slots=True)
class RolloutSummary:
    """The shares promoted and aborted, what was promoted within how many labels, and the labels until the decision."""

    promoted: float
    aborted: float
    promoted_within: Mapping[str, float]
    labels_median: int | None
    labels_ninth_decile: int | None


def measure() -> dict[str, Any]:
    """Measure rates and numbers of labels, with the sizes and the seed."""
    flipped = {str(share): _probations(_after_flip(share), RUNS_OF_BAD) for share in FLIPPED}
    fallen = {
        str(accuracy): _probations(accuracy, RUNS_OF_BAD if accuracy < OLD_ACCURACY else RUNS_OF_GOOD)
        for accuracy in FALLEN
    }
    rollouts = {
        mode.value: {str(drop): _rollouts(mode, drop, runs) for drop, runs in RUNS_OF_ROLLOUTS.items()}
        for mode in RolloutMode
    }
    return {
        "rollback_labels_median": max(found.labels_median or PATIENCE for found in flipped.values()),
        "false_rollback_rate": max(fallen[str(accuracy)].rolled_back for accuracy in (OLD_ACCURACY, NEW_ACCURACY)),
        "false_abort_rate": max(found["0.0"].aborted for found in rollouts.values()),
        "bad_rollout_promotion_rate": max(found[str(ALLOWED)].promoted for found in rollouts.values()),
        "probation_by_share_of_rows_flipped": _shown(flipped),
        "probation_by_accuracy_in_service": _shown(fallen),
        "rollouts_by_drop": {mode: _shown(found) for mode, found in rollouts.items()},
        "allowed_drop": ALLOWED,
        "rollout_labels": ROLLOUT_LABELS,
        "evaluate_rollouts_every_labels": EVALUATE_ROLLOUTS_EVERY,
        "ever_beyond_doubt_though_equal": _ever_beyond_doubt(),
        "champion_accuracy": OLD_ACCURACY,
        "challenger_accuracy_at_the_gate": NEW_ACCURACY,
        "holdout_rows": HOLDOUT_ROWS,
        "versions_that_passed": VERSIONS,
        "evaluate_every_labels": EVALUATE_EVERY,
        "canary_share": SHARE,
        "runs": {"bad": RUNS_OF_BAD, "good": RUNS_OF_GOOD, "long": LONG_RUNS},
        "runs_of_rollouts": {str(drop): runs for drop, runs in RUNS_OF_ROLLOUTS.items()},
        "long_rounds": LONG,
        "seed": SEED,
    }


def _shown(found: Mapping[str, Summary] | Mapping[str, RolloutSummary]) -> dict[str, dict[str, Any]]:
    return {name: asdict(summary) for name, summary in found.items()}


def _after_flip(share: float) -> float:
    """Compute the accuracy left where the right label is now the other one, in a share of the rows."""
    return NEW_ACCURACY * (1 - share) + (1 - NEW_ACCURACY) * share


def _probations(accuracy: float, runs: int) -> Summary:
    """Simulate the probations of versions that passed the gate, at an accuracy in service."""
    configuration, ended = _configuration(), []
    for run in range(runs):
        rng = np.random.default_rng((SEED, run))
        pointer = promote(_serving(), servable(NEW), audit()).pointer
        record, probation = _passed(run % VERSIONS), pointer.probation
        if probation is None:
            raise ValueError("a version that replaces another one is on probation")

        def evaluate(seen: EvaluationInput, pointer: Pointer = pointer, record: VersionRecord = record) -> Evaluation:
            return evaluate_probation(seen, pointer, probation, record)  # noqa: B023  called before the next run

        ended.append(
            _evaluated(label_records(NEW, rng.random(PATIENCE) < accuracy), EVALUATE_EVERY, configuration, evaluate)
        )
    return _summary(ended)


def _rollouts(mode: RolloutMode, worse_by: float, runs: int) -> RolloutSummary:
    """Simulate the rollouts of versions whose accuracy is worse than the champion's by so much."""
    configuration, ended = _configuration(), []
    for run in range(runs):
        rng = np.random.default_rng((SEED, run))
        pointer = start_rollout(_serving(), servable(NEW), mode, SHARE, audit()).pointer
        record, rollout = _passed(run % VERSIONS), pointer.rollout
        if rollout is None:
            raise ValueError("a rollout has begun")

        def evaluate(seen: EvaluationInput, pointer: Pointer = pointer, record: VersionRecord = record) -> Evaluation:
            return evaluate_rollout(seen, pointer, rollout, record)  # noqa: B023  called before the next run

        if mode is RolloutMode.CANARY:
            batch = round(EVALUATE_ROLLOUTS_EVERY / SHARE)
            rows = canary_records(rng, OLD_ACCURACY - worse_by, ROLLOUT_LABELS)
        else:
            batch, rows = EVALUATE_ROLLOUTS_EVERY, shadow_records(rng, worse_by, ROLLOUT_LABELS)
        ended.append(_evaluated(rows, batch, configuration, evaluate))
    labels = [end.labels if end.outcome is not Outcome.WAIT else np.inf for end in ended]
    promoted = [end.labels if end.outcome is Outcome.KEEP else np.inf for end in ended]
    return RolloutSummary(
        promoted=_share(ended, Outcome.KEEP),
        aborted=_share(ended, Outcome.ROLL_BACK),
        promoted_within={str(most): float(np.mean(np.array(promoted) <= most)) for most in WITHIN},
        labels_median=_known(np.quantile(labels, 0.5, method="higher")),
        labels_ninth_decile=_known(np.quantile(labels, 0.9, method="higher")),
    )


def _evaluated(
    rows: Sequence[LabelFields], batch: int, configuration: ModelConfiguration, evaluate: Evaluate
) -> RolloutEnd:
    """Evaluate after every batch of labels until something is decided."""
    stored, found, rows = None, None, LabelRows.of(rows)
    for seen in range(batch, len(rows) + 1, batch):
        now = START + seen * timedelta(minutes=1)
        found = evaluate(
            EvaluationInput(configuration=configuration, labels=rows[:seen], until=now, now=now, stored=stored)
        )
        if found.verdict.outcome in {Outcome.KEEP, Outcome.ROLL_BACK}:
            break
        stored = found.test
    if found is None:
        raise ValueError("there are no labels to evaluate")
    return RolloutEnd(found.verdict.outcome, found.measured.labels)


def _summary(ended: Sequence[RolloutEnd]) -> Summary:
    """Summarise how often a version was kept and rolled back, and the labels it took."""
    labels = [end.labels if end.outcome is Outcome.ROLL_BACK else np.inf for end in ended]
    return Summary(
        kept=_share(ended, Outcome.KEEP),
        rolled_back=_share(ended, Outcome.ROLL_BACK),
        labels_median=_known(np.quantile(labels, 0.5, method="higher")),
        labels_ninth_decile=_known(np.quantile(labels, 0.9, method="higher")),
    )


def _known(labels: float) -> int | None:
    return int(labels) if np.isfinite(labels) else None


def _share(ended: Sequence[RolloutEnd], outcome: Outcome) -> float:
    return sum(end.outcome is outcome for end in ended) / len(ended)


@cache
def _passed(number: int) -> VersionRecord:
    """Find a version that passes the gate, on the first holdout on which it does."""
    rng, configuration = np.random.default_rng((SEED, VERSIONS, number)), _configuration()
    while True:
        labels = (rng.random(HOLDOUT_ROWS) < 0.5).astype(np.float64)
        old, new = (_answers(rng, labels, accuracy) for accuracy in (OLD_ACCURACY, NEW_ACCURACY))
        counts = {"rows": 2, "classes": {"0": 1, "1": 1}}
        contest = Contest(
            labels=labels,
            frame=pd.DataFrame({"x": np.zeros(HOLDOUT_ROWS)}),
            challenger=new,
            baseline=baseline_predictions(Task.BINARY, Metric.ACCURACY, counts, HOLDOUT_ROWS),
            champion=old,
        )
        if all(check.passed for check in judge(contest, configuration)):
            return version_record(*(answers.measure(Metric.ACCURACY, labels) for answers in (old, new)))


def _answers(rng: np.random.Generator, labels: npt.NDArray[np.float64], accuracy: float) -> Predictions:
    decisions = np.where(rng.random(len(labels)) < accuracy, labels, 1 - labels)
    return Predictions(Task.BINARY, decisions, 0.2 + 0.6 * decisions)


def _ever_beyond_doubt() -> float:
    """Measure how often a canary exactly as good as the champion is ever called worse, evaluated after each label."""
    scale = scale_of(Metric.ACCURACY, Task.BINARY, null=OLD_ACCURACY, limit=OLD_ACCURACY - 0.05)
    if scale is None:
        raise ValueError("accuracy has a test")
    hypothesis, rng = difference_hypothesis(scale), np.random.default_rng(SEED)
    start = Wealth.at_start(hypothesis, (LONG_RUNS,))
    wealth = Wealth(start.rounds, start.stakes, start.mean_weight, start.mean_square, starts=IN_ROLLOUT.starts)
    doubtless = np.zeros(LONG_RUNS, dtype=bool)
    beside = round(1 / SHARE) - 1
    for _ in range(LONG):
        ours = (rng.random(LONG_RUNS) < OLD_ACCURACY).astype(np.float64)
        wealth = bet(wealth, hypothesis, (1 + ours - rng.binomial(beside, OLD_ACCURACY, LONG_RUNS) / beside) / 2)
        doubtless |= wealth.evidence >= 20
    return float(doubtless.mean())


def _serving() -> Pointer:
    return promote(None, servable(OLD), audit()).pointer


def _configuration() -> ModelConfiguration:
    return parse_configuration(
        {
            "model": "simulated",
            "task": "binary",
            "features": {"x": {"type": "numeric"}},
            "labels": {"rules": [{"event": "outcome", "window": "P1D"}]},
            "gate": {"metric": "accuracy", "confidence": 0.95},
            "deployment": {
                "canary": {"max_age": "P60D"},
                "shadow": {"max_age": "P60D"},
                "probation": {"max_drop": ALLOWED},
            },
        }
    )


def record() -> dict[str, Any]:
    """Measure, keep the figures that the documentation is compared with, and write its tables."""
    figures = measure()
    keep(figures)
    return figures


def main() -> None:
    """Measure, write and print."""
    figures = record()
    console = Console(width=140)
    console.print(shown(figures))
    console.print({name: value for name, value in figures.items() if not isinstance(value, dict)})


if __name__ == "__main__":
    main()
