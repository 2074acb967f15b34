"""Scores of the live model by month, beside the version that was never retrained and the last outcome."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hindsight.config.labels import LabelValue, canonical_text
from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.labels.mapping import to_label
from hindsight.training.models.scoring import LoadedVersion
from local.replay import ReplayResult
from local.stream import Row

ByMonth = dict[str, float]


@dataclass(frozen=True, slots=True)
class Scores:
    """A score by month for each of the three; accuracy, for regression the mean absolute error."""

    live: ByMonth
    static: ByMonth
    persistence: ByMonth


def truth_of(row: Row, configuration: ModelConfiguration, event: str) -> LabelValue | None:
    """Compute the label of a row's outcome by the configuration's own rule, None without an outcome."""
    if row.outcome is None:
        return None
    rule = next(rule for rule in configuration.labels.rules if rule.event == event)
    return to_label(rule, row.outcome, configuration.task)


def score(result: ReplayResult, truths: Mapping[str, LabelValue | None], first: LoadedVersion, task: Task) -> Scores:
    """Compute the scores of the live decisions, the first version's and the last known outcome's, on the same rows."""
    rows = [row for row in result.replayed if truths[row.prediction_id] is not None]
    static = first.score([row.features for row in rows]) if rows else []
    static_decisions = {row.prediction_id: scored.decision for row, scored in zip(rows, static, strict=True)}
    error = _absolute_error if task is Task.REGRESSION else _agreement
    return Scores(
        live=_by_month(rows, truths, result.decisions, error),
        static=_by_month(rows, truths, static_decisions, error),
        persistence=_by_month(rows, truths, _last_outcomes(result.rows, truths), error),
    )


def _last_outcomes(rows: Sequence[Row], truths: Mapping[str, LabelValue | None]) -> dict[str, Any]:
    """Build for each row the label of the row before it: a baseline no delayed label could give."""
    last: LabelValue | None = None
    decisions: dict[str, Any] = {}
    for row in rows:
        decisions[row.prediction_id] = last
        last = truths[row.prediction_id] if truths[row.prediction_id] is not None else last
    return decisions


def _by_month(
    rows: Sequence[Row],
    truths: Mapping[str, LabelValue | None],
    decisions: Mapping[str, Any],
    compare: Callable[[Any, Any], float],
) -> ByMonth:
    values = defaultdict[str, list[float]](list)
    for row in rows:
        decision = decisions.get(row.prediction_id)
        if decision is not None:
            values[row.occurred_at.strftime("%Y-%m")].append(compare(decision, truths[row.prediction_id]))
    return {month: sum(found) / len(found) for month, found in values.items()}


def _agreement(decision: Any, truth: Any) -> float:
    return float(canonical_text(decision) == canonical_text(truth))


def _absolute_error(decision: Any, truth: Any) -> float:
    return abs(float(decision) - float(truth))
