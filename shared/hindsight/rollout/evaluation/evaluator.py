"""The evaluator of one model: reads its labels, evaluates its probation and its rollout, and moves its pointer."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hindsight.config.model import ModelConfiguration
from hindsight.core.announcements import Announcement, Announcements
from hindsight.core.errors import UnusableArtifact
from hindsight.core.times import format_time
from hindsight.evaluation.sequential.sequential_test import SequentialTest, SequentialTests
from hindsight.evaluation.sequential.subject import EvaluationSubject
from hindsight.label_records.label_completeness import MAX_LABEL_DELAY, complete_until, last_label_after
from hindsight.label_records.rows import ENTITY
from hindsight.label_records.window import MAX_BYTES, labels_in_window
from hindsight.lake.object_store import Lake
from hindsight.profiles.logs.hourly import window_profile
from hindsight.registry.moves import AuditInfo, PointerStep, abort_rollout, pass_probation, promote_rollout
from hindsight.registry.pointer import Pointer, Probation, Rollout, RolloutMode
from hindsight.registry.rollback_candidates import rollback_candidates
from hindsight.registry.store import Registry
from hindsight.registry.version import VersionRecord
from hindsight.rollout.evaluation.evaluate import Evaluation, EvaluationInput, evaluate_probation, evaluate_rollout
from hindsight.rollout.evaluation.events import EVALUATION_ACTOR
from hindsight.rollout.evaluation.store import EvaluationStore
from hindsight.rollout.evaluation.verdict import Outcome
from hindsight.rollout.rollback_target import deployments_of, step_back

ROLLBACK_UNAVAILABLE = "RollbackUnavailable"
SAMPLE_RATIO_MISMATCH = "SampleRatioMismatch"
_ACTED_ON = {Outcome.KEEP, Outcome.ROLL_BACK}


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutEvaluator:
    """The judge of rollouts and probations; ``require_loadable`` raises for a version that cannot be served.

    Of label records that take more than ``max_bytes`` a sample is held.
    """

    registry: Registry
    lake: Lake
    tests: SequentialTests
    evaluations: EvaluationStore
    announcements: Announcements
    require_loadable: Callable[[VersionRecord], None]
    max_bytes: int = MAX_BYTES

    def evaluate(
        self,
        configuration: ModelConfiguration,
        pointer: Pointer,
        now: datetime,
        has_time: Callable[[], bool] = lambda: True,
    ) -> list[dict[str, Any]]:
        """Evaluate a champion's probation, then the rollout beside it; act on the verdicts and list the evaluations.

        A champion that is rolled back ends the rollout against it, so that nothing is left to evaluate. Raises
        Conflict if the pointer moves meanwhile: the next evaluation sees where to.
        """
        since = [part.since for part in (pointer.probation, pointer.rollout) if part is not None]
        if not since or now <= min(since):
            return []
        read = self._read(configuration, pointer, min(since), now, has_time)
        shown = []
        if pointer.probation is not None:
            of_probation, pointer = self._evaluate_probation(read, pointer, pointer.probation)
            shown.append(of_probation)
        if pointer.rollout is not None:
            shown.append(self._evaluate_rollout(read, pointer, pointer.rollout))
        return shown

    def _read(
        self,
        configuration: ModelConfiguration,
        pointer: Pointer,
        since: datetime,
        now: datetime,
        has_time: Callable[[], bool],
    ) -> EvaluationInput:
        """Read the labels of all that was predicted since a moment, and until when they are all in."""
        model, window = configuration.model, now - since
        labels = labels_in_window(
            self.lake,
            model,
            now,
            window,
            (),
            also=_fields_of(pointer.rollout),
            max_bytes=self.max_bytes,
            has_time=has_time,
        )
        # Only the last day shows whether labels are missing: no need to read the profiles of a long probation.
        window = labels.shortened(window, now)
        shown = min(window, max(configuration.monitoring.window, configuration.outcome_delay + 2 * MAX_LABEL_DELAY))
        due = window_profile(self.lake, model, now - shown, now).all.due
        until = complete_until(
            due,
            labels.rows.sampled(labels.sampled_share),
            now,
            shown,
            last_label_after=last_label_after(configuration),
            sampled_share=labels.sampled_share,
        )
        return EvaluationInput(
            configuration=configuration,
            labels=labels.rows,
            until=until,
            now=now,
            sampled_share=labels.sampled_share,
        )

    def _evaluate_probation(
        self, read: EvaluationInput, pointer: Pointer, probation: Probation
    ) -> tuple[dict[str, Any], Pointer]:
        """Evaluate a probation and act on the verdict; return the evaluation and the pointer after it."""
        model, subject = read.configuration.model, EvaluationSubject.PROBATION
        record = self.registry.version(model, pointer.champion)
        stored = self.tests.load(model, subject)
        found = evaluate_probation(replace(read, stored=stored), pointer, probation, record)
        if not self._store(model, stored, found.test):
            return self._record(model, subject, found, pointer.champion, read.now), pointer
        audit = AuditInfo(reason=found.verdict.reason, actor=EVALUATION_ACTOR, at=read.now)
        step = self._step(model, pointer, found, audit)
        if found.verdict.outcome is Outcome.ROLL_BACK and step is None:
            found = found.without_rollback_target()
            self._publish(read, ROLLBACK_UNAVAILABLE, subject, found, pointer)
        shown = self._record(model, subject, found, pointer.champion, read.now)
        return shown, pointer if step is None else self.registry.move_pointer(model, step)

    def _step(self, model: str, pointer: Pointer, found: Evaluation, audit: AuditInfo) -> PointerStep | None:
        """Build the step that the verdict on a probation asks for, None if it asks for none or none can be made."""
        if found.verdict.outcome is Outcome.KEEP:
            return pass_probation(pointer, audit)
        return self._step_back(model, pointer, audit) if found.verdict.outcome is Outcome.ROLL_BACK else None

    def _evaluate_rollout(self, read: EvaluationInput, pointer: Pointer, rollout: Rollout) -> dict[str, Any]:
        """Evaluate a rollout and act on the verdict."""
        model, subject = read.configuration.model, EvaluationSubject.ROLLOUT
        record = self.registry.version(model, rollout.version)
        stored = self.tests.load(model, subject)
        found = evaluate_rollout(replace(read, stored=stored), pointer, rollout, record)
        if found.verdict.outcome is Outcome.SAMPLE_RATIO_MISMATCH:
            self._publish(read, SAMPLE_RATIO_MISMATCH, subject, found, pointer)
        shown = self._record(model, subject, found, rollout.version, read.now)
        if self._store(model, stored, found.test) and found.verdict.outcome in _ACTED_ON:
            audit = AuditInfo(
                reason=found.verdict.reason, actor=EVALUATION_ACTOR, at=read.now, decision_id=rollout.decision_id
            )
            keeps = found.verdict.outcome is Outcome.KEEP
            step = self._promotion(pointer, record, audit) if keeps else abort_rollout(pointer, audit)
            self.registry.move_pointer(model, step)
        return shown

    def _promotion(self, pointer: Pointer, record: VersionRecord, audit: AuditInfo) -> PointerStep:
        try:
            self.require_loadable(record)
        except UnusableArtifact as error:
            return abort_rollout(pointer, replace(audit, reason=f"it cannot be served: {error.message}"))
        return promote_rollout(pointer, audit)

    def _step_back(self, model: str, pointer: Pointer, audit: AuditInfo) -> PointerStep | None:
        """Build the step to the newest rollback candidate that can be served, None if there is none."""
        deployments = deployments_of(self.registry, model)
        passed_over = ""
        for version in reversed(rollback_candidates(deployments)[:-1]):
            target = self.registry.version(model, version)
            try:
                self.require_loadable(target)
            except UnusableArtifact as error:
                passed_over += f"; {version} cannot be served: {error.message}"
                continue
            return step_back(deployments, pointer, target, replace(audit, reason=audit.reason + passed_over))
        return None

    def _publish(
        self, read: EvaluationInput, name: str, subject: EvaluationSubject, found: Evaluation, pointer: Pointer
    ) -> None:
        """Announce what people must mend, at the first evaluation to find it so."""
        model, now = read.configuration.model, read.now
        of_rollout = pointer.rollout is not None and subject is EvaluationSubject.ROLLOUT
        version = pointer.rollout.version if pointer.rollout is not None and of_rollout else pointer.champion
        before = self.evaluations.evaluations(model).get(subject.value, {})
        if (before.get("verdict"), before.get("version")) == (found.verdict.outcome.value, version):
            return
        ratio = {} if found.ratio is None else {"sample_ratio": found.ratio.to_json()}
        data = {"model": model, "version": version, "reason": found.verdict.reason, "at": format_time(now), **ratio}
        self.announcements.publish(
            [Announcement(name=name, correlation_id=f"{model}#{pointer.sequence}", at=now, data=data)]
        )

    def _store(self, model: str, stored: SequentialTest | None, test: SequentialTest | None) -> bool:
        """Store the test of an evaluation; False if another evaluation was faster, from which the next one goes on."""
        if test is None or test is stored:
            return True
        return self.tests.save(model, test.replace(updates=test.updates + 1))

    def _record(
        self, model: str, subject: EvaluationSubject, found: Evaluation, version: str, now: datetime
    ) -> dict[str, Any]:
        shown = {"at": format_time(now), "version": version, **found.summary()}
        self.evaluations.record_evaluation(model, subject, shown)
        return {"model": model, "subject": subject.value, **shown}


def _fields_of(rollout: Rollout | None) -> Collection[str]:
    """List the columns of label records that only a rollout needs: a canary's entities, a shadow's predictions."""
    if rollout is None:
        return ()
    return (ENTITY,) if rollout.mode is RolloutMode.CANARY else ("shadow",)
