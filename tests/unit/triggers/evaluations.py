"""Models and stores for the tests of the evaluator."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.labels.relabelling.under_way import RelabellingWatch
from hindsight.testing.aws.state_machine import InMemoryStateMachine
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.jobs.relabels import InMemoryRelabels
from hindsight.testing.models.check_store import InMemoryChecks
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.testing.models.trigger_store import InMemoryTriggers
from hindsight.testing.predictions.new_labels import InMemoryNewLabels
from hindsight.triggers.decision import Decision
from hindsight.triggers.evaluation.evaluator import TriggerEvaluator
from hindsight.triggers.inputs import TriggerEvent
from hindsight.triggers.state import RunOutcome, RunResult, TriggerState
from tests.unit.triggers.builders import DAY, NOW, SCHEDULED

COOLDOWN = DAY


CONFIGURATION = configuration(model="bike", triggers={"cooldown": "P1D", "min_new_labels": 0})


class InterruptedTriggers(InMemoryTriggers):
    """A store that lets another writer in between reading the state and the decision on it."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: list[Callable[[], object]] = []

    def load(self, model: str) -> TriggerState:
        state = super().load(model)
        if self.meanwhile:
            self.meanwhile.pop()()
        return state


@dataclass
class World:
    """Everything one model's triggers touch, in memory."""

    store: InterruptedTriggers = field(default_factory=InterruptedTriggers)
    checks: InMemoryChecks = field(default_factory=InMemoryChecks)
    machine: InMemoryStateMachine = field(default_factory=InMemoryStateMachine)
    registry: InMemoryRegistry = field(default_factory=InMemoryRegistry)
    relabels: InMemoryRelabels = field(default_factory=InMemoryRelabels)
    relabel_runs: InMemoryStateMachine = field(default_factory=InMemoryStateMachine)
    versions: int = 0

    def __post_init__(self) -> None:
        self.evaluator = TriggerEvaluator(
            store=self.store,
            checks=self.checks,
            configurations=InMemoryConfigurations(CONFIGURATION),
            registry=self.registry,
            new_labels=NewLabels(InMemoryNewLabels()),
            machine=self.machine,
            relabelling=RelabellingWatch(self.relabels, self.relabel_runs),
            clock=lambda: NOW,
        )
        self.promote()

    def promote(self) -> None:
        self.versions += 1
        self.registry.move_pointer("bike", promoted(f"v{self.versions}", NOW, self.registry.pointer("bike")))

    @property
    def champion(self) -> str:
        return f"v{self.versions}"

    @property
    def state(self) -> TriggerState:
        return self.store.states.get("bike", TriggerState(model="bike"))

    def evaluate(self, now: datetime = NOW, event: TriggerEvent = SCHEDULED) -> Decision:
        return self.evaluator.evaluate("bike", event, now=now)

    def end(self, outcome: RunOutcome, at: datetime = NOW) -> None:
        run = self.state.open_run
        assert run is not None
        assert self.store.finalize_run("bike", run.fencing_token, RunResult(outcome=outcome, at=at))
        self.machine.end(run.decision_id)
