"""The report of a replay: one HTML file that needs nothing else."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hindsight.config.metrics import Metric
from hindsight.config.model import ModelConfiguration
from hindsight.core.times import parse_time
from hindsight.lake.object_store import CHECKS
from local.client import StackClient
from local.replay.charts import Point, Run, as_svg, monthly_chart, save_png, timeline_chart
from local.replay.summary import shown_score, signals_of, unit_of


@dataclass(frozen=True, slots=True)
class Story:
    """The story that a report adds to its numbers."""

    title: str
    subtitle: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The records of a model in the stack."""

    decisions: list[dict[str, Any]]
    versions: list[dict[str, Any]]
    checks: list[dict[str, Any]]


def fetch_evidence(client: StackClient, model: str, decisions: list[dict[str, Any]]) -> Evidence:
    """Read a model's decisions, versions and checks, oldest first."""
    versions = client.call("GET", f"models/{model}/versions?limit=1000", key="operator")["versions"]
    keys = [key for key in client.lake.keys(f"{CHECKS}/model={model}/") if key.endswith(".json")]
    checks = [json.loads(client.lake.read_bytes(key)) for key in keys]
    return Evidence(decisions, list(reversed(versions)), checks)


def write_report(
    folder: Path, story: Story, summary: Mapping[str, Any], evidence: Evidence, configuration: ModelConfiguration
) -> Path:
    """Write ``report.html`` and ``accuracy.png`` into a folder; return the report's path."""
    folder.mkdir(parents=True, exist_ok=True)
    metric = configuration.performance_metric
    label = unit_of(metric)
    monthly = (summary["live"], summary["static"], summary["persistence"], label)
    save_png(monthly_chart(*monthly), folder / "accuracy.png")
    runs = [Run(parse_time(decision["at"]), decision.get("outcome", "open")) for decision in _triggered(evidence)]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    page = environment.get_template("report.html.j2").render(
        model=configuration.model,
        title=story.title,
        subtitle=story.subtitle,
        notes=story.notes,
        figures=_figures(summary, metric),
        unit_name=label.removesuffix(", %")[0].upper() + label.removesuffix(", %")[1:],
        monthly_svg=as_svg(monthly_chart(*monthly)),
        months=[_month_row(summary, month, metric) for month in sorted(summary["live"])],
        performance_svg=_performance_svg(evidence, runs, configuration),
        drift_svg=_drift_svg(evidence, runs, configuration),
        runs=[_run_row(decision, evidence, configuration) for decision in _triggered(evidence)],
        blocked=[_blocked_row(decision) for decision in evidence.decisions if not decision["triggered"]],
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def _triggered(evidence: Evidence) -> list[dict[str, Any]]:
    return [decision for decision in evidence.decisions if decision["triggered"]]


def _figures(summary: Mapping[str, Any], metric: Metric) -> list[dict[str, str]]:
    shown = {
        "live, mean of months": shown_score(summary["live_mean"], metric, " %"),
        "live, worst month": shown_score(summary["live_min"], metric, " %"),
        "static, mean of months": shown_score(summary["static_mean"], metric, " %"),
        "static, worst month": shown_score(summary["static_min"], metric, " %"),
        "promoted / rejected": f"{summary['promotions']} / {summary['rejections']}",
        "labels sent / lost": f"{summary['labels']:,} / {summary['lost']}",
    }
    return [{"name": name, "value": value} for name, value in shown.items()]


def _month_row(summary: Mapping[str, Any], month: str, metric: Metric) -> dict[str, str]:
    scores = {name: shown_score(summary[name].get(month), metric, " %") for name in ("live", "static", "persistence")}
    return {"month": month, **scores}


def _performance_svg(evidence: Evidence, runs: list[Run], configuration: ModelConfiguration) -> str:
    points = [
        Point(parse_time(check["at"]), check["summary"]["value"])
        for check in evidence.checks
        if check["kind"] == "performance" and check["summary"].get("value") is not None
    ]
    policy = configuration.monitoring.performance
    limit = policy.min if configuration.performance_metric.greater_is_better else policy.max
    name = f"configured limit {limit}"
    return as_svg(timeline_chart(points, limit, runs, str(configuration.performance_metric), name))


def _drift_svg(evidence: Evidence, runs: list[Run], configuration: ModelConfiguration) -> str:
    points = [
        Point(parse_time(check["at"]), check["summary"]["share"])
        for check in evidence.checks
        if check["kind"] == "drift" and check["summary"].get("share") is not None
    ]
    limit = configuration.monitoring.drift.share
    return as_svg(timeline_chart(points, limit, runs, "share of features", f"counts as drift from {limit}"))


def _run_row(decision: Mapping[str, Any], evidence: Evidence, configuration: ModelConfiguration) -> dict[str, str]:
    version = next((found for found in evidence.versions if found["version"] == decision.get("outcome_version")), None)
    metric = configuration.gate_metric.value
    challenger = version["metrics"] if version else {}
    champion = version["gate"].get("champion_metrics", {}) if version else {}
    return {
        "at": _day(decision["at"]),
        "signals": signals_of(decision),
        "outcome": decision.get("outcome", "open"),
        "challenger": _number(challenger.get(metric)),
        "champion": _number(champion.get(metric)),
        "reason": decision.get("outcome_reason", ""),
    }


def _blocked_row(decision: Mapping[str, Any]) -> dict[str, str]:
    return {
        "at": _day(decision["at"]),
        "signals": signals_of(decision),
        "blocked_by": ", ".join(blocker["code"] for blocker in decision["blocked_by"]),
    }


def _day(text: str) -> str:
    return parse_time(text).strftime("%Y-%m-%d")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
