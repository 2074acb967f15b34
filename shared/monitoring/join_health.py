"""How well feedback finds its predictions: how many of a window are labelled, and how long their labels took."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.configuration.labels import LabelSource
from shared.monitoring.measurement import SECONDS, Measurement
from shared.profiles.profile import Profile
from shared.times import format_time, parse_time

PERCENTILES = (50, 90, 99)
LABELLED_OTHERWISE = "labelled_otherwise"
FIRST_VALUED_AT = "first_valued_at"
_HOUR = len("2026-03-01T05")


def join_health(
    predictions: Profile, labels: Mapping[str, Mapping[str, Any]], *, start: datetime, now: datetime
) -> dict[str, Any]:
    """Return counts of a window's predictions by the state of their label, and percentiles of label latency.

    Only predictions whose outcome is due can be expected to have a label; the others are ``not_due``. An outcome counts
    as due once the hour in which it falls due is over: profiles tell no more.

    Parameters
    ----------
    predictions
        The profile of the predictions from the full hour of ``start`` to ``now``.
    labels
        The newest label record of each prediction that has one, by ``prediction_id``; those of predictions outside
        the window are passed over.

    Latency runs from the prediction to the moment its newest label was known, in seconds.
    """
    first, present = format_time(start)[:_HOUR], format_time(now)[:_HOUR]
    due = sum(count for hour, count in predictions.due.items() if hour < present)
    known = [
        record
        for record in labels.values()
        if first <= record["occurred_at"][:_HOUR] and record["outcome_due_at"][:_HOUR] < present
    ]
    by_status = Counter(record["status"] for record in known)
    if due > len(known):
        by_status["pending"] += due - len(known)
    latencies = sorted(_latency(record) for record in known if record["value"] is not None)
    return {
        "predictions": predictions.rows,
        "not_due": predictions.rows - due,
        "labelled": len(latencies),
        "by_status": dict(by_status),
        "by_source": dict(Counter(record["source"] for record in known if record["value"] is not None)),
        "latency_seconds": {f"p{share}": percentile(latencies, share) for share in PERCENTILES},
    }


def join_measurements(model: str, health: Mapping[str, Any]) -> list[Measurement]:
    """Return how long a model's labels took as a metric; the rest of its join's health is in the check."""
    seconds = health["latency_seconds"]["p90"]
    if seconds is None:
        return []
    return [Measurement(name="LabelLatencyP90", value=seconds, unit=SECONDS, dimensions={"Model": model})]


def percentile(ordered: Sequence[float], share: int) -> float | None:
    """Return the nearest-rank percentile of ordered values, None of none.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 50)
    2.0
    """
    return ordered[max(0, -(-share * len(ordered) // 100) - 1)] if ordered else None


def newest_records(rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return of each prediction's label records the one with the highest ``seq``.

    It tells of those before it: a reviewer's is marked as ``labelled_otherwise`` if an earlier one had a value from
    another source, and each has ``first_valued_at``, when its prediction first had a value; None where its first
    record is not among the rows, so that nobody can tell.
    """
    newest: dict[str, dict[str, Any]] = {}
    valued: dict[str, str] = {}
    begun: set[str] = set()
    otherwise: set[str] = set()
    for row in rows:
        name = row["prediction_id"]
        other = newest.get(name)
        if other is None or row["seq"] > other["seq"]:
            newest[name] = row
        if row["seq"] == 1:
            begun.add(name)
        if row["value"] is not None:
            valued[name] = min(valued.get(name, row["known_at"]), row["known_at"])
            if row.get("source") != LabelSource.MANUAL:
                otherwise.add(name)
    return {
        name: {
            **row,
            FIRST_VALUED_AT: valued.get(name) if name in begun else None,
            **({LABELLED_OTHERWISE: True} if name in otherwise and row.get("source") == LabelSource.MANUAL else {}),
        }
        for name, row in newest.items()
    }


def _latency(record: Mapping[str, Any]) -> float:
    return (parse_time(record["known_at"]) - parse_time(record["occurred_at"])).total_seconds()
