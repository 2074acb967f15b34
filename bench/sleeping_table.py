"""A predictions table that only waits: what a join takes where every call of DynamoDB lasts as long as it may."""

import io
import json
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from bench.sleeping_account import answered_by
from hindsight.adapters.dynamodb.requests import to_item
from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.prediction_items import partition_key, prediction_to_item
from hindsight.config.store import ConfigurationRevision
from hindsight.entities.feedback import Feedback
from hindsight.entities.prediction import Prediction
from hindsight.ingestion.feedback_capture import feedback_line
from hindsight.labels.joining.entity_limit import Allowance, EntityLimits
from hindsight.labels.joining.feedback_files import FeedbackFiles
from hindsight.labels.joining.join import LabelJoiner
from hindsight.lake.bounded_lines import BoundedLine, bounded_lines
from hindsight.quarantine.store import Quarantine
from hindsight.testing.predictions.effects import InMemoryEffects

FILE = "feedback/date=2026-03-01/bench"


class SleepingTable:
    """The heads of some predictions; a call takes ``seconds``, and writes are only counted."""

    def __init__(self, predictions: Iterable[Prediction], seconds: float) -> None:
        self._seconds = seconds
        self._heads = {
            partition_key(prediction.key): to_item(prediction_to_item(prediction, 0, prediction.outcome_due_at))
            for prediction in predictions
        }
        self._lock = threading.Lock()
        self.calls = 0
        self.items_written = 0
        self.exceptions = SimpleNamespace(TransactionCanceledException=_Never, TransactionInProgressException=_Never)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        """Read the heads of some keys."""
        self._wait()
        [(table, wanted)] = request["RequestItems"].items()
        found = [self._heads[key["pk"]["S"]] for key in wanted["Keys"] if key["pk"]["S"] in self._heads]
        return {"Responses": {table: found}}

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """Take a transaction."""
        self._wait(len(request["TransactItems"]))
        return {}

    def _wait(self, written: int = 0) -> None:
        time.sleep(self._seconds)
        with self._lock:
            self.calls += 1
            self.items_written += written


def wired(table: SleepingTable) -> Any:
    """Build a real client whose requests the table answers."""
    calls = {"BatchGetItem": table.batch_get_item, "TransactWriteItems": table.transact_write_items}
    return answered_by("dynamodb", lambda operation, body: calls[operation](**json.loads(body)))


def sleeping_files(table: Any, events: Sequence[Feedback], revision: ConfigurationRevision) -> FeedbackFiles:
    """Build what joins one file of some events onto the table."""
    lake: Any = _OneFile(b"".join(map(feedback_line, events)))
    configurations: Any = OneModel(revision)
    joiner = LabelJoiner(
        DynamoLabels("predictions", table),
        Quarantine(lake),
        configurations,
        EntityLimits(NoLimits()),
        InMemoryEffects(),
    )
    return FeedbackFiles(lake, joiner, Quarantine(lake), configurations)


class _Never(Exception):
    pass


class OneModel:
    """The configurations of one model: its revision, which does not change."""

    def __init__(self, revision: ConfigurationRevision) -> None:
        self._revision = revision

    def current(self, model: str) -> ConfigurationRevision:
        """Read the current revision."""
        return self._revision


class _OneFile:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read_bounded_lines(self, key: str, *, max_line: int, max_total: int) -> Iterator[BoundedLine]:
        yield from bounded_lines(io.BytesIO(self._content), max_line=max_line, max_total=max_total)


class NoLimits:
    """Allowances that are never used up."""

    def take(self, allowance: Allowance, events: Sequence[str]) -> set[str]:
        """Let all events count."""
        return set(events)
