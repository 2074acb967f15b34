"""The keys of a version's reference, the profile of its training rows or of a baseline, and of what that is of."""

import json
from typing import Any

from hindsight.core.errors import NotFound
from hindsight.lake.object_store import Lake, version_prefix


def reference_key(model: str, version: str) -> str:
    """Build the key of a version's training reference.

    >>> reference_key("bike-demand", "v1")
    'models/model=bike-demand/version=v1/reference.profile'
    """
    return f"{version_prefix(model, version)}reference.profile"


def baseline_key(model: str, version: str) -> str:
    """Build the key of what the baseline of a version is of that was not trained here.

    >>> baseline_key("churn", "ours-3")
    'models/model=churn/version=ours-3/baseline.json'
    """
    return f"{version_prefix(model, version)}baseline.json"


def partial_key(model: str, version: str) -> str:
    """Build the key of a baseline's profile as far as its rows are together.

    >>> partial_key("churn", "ours-3")
    'models/model=churn/version=ours-3/baseline.profile'
    """
    return f"{version_prefix(model, version)}baseline.profile"


def read_baseline(lake: Lake, model: str, version: str) -> dict[str, Any] | None:
    """Read what a version's baseline is of, None for one that was trained here or has none yet."""
    try:
        shown: dict[str, Any] = json.loads(lake.read_bytes(baseline_key(model, version)))
    except NotFound:
        return None
    return shown
