"""The evaluation of a model's rollout and probation, with the events of its deployments before and after."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hindsight.config.store import ConfigurationStore
from hindsight.core.attempts import Attempts
from hindsight.core.errors import Conflict, HindsightError
from hindsight.registry.store import Registry
from hindsight.rollout.evaluation.evaluator import RolloutEvaluator
from hindsight.rollout.evaluation.events import RolloutEvents
from hindsight.rollout.external.external_versions import ExternalVersions


class EvaluationFailed(HindsightError):
    """A part of a model's evaluation failed; ``evaluations`` are of the rest, and doing it again is safe."""

    code = "evaluation_failed"

    def __init__(self, message: str, evaluations: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.evaluations = evaluations


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutEvaluation:
    """The evaluation of rollouts, one model at a time."""

    configurations: ConfigurationStore
    registry: Registry
    external: ExternalVersions
    evaluator: RolloutEvaluator
    events: RolloutEvents

    def run(self, model: str, now: datetime, has_time: Callable[[], bool] = lambda: True) -> list[dict[str, Any]]:
        """Adopt versions of another server, publish what a crash left unpublished, evaluate, and publish what followed.

        Label records are read for as long as there is time. Return the evaluations. Raises EvaluationFailed once all
        parts have been tried.
        """
        parts, evaluations = Attempts(), list[dict[str, Any]]()
        with parts.attempt("external versions"), suppress(Conflict):
            self._update_external(model, now)
        with parts.attempt("events"):
            self.events.publish(model)
        with parts.attempt("evaluation"):
            evaluations += self._evaluate(model, now, has_time)
        with parts.attempt("events"):
            self.events.publish(model)
        if parts.failures:
            causes = ", ".join(_cause(error) for _, error in parts.failures)
            raise EvaluationFailed(f"could not evaluate {model} ({causes})", evaluations) from parts.failures[0][1]
        return evaluations

    def _update_external(self, model: str, now: datetime) -> None:
        revision = self.configurations.current(model)
        self.external.update(revision.configuration, revision.revision, self.registry.pointer(model), now)

    def _evaluate(self, model: str, now: datetime, has_time: Callable[[], bool]) -> list[dict[str, Any]]:
        pointer = self.registry.pointer(model)
        if pointer is None or (pointer.rollout is None and pointer.probation is None):
            return []
        configuration = self.configurations.current(model).configuration
        # A writer that moved the pointer meanwhile knew more; the next evaluation sees where to.
        with suppress(Conflict):
            return self.evaluator.evaluate(configuration, pointer, now, has_time)
        return []


def _cause(error: Exception) -> str:
    """Describe an error for the log; the messages of other libraries may quote values and are left out."""
    kind = type(error).__name__
    return f"{kind}: {error.message}" if isinstance(error, HindsightError) else kind
