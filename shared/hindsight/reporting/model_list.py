"""The list of models: the serving version, state and findings of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hindsight.config.model import ModelConfiguration, ServedBy
from hindsight.config.store import ConfigurationStore
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.monitoring.results.check import CheckKind, CheckStore
from hindsight.monitoring.results.findings import finding_of
from hindsight.registry.pointer import Pointer
from hindsight.registry.store import Registry
from hindsight.rollout.approval.store import ApprovalStore
from hindsight.rollout.evaluation.store import SAMPLE_RATIO_MISMATCH, EvaluationStore
from hindsight.triggers.state import RunOutcome, TriggerState
from hindsight.triggers.store import TriggerStore


class ModelState(StrEnum):
    """The stage of a model's life."""

    NO_VERSION = "no_version"
    RETRAINING = "retraining"
    ROLLOUT = "rollout"
    PROBATION = "probation"
    SERVING = "serving"
    RETIRED = "retired"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class ModelList:
    """The models in service and the retired ones, a few reads each."""

    configurations: ConfigurationStore
    registry: Registry
    triggers: TriggerStore
    checks: CheckStore
    approvals: ApprovalStore
    evaluations: EvaluationStore

    def names(self, most: int, after: str | None = None) -> list[str]:
        """List at most ``most`` names that sort after one, sorted."""
        return [name for name in self.configurations.models(retired=True) if after is None or name > after][:most]

    def entry(self, model: str) -> dict[str, Any]:
        """Read one model's entry of the list. Raises NotFound."""
        revision, retired = self.configurations.newest(model), self.configurations.retirement(model) is not None
        pointer, state = self.registry.pointer(model), self.triggers.load(model)
        return {
            "model": model,
            "task": revision.configuration.task.value,
            "revision": revision.revision,
            "serving": revision.configuration.serving.value,
            "champion": pointer.champion if pointer else None,
            "state": state_of(pointer, state, retired=retired).value,
            "attention": [] if retired else sorted(set(self._attention(revision.configuration, pointer, state))),
        }

    def _attention(
        self, configuration: ModelConfiguration, pointer: Pointer | None, state: TriggerState
    ) -> Iterator[str]:
        model = configuration.model
        checks = [self.checks.latest(model, kind) for kind in CheckKind]
        if configuration.serving is ServedBy.EXTERNAL:
            checks += self.checks.beside(model)
        for check in checks:
            if check is not None and (found := finding_of(check)):
                yield found.attention
        if pointer is not None and pointer.rollout is not None:
            newest = self.evaluations.evaluations(model).get(EvaluationSubject.ROLLOUT.value, {})
            if (newest.get("version"), newest.get("verdict")) == (pointer.rollout.version, SAMPLE_RATIO_MISMATCH):
                yield SAMPLE_RATIO_MISMATCH
        if state.last_outcome is RunOutcome.FAILED:
            yield "run_failed"
        asked = next(iter(self.approvals.newest(model, 1)), None)
        run = state.open_run
        if run is not None and asked is not None and asked.answer is None and asked.decision_id == run.decision_id:
            yield "approval_wanted"


def state_of(pointer: Pointer | None, triggers: TriggerState, *, retired: bool = False) -> ModelState:
    """Choose a model's state; of several that apply the one in which most is about to change."""
    if retired:
        return ModelState.RETIRED
    if triggers.open_run is not None:
        return ModelState.RETRAINING
    if pointer is None:
        return ModelState.NO_VERSION
    if pointer.rollout is not None:
        return ModelState.ROLLOUT
    return ModelState.PROBATION if pointer.probation is not None else ModelState.SERVING
