"""The summary of a replay, as a file and as a table."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hindsight.config.labels import LabelValue, canonical_text
from hindsight.config.metrics import Task
from local.client import StackClient
from local.replay import ReplayResult
from local.scores import Scores

MAX_DECISIONS = 1000


def fetch_decisions(client: StackClient, model: str) -> list[dict[str, Any]]:
    """Read a model's trigger decisions, oldest first."""
    answer = client.call("GET", f"models/{model}/decisions?limit={MAX_DECISIONS}", key="operator")
    return list(reversed(answer["decisions"]))


def summarise(
    result: ReplayResult,
    truths: Mapping[str, LabelValue | None],
    scores: Scores,
    decisions: list[dict[str, Any]],
    task: Task,
) -> dict[str, Any]:
    """Build the summary: scores by month and overall, decisions by outcome, labels sent and lost."""
    pick = max if task is Task.REGRESSION else min
    return {
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
        "predictions": len(result.decisions),
        "labels": len(result.outcomes_sent),
        "lost": len(lost_labels(result, truths)),
        "seconds": round(result.seconds, 1),
    }


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


def print_summary(summary: Mapping[str, Any], task: Task, console: Console) -> None:
    """Print the scores by month and the counts."""
    unit = "mean absolute error" if task is Task.REGRESSION else "accuracy, %"
    regression = task is Task.REGRESSION

    def show(value: float | None) -> str:
        if value is None:
            return "–"
        return f"{value:.3f}" if regression else f"{100 * value:.1f}"

    table = Table(title=f"Live, static and “same as the last row”: {unit}")
    for name in ("month", "live", "static", "same as last"):
        table.add_column(name, justify="left" if name == "month" else "right")
    for month in sorted(summary["live"]):
        cells = [summary[name].get(month) for name in ("live", "static", "persistence")]
        table.add_row(month, *map(show, cells))
    table.add_section()
    means = [summary[name] for name in ("live_mean", "static_mean", "persistence_mean")]
    table.add_row("mean", *map(show, means))
    console.print(table)
    console.print(
        f"{summary['promotions']} promotions, {summary['rejections']} rejections, "
        f"{summary['blocked']} blocked decisions; {summary['predictions']} predictions, "
        f"{summary['labels']} labels sent, {summary['lost']} lost; {summary['seconds']} s"
    )


def _mean(by_month: Mapping[str, float]) -> float | None:
    return sum(by_month.values()) / len(by_month) if by_month else None
