"""A prediction as an item of the predictions table, and back."""

import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hindsight.core import compact_json
from hindsight.core.times import format_time, parse_time
from hindsight.entities.prediction import Features, Prediction, PredictionKey, ShadowAnswer

HEAD = "prediction"
DUE_SHARDS = 32
"""Partitions of the ``due`` index a model has; docs/capacity.md has the arithmetic.

A partition key of an index takes 1,000 writes a second, and a key that grows with time never splits. More shards may
be added, never fewer: what is stored in the first ones is read there.
"""
# No join has it: what a worker read before an erasure, it cannot write after it.
ERASED_REVISION = -1
_COMPRESS_ABOVE_BYTES = 1024


def prediction_to_item(prediction: Prediction, expires_at: int, due_at: datetime | None) -> dict[str, Any]:
    """Return the head of a new item collection: a prediction that no feedback has been joined to.

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
        "model": prediction.model,
        "prediction_id": prediction.prediction_id,
        "features": pack_features(prediction.features),
        "score": compact_json.dumps(prediction.score),
        "decision": compact_json.dumps(prediction.decision),
        "probabilities": _pack_optional(prediction.probabilities),
        "model_version": prediction.model_version,
        "occurred_at": format_time(prediction.occurred_at),
        "received_at": format_time(prediction.received_at),
        "outcome_due_at": format_time(prediction.outcome_due_at),
        "entity_id": prediction.entity_id,
        "propensity": _dumps_optional(prediction.propensity),
        "selection_probability": _dumps_optional(prediction.selection_probability),
        "shadow": _pack_optional(prediction.shadow and prediction.shadow.to_json()),
        "body_digest": prediction.body_digest,
        "revision": 0,
        "feedback_count": 0,
        "label_seq": 0,
        "due_shard": due_shard(prediction.model, prediction.prediction_id) if due_at else None,
        "due_at": format_time(due_at) if due_at else None,
        "expires_at": expires_at,
    }


def prediction_from_item(item: Mapping[str, Any]) -> Prediction:
    """Return the prediction an item holds; a placeholder holds none (KeyError)."""
    return Prediction(
        model=item["model"],
        prediction_id=item["prediction_id"],
        features=unpack_features(item["features"]),
        score=float(json.loads(item["score"])),
        decision=json.loads(item["decision"]),
        probabilities=_unpack_optional(item.get("probabilities")),
        model_version=item["model_version"],
        occurred_at=parse_time(item["occurred_at"]),
        received_at=parse_time(item["received_at"]),
        outcome_due_at=parse_time(item["outcome_due_at"]),
        entity_id=item.get("entity_id"),
        propensity=_loads_optional(item.get("propensity")),
        selection_probability=_loads_optional(item.get("selection_probability")),
        shadow=ShadowAnswer.from_json(_unpack(item["shadow"])) if "shadow" in item else None,
        body_digest=item["body_digest"],
    )


def partition_key(key: PredictionKey) -> str:
    """Return the partition key of a prediction's item collection.

    >>> partition_key(PredictionKey("bike-demand", "p-1"))
    'bike-demand#p-1'
    """
    return f"{key.model}#{key.prediction_id}"


def key_of_partition(pk: str) -> PredictionKey:
    """Return whose item collection a partition key names; a model's name has no ``#``, an id may."""
    model, _, prediction_id = pk.partition("#")
    return PredictionKey(model, prediction_id)


def head_key(key: PredictionKey) -> dict[str, str]:
    """Return the table's key of the head of a prediction's item collection."""
    return {"pk": partition_key(key), "sk": HEAD}


def due_shard(model: str, prediction_id: str) -> str:
    """Compute a prediction's partition of the ``due`` index: one of many, so that none runs hot."""
    return f"{model}#{zlib.crc32(prediction_id.encode()) % DUE_SHARDS}"


def pack_features(features: Features) -> str | bytes:
    """Return features as compact JSON, beyond 1 KiB compressed: write units are the bill."""
    return _pack(features)


def unpack_features(packed: str | bytes) -> Features:
    """Return the features that were packed."""
    features: Features = _unpack(packed)
    return features


def _pack(value: object) -> str | bytes:
    text = compact_json.dumps(value)
    encoded = text.encode()
    return text if len(encoded) <= _COMPRESS_ABOVE_BYTES else zlib.compress(encoded)


def _unpack(packed: str | bytes) -> Any:
    return json.loads(packed if isinstance(packed, str) else zlib.decompress(packed))


def _pack_optional(value: object) -> str | bytes | None:
    return None if value is None else _pack(value)


def _unpack_optional(packed: str | bytes | None) -> Any:
    return None if packed is None else _unpack(packed)


def _dumps_optional(value: object) -> str | None:
    return None if value is None else compact_json.dumps(value)


def _loads_optional(text: str | None) -> Any:
    return None if text is None else json.loads(text)
