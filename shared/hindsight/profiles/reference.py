"""Where a version's training reference lies: what it was trained on, as a profile."""

from hindsight.lake.object_store import version_prefix


def reference_key(model: str, version: str) -> str:
    """Return where the profile of what a version was trained on lies.

    >>> reference_key("bike-demand", "v1")
    'models/model=bike-demand/version=v1/reference.profile'
    """
    return f"{version_prefix(model, version)}reference.profile"
