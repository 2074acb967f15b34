"""The rows a check looks at: predictions by their own time, labels by the time their outcome was due."""

from datetime import datetime, timedelta
from typing import Any

from shared.lake import EXAMPLES, PREDICTIONS, Lake, keys_between
from shared.lake_rows import rows_of
from shared.times import format_time

Row = dict[str, Any]


def predictions_in_window(lake: Lake, model: str, now: datetime, window: timedelta) -> list[Row]:
    """Return the predictions that occurred in ``(now - window, now]``, each once."""
    first, last = format_time(now - window), format_time(now)
    found: dict[str, Row] = {}
    for row in rows_of(lake, keys_between(lake, PREDICTIONS, model, now - window, now)):
        if first < row["occurred_at"] <= last:
            found[row["prediction_id"]] = row
    return list(found.values())


def matured_in_window(lake: Lake, model: str, now: datetime, window: timedelta, outcome_delay: timedelta) -> list[Row]:
    """Return the label records, as known at ``now``, of predictions whose outcome fell due in ``(now - window, now]``.

    Of a prediction's records the last known stands; those without a value are left out. A label may be known from
    the moment of its prediction, ``outcome_delay`` before it is due, so that the rows are read from there.
    """
    first, last = format_time(now - window), format_time(now)
    newest: dict[str, Row] = {}
    keys = keys_between(lake, EXAMPLES, model, now - window - outcome_delay, now)
    for row in rows_of(lake, keys):
        if row["known_at"] <= last and row["seq"] > newest.get(row["prediction_id"], {"seq": -1})["seq"]:
            newest[row["prediction_id"]] = row
    return [row for row in newest.values() if first < row["outcome_due_at"] <= last and row["value"] is not None]
