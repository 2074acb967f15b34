"""The error rates of the gate: promotions of equally good challengers, of better ones, and of ones that fail a slice.

Whole verdicts of ``hindsight.training.gate.gate.judge`` on simulated holdouts. Versions that are equally good are so by
construction, on all rows there could be; on the rows of a holdout either may be ahead.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table

from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import parse_configuration
from hindsight.training.gate.gate import Contest, baseline_predictions, judge
from hindsight.training.models.scoring import Predictions

SEED = 1
TRIALS = 500
ROWS, ROWS_BY_SCORE, SLICE_ROWS = 2_000, 1_000, 300
CONFIDENCE = 0.95
ACCURACY, POINTS, SLICE_POINTS = 0.85, 0.03, 0.10
SHARED = 0.8  # of the champion's errors are the challenger's too, where errors are shared
ENTITIES, AUDITED = 200, 0.1

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Simulated = Callable[[np.random.Generator], Contest]


def measure() -> dict[str, Any]:
    """Measure the share of promotions by the quality of the challenger, with the sizes and the seed."""
    equal = {name: _promoted(metric, simulate) for name, (metric, simulate) in _EQUAL.items()}
    better = {
        "independent_errors": _promoted(Metric.ACCURACY, partial(_decisions, shared=0.0, better=POINTS)),
        "shared_errors": _promoted(Metric.ACCURACY, partial(_decisions, shared=SHARED, better=POINTS)),
    }
    refused = {
        "independent_errors": _refused(shared=0.0),
        "shared_errors": _refused(shared=SHARED),
    }
    return {
        "gate_false_promotion_rate": max(equal.values()),
        "gate_power": min(better.values()),
        "slice_regression_refused": refused["shared_errors"],
        "promoted_equally_good": equal,
        "promoted_3_points_better": better,
        "refused_better_overall_but_10_points_worse_on_a_slice": refused,
        "equally_good_refused_for_a_slice": _refused_for_a_slice(),
        "trials": TRIALS,
        "rows": ROWS,
        "rows_by_score": ROWS_BY_SCORE,
        "slice_rows": SLICE_ROWS,
        "confidence": CONFIDENCE,
        "margin": 0.0,
        "accuracy": ACCURACY,
        "shared_errors": SHARED,
        "seed": SEED,
    }


def _promoted(metric: Metric, simulate: Simulated) -> float:
    """Measure the share of simulated holdouts on which every check passed."""
    configuration = _configuration(metric)
    verdicts = [_verdict(simulate, trial, configuration) for trial in range(TRIALS)]
    return sum(not failed for failed in verdicts) / TRIALS


def _refused(shared: float) -> float:
    """Measure the share of challengers refused for their slice, of those that are better overall."""
    configuration = _configuration(Metric.ACCURACY, slices=["part"])
    simulate = partial(_failing_slice, shared=shared)
    verdicts = [_verdict(simulate, trial, configuration) for trial in range(TRIALS)]
    better = [failed for failed in verdicts if "better_than_champion" not in failed]
    return sum("slice part=small" in failed for failed in better) / len(better)


def _refused_for_a_slice() -> float:
    """Measure the share of equally good challengers that a check of one slice would refuse."""
    configuration = _configuration(Metric.ACCURACY, slices=["part"])
    simulate = partial(_decisions, shared=0.0, better=0.0)
    verdicts = [_verdict(simulate, trial, configuration) for trial in range(TRIALS)]
    return sum("slice part=small" in failed for failed in verdicts) / TRIALS


def _verdict(simulate: Simulated, trial: int, configuration: ModelConfiguration) -> set[str]:
    """List the checks that failed."""
    checks = judge(simulate(np.random.default_rng([SEED, trial])), configuration)
    return {check.name for check in checks if not check.passed}


def _configuration(metric: Metric, slices: list[str] | None = None) -> ModelConfiguration:
    task = Task.REGRESSION if metric is Metric.RMSE else Task.BINARY
    return parse_configuration(
        {
            "model": "simulated",
            "task": task.value,
            "features": {"part": {"type": "categorical"}},
            "labels": {"rules": [{"event": "outcome", "kind": "outcome", "window": "P1D"}]},
            "monitoring": {"slices": slices or []},
            "gate": {"metric": metric.value, "confidence": CONFIDENCE, "margin": 0.0},
        }
    )


def _decisions(rng: np.random.Generator, *, shared: float, better: float) -> Contest:
    """Simulate decisions that are right in 85 of 100 rows, the challenger's in some more."""
    labels = _coins(rng, 0.5, ROWS)
    champion = rng.random(ROWS) < ACCURACY
    challenger = _also_right(rng, champion, shared, np.full(ROWS, ACCURACY + better))
    return _contest(labels, _deciding(labels, champion), _deciding(labels, challenger))


