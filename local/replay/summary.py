"""The summary of a replay, as a file and as a table."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hindsight.adapters.predictions_table.effect_table import DynamoEffects
from hindsight.config.labels import LabelValue, canonical_text
from hindsight.config.metrics import Metric
from hindsight.core.times import hour_of
from hindsight.labels.joining.effects import total
from hindsight.monitoring.label_health.feedback_effects import FeedbackEffects
from local.client import StackClient
from local.replay.replay import ReplayResult
from local.replay.scores import Scores

MAX_DECISIONS = 1000
# Shown as percentages; the ROC AUC, by custom, is not.
_SHARES = frozenset(metric for metric in Metric if metric.is_share) - {Metric.ROC_AUC}


def fetch_decisions(client: StackClient, model: str) -> list[dict[str, Any]]:
    """Read a model's trigger decisions, oldest first."""
    answer = client.call("GET", f"models/{model}/decisions?limit={MAX_DECISIONS}", key="operator")
    return list(reversed(answer["decisions"]))


def summarise(
    result: ReplayResult,
    truths: Mapping[str, LabelValue | None],
    scores: Scores,
    decisions: list[dict[str, Any]],
) -> dict[str, Any]:
    """Build the summary: scores by month and overall, decisions by outcome and by signals, labels sent and lost."""
    pick = min if scores.metric.greater_is_better else max
    return {
        "metric": scores.metric.value,
        "static": scores.static,
        "live": scores.live,
        "persistence": scores.persistence,
        "live_mean": _mean(scores.live),
        "live_min": pick(scores.live.values(), default=None),
        "static_mean": _mean(scores.static),
        "static_min": pick(scores.static.values(), default=None),
        "persistence_mean": _mean(scores.persistence),
        "promotions": sum(decision.get("outcome") == "promoted" for decision in decisions),
        "rejections": sum(decision.get("outcome") == "rejected" for decision in decisions),
        "blocked": sum(not decision["triggered"] for decision in decisions),
        "started_by": dict(Counter(signals_of(decision) for decision in decisions if decision["triggered"])),
        "predictions": len(result.answers),
        "unanswered": result.unanswered,
        "labels": len(result.outcomes_sent),
        "lost": len(lost_labels(result, truths)),
        "seconds": round(result.seconds, 1),
    }


def fetch_feedback(client: StackClient, model: str, span: tuple[datetime, datetime]) -> FeedbackEffects:
    """Read the effects of the feedback that was received in a span, which may be long before the clock of now."""
    effects = DynamoEffects(client.stack.outputs["PredictionsTable"], client.aws("dynamodb"))
    first, last = span
    return FeedbackEffects(first, total(effects.between(model, hour_of(first), hour_of(last)), hour_of(first)))


def print_feedback(feedback: FeedbackEffects, console: Console) -> None:
    """Print how many events changed no label, and why, if any did not."""
    if feedback.without_effect:
        console.print(f"{feedback.without_effect:,} of {feedback.events:,} events change no label: {feedback.causes}")


def signals_of(decision: Mapping[str, Any]) -> str:
    """List the kinds of the signals that were active in a decision.

    >>> signals_of({"signals": [{"kind": "schedule", "active": True}, {"kind": "drift", "active": True}]})
    'drift, schedule'
    """
    return ", ".join(sorted(signal["kind"] for signal in decision["signals"] if signal["active"])) or "none"


def lost_labels(result: ReplayResult, truths: Mapping[str, LabelValue | None]) -> list[str]:
    """Find the predictions whose outcome was sent, and whose label did not come out as it should."""
    return [
        name
        for name in sorted(result.outcomes_sent)
        if name not in result.labels or canonical_text(result.labels[name]) != canonical_text(truths[name])
    ]


def write_summary(summary: Mapping[str, Any], path: Path) -> None:
    """Write the summary as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def unit_of(metric: Metric) -> str:
    """Name a metric with its unit.

    >>> unit_of(Metric.ACCURACY), unit_of(Metric.ROC_AUC)
    ('accuracy, %', 'ROC AUC')
    """
    name = {Metric.MAE: "mean absolute error", Metric.RMSE: "RMSE", Metric.ROC_AUC: "ROC AUC", Metric.R2: "R²"}
    return f"{name.get(metric, metric.value.replace('_', ' '))}{', %' if metric in _SHARES else ''}"


def shown_score(value: float | None, metric: Metric, sign: str = "") -> str:
    """Format a score in its unit, a dash where there is none; ``sign`` follows a percentage."""
    if value is None:
        return "–"
    return f"{100 * value:.1f}{sign}" if metric in _SHARES else f"{value:.3f}"


def print_summary(summary: Mapping[str, Any], console: Console) -> None:
    """Print the scores by month and the counts."""
    metric = Metric(summary["metric"])
    table = Table(title=f"Live, static and “same as the last row”: {unit_of(metric)}")
    for name in ("month", "live", "static", "same as last"):
        table.add_column(name, justify="left" if name == "month" else "right")
    for month in sorted(summary["persistence"].keys() | summary["live"].keys()):
        cells = [summary[name].get(month) for name in ("live", "static", "persistence")]
        table.add_row(month, *(shown_score(cell, metric) for cell in cells))
    table.add_section()
    means = [summary[name] for name in ("live_mean", "static_mean", "persistence_mean")]
    table.add_row("mean", *(shown_score(mean, metric) for mean in means))
    console.print(table)
    if summary["unanswered"]:
        console.print(f"{summary['unanswered']} predictions were due before any version served; they were only logged")
    console.print(
        f"{summary['promotions']} promotions, {summary['rejections']} rejections, "
        f"{summary['blocked']} blocked decisions; {summary['predictions']} predictions, "
        f"{summary['labels']} labels sent, {summary['lost']} lost; {summary['seconds']} s"
    )


def _mean(by_month: Mapping[str, float]) -> float | None:
    return sum(by_month.values()) / len(by_month) if by_month else None
