"""Scores of the live model by month, beside the version that was never retrained and the last outcome."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from hindsight.config.labels import LabelValue
from hindsight.config.metrics import Metric, Task
from hindsight.config.model import ModelConfiguration
from hindsight.evaluation.metrics import as_targets, evaluate
from hindsight.labels.mapping import fit_label, to_label
from hindsight.training.models.scoring import LoadedVersion, RowPrediction
from local.replay.replay import ReplayResult
from local.replay.stream import Row

ByMonth = dict[str, float]
Answers = Mapping[str, RowPrediction]


@dataclass(frozen=True, slots=True)
class Scores:
    """The monitored metric by month for each of the three; months in which it is undefined are left out."""

    metric: Metric
    live: ByMonth
    static: ByMonth
    persistence: ByMonth


def truth_of(row: Row, configuration: ModelConfiguration, event: str) -> LabelValue | None:
    """Compute the label of a row's outcome by the configuration's own rule; without one it is the default, if any."""
    default = configuration.labels.default if configuration.labels.labels_every_prediction else None
    if row.outcome is None:
        return fit_label(default.value, configuration.task) if default else None
    rule = next(rule for rule in configuration.labels.rules if rule.event == event)
    return to_label(rule, row.outcome, configuration.task)


def score(
    result: ReplayResult,
    truths: Mapping[str, LabelValue | None],
    first: LoadedVersion | None,
    configuration: ModelConfiguration,
) -> Scores:
    """Compute the scores of the live answers, the first version's and the last known outcome's, on the same rows."""
    rows = [row for row in result.replayed if truths[row.prediction_id] is not None]
    static = first.score([row.features for row in rows]) if rows and first is not None else []
    metric, task = configuration.performance_metric, configuration.task
    measure = partial(_by_month, rows, truths, metric, task)
    return Scores(
        metric=metric,
        live=measure(result.answers),
        static=measure(dict(zip((row.prediction_id for row in rows), static, strict=False))),
        persistence=measure(_last_outcomes(result.rows, truths, task)),
    )


def _last_outcomes(
    rows: Sequence[Row], truths: Mapping[str, LabelValue | None], task: Task
) -> dict[str, RowPrediction]:
    """Build for each row the label of the row before it: a baseline no delayed label could give."""
    last: LabelValue | None = None
    answers: dict[str, RowPrediction] = {}
    for row in rows:
        if last is not None:
            answers[row.prediction_id] = RowPrediction(0.0 if task is Task.MULTICLASS else float(last), last)
        last = truths[row.prediction_id] if truths[row.prediction_id] is not None else last
    return answers


def _by_month(
    rows: Sequence[Row], truths: Mapping[str, LabelValue | None], metric: Metric, task: Task, answers: Answers
) -> ByMonth:
    months = defaultdict[str, list[str]](list)
    for row in rows:
        if row.prediction_id in answers:
            months[row.occurred_at.strftime("%Y-%m")].append(row.prediction_id)
    found = {
        month: _measure(metric, task, [truths[name] for name in names], [answers[name] for name in names])
        for month, names in months.items()
    }
    return {month: value for month, value in found.items() if value is not None}


def _measure(
    metric: Metric, task: Task, truths: Sequence[LabelValue | None], answers: Sequence[RowPrediction]
) -> float | None:
    classes = sorted({name for answer in answers for name in answer.probabilities or {}})
    probabilities = [[(answer.probabilities or {}).get(name, np.nan) for name in classes] for answer in answers]
    return evaluate(
        metric,
        task,
        as_targets([truth for truth in truths if truth is not None], task),
        as_targets([answer.decision for answer in answers], task),
        np.array([answer.score for answer in answers]),
        probabilities=np.array(probabilities) if classes else None,
        classes=classes,
    )
