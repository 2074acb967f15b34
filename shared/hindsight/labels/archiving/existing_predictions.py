"""Predictions of a stream that still exist: one erased while its record was under way must not come back.

An erasure's second pass finds what the stream delivers in time. A record that was retried for long, or sent again
from the dead-letter queue, comes after it: then the table decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hindsight.entities.prediction import Prediction
from hindsight.labels.store import LabelStore

# With an archiver's run behind it this is still before the second pass, which comes 15 minutes after the first.
MAX_UNCHECKED_AGE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class PredictionChange:
    """A prediction that was stored, and when the table took it; None where the stream does not record it."""

    prediction: Prediction
    arrived_at: datetime | None


@dataclass(frozen=True, slots=True)
class ExistingPredictions:
    """The check of late records against the table; in time, a record costs no read."""

    store: LabelStore
    clock: Callable[[], datetime]

    def among(self, changes: Sequence[PredictionChange]) -> list[Prediction]:
        """List the predictions of changes, in order, without late ones that were erased or expired meanwhile.

        Raises Unavailable.
        """
        checked_before = self.clock() - MAX_UNCHECKED_AGE
        late = [
            change.prediction.key
            for change in changes
            if change.arrived_at is None or change.arrived_at < checked_before
        ]
        gone = set(late).difference(self.store.predictions(late)) if late else set()
        return [change.prediction for change in changes if change.prediction.key not in gone]
