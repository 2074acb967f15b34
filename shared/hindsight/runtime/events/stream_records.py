"""Records of the predictions table's stream, as a function is given them."""

import base64
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from hindsight.adapters.dynamodb.requests import from_item
from hindsight.adapters.predictions_table.label_items import LABEL, label_from_item
from hindsight.adapters.predictions_table.prediction_items import HEAD, prediction_from_item
from hindsight.core.errors import HindsightError
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.archiving.archive import LabelChange
from hindsight.labels.archiving.existing_predictions import PredictionChange

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StreamBatch(Generic[T]):
    """The records of a batch up to its first unreadable one; ``name`` is the first record's sequence number.

    ``arrived_at`` is when the table took the newest change of it, None where the stream does not record it.
    """

    name: str
    values: list[T]
    unreadable: str | None
    arrived_at: datetime | None = None

    def failures(self) -> dict[str, list[dict[str, str]]]:
        """Build the answer that makes Lambda go on at the first unreadable record (``ReportBatchItemFailures``)."""
        return {"batchItemFailures": [{"itemIdentifier": self.unreadable}] if self.unreadable else []}


Read = Callable[[str, dict[str, Any], datetime | None], T | None]


def read_batch(records: Iterable[Mapping[str, Any]], read: Read[T]) -> StreamBatch[T]:
    """Apply ``read`` to each record's event name, new image and arrival; None is passed over."""
    name, values, arrived_at = "", list[T](), None
    for record in records:
        arrival = _arrival(record)
        arrived_at = arrival or arrived_at
        sequence = record["dynamodb"]["SequenceNumber"]
        name = name or sequence
        try:
            value = read(record["eventName"], _new_image(record), arrival)
        except (HindsightError, KeyError, TypeError, ValueError, zlib.error):
            return StreamBatch(name, values, sequence, arrived_at)
        if value is not None:
            values.append(value)
    return StreamBatch(name, values, None, arrived_at)


def label_change(event_name: str, image: dict[str, Any], arrived_at: datetime | None) -> LabelChange | None:
    """Read the label record that was appended, None for any other change."""
    if event_name != "INSERT" or not image.get("sk", "").startswith(LABEL):
        return None
    record = label_from_item(image)
    return LabelChange(PredictionKey(image["model"], image["prediction_id"]), record, arrived_at or record.known_at)


def new_prediction(event_name: str, image: dict[str, Any], arrived_at: datetime | None) -> PredictionChange | None:
    """Read the prediction that came into being, None for any other change.

    It comes as a new item, or in the place of a placeholder; the first join that follows takes
    ``replaced_placeholder`` away.
    """
    if image.get("sk") != HEAD or image.get("is_placeholder"):
        return None
    came = event_name == "INSERT" or (event_name == "MODIFY" and image.get("replaced_placeholder"))
    return PredictionChange(prediction_from_item(image), arrived_at) if came else None


def _arrival(record: Mapping[str, Any]) -> datetime | None:
    seconds = record["dynamodb"].get("ApproximateCreationDateTime")
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None


def _new_image(record: Mapping[str, Any]) -> dict[str, Any]:
    image = record["dynamodb"].get("NewImage", {})
    return from_item({name: _decoded(value) for name, value in image.items()})


def _decoded(value: dict[str, Any]) -> dict[str, Any]:
    """Decode an attribute, its bytes as bytes: Lambda's events are JSON and carry them in base64."""
    packed = value.get("B")
    return {"B": base64.b64decode(packed, validate=True)} if isinstance(packed, str) else value
