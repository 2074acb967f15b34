"""The key of a version's training reference, the profile of its training rows."""

from hindsight.lake.object_store import version_prefix


def reference_key(model: str, version: str) -> str:
    """Build the key of a version's training reference.

    >>> reference_key("bike-demand", "v1")
    'models/model=bike-demand/version=v1/reference.profile'
    """
    return f"{version_prefix(model, version)}reference.profile"
