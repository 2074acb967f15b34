"""Archiving the table's stream in the lake: label records and predictions as rows, by day.

The stream delivers at least once. Objects are named by the first record of their batch, so that a batch delivered
again replaces what it wrote; readers deduplicate what arrives in another grouping.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from msgspec.structs import asdict

from hindsight.entities.label import LabelRecord
from hindsight.entities.label_row import LabelRow
from hindsight.entities.prediction import Prediction, PredictionKey
from hindsight.labels.archiving.new_label_counts import NewLabel
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.store import LabelStore
from hindsight.lake.object_store import LABELS, PREDICTIONS, Lake, day_prefix

# A batch may be of many models, or an import's of many days.
_WRITERS = 8
# They belong to the item of a prediction, not to what it was.
_NOT_IN_ROWS = frozenset({"selection_probability", "body_digest"})


@dataclass(frozen=True, slots=True)
class LabelChange:
    """One label record, whose it is, and when the table took it."""

    key: PredictionKey
    record: LabelRecord
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class LakeRow:
    """A row, and where it belongs."""

    model: str
    day: date
    row: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive of the table's stream in the lake."""

    lake: Lake

    def write_labels(self, name: str, changes: Sequence[LabelChange], store: LabelStore, new_labels: NewLabels) -> int:
        """Write label records with their predictions' features, and note which labels are new; return how many.

        A prediction that is gone, expired or erased, leaves nothing to learn from: its labels are passed over.
        """
        predictions = store.predictions([change.key for change in changes])
        found = [
            (change, label_row_of(change.record, prediction))
            for change in changes
            if (prediction := predictions.get(change.key)) is not None
        ]
        rows = [LakeRow(row.model, row.matured_at.date(), row.to_row()) for _, row in found]
        written = self._write(LABELS, name, rows)
        # After the records are in the lake: what is counted as new can be learned from.
        new_labels.note(
            NewLabel(row.model, row.prediction_id, change.arrived_at, row.matured_at)
            for change, row in found
            if change.record.is_new
        )
        return written

    def write_predictions(self, name: str, predictions: Iterable[Prediction]) -> int:
        """Write predictions; return how many."""
        rows = (
            LakeRow(prediction.model, prediction.occurred_at.date(), prediction_row(prediction))
            for prediction in predictions
        )
        return self._write(PREDICTIONS, name, rows)

    def _write(self, kind: str, name: str, rows: Iterable[LakeRow]) -> int:
        by_day: dict[tuple[str, date], list[dict[str, Any]]] = {}
        for row in rows:
            by_day.setdefault((row.model, row.day), []).append(row.row)
        keys = [f"{day_prefix(kind, model, day)}{name}.jsonl.gz" for model, day in by_day]
        with ThreadPoolExecutor(_WRITERS) as writers:
            # The list makes the first write that failed fail the batch.
            list(writers.map(self.lake.write_lines, keys, by_day.values()))
        return sum(map(len, by_day.values()))


def label_row_of(record: LabelRecord, prediction: Prediction) -> LabelRow:
    """Build the row of a label record: it, and the prediction it labels."""
    found = {**asdict(prediction), **asdict(record.label), **asdict(record)}
    return LabelRow(**{name: found[name] for name in LabelRow.__slots__})


def prediction_row(prediction: Prediction) -> dict[str, Any]:
    """Build the row of a prediction in ``predictions/``."""
    row = {name: value for name, value in prediction.to_plain().items() if name not in _NOT_IN_ROWS}
    return row | {"explored": True} if prediction.is_explored else row
