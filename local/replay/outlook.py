"""The outlook of a replay: the faults of its file and configuration that are foreseen before anything is sent."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from math import ceil

import numpy as np

from hindsight.config.model import ModelConfiguration
from hindsight.config.types import format_duration
from hindsight.datasets.dataset_check import MIN_HOLDOUT_ROWS, MIN_TRAIN_ROWS
from hindsight.datasets.split import Longs, split_moments
from local.replay.spec import ReplaySpec
from local.replay.stream import Row, bootstrap_end

DAY = timedelta(days=1)


def foresee(spec: ReplaySpec, configuration: ModelConfiguration, rows: Sequence[Row]) -> Iterator[str]:
    """List what will keep a first version from being trained, and checks from a verdict, each with the way out."""
    begin, window = bootstrap_end(spec, rows), configuration.training.window
    outlook = _Outlook(configuration, rows)
    if not configuration.is_trained_elsewhere and not outlook.can_train(begin, window):
        due = format_duration(configuration.outcome_delay)
        yield (
            f"no version can be trained on {begin:%Y-%m-%d}, at the end of the bootstrap: outcomes are due after "
            f"{due}, and too few were before the holdout began; {outlook.way_out(window)}"
        )
    yield from _thin_windows(configuration, rows)


class _Outlook:
    """The moments at which the rows of a file are made, due and known."""

    def __init__(self, configuration: ModelConfiguration, rows: Sequence[Row]) -> None:
        default, delay = configuration.labels.default, configuration.outcome_delay
        labelled = [row for row in rows if default is not None or row.outcome is not None]
        self._holdout = configuration.training.holdout
        self._start = rows[0].occurred_at.replace(hour=0, minute=0, second=0, microsecond=0)
        self._days = (rows[-1].occurred_at - self._start) // DAY
        self._occurred = _seconds(row.occurred_at for row in labelled)
        self._due = _seconds(row.outcome_due_at or row.occurred_at + delay for row in labelled)
        self._known = _seconds(row.occurred_at if default is not None else row.known_at for row in labelled)

    def can_train(self, now: datetime, window: timedelta) -> bool:
        """Check whether the rows of a window before a moment, split as a dataset is, are enough to train and judge."""
        until, since = now.timestamp(), (now - window).timestamp()
        kept = (self._occurred >= since) & (self._due <= until) & (self._known <= until)
        train, first = split_moments(self._occurred[kept], self._due[kept], self._holdout)
        return len(train) >= MIN_TRAIN_ROWS and int(kept.sum()) - first >= MIN_HOLDOUT_ROWS

    def way_out(self, window: timedelta) -> str:
        """Find the shortest bootstrap after which a version can be trained, by a longer window where one is needed."""
        for days in range(1, self._days + 1):
            if self.can_train(self._start + days * DAY, window):
                return f"`bootstrap: {{days: {days}}}` leaves enough"
        for days in range(1, self._days + 1):
            if self.can_train(self._start + days * DAY, days * DAY):
                return f"a training.window of P{days}D with `bootstrap: {{days: {days}}}` leaves enough"
        return "the file is too short: shorten the windows of the rules"


def _seconds(moments: Iterable[datetime]) -> Longs:
    return np.array([int(moment.timestamp()) for moment in moments], dtype=np.int64)


def _thin_windows(configuration: ModelConfiguration, rows: Sequence[Row]) -> Iterator[str]:
    """Name the rows that a check needs and its window does not hold."""
    monitoring = configuration.monitoring
    days = max((rows[-1].occurred_at - rows[0].occurred_at) / DAY, 1)
    held = len(rows) / days * (monitoring.window / DAY)
    needed = {
        "drift, monitoring.min_rows": monitoring.min_rows,
        "performance, monitoring.performance.min_labels": monitoring.performance.min_labels,
    }
    missed = {name: least for name, least in needed.items() if held < least}
    if missed:
        enough = ceil(max(missed.values()) * days / len(rows))
        yield (
            f"monitoring.window ({format_duration(monitoring.window)}) holds about {held:,.0f} rows, too few for a "
            f"verdict on {' and on '.join(f'{name} ({least:,})' for name, least in missed.items())}; "
            f"P{enough}D holds enough"
        )
