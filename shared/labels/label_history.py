"""Label records that were archived before new labels were noted: counted once from the lake, by a schedule."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from shared import compact_json
from shared.errors import UnreadableObject
from shared.labels.new_labels import MAX_DISTINCT, MINUTES, Entry, NewLabel, NewLabelStore
from shared.lake import EXAMPLES, Lake, day_prefix, model_prefix
from shared.lake_rows import rows_between
from shared.times import parse_time


@dataclass(frozen=True, slots=True)
class LabelHistory:
    """Counts what a stack held before it was upgraded; of a model that began later there is nothing to count."""

    lake: Lake
    store: NewLabelStore

    def count(self, model: str, since: datetime, has_time: Callable[[], bool]) -> bool:
        """Count a model's label records of the days from ``since`` on, day by day while there is time.

        Return whether all are counted; the next call goes on after the last day, and after the end there is nothing to
        do. What was noted as new since the upgrade is left out, wherever it is by now.
        """
        after = self.store.counted_past(model)
        if after == date.max:
            return True
        noted = {entry for arrivals in self.store.arrivals(model, None) for entry in arrivals}
        for day in self._days(model, since.astimezone(UTC).date() if after is None else after + timedelta(days=1)):
            if not has_time() or len(noted) > MAX_DISTINCT:
                return False
            self.store.keep_past(model, day, self._minutes(model, day, noted))
        self.store.end_past(model)
        return True

    def _days(self, model: str, first: date) -> Iterator[date]:
        """Yield the days from one on that have records: one list of one page each."""
        prefix = model_prefix(EXAMPLES, model)
        while (key := next(self.lake.keys(prefix, after=day_prefix(EXAMPLES, model, first)), None)) is not None:
            day = date.fromisoformat(key.removeprefix(prefix).split("/")[0].removeprefix("date="))
            yield day
            if day == date.max:
                return
            first = day + timedelta(days=1)

    def _minutes(self, model: str, day: date, noted: set[Entry]) -> list[int]:
        """Count each value of each prediction in the first minute in which it was known and due.

        What cannot be read is passed over, since the compaction names it: the count is at least what it says.
        """
        midnight = datetime.combine(day, datetime.min.time(), UTC)
        matured: dict[tuple[str, str], str] = {}
        with suppress(UnreadableObject):
            for row in rows_between(self.lake, EXAMPLES, model, midnight, midnight):
                if row.get("value") is not None:
                    value = row["prediction_id"], compact_json.dumps(row["value"])
                    at = max(row["known_at"], row["outcome_due_at"])
                    matured[value] = min(at, matured.get(value, at))
        minutes = [0] * MINUTES
        for (prediction_id, _), at in matured.items():
            label = NewLabel(model, prediction_id, midnight, parse_time(at))
            if label.matured_at.date() == day and label.identified not in noted:
                minutes[(label.matured_at - midnight) // timedelta(minutes=1)] += 1
        return minutes
