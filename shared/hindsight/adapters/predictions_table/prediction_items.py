"""A prediction as an item of the predictions table, and back."""

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hindsight.adapters.dynamodb.attributes import from_attributes, to_attributes
from hindsight.core.times import format_time
from hindsight.entities.prediction import Prediction, PredictionKey

HEAD = "prediction"
DUE_SHARDS = 32
"""Partitions of the ``due`` index a model has; docs/capacity.md has the arithmetic.

A partition key of an index takes 1,000 writes a second, and a key that grows with time never splits. More shards may
be added, never fewer: what is stored in the first ones is read there.
"""
# No join has it: what a worker read before an erasure, it cannot write after it.
ERASED_REVISION = -1
_TEXTS = (
    "features",
    "score",
    "decision",
    "probabilities",
    "propensity",
    "version_share",
    "model_decision",
    "weight",
    "selection_probability",
    "shadow",
)


def prediction_to_item(prediction: Prediction, expires_at: int, due_at: datetime | None) -> dict[str, Any]:
    """Build the head of a new item collection: a prediction that no feedback has been joined to.

    Parameters
    ----------
    prediction
        What to store.
    expires_at
        When the item may be deleted, in epoch seconds.
    due_at
        When the clock alone will first change the label, None if it never will. Window closing looks at the prediction
        then and sets the next moment itself.
    """
    return {
        **head_key(prediction.key),
        **to_attributes(prediction, _TEXTS),
        "revision": 0,
        "feedback_count": 0,
        "label_seq": 0,
        "due_shard": due_shard(prediction.model, prediction.prediction_id) if due_at else None,
        "due_at": format_time(due_at) if due_at else None,
        "expires_at": expires_at,
    }


def prediction_from_item(item: Mapping[str, Any]) -> Prediction:
    """Read the prediction of an item; a placeholder holds none (UnreadableRecord)."""
    return from_attributes(Prediction, item, _TEXTS)


def partition_key(key: PredictionKey) -> str:
    """Build the partition key of a prediction's item collection.

    >>> partition_key(PredictionKey("bike-demand", "p-1"))
    'bike-demand#p-1'
    """
    return f"{key.model}#{key.prediction_id}"


def key_of_partition(pk: str) -> PredictionKey:
    """Read whose item collection a partition key names; a model's name has no ``#``, an id may."""
    model, _, prediction_id = pk.partition("#")
    return PredictionKey(model, prediction_id)


def head_key(key: PredictionKey) -> dict[str, str]:
    """Build the table's key of the head of a prediction's item collection."""
    return {"pk": partition_key(key), "sk": HEAD}


def due_shard(model: str, prediction_id: str) -> str:
    """Compute a prediction's partition of the ``due`` index: one of many, so that none runs hot."""
    return f"{model}#{zlib.crc32(prediction_id.encode()) % DUE_SHARDS}"
