"""The versions that serve now, for a server outside that asks with which to answer."""

from typing import Any

from hindsight.config.model import ModelConfiguration, ServedBy
from hindsight.core.errors import NoModel, ServedElsewhere
from hindsight.registry.pointer import Pointer
from hindsight.serving.line_up import is_chosen

MAX_AGE_SECONDS = 10
"""The time for which an answer may be kept: a promotion or a rollback takes effect outside within it."""


def show_serving(model: str, pointer: Pointer | None, entity_id: str | None = None) -> dict[str, Any]:
    """Show the champion, the rollout beside it, and the version that is to answer an entity, if one is named.

    Raises NoModel before the first deployment.
    """
    if pointer is None:
        raise NoModel.of(model)
    shown: dict[str, Any] = {
        "champion": {"version": pointer.champion, "external": pointer.is_external},
        "sequence": pointer.sequence,
    }
    rollout = pointer.rollout
    if rollout is not None:
        shown["rollout"] = {"version": rollout.version, "mode": rollout.mode.value, "share": rollout.share}
    if entity_id is not None:
        shown["answer"] = rollout.version if rollout and is_chosen(model, rollout, entity_id) else pointer.champion
    return shown


def entity_tag(shown: dict[str, Any]) -> str:
    """Build the tag of an answer (RFC 9110, 8.8.3), which differs whenever the answer does.

    >>> entity_tag({"sequence": 3, "answer": "v2"})
    '"3-v2"'
    """
    return f'"{shown["sequence"]}-{shown.get("answer", "")}"'


def require_served_here(configuration: ModelConfiguration) -> None:
    """Raise ServedElsewhere for a model whose configuration names another server."""
    if configuration.serving is ServedBy.EXTERNAL:
        raise ServedElsewhere(
            f"{configuration.model!r} is served elsewhere; log its predictions by POST .../predictions"
        )
