"""How a run ended, from what the state machine says of it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from shared.errors import InvalidInput, NotFound
from shared.registry.run import RetrainingRun
from shared.registry.store import Registry
from shared.triggers.state import Conclusion, RunOutcome

# What the state machine gives as the cause of a function's error: JSON, cut off anywhere, with a stack trace in it.
_CAUSE = re.compile(r'\{\s*"(?:errorMessage|errorType|stackTrace|requestId)".*', re.DOTALL)
_MESSAGE = re.compile(r'"errorMessage"\s*:\s*("(?:[^"\\]|\\.)*")')
_MAX_REASON = 1000


def conclusion_of(registry: Registry, run: RetrainingRun, event: Mapping[str, Any]) -> Conclusion:
    """Return the conclusion of a run; a version that was judged names the dataset that was used up.

    Raises InvalidInput for an outcome that is none.
    """
    try:
        outcome = RunOutcome(event["outcome"])
    except (KeyError, ValueError) as error:
        raise InvalidInput("the step's input has no outcome") from error
    version = event.get("version")
    dataset_id = _dataset_of(registry, run.model, version) if version else None
    return Conclusion(
        outcome=outcome,
        at=run.as_of,
        reason=plain_reason(event.get("reason") or ""),
        version=version,
        dataset_id=dataset_id,
        snapshot_as_of=run.as_of if dataset_id else None,
    )


def plain_reason(reason: str) -> str:
    """Return a reason without the stack trace that a failed function leaves in it.

    >>> plain_reason('Train: TypeError: {"errorMessage": "no rows", "errorType": "TypeError", "stackTr')
    'Train: TypeError: no rows'
    """
    message = _MESSAGE.search(reason)
    told = str(json.loads(message.group(1))) if message else "no message"
    return _CAUSE.sub(lambda _: told, reason)[:_MAX_REASON]


def _dataset_of(registry: Registry, model: str, version: str) -> str | None:
    try:
        return registry.version(model, version).dataset_id
    except NotFound:
        return None