def _failing_slice(rng: np.random.Generator, *, shared: float) -> Contest:
    labels = _coins(rng, 0.5, ROWS)
    champion = rng.random(ROWS) < ACCURACY
    aims = np.where(_in_slice(ROWS), ACCURACY - SLICE_POINTS, ACCURACY + 2 * POINTS)
    challenger = _also_right(rng, champion, shared, aims)
    return _contest(labels, _deciding(labels, champion), _deciding(labels, challenger))


def _also_right(rng: np.random.Generator, champion: Flags, shared: float, aims: Floats) -> Flags:
    """Draw the rows on which the challenger is right: at its rate, in a share of the rows by the champion's luck."""
    lucky = np.where(champion, rng.random(len(champion)) * ACCURACY, ACCURACY + rng.random(len(champion)) * 0.15)
    own = rng.random(len(champion))
    right: Flags = np.where(rng.random(len(champion)) < shared, lucky, own) < aims
    return right


def _scores(rng: np.random.Generator, *, positive: float) -> Contest:
    """Simulate scores of the same signal through noise of their own."""
    labels = _coins(rng, positive, ROWS_BY_SCORE)
    seen = 1.5 * labels + rng.normal(size=ROWS_BY_SCORE)
    champion, challenger = (_scoring(_logistic(seen + rng.normal(size=ROWS_BY_SCORE) - 1)) for _ in range(2))
    return _contest(labels, champion, challenger)


def _blunders(rng: np.random.Generator) -> Contest:
    """Simulate a challenger that is a little better nearly always and very wrong at times: in all, just as good."""
    chance, modest, good, blunder = 0.8, 0.7, 0.8, 0.05
    loss = {given: -chance * np.log(given) - (1 - chance) * np.log(1 - given) for given in (modest, good, blunder)}
    share = (loss[modest] - loss[good]) / (loss[blunder] - loss[good])
    side = _coins(rng, 0.5, ROWS_BY_SCORE)
    labels = np.where(rng.random(ROWS_BY_SCORE) < chance, side, 1 - side)
    blunders = np.where(rng.random(ROWS_BY_SCORE) < share, blunder, good)
    champion, challenger = (
        _scoring(np.where(side == 1, given, 1 - given)) for given in (np.full(ROWS_BY_SCORE, modest), blunders)
    )
    return _contest(labels, champion, challenger)


def _values(rng: np.random.Generator, *, rare: float) -> Contest:
    """Simulate values whose errors are of one size, or small with rare large ones, with the same mean square."""
    labels = rng.normal(size=ROWS_BY_SCORE)
    small = 0.5 if rare else 1.0
    large = np.sqrt((1 - (1 - rare) * small**2) / rare) if rare else small
    spread = np.where(rng.random(ROWS_BY_SCORE) < rare, large, small)
    champion = labels + rng.normal(size=ROWS_BY_SCORE)
    challenger = labels + spread * rng.normal(size=ROWS_BY_SCORE)
    answers = [Predictions(Task.REGRESSION, values, values) for values in (champion, challenger)]
    return _contest(labels, *answers)


def _entities(rng: np.random.Generator) -> Contest:
    """Simulate decisions on entities that come again, and each of which one version or the other understands."""
    entity = rng.integers(ENTITIES, size=ROWS)
    understood = np.array([0.75, 0.95])
    side = rng.integers(2, size=ENTITIES)[entity]
    labels = _coins(rng, 0.5, ROWS)
    champion, challenger = (rng.random(ROWS) < understood[by] for by in (side, 1 - side))
    names = [f"e{number}" for number in entity.tolist()]
    return _contest(labels, _deciding(labels, champion), _deciding(labels, challenger), entities=names)


