"""A world of rollouts for the tests of their evaluation."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hindsight.core.errors import UnusableArtifact
from hindsight.label_records.window import MAX_BYTES
from hindsight.registry.moves import promote, start_rollout
from hindsight.registry.pointer import Pointer, RolloutMode
from hindsight.registry.version import VersionRecord
from hindsight.rollout.evaluation.evaluator import RolloutEvaluator
from hindsight.rollout.evaluation.events import RolloutEvents
from hindsight.rollout.evaluation.rollout_evaluation import RolloutEvaluation
from hindsight.rollout.external.external_versions import ExternalVersions
from hindsight.rollout.external.stored_baseline import StoredBaselines
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.testing.models.rollout_evaluations import InMemoryEvaluationStore
from hindsight.testing.models.sequential_tests import InMemorySequentialTests
from hindsight.testing.models.trigger_store import InMemoryTriggers
from tests.unit.rollout.world import (
    DAY,
    HOUR,
    MODEL,
    NEW,
    NOW,
    OLD,
    SINCE,
    Row,
    audit,
    drawn,
    put,
    records,
    rules,
    servable,
    version,
)


@dataclass
class World:
    """One model, its versions, and a watch over them; ``broken`` versions cannot be loaded."""

    registry: InMemoryRegistry = field(default_factory=InMemoryRegistry)
    lake: InMemoryLake = field(default_factory=InMemoryLake)
    tests: InMemorySequentialTests = field(default_factory=InMemorySequentialTests)
    evaluations: InMemoryEvaluationStore = field(default_factory=InMemoryEvaluationStore)
    triggers: InMemoryTriggers = field(default_factory=InMemoryTriggers)
    bus: InMemoryAnnouncements = field(default_factory=InMemoryAnnouncements)
    configurations: InMemoryConfigurations = field(default_factory=lambda: InMemoryConfigurations(rules()))
    broken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name in (OLD, NEW):
            self.registry.put_version(MODEL, version(name))
        self.registry.move_pointer(MODEL, promote(None, servable(OLD), audit(SINCE - 30 * DAY)))

    def promote(self) -> "World":
        self.registry.move_pointer(MODEL, promote(self.pointer, servable(NEW), audit(SINCE)))
        return self

    def roll_back_a_newer_version(self) -> None:
        newest = "v20260302"
        self.registry.put_version(MODEL, version(newest, compared_with=NEW))
        self.registry.move_pointer(MODEL, promote(self.pointer, servable(newest), audit(SINCE + HOUR)))
        put(self.lake, records(newest, drawn(60, 0.2), SINCE + 2 * HOUR, 20))
        self.evaluate()

    def try_out(self, mode: RolloutMode = RolloutMode.CANARY) -> "World":
        share = 0.1 if mode is RolloutMode.CANARY else None
        step = start_rollout(self.pointer, servable(NEW), mode, share, audit(SINCE))
        self.registry.move_pointer(MODEL, step)
        return self

    @property
    def pointer(self) -> Pointer:
        pointer = self.registry.pointer(MODEL)
        assert pointer is not None
        return pointer

    @property
    def announced(self) -> list[str]:
        return [announcement.name for announcement in self.bus.published]

    @property
    def rollbacks(self) -> int:
        return self.triggers.load(MODEL).consecutive_rollbacks

    def require_loadable(self, record: VersionRecord) -> None:
        if record.version in self.broken:
            raise UnusableArtifact(f"the artefact of {record.version} is gone")

    def evaluate(self, now: datetime = NOW, max_bytes: int = MAX_BYTES) -> list[dict[str, Any]]:
        evaluator = RolloutEvaluator(
            registry=self.registry,
            lake=self.lake,
            tests=self.tests,
            evaluations=self.evaluations,
            announcements=self.bus,
            require_loadable=self.require_loadable,
            max_bytes=max_bytes,
        )
        events = RolloutEvents(
            registry=self.registry, triggers=self.triggers, announcements=self.bus, store=self.evaluations
        )
        evaluation = RolloutEvaluation(
            configurations=self.configurations,
            registry=self.registry,
            external=ExternalVersions(registry=self.registry, lake=self.lake, baselines=StoredBaselines(self.lake)),
            evaluator=evaluator,
            events=events,
        )
        return evaluation.run(MODEL, now)


def canary(ours: float, count: int = 250) -> list[Row]:
    return [*records(NEW, drawn(count, ours)), *records(OLD, drawn(9 * count, 0.88, seed=2))]
