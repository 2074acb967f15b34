"""The summary and the report of the demo of a model outside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hindsight.core.times import parse_time
from local.client import StackClient
from local.outside.story import DemoRecord
from local.outside.world import START, Delivery
from local.replay import charts
from local.replay.summary import fetch_decisions, signals_of

_MOST_MOVES = 1000
_KINDS = {"promoted": "promoted", "rolled_back": "rejected", "rollout_aborted": "rejected"}
Decide = Callable[[Sequence[Delivery]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The records that the demo left in the stack, oldest first, and the accuracy by week of live and static."""

    moves: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    live: dict[str, float]
    static: dict[str, float]


def fetch_evidence(client: StackClient, model: str, record: DemoRecord, static: Decide) -> Evidence:
    """Read what the stack recorded, and score the live answers beside those of the first version."""
    path = f"models/{model}/deployments?limit={_MOST_MOVES}"
    moves = client.call("GET", path, key="operator")["deployments"]
    asked = record.asked
    return Evidence(
        moves[::-1],
        fetch_decisions(client, model),
        _by_week(asked, [record.answers[one.prediction_id]["decision"] for one in asked]),
        _by_week(asked, static(asked)),
    )


def summarise(record: DemoRecord, evidence: Evidence) -> dict[str, Any]:
    """Build the summary: accuracies, pointer moves by kind, labels by entity, and predictions without their label."""
    changes = [move["change"] for move in evidence.moves]
    first = evidence.moves[0]["to"] if evidence.moves else None
    promoted = [move for move in evidence.moves if move["change"] == "promoted" and move["to"] != first]
    return {
        "live_mean": _mean(evidence.live),
        "static_mean": _mean(evidence.static),
        "promotions": len(promoted),
        "aborted": changes.count("rollout_aborted"),
        "rolled_back": changes.count("rolled_back"),
        "labels_by_entity": sum(record.labels.get(name) == 1 for name in record.complaints),
        "lost": sum(record.labels.get(one.prediction_id) != int(one.is_late) for one in record.asked),
    }


def write_report(folder: Path, summary: Mapping[str, Any], evidence: Evidence) -> Path:
    """Write ``report.html`` into a folder; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    folders = [Path(charts.__file__).parent, Path(__file__).parent]
    environment = Environment(
        loader=FileSystemLoader(folders[::-1]), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    lines = [
        charts.Line("live: the server outside, as Hindsight led it", evidence.live, charts.LIVE),
        charts.Line("static: its first version", evidence.static, charts.STATIC),
    ]
    chart = charts.period_chart(list(evidence.live), lines, "accuracy, %", "week")
    page = environment.get_template("report.html.j2").render(
        model="a model outside",
        title="A model that is served and trained elsewhere",
        subtitle="Will this delivery be late? A server of one's own answers, customers complain by their own id within "
        "a day, and half way the other depot's road is closed.",
        notes=_NOTES,
        figures=_figures(summary),
        weekly_svg=charts.as_svg(chart),
        moves=[_move(move) for move in evidence.moves],
        runs=[_run(decision) for decision in evidence.decisions if decision["triggered"]],
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


_NOTES = (
    "The world is made up, so that the truth is known: an order of a customer comes at least two days after the one "
    "before, and no rule could be right more often than about 88 % of the time.",
    "Two mistakes are made on purpose. A training script that has seen the answers of the holdout passes the gate, and "
    "is found out as a shadow. An old file is promoted under a new name by a person's word, and rolled back in its "
    "probation.",
)


def _by_week(asked: Sequence[Delivery], decisions: Sequence[int]) -> dict[str, float]:
    weeks: dict[str, list[bool]] = {}
    for one, decision in zip(asked, decisions, strict=True):
        weeks.setdefault(str((one.occurred_at - START).days // 7 + 1), []).append(decision == int(one.is_late))
    return {week: sum(right) / len(right) for week, right in weeks.items()}


def _mean(by_week: Mapping[str, float]) -> float:
    return sum(by_week.values()) / len(by_week)


def _figures(summary: Mapping[str, Any]) -> list[dict[str, str]]:
    shown = {
        "live, mean of weeks": f"{100 * summary['live_mean']:.1f} %",
        "static, mean of weeks": f"{100 * summary['static_mean']:.1f} %",
        "promotions": str(summary["promotions"]),
        "aborted / rolled back": f"{summary['aborted']} / {summary['rolled_back']}",
        "labels by entity / lost": f"{summary['labels_by_entity']:,} / {summary['lost']}",
    }
    return [{"name": name, "value": value} for name, value in shown.items()]


def _move(move: Mapping[str, Any]) -> dict[str, str]:
    return {
        "at": _day(move["at"]),
        "change": move["change"],
        "kind": _KINDS.get(move["change"], ""),
        "version": move.get("challenger") or move["to"],
        "actor": move["actor"],
        "reason": move["reason"],
    }


def _run(decision: Mapping[str, Any]) -> dict[str, str]:
    return {
        "at": _day(decision["at"]),
        "signals": signals_of(decision),
        "outcome": decision.get("outcome", "open"),
        "version": decision.get("outcome_version", ""),
        "reason": decision.get("outcome_reason", ""),
    }


def _day(text: str) -> str:
    return parse_time(text).strftime("%Y-%m-%d")
