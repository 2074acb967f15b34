"""How a run ended, from what the state machine says of it and what the pointer's history shows."""

import json
import re
from collections.abc import Mapping
from typing import Any

from hindsight.core.errors import InvalidInput, NotFound
from hindsight.registry.pointer import Change, PointerMove
from hindsight.registry.store import Registry
from hindsight.runs.run import RetrainingRun
from hindsight.triggers.state import Conclusion, RunOutcome

# What the state machine gives as the cause of a function's error: JSON, cut off anywhere, with a stack trace in it.
_CAUSE = re.compile(r'\{\s*"(?:errorMessage|errorType|stackTrace|requestId)".*', re.DOTALL)
_MESSAGE = re.compile(r'"errorMessage"\s*:\s*("(?:[^"\\]|\\.)*")')
_MAX_REASON = 1000
_MOVES_LOOKED_BACK = 20

_OUTCOME_OF = {
    Change.PROMOTED: RunOutcome.PROMOTED,
    Change.CANARY_STARTED: RunOutcome.CANARY,
    Change.SHADOW_STARTED: RunOutcome.SHADOW,
}


def conclusion_of(registry: Registry, run: RetrainingRun, event: Mapping[str, Any]) -> Conclusion:
    """Return the conclusion of a run; a version that was judged names the dataset that was used up.

    A run that failed after it had moved the pointer did not fail: what serves is the truth, and giving back its demand
    would train the same version again. Raises InvalidInput for an outcome that is none.
    """
    try:
        outcome = RunOutcome(event["outcome"])
    except (KeyError, ValueError) as error:
        raise InvalidInput("the step's input has no outcome") from error
    told = ": ".join(filter(None, (event.get("reason"), event.get("detail"))))
    version, reason = event.get("version"), plain_reason(told)
    if outcome is RunOutcome.FAILED and (move := move_of(registry, run)) is not None:
        outcome, version = _OUTCOME_OF[move.change], move.challenger or move.to_version
        reason = f"the pointer had moved before the run died: {reason}"[:_MAX_REASON]
    dataset_id = _dataset_of(registry, run.model, version) if version else None
    return Conclusion(
        outcome=outcome,
        at=run.as_of,
        reason=reason,
        version=version,
        dataset_id=dataset_id,
        snapshot_as_of=run.as_of if dataset_id else None,
    )


def move_of(registry: Registry, run: RetrainingRun) -> PointerMove | None:
    """Return the move by which a run put a version into service or on trial; it need not be the last one."""
    moves = registry.history(run.model, _MOVES_LOOKED_BACK)
    own = [move for move in moves if move.decision_id == run.decision_id and move.change in _OUTCOME_OF]
    return own[-1] if own else None


def end_of(conclusion: Conclusion) -> dict[str, Any]:
    """Return what is told of a run's end, absent parts left out."""
    told = {"outcome": conclusion.outcome.value, "reason": conclusion.reason, "version": conclusion.version}
    return {name: value for name, value in told.items() if value is not None}


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