def _reviewed(rng: np.random.Generator) -> Contest:
    """Simulate decisions on rows of which some were selected for review and others are weighted for the rest."""
    labels = _coins(rng, 0.5, ROWS)
    weights = np.where(rng.random(ROWS) < AUDITED, 1 / AUDITED, 1.0)
    champion, challenger = (rng.random(ROWS) < ACCURACY for _ in range(2))
    return _contest(labels, _deciding(labels, champion), _deciding(labels, challenger), weights=weights)


_EQUAL: dict[str, tuple[Metric, Simulated]] = {
    "accuracy": (Metric.ACCURACY, partial(_decisions, shared=0.0, better=0.0)),
    "accuracy_shared_errors": (Metric.ACCURACY, partial(_decisions, shared=SHARED, better=0.0)),
    "accuracy_repeated_entities": (Metric.ACCURACY, _entities),
    "accuracy_reviewed_rows": (Metric.ACCURACY, _reviewed),
    "roc_auc": (Metric.ROC_AUC, partial(_scores, positive=0.5)),
    "roc_auc_few_positives": (Metric.ROC_AUC, partial(_scores, positive=0.03)),
    "log_loss": (Metric.LOG_LOSS, partial(_scores, positive=0.5)),
    "log_loss_rare_blunders": (Metric.LOG_LOSS, _blunders),
    "rmse": (Metric.RMSE, partial(_values, rare=0.0)),
    "rmse_rare_large_errors": (Metric.RMSE, partial(_values, rare=0.05)),
}


def _contest(labels: Floats, champion: Predictions, challenger: Predictions, **known: Any) -> Contest:
    counts = {"rows": 2, "classes": {"0": 1, "1": 1}, "mean": 0.0, "median": 0.0}
    baseline = baseline_predictions(champion.task, Metric.ACCURACY, counts, len(labels))
    part = np.where(_in_slice(len(labels)), "small", "large").astype(object)
    return Contest(
        labels=labels,
        frame=pd.DataFrame({"part": part}),
        challenger=challenger,
        baseline=baseline,
        champion=champion,
        **known,
    )


def _in_slice(rows: int) -> Flags:
    flags: Flags = np.arange(rows) < SLICE_ROWS
    return flags


def _deciding(labels: Floats, right: Flags) -> Predictions:
    decisions = np.where(right, labels, 1 - labels)
    return Predictions(Task.BINARY, decisions, decisions)


def _scoring(scores: Floats) -> Predictions:
    return Predictions(Task.BINARY, (scores >= 0.5).astype(np.float64), scores)


def _coins(rng: np.random.Generator, chance: float, rows: int) -> Floats:
    return (rng.random(rows) < chance).astype(np.float64)


def _logistic(values: Floats) -> Floats:
    chances: Floats = 1 / (1 + np.exp(-values))
    return chances


def table(figures: dict[str, Any]) -> Table:
    """Format the figures as a table."""
    shown = Table("gate", "share of challengers", title=f"{TRIALS} simulated runs each, confidence {CONFIDENCE:.0%}")
    for name, rate in figures["promoted_equally_good"].items():
        shown.add_row(f"promoted though only as good: {name.replace('_', ' ')}", f"{rate:.1%}")
    for name, rate in figures["promoted_3_points_better"].items():
        shown.add_row(f"promoted, 3 points better on {ROWS:,} rows: {name.replace('_', ' ')}", f"{rate:.1%}")
    for name, rate in figures["refused_better_overall_but_10_points_worse_on_a_slice"].items():
        shown.add_row(f"refused, 10 points worse on {SLICE_ROWS} rows: {name.replace('_', ' ')}", f"{rate:.1%}")
    shown.add_row("refused for such a slice though as good there", f"{figures['equally_good_refused_for_a_slice']:.1%}")
    return shown


if __name__ == "__main__":
    Console().print(table(measure()))
