"""Label completeness: the moment up to which all labels are in; a test of labels of one kind would be biased."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from hindsight.config.model import ModelConfiguration
from hindsight.core.times import format_time, microseconds
from hindsight.entities.label_row import LabelFields
from hindsight.label_records.rows import LabelRows
from hindsight.label_records.sampling import WHOLE, margin, scaled_up

SETTLING = timedelta(hours=1)  # a label's way through stream, queue, one retry and join to the lake
MAX_LABEL_DELAY = timedelta(days=1)  # a prediction whose label never comes must not delay the others for ever

_HOUR = len("2026-03-01T05")


def complete_until(
    due: Mapping[str, int],
    labels: Sequence[LabelFields],
    now: datetime,
    window: timedelta,
    *,
    settling: timedelta = SETTLING,
    last_label_after: timedelta = timedelta(0),
    sampled_share: float = WHOLE,
) -> datetime:
    """Find the moment up to which every prediction whose outcome fell due has its label record, valued or not.

    Labels of one kind come sooner than of another: a click within minutes, its absence when the window closes. Where
    the clock is behind, the clicks of an hour would be counted and what was not clicked would not.

    Parameters
    ----------
    due
        The predictions of the window, counted by the hour in which their outcome falls due: ``Profile.due``.
    labels
        The newest label record of each prediction that has one.
    settling
        How long a label may be on its way.
    last_label_after
        How long after an outcome is due the default may still have to come.
    sampled_share
        The share of the predictions whose records are among ``labels``. An hour then counts as complete unless it
        lacks more than a sample misses by chance: of 100,000 predictions 1.3 % at one half, 5 % at 1/16.
    """
    earliest, latest = now - last_label_after - MAX_LABEL_DELAY, now - settling
    first, since, last = (format_time(moment)[:_HOUR] for moment in (now - window, earliest, latest))
    rows = LabelRows.of(labels)
    rows = rows.at(rows.times("occurred_at").microseconds >= microseconds(_start(first)))
    recorded = Counter(rows.times("outcome_due_at").texts(timedelta(hours=1), _HOUR))
    short = [
        hour
        for hour, count in due.items()
        if since <= hour <= last and scaled_up(recorded[hour], sampled_share) < count - margin(count, sampled_share)
    ]
    return latest if not short else max(earliest, min(latest, _start(min(short))))


def last_label_after(configuration: ModelConfiguration) -> timedelta:
    """Compute how long after its outcome is due a prediction may still get its default."""
    default = configuration.labels.default
    return max(timedelta(0), default.after - configuration.outcome_delay) if default else timedelta(0)


def _start(hour: str) -> datetime:
    return datetime.fromisoformat(f"{hour}:00:00").replace(tzinfo=UTC)
