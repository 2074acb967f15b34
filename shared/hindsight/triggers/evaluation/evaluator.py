"""One evaluation of one model's triggers: observe, decide, record, start."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from hindsight.config.model import ModelConfiguration, ServedBy
from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import Unavailable
from hindsight.core.executions import Execution, StateMachine
from hindsight.core.retry import Overtaken, optimistic
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.relabelling.under_way import RelabellingWatch
from hindsight.monitoring.results.check import CheckStore
from hindsight.registry.store import Registry
from hindsight.triggers.decision import Decision
from hindsight.triggers.evaluation.decide import decide, decision_id, has_triggered, worth_recording
from hindsight.triggers.inputs import Cause, TriggerEvent, TriggerInputs
from hindsight.triggers.runs.recovery import recovered_result
from hindsight.triggers.signals.registry import configured_checks, evaluate_signals
from hindsight.triggers.state import TriggerState
from hindsight.triggers.store import TriggerStore


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerEvaluator:
    """The evaluation of triggers, one model at a time.

    ``clock`` gives the real time, by which the table's stream delivers, also where another moment is evaluated.
    """

    store: TriggerStore
    checks: CheckStore
    configurations: ConfigurationStore
    new_labels: NewLabels
    machine: StateMachine
    registry: Registry
    relabelling: RelabellingWatch
    clock: Callable[[], datetime]

    def evaluate(self, model: str, event: TriggerEvent, *, now: datetime) -> Decision:
        """Decide whether to retrain; return the decision, which has been recorded if it adds anything.

        A decision that triggers is recorded before its run starts: after a crash in between, the next evaluation
        starts it, under the same name. Raises NotFound for an unknown model, Unavailable if others keep deciding
        faster.
        """
        configuration = self.configurations.current(model).configuration
        busy = Unavailable(f"other writers keep deciding on the triggers of {model!r}; try again")
        decision = optimistic(lambda: self._decide(configuration, event, now), otherwise=busy)
        if event.cause is Cause.SCHEDULE:
            self.store.record_evaluation(decision)
            # Last: it changes no count, so that a decision need not wait for it.
            self.new_labels.condense(model, self.clock())
        return decision

    def _decide(self, configuration: ModelConfiguration, event: TriggerEvent, now: datetime) -> Decision:
        """Decide once. Raises Overtaken if another writer changed the state meanwhile."""
        model = configuration.model
        state = self._reconciled(model, now)
        if has_triggered(state, now, event):
            earlier = self.store.decision(model, now, decision_id(model, now, event, None))
            if earlier is not None:
                return earlier
        decision, after = decide(self._observe(configuration, state, event, now))
        if not worth_recording(decision, state):
            return decision
        if event.cause is not Cause.SCHEDULE:
            redelivered = self.store.decision(model, now, decision.decision_id)
            if redelivered is not None:
                return redelivered
        if not self.store.record(decision, after, state.version):
            raise Overtaken
        if decision.triggered:
            self._start(after)
        return decision

    def _reconciled(self, model: str, now: datetime) -> TriggerState:
        """Read the state after making up for a crash: a run that was never started, a lock never released."""
        state = self.store.load(model)
        run = state.open_run
        if run is None:
            return state
        execution = self.machine.execution(run.decision_id)
        if now >= run.lease_expires_at:
            reason = "the run's lease expired"
        elif execution is Execution.OVER:
            reason = "the run's execution ended without a result"
        else:
            if execution is Execution.NEVER_STARTED:
                self._start(state)
            return state
        result = recovered_result(self.registry, run.of(model), reason)
        self.store.finalize_run(model, run.fencing_token, result.replace(at=now))
        return self.store.load(model)

    def _observe(
        self, configuration: ModelConfiguration, state: TriggerState, event: TriggerEvent, now: datetime
    ) -> TriggerInputs:
        model, policy = configuration.model, configuration.triggers
        pointer = self.registry.pointer(model)
        newest = {kind: self.checks.latest(model, kind) for kind in configured_checks(policy)}
        inputs = TriggerInputs(
            now=now,
            event=event,
            policy=policy,
            state=state,
            champion=pointer.champion if pointer else None,
            rollout=pointer.rollout if pointer else None,
            has_no_trainer=configuration.serving is ServedBy.EXTERNAL and not configuration.is_trained_elsewhere,
            checks={kind: check for kind, check in newest.items() if check is not None},
        )
        # Counting takes a few reads: only where the count can change the decision.
        if state.open_run is not None:
            return inputs
        is_first = policy.first_version and inputs.champion is None
        if not is_first and policy.volume is None and not any(found.active for found in evaluate_signals(inputs)):
            return inputs
        count = self.new_labels.count(
            model, since=state.last_snapshot_as_of, as_of=now, window=configuration.training.window
        )
        under_way = self.relabelling.under_way(model, now)
        counted = replace(inputs, new_labels=count, relabelling=under_way.job_id if under_way else None)
        return replace(counted, upcoming=self.new_labels.upcoming(model, now)) if is_first else counted

    def _start(self, state: TriggerState) -> None:
        """Start the open run; one that runs already is left alone."""
        if (run := state.open_run) is not None:
            self.machine.start(run.decision_id, run.execution_input(state.model))
