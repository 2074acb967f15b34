"""The champion's features, so that a dataset can judge it too."""

import json
from collections.abc import Mapping

from hindsight.config.features import FeatureType
from hindsight.core.errors import NotFound
from hindsight.lake.object_store import Lake, version_prefix
from hindsight.registry.schema import Schema
from hindsight.registry.store import Registry


def champion_features(lake: Lake, registry: Registry, model: str) -> Mapping[str, FeatureType]:
    """Read the serving version's features by their types; none where nothing serves or no schema is stored."""
    pointer = registry.pointer(model)
    if pointer is None:
        return {}
    try:
        content = lake.read_bytes(version_prefix(model, pointer.champion) + "schema.json")
    except NotFound:
        return {}
    return Schema.from_json(json.loads(content)).features
