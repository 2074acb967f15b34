"""The label records of a check, by the time their outcome was due."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from hindsight.core.times import format_time, microseconds
from hindsight.label_records.collector import RecordChunk, RecordCollector
from hindsight.label_records.rows import LabelRows
from hindsight.label_records.sampling import WHOLE
from hindsight.lake.object_store import LABELS, Lake
from hindsight.lake.rows import days_newest_first

# Estimated bytes of what is held of records. Finding the newest and measuring them takes as much again: together it
# fits into two gigabytes. About three million records: of more, a sample is held.
MAX_BYTES = 600 << 20
# The fields that every check needs.
KEPT = (
    "value",
    "status",
    "kind",
    "known_at",
    "occurred_at",
    "outcome_due_at",
    "score",
    "decision",
    "probabilities",
    "model_version",
    "selection_probability",
    "propensity",
    "weight",
)
ENTITIES_AND_SHADOWS = ("entity_id", "shadow")
_REQUIRED = {"prediction_id", "seq", "value", "features", "known_at", "occurred_at", "outcome_due_at", "model_version"}


@dataclass(frozen=True, slots=True)
class LabelWindow:
    """Each prediction's newest label record.

    ``since`` is the moment before which there was no time to read records; ``sampled_share`` the share of the
    predictions (or entities) whose records are held, 1.0 where there was room for all of them.
    """

    rows: LabelRows
    since: datetime | None = None
    sampled_share: float = WHOLE

    def shortened(self, window: timedelta, now: datetime) -> timedelta:
        """Shorten a window to the time of the records."""
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
    has_time: Callable[[], bool] = lambda: True,
) -> LabelWindow:
    """Read each prediction's newest label record as known at ``now``, of all that matured in the window.

    A record lies under the day on which it was both known and due, however long before that it was known. Of its
    features only those asked for are kept, and beside what every check needs only what is ``also`` asked for: all
    records of a window are held at once. Of more than ``max_bytes`` a sample of the predictions is held, the same at
    every evaluation with that share, each with all its records. The newest day is read first; those that there is no
    time for are left out.
    """
    last, collector = format_time(now), RecordCollector([*KEPT, *also], features)
    chunks, since = list[RecordChunk](), None
    starts = list[int]()
    for day, rows in days_newest_first(lake, LABELS, model, now - window, now, wanted=collector.is_wanted):
        starts.append(len(chunks))
        for chunk in collector.take(row for row in rows if row.keys() >= _REQUIRED and row["known_at"] <= last):
            chunks.append(chunk)
            collector.fit(chunks, max_bytes)
            if not has_time():
                since = datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)
                break
        if since is not None:
            # Half a day would be a selection: what was known early lies in other objects than what was known late.
            del chunks[starts.pop() :]
            break
    oldest_first = [chunks[start:end] for start, end in pairwise([*starts, len(chunks)])][::-1]
    rows_ = collector.newest([chunk for day_ in oldest_first for chunk in day_])
    return LabelWindow(rows_, since, collector.share)


def matured_in_window(labels: LabelRows, now: datetime, window: timedelta, until: datetime) -> LabelRows:
    """Pick the records with a value whose outcome fell due in ``(now - window, now]``, and not after ``until``."""
    due = labels.times("outcome_due_at").microseconds
    last = microseconds(min(now, until))
    return labels.at(labels.has_value & (microseconds(now - window) < due) & (due <= last))
