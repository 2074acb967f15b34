"""Label freshness: the time that due predictions have waited for feedback without any."""

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hindsight.core.times import format_time, hour_of, microseconds, moment_of
from hindsight.entities.label_row import LabelFields
from hindsight.label_records.rows import LabelRows
from hindsight.label_records.sampling import WHOLE, margin, scaled_up
from hindsight.labels.resolve import DEFAULT_KIND
from hindsight.monitoring.results.alarm_metrics import LABEL_FRESHNESS
from hindsight.monitoring.results.measurement import SECONDS, Measurement

# What the parameter MaxLabelFreshnessSeconds is at least.
MIN_ALARM_SECONDS = 3600
_HOUR = len("2026-03-01T05")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFreshness:
    """The freshness of the labels of a window's due predictions.

    ``waiting`` of the ``due`` have no label that feedback made. ``seconds`` is how long some have waited
    while no such label became known, 0 where none wait.
    """

    due: int
    waiting: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Convert the freshness to its form in the lake."""
        return {"due": self.due, "waiting": self.waiting, "label_freshness_seconds": self.seconds}


def label_freshness(
    due: Mapping[str, int],
    labels: Sequence[LabelFields],
    now: datetime,
    window: timedelta,
    *,
    sampled_share: float = WHOLE,
) -> LabelFreshness:
    """Compute how long the due predictions of a window have waited for feedback without any.

    Parameters
    ----------
    due
        The predictions that occurred from the full hour of ``now - window`` to ``now``, counted by the hour in which
        their outcome falls due (``2026-03-01T05``): ``Profile.due``. A profile groups some to
        the last hour of their day or of a month of 31 days.
    labels
        The newest label record of each prediction that has one, rows of ``labels/``.
    sampled_share
        The share of the predictions whose records are among ``labels``; an hour then waits if it lacks more labels than
        a sample misses by chance.

    A default is no sign of life: the clock gives it, whether feedback comes or has stopped. A prediction waits from the
    end of the hour its outcome fell due in, so that a model whose outcomes come late is not late before they are
    due, and one whose feedback stopped is so at the pace of the clock, however little it had before.
    """
    last = format_time(now)
    first = microseconds(hour_of(now - window))
    rows = LabelRows.of(labels)
    known = rows.at(
        rows.has_value
        & ~rows.values("kind").is_text(DEFAULT_KIND)
        & (rows.times("known_at").microseconds <= microseconds(now))
    )
    occurred = known.times("occurred_at").microseconds
    in_window = known.at((first <= occurred) & (occurred <= microseconds(now)))
    sampled = Counter(in_window.times("outcome_due_at").texts(timedelta(hours=1), _HOUR))
    labelled = Counter({hour: scaled_up(count, sampled_share) for hour, count in sampled.items()})
    newest = max(known.times("known_at").microseconds.tolist(), default=None)
    # An hour that has not passed may be one that no calendar has: texts are compared, and only the past is read.
    passed = Counter({hour: count for hour, count in due.items() if hour < due_hour(last)})
    lacking = _unlabelled(passed, labelled)
    waiting = Counter({hour: n for hour, n in lacking.items() if n > margin(passed[hour], sampled_share)})
    return LabelFreshness(
        due=passed.total(),
        waiting=waiting.total(),
        seconds=_waited(min(waiting), newest, now) if waiting else 0.0,
    )


def label_freshness_measurements(model: str, found: LabelFreshness) -> list[Measurement]:
    """Measure the freshness of a model's labels, from the time on that an alarm can be set to."""
    if found.seconds < MIN_ALARM_SECONDS:
        return []
    return [Measurement(name=LABEL_FRESHNESS, value=found.seconds, unit=SECONDS, dimensions={"Model": model})]


def due_hour(moment: str) -> str:
    """Cut a moment's text to its hour.

    >>> due_hour("2026-03-01T05:59:00.000000Z")
    '2026-03-01T05'
    """
    return moment[:_HOUR]


def _unlabelled(due: Counter[str], labelled: Counter[str]) -> Counter[str]:
    """Count missing labels by hour; labels of an hour that is grouped to the end of its day or month count there."""
    waiting, spare = due - labelled, labelled - due
    for hour in list(spare):
        for grouped in (f"{hour[:10]}T23", f"{hour[:7]}-31T23"):
            taken = min(spare[hour], waiting[grouped])
            waiting[grouped] -= taken
            spare[hour] -= taken
    return +waiting


def _waited(first_hour: str, newest: int | None, now: datetime) -> float:
    """Compute the seconds since the first began to wait, or since the newest label, whichever was later."""
    began = _end(first_hour)
    return (now - (began if newest is None else max(began, moment_of(newest)))).total_seconds()


def _end(hour: str) -> datetime:
    """Find the end of an hour; of one on a day that its month does not have, the end of the month."""
    year, month, day = int(hour[:4]), int(hour[5:7]), int(hour[8:10])
    known = min(day, monthrange(year, month)[1])
    return datetime(year, month, known, int(hour[11:]), tzinfo=UTC) + timedelta(hours=1)
