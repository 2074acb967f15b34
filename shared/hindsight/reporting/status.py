"""The state of a model on one page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hindsight.config.store import ConfigurationRevision
from hindsight.core.codec import Record, to_plain
from hindsight.core.times import format_time
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.labels.store import OpenLabels
from hindsight.monitoring.label_health.feedback_effects import FeedbackEffects
from hindsight.monitoring.results.check import Check, CheckKind
from hindsight.registry.pointer import Pointer
from hindsight.rollout.approval.approval import Approval
from hindsight.rollout.external.training_request import TrainingRequest
from hindsight.triggers.decision import Decision
from hindsight.triggers.state import TriggerState

LINKS_LAST = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Predictions whose label the clock was to change by now: ``overdue`` of them, ``capped`` if there are more."""

    overdue: int
    capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelQueue:
    """The labels that wait for the clock at this moment: the overdue ones, and those still to fall due.

    ``feedback`` is what came in the last day, None where two days had none.
    """

    backlog: Backlog
    open: OpenLabels
    feedback: FeedbackEffects | None = None

    def to_json(self) -> dict[str, Any]:
        """Show the queue as the live part of the join's health."""
        return {
            "awaiting": self.open.predictions,
            "awaiting_capped": self.open.capped,
            "next_due_at": _time(self.open.next_due_at),
            "overdue": self.backlog.overdue,
            "overdue_capped": self.backlog.capped,
            "feedback": None if self.feedback is None else self.feedback.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstVersionProgress:
    """The labels that are due, those that the first version needs, those due later, and when the next ones are."""

    labels_due: int
    labels_needed: int
    labels_not_due: int
    next_due_at: datetime | None


def model_status(
    revision: ConfigurationRevision,
    pointer: Pointer | None,
    state: TriggerState,
    checks: list[Check],
    queue: LabelQueue,
    *,
    review_queue: dict[str, Any],
    link: Callable[[str], str],
    last_evaluation: Decision | None = None,
    asked: Approval | None = None,
    requested: TrainingRequest | None = None,
    evaluations: Mapping[str, Mapping[str, Any]] | None = None,
    first_version: FirstVersionProgress | None = None,
    beside: Sequence[Check] = (),
) -> dict[str, Any]:
    """Build the status of a model as JSON objects.

    ``link`` presigns a key of the lake; ``asked`` is the newest request for approval, ``requested`` that for a version
    made elsewhere; ``first_version`` is given until one serves; ``beside`` are the checks of versions that are logged
    beside the champion.
    """
    champion, rollout, probation = (pointer.champion, pointer.rollout, pointer.probation) if pointer else (None,) * 3
    challenger, found = rollout.version if rollout else None, evaluations or {}
    return {
        "model": revision.configuration.model,
        "revision": revision.revision,
        "task": revision.configuration.task.value,
        "champion": champion,
        "challenger": challenger,
        "previous": pointer.previous if pointer else None,
        "serving_since": format_time(pointer.serving_since) if pointer else None,
        "rollout": _evaluated(rollout, challenger, found.get(EvaluationSubject.ROLLOUT)),
        "probation": _evaluated(probation, champion, found.get(EvaluationSubject.PROBATION)),
        "first_version": None if first_version is None else to_plain(first_version),
        "open_run": _open_run(state),
        "waiting_for_approval": _waiting(state, asked),
        "waiting_for_version": _waiting_for_version(state, requested),
        "pending_signals": sorted(state.pending_signals),
        "last_evaluation": _evaluation(last_evaluation) if last_evaluation else None,
        "last_outcome": state.last_outcome,
        "last_run_finished_at": _time(state.last_run_finished_at),
        "checks": {
            check.kind.value: _check(check, link) for check in checks if check.kind is not CheckKind.JOIN_HEALTH
        },
        "logged_versions": _logged_versions(beside, link),
        "join_health": _join_health(checks, queue),
        "review_queue": review_queue,
    }


def _evaluated(part: Record | None, version: str | None, newest: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Show a part of the pointer, with the newest evaluation if it is of the version; an older one is of another."""
    if part is None:
        return None
    return part.to_plain() | ({"evaluation": dict(newest)} if newest and newest["version"] == version else {})


def _check(check: Check, link: Callable[[str], str]) -> dict[str, Any]:
    """Show a check, its report and its page as links."""
    shown = check.to_plain()
    keys = {"report_url": shown.pop("report_key", None), "page_url": shown.pop("page_key", None)}
    return {**shown, **{name: link(key) for name, key in keys.items() if key is not None}}


def _logged_versions(beside: Sequence[Check], link: Callable[[str], str]) -> list[dict[str, Any]]:
    """Show the versions that are logged beside the champion, the newest first, each with its newest checks."""
    names = dict.fromkeys(check.model_version for check in beside)
    return [
        {
            "version": name,
            "checks": {check.kind.value: _check(check, link) for check in beside if check.model_version == name},
        }
        for name in names
    ]


def _join_health(checks: list[Check], queue: LabelQueue) -> dict[str, Any]:
    """Show the labels that wait now, and under ``window`` the newest check's counts with their moment."""
    newest = next((check for check in checks if check.kind is CheckKind.JOIN_HEALTH), None)
    window = None if newest is None else {"at": format_time(newest.at), **newest.summary}
    return {**queue.to_json(), "window": window}


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


def _waiting_for_version(state: TriggerState, requested: TrainingRequest | None) -> dict[str, Any] | None:
    """Show the open run's request for a version, None without one, or once it has the version."""
    run = state.open_run
    if run is None or requested is None or not requested.is_waiting or requested.decision_id != run.decision_id:
        return None
    return requested.to_json()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
