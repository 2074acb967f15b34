"""What the version that serves reads, so that a dataset can judge it too."""

import json
from collections.abc import Mapping

from shared.configuration.features import FeatureType
from shared.errors import NotFound
from shared.lake import Lake, version_prefix
from shared.registry.store import Registry
from shared.training.schema import Schema


def champion_features(lake: Lake, registry: Registry, model: str) -> Mapping[str, FeatureType]:
    """Return the features of the serving version by the types it reads; none where nothing serves, or nothing says."""
    pointer = registry.pointer(model)
    if pointer is None:
        return {}
    try:
        content = lake.read_bytes(version_prefix(model, pointer.champion) + "schema.json")
    except NotFound:
        return {}
    return Schema.from_json(json.loads(content)).features
