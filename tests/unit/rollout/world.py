"""A model whose versions are evaluated, and their label records."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from hindsight.config.model import ModelConfiguration
from hindsight.core.times import format_time, parse_time
from hindsight.lake.object_store import LABELS, Lake, day_prefix
from hindsight.registry.moves import AuditInfo, Servable, promote, start_rollout
from hindsight.registry.pointer import Pointer, Rollout, RolloutMode
from hindsight.registry.version import VersionRecord
from hindsight.rollout.evaluation.evaluate import EvaluationInput
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.builders.label_rows import newest_records
from hindsight.testing.builders.versions import version_record

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = SINCE + 3 * DAY
MODEL = "bike-demand"
OLD, NEW = "v20260101", "v20260301"
PLAIN = {"labels": {"rules": [{"event": "demand", "window": "P1D"}]}, "review": {"random_rate": 0}}

Row = dict[str, Any]


def rules(**changes: Any) -> ModelConfiguration:
    """A configuration without reviews, whose labels come within a day."""
    return configuration(**{**PLAIN, **changes})


def version(name: str, **known: Any) -> VersionRecord:
    proved = {"accuracy": 0.9} if name == NEW else {"accuracy": 0.88}
    challenged = {"compared_with": OLD, "champion_metrics": {"accuracy": 0.88}} if name == NEW else {}
    return version_record(name, SINCE, **{"metrics": proved, **challenged, **known})


def servable(name: str) -> Servable:
    return Servable(version=name, artifact_key=f"models/{name}", artifact_digest=f"digest-{name}")


def audit(at: datetime, reason: str = "better", decision_id: str | None = "decision-1") -> AuditInfo:
    return AuditInfo(reason=reason, actor="pipeline", at=at, decision_id=decision_id)


def serving() -> Pointer:
    return promote(None, servable(OLD), audit(SINCE - 30 * DAY)).pointer


def tried(mode: RolloutMode = RolloutMode.CANARY, share: float = 0.1) -> tuple[Pointer, Rollout]:
    of_canary = share if mode is RolloutMode.CANARY else None
    pointer = start_rollout(serving(), servable(NEW), mode, of_canary, audit(SINCE)).pointer
    assert pointer.rollout is not None
    return pointer, pointer.rollout


def on_probation() -> Pointer:
    return promote(serving(), servable(NEW), audit(SINCE)).pointer


def record(number: int, of: str, right: bool, at: datetime, **known: Any) -> Row:
    """A final label of a prediction made at a moment, half of them positive, due a day later and known by then."""
    value = int(number % 2)
    decision = value if right else 1 - value
    return {
        "prediction_id": f"{of}-{number}",
        "features": {},
        "score": 0.8 if decision else 0.2,
        "decision": decision,
        "model_version": of,
        "occurred_at": format_time(at),
        "outcome_due_at": format_time(at + DAY),
        "known_at": format_time(at + DAY),
        "seq": 1,
        "value": value,
        "status": "final",
        "kind": "outcome",
        **known,
    }


def records(
    of: str, rights: Sequence[bool], start: datetime = SINCE, hours: float = 24, *, first: int = 1, **known: Any
) -> list[Row]:
    """Labels of predictions made evenly over some hours, numbered from ``first`` on."""
    step = timedelta(hours=hours) / max(1, len(rights))
    return [
        record(first + place, of, bool(right), start + (place + 1) * step, **known)
        for place, right in enumerate(rights)
    ]


def drawn(count: int, accuracy: float, seed: int = 1) -> list[bool]:
    return [bool(right) for right in np.random.default_rng(seed).random(count) < accuracy]


def with_shadow(rows: Iterable[Row], rights: Sequence[bool], of: str = NEW) -> list[Row]:
    """The same rows, each with what a shadow said of it."""
    said = []
    for row, right in zip(rows, rights, strict=True):
        decision = row["value"] if right else 1 - row["value"]
        answer = {"version": of, "score": 0.8 if decision else 0.2, "decision": decision}
        said.append({**row, "shadow": answer})
    return said


def seen(
    rows: Iterable[Row], until: datetime = NOW, of: ModelConfiguration | None = None, **known: Any
) -> EvaluationInput:
    """The input of an evaluation: label records as far as they are known by then."""
    visible = [row for row in rows if row["known_at"] <= format_time(until)]
    labels = newest_records(visible)
    return EvaluationInput(**{"configuration": of or rules(), "labels": labels, "until": until, "now": until, **known})


def put(lake: Lake, rows: Iterable[Mapping[str, Any]], name: str = "a") -> None:
    """Lay records where the archive lays them: under the day on which each was known and due."""
    by_day: dict[Any, list[Mapping[str, Any]]] = {}
    for row in rows:
        matured = parse_time(max(row["known_at"], row["outcome_due_at"]))
        by_day.setdefault(matured.date(), []).append(row)
    for day, found in by_day.items():
        lake.write_lines(f"{day_prefix(LABELS, MODEL, day)}{name}.jsonl.gz", found)


def renamed(pointer: Pointer, **changes: Any) -> Pointer:
    return pointer.replace(**changes)
