"""The keys of all jobs among a model's items, and the items of a kind, newest first."""

from typing import Any

from hindsight.adapters.dynamodb.model_items import ModelItems
from hindsight.core.jobs import JobKind


def sort_key(job_id: str) -> str:
    """Build the sort key of a job; ids begin with their kind and their moment, so that it is their order."""
    return f"job#{job_id}"


def newest_items(items: ModelItems, model: str, kind: JobKind, limit: int, before: str | None) -> list[dict[str, Any]]:
    """List the items of at most ``limit`` jobs of a kind, newest first, with ids below ``before``."""
    return items.newest(model, sort_key(f"{kind}-"), limit, None if before is None else sort_key(before))
