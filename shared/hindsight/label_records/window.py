"""The label records of a check, by the time their outcome was due."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from hindsight.core.times import format_time
from hindsight.label_records.collector import RecordChunk, RecordCollector
from hindsight.label_records.columns import microseconds_of
from hindsight.label_records.rows import LabelRows
from hindsight.lake.object_store import EXAMPLES, Lake
from hindsight.lake.rows import days_newest_first

# Estimated bytes of what is held of records. Finding the newest and measuring them takes as much again: together it
# fits into two gigabytes. About three million records.
MAX_BYTES = 600 << 20
_KEPT = (
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
)
ENTITIES_AND_SHADOWS = ("entity_id", "shadow")
_REQUIRED = {"prediction_id", "seq", "value", "features", "known_at", "occurred_at", "outcome_due_at", "model_version"}


@dataclass(frozen=True, slots=True)
class LabelWindow:
    """Each prediction's newest label record; ``since`` is the moment before which records were too many to hold."""

    rows: LabelRows
    since: datetime | None = None

    def shortened(self, window: timedelta, now: datetime) -> timedelta:
        """Shorten a window to what there are records of."""
        return window if self.since is None else max(timedelta(0), min(window, now - self.since))


def labels_in_window(
    lake: Lake,
    model: str,
    now: datetime,
    window: timedelta,
    features: Collection[str],
    *,
    also: Collection[str] = (),
    max_bytes: int = MAX_BYTES,
) -> LabelWindow:
    """Read each prediction's newest label record as known at ``now``, of all that matured in the window.

    A record lies under the day on which it was both known and due, however long before that it was known. Of its
    features only those asked for are kept, and beside what every check needs only what is ``also`` asked for: all
    records of a window are held at once. Of more than ``max_bytes`` the oldest days are left out.
    """
    last, collector = format_time(now), RecordCollector([*_KEPT, *also], features)
    days, since = list[list[RecordChunk]](), None
    for day, rows in days_newest_first(lake, EXAMPLES, model, now - window, now):
        chunks = list[RecordChunk]()
        for chunk in collector.take(row for row in rows if row.keys() >= _REQUIRED and row["known_at"] <= last):
            chunks.append(chunk)
            if collector.size > max_bytes:
                since = datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)
                break
        if since is not None:
            break
        days.append(chunks)
    return LabelWindow(collector.newest([chunk for chunks in reversed(days) for chunk in chunks]), since)


def matured_in_window(labels: LabelRows, now: datetime, window: timedelta, until: datetime) -> LabelRows:
    """Pick the records with a value whose outcome fell due in ``(now - window, now]``, and not after ``until``."""
    due = labels.times("outcome_due_at").microseconds
    last = microseconds_of(min(now, until))
    return labels.at(labels.has_value & (microseconds_of(now - window) < due) & (due <= last))
