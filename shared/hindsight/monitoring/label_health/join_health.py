"""Join health: the predictions of a window by the state of their label, and the latency of labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from hindsight.config.types import format_duration
from hindsight.core.times import format_time, hour_of, microseconds
from hindsight.entities.label_row import LabelFields
from hindsight.label_records.columns import Floats, ValueColumn
from hindsight.label_records.rows import LabelRows
from hindsight.label_records.sampling import WHOLE, scaled_up
from hindsight.monitoring.results.check import Verdict
from hindsight.monitoring.results.measurement import SECONDS, Measurement
from hindsight.profiles.profile import Profile

PERCENTILES = (50, 90, 99)
MICROSECOND = timedelta(microseconds=1)
_HOUR = len("2026-03-01T05")


def join_health(
    predictions: Profile,
    labels: Sequence[LabelFields],
    *,
    start: datetime,
    now: datetime,
    sampled_share: float = WHOLE,
    reach: timedelta | None = None,
) -> dict[str, Any]:
    """Count a window's predictions by the state of their label, with percentiles of label latency.

    Only predictions whose outcome is due can be expected to have a label; the others are ``not_due``. An outcome counts
    as due once the hour in which it falls due is over: profiles hold no finer time.

    Parameters
    ----------
    predictions
        The profile of the predictions from the full hour of ``start`` to ``now``.
    labels
        The newest label record of each prediction that has one; those of predictions outside the window are passed
        over.
    sampled_share
        The share of the predictions whose records are among ``labels``; counts are then estimates for all of them.
    reach
        The time after which an outcome makes no label any more, None if it always does. Predictions whose outcome is
        due only later are ``due_after_windows``.

    Latency runs from the prediction to the moment its newest label was known, in seconds.
    """
    present = format_time(now)[:_HOUR]
    due = sum(count for hour, count in predictions.due.items() if hour < present)
    rows = LabelRows.of(labels)
    occurred, is_due = rows.times("occurred_at").microseconds, rows.times("outcome_due_at").microseconds
    in_window = (occurred >= _hour_of(start)) & (is_due < _hour_of(now))
    known = rows.at(in_window)
    by_status = _counted(known.values("status"), sampled_share)
    if due > (labels_known := scaled_up(len(known), sampled_share)):
        by_status["pending"] += due - labels_known
    labelled = known.at(known.has_value)
    waited = labelled.times("known_at").microseconds - labelled.times("occurred_at").microseconds
    latencies = np.sort(waited / 1e6)
    late = 0 if reach is None else int(((is_due - occurred)[in_window] > reach / MICROSECOND).sum())
    return {
        "predictions": predictions.rows,
        "not_due": predictions.rows - due,
        "labelled": scaled_up(len(latencies), sampled_share),
        "due_after_windows": scaled_up(late, sampled_share),
        "by_status": dict(by_status),
        "by_kind": dict(_counted(labelled.values("kind"), sampled_share)),
        "latency_seconds": {f"p{share}": percentile(latencies, share) for share in PERCENTILES},
    }


def judge_join(health: Mapping[str, Any], reach: timedelta | None) -> tuple[Verdict, str]:
    """Judge the join: low if most outcomes that are due come after the windows of all rules, and make no label."""
    due, late = health["predictions"] - health["not_due"], health["due_after_windows"]
    if reach is None or 2 * late <= due:
        return Verdict.OK, ""
    windows = f"the windows of all rules, {format_duration(reach)} at most"
    return Verdict.LOW, f"{late:,} of {due:,} outcomes are due after {windows}, and make no label"


def join_measurements(model: str, health: Mapping[str, Any]) -> list[Measurement]:
    """Measure the latency of a model's labels; the rest of its join's health is in the check."""
    seconds = health["latency_seconds"]["p90"]
    if seconds is None:
        return []
    return [Measurement(name="LabelLatencyP90", value=seconds, unit=SECONDS, dimensions={"Model": model})]


def percentile(ordered: Sequence[float] | Floats, share: int) -> float | None:
    """Compute the nearest-rank percentile of ordered values, None of none.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 50)
    2.0
    """
    return float(ordered[max(0, -(-share * len(ordered) // 100) - 1)]) if len(ordered) else None


def _counted(column: ValueColumn, sampled_share: float) -> Counter[Any]:
    values, codes = column.distinct()
    counts = np.bincount(codes, minlength=len(values)).tolist()
    return Counter({value: scaled_up(count, sampled_share) for value, count in zip(values, counts, strict=True)})


def _hour_of(moment: datetime) -> int:
    return microseconds(hour_of(moment))
