"""The label records that a check looks at, by the time their outcome was due."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.lake import EXAMPLES, Lake
from shared.lake_rows import rows_between
from shared.monitoring.join_health import newest_records
from shared.times import format_time

Row = dict[str, Any]


_KEPT = (
    "prediction_id",
    "seq",
    "value",
    "status",
    "source",
    "known_at",
    "occurred_at",
    "outcome_due_at",
    "score",
    "decision",
    "probabilities",
    "model_version",
    "selection_probability",
    "entity_id",
    "shadow",
)
_REQUIRED = {"prediction_id", "seq", "value", "features", "known_at", "occurred_at", "outcome_due_at", "model_version"}


def labels_in_window(
    lake: Lake, model: str, now: datetime, window: timedelta, features: Collection[str]
) -> dict[str, Row]:
    """Return each prediction's newest label record as known at ``now``, of all that matured in the window.

    A record lies under the day on which it was both known and due, however long before that it was known. Of its
    features only those asked for are kept: they are most of a row, and all rows of a window are held at once.
    """
    last = format_time(now)
    rows = rows_between(lake, EXAMPLES, model, now - window, now)
    return newest_records(_slim(row, features) for row in rows if row.keys() >= _REQUIRED and row["known_at"] <= last)


def _slim(row: Row, features: Collection[str]) -> Row:
    given = row["features"]
    kept = {name: row[name] for name in _KEPT if name in row}
    return {**kept, "features": {name: given[name] for name in features if name in given}}


def matured_in_window(labels: Mapping[str, Row], now: datetime, window: timedelta) -> list[Row]:
    """Return the records with a value of the predictions whose outcome fell due in ``(now - window, now]``."""
    first, last = format_time(now - window), format_time(now)
    return [row for row in labels.values() if first < row["outcome_due_at"] <= last and row["value"] is not None]
