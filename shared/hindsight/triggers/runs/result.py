"""The result of a run: from the state machine's account of it and the history of the pointer."""

import json
import re
from collections.abc import Mapping
from typing import Any

from hindsight.core.errors import InvalidInput, NotFound
from hindsight.registry.pointer import Change, DeploymentRecord
from hindsight.registry.store import Registry
from hindsight.registry.version import VersionRecord, gap_note
from hindsight.runs.run import RetrainingRun
from hindsight.triggers.state import RunOutcome, RunResult

# What the state machine gives as the cause of a function's error: JSON, cut off anywhere, with a stack trace in it.
_CAUSE = re.compile(r'\{\s*"(?:errorMessage|errorType|stackTrace|requestId)".*', re.DOTALL)
_MESSAGE = re.compile(r'"errorMessage"\s*:\s*("(?:[^"\\]|\\.)*")')
_MAX_REASON = 1000
_MAX_MOVES = 20

COUNTED_AS = {
    RunOutcome.PROMOTED: "RunsPromoted",
    RunOutcome.CANARY: "RunsCanary",
    RunOutcome.SHADOW: "RunsShadow",
    RunOutcome.REJECTED: "RunsRejected",
    RunOutcome.SKIPPED: "RunsSkipped",
    RunOutcome.FAILED: "RunsFailed",
}
_OUTCOME_OF = {
    Change.PROMOTED: RunOutcome.PROMOTED,
    Change.CANARY_STARTED: RunOutcome.CANARY,
    Change.SHADOW_STARTED: RunOutcome.SHADOW,
}


def result_of(registry: Registry, run: RetrainingRun, event: Mapping[str, Any]) -> RunResult:
    """Build the result of a run; a version that was judged names the dataset that was used up.

    A run that failed after it had moved the pointer did not fail: what serves is the truth, and signals pending again
    would train the same version again. Raises InvalidInput for an outcome that is none.
    """
    try:
        outcome = RunOutcome(event["outcome"])
    except (KeyError, ValueError) as error:
        raise InvalidInput("the step's input has no outcome") from error
    given = ": ".join(filter(None, (event.get("reason"), event.get("detail"))))
    version, reason = event.get("version"), plain_reason(given)
    if outcome is RunOutcome.FAILED and (move := move_of(registry, run)) is not None:
        outcome, version = _OUTCOME_OF[move.change], move.challenger or move.to_version
        reason = f"the pointer had moved before the run failed: {reason}"[:_MAX_REASON]
    record = _record_of(registry, run.model, version) if version else None
    dataset_id, left_out = (record.dataset_id, gap_note(record.rows)) if record else (None, None)
    return RunResult(
        outcome=outcome,
        at=run.as_of,
        reason="; ".join(filter(None, (reason, left_out)))[:_MAX_REASON],
        version=version,
        dataset_id=dataset_id,
        snapshot_as_of=run.as_of if dataset_id else None,
    )


def move_of(registry: Registry, run: RetrainingRun) -> DeploymentRecord | None:
    """Find the move by which a run put a version into service or in a rollout; it need not be the last one."""
    moves = registry.deployments(run.model, _MAX_MOVES)
    own = [move for move in moves if move.decision_id == run.decision_id and move.change in _OUTCOME_OF]
    return own[-1] if own else None


def announced_result(result: RunResult) -> dict[str, Any]:
    """Build the part of a result that is announced, absent parts left out."""
    parts = {"outcome": result.outcome.value, "reason": result.reason, "version": result.version}
    return {name: value for name, value in parts.items() if value is not None}


def plain_reason(reason: str) -> str:
    """Strip a reason of the stack trace that a failed function leaves in it.

    >>> plain_reason('Train: TypeError: {"errorMessage": "no rows", "errorType": "TypeError", "stackTr')
    'Train: TypeError: no rows'
    """
    message = _MESSAGE.search(reason)
    text = str(json.loads(message.group(1))) if message else "no message"
    return _CAUSE.sub(lambda _: text, reason)[:_MAX_REASON]


def _record_of(registry: Registry, model: str, version: str) -> VersionRecord | None:
    try:
        return registry.version(model, version)
    except NotFound:
        return None
