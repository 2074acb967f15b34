"""One check of one model's triggers: look, decide, record, start."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from hindsight.config.model import ModelConfiguration
from hindsight.config.store import ConfigurationStore
from hindsight.core.errors import Unavailable
from hindsight.core.executions import Execution, StateMachine
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.relabelling.under_way import RelabellingWatch
from hindsight.monitoring.results.check import CheckStore
from hindsight.registry.store import Registry
from hindsight.runs.run import RetrainingRun
from hindsight.triggers.decide import Occasion, decide, decision_id, has_fired, worth_recording
from hindsight.triggers.decision import Cause, Decision
from hindsight.triggers.demand import CHECK_OF, Observed, demand_now, listened_checks
from hindsight.triggers.run_start import run_input
from hindsight.triggers.runs.recovery import end_found
from hindsight.triggers.signal import Signal
from hindsight.triggers.state import TriggerState
from hindsight.triggers.store import TriggerStore

_ATTEMPTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerChecker:
    """Decides for one model at a time.

    ``clock`` gives the real time, by which the table's stream delivers, whatever moment is decided about.
    """

    store: TriggerStore
    checks: CheckStore
    configurations: ConfigurationStore
    new_labels: NewLabels
    machine: StateMachine
    registry: Registry
    relabelling: RelabellingWatch
    clock: Callable[[], datetime]

    def check(
        self, model: str, occasion: Occasion, *, now: datetime, event: Signal | None = None, force: bool = False
    ) -> Decision:
        """Decide whether to retrain; return the decision, which has been recorded if it says anything new.

        A fired decision is recorded before its run starts: after a crash in between, the next check starts it, under
        the same name. Raises NotFound for an unknown model, Unavailable if others keep deciding faster.
        """
        decision = self._decide(model, occasion, Observed(now=now, champion=None, event=event, force=force))
        if occasion.cause is Cause.SCHEDULE:
            self.store.note_look(decision)
            # Last: it changes no count, so that a decision need not wait for it.
            self.new_labels.condense(model, self.clock())
        return decision

    def _decide(self, model: str, occasion: Occasion, known: Observed) -> Decision:
        configuration, now = self.configurations.current(model).configuration, known.now
        for _ in range(_ATTEMPTS):
            state = self._reconciled(model, now)
            if (earlier := self._decided(state, now, occasion)) is not None:
                return earlier
            observed = self._observe(configuration, state, known)
            decision, after = decide(configuration.triggers, state, observed, occasion)
            if not worth_recording(decision, state):
                return decision
            if occasion.cause is not Cause.SCHEDULE and (again := self._find(decision)) is not None:
                return again
            if self.store.record(decision, after, state.version):
                self._start(after, decision)
                return decision
        raise Unavailable(f"the triggers of {model!r} are being decided by others; try again")

    def _reconciled(self, model: str, now: datetime) -> TriggerState:
        """Return the state after making up for what a crash left behind: a run never started, a lock never released."""
        state = self.store.load(model)
        run = state.open_run
        if run is None:
            return state
        execution = self.machine.execution(run.decision_id)
        if now >= run.lease_expires_at:
            reason = "the run's lease expired"
        elif execution is Execution.OVER:
            reason = "the run's execution ended without a conclusion"
        else:
            if execution is Execution.NEVER_STARTED:
                self.machine.start(run.decision_id, run_input(model, run))
            return state
        dead = RetrainingRun.from_event(run_input(model, run))
        self.store.conclude(model, run.fencing_token, replace(end_found(self.registry, dead, reason), at=now))
        return self.store.load(model)

    def _observe(self, configuration: ModelConfiguration, state: TriggerState, known: Observed) -> Observed:
        model, policy = configuration.model, configuration.triggers
        pointer = self.registry.pointer(model)
        newest = {kind: self.checks.latest(model, kind) for kind in map(CHECK_OF.__getitem__, listened_checks(policy))}
        seen = replace(
            known,
            champion=pointer.champion if pointer else None,
            trial=pointer.trial if pointer else None,
            checks={kind: check for kind, check in newest.items() if check is not None},
        )
        # Counting takes a few reads: only where the count can change the decision.
        if state.open_run is not None or (policy.volume is None and not demand_now(policy, state, seen)):
            return seen
        count = self.new_labels.count(
            model, since=state.last_snapshot_as_of, as_of=seen.now, window=configuration.training.window
        )
        under_way = self.relabelling.under_way(model, seen.now)
        return replace(seen, new_labels=count, relabelling=under_way.relabel_id if under_way else None)

    def _decided(self, state: TriggerState, now: datetime, occasion: Occasion) -> Decision | None:
        if not has_fired(state, now, occasion):
            return None
        return self.store.decision(state.model, now, decision_id(state.model, now, occasion, None))

    def _find(self, decision: Decision) -> Decision | None:
        return self.store.decision(decision.model, decision.at, decision.decision_id)

    def _start(self, state: TriggerState, decision: Decision) -> None:
        if decision.fired and state.open_run is not None:
            self.machine.start(decision.decision_id, run_input(state.model, state.open_run))
