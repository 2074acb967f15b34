"""The state of a model on one page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hindsight.config.store import ConfigurationRevision
from hindsight.core.codec import to_plain
from hindsight.core.times import format_time
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.monitoring.results.check import Check, CheckKind
from hindsight.registry.pointer import Pointer
from hindsight.rollout.approval.approval import Approval
from hindsight.triggers.decision import Decision
from hindsight.triggers.state import TriggerState

LINKS_LAST = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Predictions whose label the clock is to change: ``overdue`` of them by now, ``capped`` if there are more."""

    overdue: int
    capped: bool


def model_status(
    revision: ConfigurationRevision,
    pointer: Pointer | None,
    state: TriggerState,
    checks: list[Check],
    backlog: Backlog,
    *,
    review_queue: dict[str, Any],
    link: Callable[[str], str],
    last_evaluation: Decision | None = None,
    asked: Approval | None = None,
    evaluations: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Build the status of a model, what an operator sees first, as JSON objects.

    ``link`` presigns a key of the lake; ``asked`` is the newest request for approval.
    """
    return {
        "model": revision.configuration.model,
        "configuration_revision": revision.revision,
        "task": revision.configuration.task.value,
        "champion": pointer.champion if pointer else None,
        "challenger": pointer.rollout.version if pointer and pointer.rollout else None,
        "previous": pointer.previous if pointer else None,
        "serving_since": format_time(pointer.serving_since) if pointer else None,
        "rollout": _rollout(pointer, evaluations or {}),
        "probation": _probation(pointer, evaluations or {}),
        "open_run": _open_run(state),
        "waiting_for_approval": _waiting(state, asked),
        "pending_signals": sorted(state.pending_signals),
        "last_evaluation": _evaluation(last_evaluation) if last_evaluation else None,
        "last_outcome": state.last_outcome,
        "last_run_finished_at": _time(state.last_run_finished_at),
        "checks": {
            check.kind.value: _check(check, link) for check in checks if check.kind is not CheckKind.JOIN_HEALTH
        },
        "join_health": next((dict(check.summary) for check in checks if check.kind is CheckKind.JOIN_HEALTH), None),
        "label_backlog": to_plain(backlog),
        "review_queue": review_queue,
    }


def _rollout(pointer: Pointer | None, evaluations: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    if pointer is None or pointer.rollout is None:
        return None
    newest = evaluations.get(EvaluationSubject.ROLLOUT.value)
    return pointer.rollout.to_plain() | _with_evaluation(newest, pointer.rollout.version)


def _probation(pointer: Pointer | None, evaluations: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    if pointer is None or pointer.probation is None:
        return None
    newest = evaluations.get(EvaluationSubject.PROBATION.value)
    return pointer.probation.to_plain() | _with_evaluation(newest, pointer.champion)


def _with_evaluation(newest: Mapping[str, Any] | None, version: str) -> dict[str, Any]:
    """Show the newest evaluation if it is of the version; an older one is of another."""
    return {"evaluation": dict(newest)} if newest is not None and newest["version"] == version else {}


def _check(check: Check, link: Callable[[str], str]) -> dict[str, Any]:
    page = {} if check.page_key is None else {"page_url": link(check.page_key)}
    return {**check.to_plain(), **page}


def _evaluation(evaluation: Decision) -> dict[str, Any]:
    """Build the short form of an evaluation; the decisions' route has the whole."""
    plain = evaluation.to_plain()
    return {name: plain[name] for name in ("at", "triggered", "blocked_by", "explanation")}


def _open_run(state: TriggerState) -> dict[str, Any] | None:
    run = state.open_run
    if run is None:
        return None
    return {
        "decision_id": run.decision_id,
        "reason": run.reason,
        "started_at": format_time(run.started_at),
        "lease_expires_at": format_time(run.lease_expires_at),
    }


def _waiting(state: TriggerState, asked: Approval | None) -> dict[str, Any] | None:
    """Show the open run's request for approval, None without one, or where it is answered."""
    run = state.open_run
    if run is None or asked is None or asked.answer is not None or asked.decision_id != run.decision_id:
        return None
    return {name: value for name, value in asked.to_json().items() if name != "answer"}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
