"""A version as operators see it."""

from collections.abc import Callable
from typing import Any

from hindsight.registry.version import VersionRecord
from hindsight.rollout.approval.approval import Approval

_LINEAGE = ("dataset_id", "rows", "configuration_revision", "code_version", "decision_id", "candidate", "candidates")
_GATE = ("verdict", "checks", "compared_with", "champion_metrics", "pointer_sequence", "notes")
_OF_VERSION = {"version", "decision_id"}


def shown_version(record: VersionRecord, link: Callable[[str], str], asked: Approval | None = None) -> dict[str, Any]:
    """Show a version: its checks, approvals and origin.

    ``link`` presigns a key of the lake; ``asked`` are the requests for the version's approval.
    """
    kept = record.to_plain()
    shown = {name: value for name, value in kept.items() if name not in {*_LINEAGE, *_GATE}}
    shown["gate"] = {name: kept[name] for name in _GATE if name in kept}
    shown["lineage"] = {name: kept[name] for name in _LINEAGE if name in kept}
    if record.card_key is not None:
        shown["card_url"] = link(record.card_key)
    if record.expired_at is None and not record.is_external:
        shown["artifact_url"] = link(record.artifact_key)
    if asked is not None:
        shown["approval"] = {name: value for name, value in asked.to_json().items() if name not in _OF_VERSION}
    return shown
