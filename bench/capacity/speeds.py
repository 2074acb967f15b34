"""The time an item takes in the functions without concurrency, on one processor: the bound of a worker.

Waits for AWS are not measured here but added by the table of capacity: a call of DynamoDB and of S3 as long as it
usually takes.
"""

import gzip
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bench.capacity.counts import CLOSED_AT, RULES, START, feedback_of, prediction_named
from bench.sleeping_table import FILE, SleepingTable, sleeping_files, wired
from hindsight.adapters.dynamodb.requests import to_item
from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.prediction_items import prediction_to_item
from hindsight.config.parse import parse_configuration
from hindsight.config.store import ConfigurationRevision
from hindsight.core import compact_json
from hindsight.entities.label import Label, LabelRecord, LabelStatus
from hindsight.entities.prediction import Prediction
from hindsight.label_records.collector import RecordCollector
from hindsight.label_records.rows import ENTITY
from hindsight.label_records.sampling import MIN_SHARE, WHOLE
from hindsight.label_records.window import KEPT
from hindsight.labels.archiving.archive import Archive, label_row_of
from hindsight.labels.joining.feedback_files import FilePart
from hindsight.labels.joining.join import LabelJoiner
from hindsight.lake.object_store import LABELS, day_prefix
from hindsight.lake.rows import days_newest_first
from hindsight.review.selection.selection_round import Batch, run_round
from hindsight.review.selection.state import SelectionState
from hindsight.runtime.events.stream_records import new_prediction, read_batch

ROWS = 2000
ROUNDS = 3


def measure() -> dict[str, float]:
    """Measure the processor's microseconds an item, the best of some rounds."""
    rows = [prediction_named(f"0198c1f2-{number:04d}-7cc1-9d4e-2a6b5c7d8e9f") for number in range(ROWS)]
    events = [feedback_of(row) for row in rows]
    revision = ConfigurationRevision(1, parse_configuration(RULES))
    table = wired(SleepingTable(rows, seconds=0))
    files = sleeping_files(table, events, revision)
    records = [_record(to_item(prediction_to_item(row, 0, row.outcome_due_at))) for row in rows]
    keys = [row.key for row in rows]
    heads, joiner = DynamoLabels("predictions", table), files.joiner
    assert isinstance(joiner, LabelJoiner)

    def archive() -> None:
        batch = read_batch(records, new_prediction)
        Archive(_DiscardingLake()).write_predictions(batch.name, [change.prediction for change in batch.values])  # type: ignore[arg-type]

    day = _OneDay(rows)
    state = SelectionState(model=rows[0].model)
    dice = random.Random(7)
    return {
        "join": _microseconds(lambda: files.join_part(FilePart(FILE), lambda: True)),
        "mature": _microseconds(lambda: joiner.close_windows(keys, CLOSED_AT)),
        "archive predictions": _microseconds(archive),
        "archive labels": _microseconds(lambda: heads.predictions(keys)),
        "read label records": _microseconds(lambda: day.read(share=WHOLE)),
        "pass over label records": _microseconds(lambda: day.read(share=MIN_SHARE)),
        "pass over label records by entity": _microseconds(lambda: day.read(share=MIN_SHARE, names=[*KEPT, ENTITY])),
        "round of review selection": _microseconds(
            lambda: run_round(Batch(str(dice.random()), rows), revision.configuration, state)
        ),
    }


def _microseconds(work: Callable[[], object]) -> float:
    best = min(_seconds(work) for _ in range(ROUNDS))
    return round(best / ROWS * 1e6, 1)


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _record(image: Mapping[str, Any]) -> dict[str, Any]:
    """Build the record of the stream that an insertion leaves."""
    arrived_at = (START + timedelta(seconds=1)).timestamp()
    change = {"SequenceNumber": "1", "ApproximateCreationDateTime": arrived_at, "NewImage": dict(image)}
    return {"eventName": "INSERT", "dynamodb": change}


class _OneDay:
    """A lake with one object, the final label record of each prediction."""

    def __init__(self, rows: Sequence[Prediction]) -> None:
        known = CLOSED_AT
        label = Label(value=1, status=LabelStatus.FINAL, kind="outcome")
        records = [
            label_row_of(LabelRecord(seq=2, label=label, known_at=known, rules_revision=1), row).to_row()
            for row in (replace(row, entity_id=f"customer-{number}") for number, row in enumerate(rows))
        ]
        self._model, self._rows = rows[0].model, len(rows)
        self._content = gzip.compress(b"\n".join(compact_json.dumps(record).encode() for record in records), 6)

    def keys(self, _prefix: str, *, after: str = "") -> Iterator[str]:
        yield f"{day_prefix(LABELS, self._model, CLOSED_AT.date())}a.jsonl.gz"

    def read_bytes(self, _key: str) -> bytes:
        return self._content

    def read(self, share: float, names: Sequence[str] = KEPT) -> None:
        """Read it as the monitor does where it keeps a share, or as the evaluation of a canary does."""
        collector = RecordCollector(names, (), share=share)
        days = days_newest_first(self, LABELS, self._model, CLOSED_AT, CLOSED_AT, wanted=collector.is_wanted)  # type: ignore[arg-type]
        for _, rows in days:
            for _ in collector.take(rows):
                pass


class _DiscardingLake:
    """A lake that packs what it is given as the real one does, and keeps nothing."""

    def write_lines(self, key: str, rows: Iterable[Mapping[str, Any]]) -> None:
        gzip.compress(b"".join(compact_json.dumps(row).encode() + b"\n" for row in rows), 6)
