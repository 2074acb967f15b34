"""Count labels no snapshot has seen by reading every label record: what the kept counts are judged by."""

from datetime import datetime, timedelta
from typing import Any

from hindsight.core.times import format_time
from hindsight.lake.object_store import LABELS, Lake
from hindsight.lake.rows import days_newest_first


def count_new_labels(lake: Lake, model: str, *, since: datetime | None, as_of: datetime, window: timedelta) -> int:
    """Count the predictions with an outcome that is due and newly labelled by ``as_of``.

    News is what became known or due after ``since``, the moment of the last snapshot; before the first, all that did
    within ``window``. A record lies in the lake under the later of those days, so that only what may be news is read.
    Of a prediction's records the last known counts. Holds two numbers a prediction, no rows.
    """
    newest: dict[str, tuple[int, bool]] = {}
    # Rows carry times of one length in UTC: their texts compare as moments do, and none has to be parsed.
    moment, last = format_time(as_of), format_time(since) if since is not None else ""
    days = days_newest_first(lake, LABELS, model, since or as_of - window, as_of)
    for row in (row for _, rows in days for row in rows):
        seq, _ = newest.get(row["prediction_id"], (-1, False))
        if row["known_at"] <= moment and row["seq"] > seq:
            newest[row["prediction_id"]] = (row["seq"], _counts(row, last, moment))
    return sum(counts for _, counts in newest.values())


def _counts(row: dict[str, Any], last: str, moment: str) -> bool:
    due, known = row["outcome_due_at"], row["known_at"]
    return row["value"] is not None and due <= moment and (known > last or due > last)
