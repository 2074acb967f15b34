"""Status changes of Step Functions' executions, as EventBridge delivers them."""

import json
from collections.abc import Mapping
from typing import Any

from hindsight.core.errors import InvalidInput
from hindsight.core.times import parse_time
from hindsight.runs.run import RetrainingRun
from hindsight.triggers.runs.recovery import FailedExecution

_ENDED = {"FAILED": "failed", "TIMED_OUT": "took longer than it may", "ABORTED": "was stopped by an operator"}


def is_status_change(event: Mapping[str, Any]) -> bool:
    """Distinguish EventBridge's event about an execution from the input of a step."""
    return "detail-type" in event


def parse_failed_execution(event: Mapping[str, Any]) -> FailedExecution:
    """Read an EventBridge event "Step Functions Execution Status Change". Raises InvalidInput.

    AWS leaves the input out where it is larger than 248 KiB; a run's is a few.
    """
    try:
        detail = event["detail"]
        given = json.loads(detail["input"])
        return FailedExecution(
            run=RetrainingRun.from_event(given),
            input=given,
            at=parse_time(event["time"]),
            ended=_ENDED[detail["status"]],
            error=detail.get("error") or "",
            cause=detail.get("cause") or "",
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"the event names no run that failed: {error}") from error
