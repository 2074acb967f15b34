"""Concurrent deploys, rollbacks, overrides and ends of rollouts, stale or killed anywhere, on one serving pointer.

Every actor is a thread that waits for its turn before each call to the registry; a seeded die says whose turn it is and
who is killed there. Afterwards those killed are tried again, as Step Functions and the clock do. The pointer must then
name a version that may serve and can be loaded, and the history must explain it from its first move.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.pointer_history import replayed
from bench.turns import KILLED, StepwiseRegistry, Turns
from hindsight.config.training import Deployment, Strategy
from hindsight.core.errors import UnusableArtifact
from hindsight.registry.moves import AuditInfo, PointerStep, abort_rollout, pass_probation, promote_rollout
from hindsight.registry.pointer import Change, DeploymentRecord, Pointer
from hindsight.registry.store import Registry
from hindsight.registry.version import Verdict, VersionRecord
from hindsight.rollout.approval.approval import Answer
from hindsight.rollout.approval.override import Overrides
from hindsight.rollout.deployment import deploy
from hindsight.rollout.rollback import Rollbacks
from hindsight.runs.run import RetrainingRun
from hindsight.testing.aws.announcements import InMemoryAnnouncements
from hindsight.testing.builders.configuration import configuration
from hindsight.testing.models.configurations import InMemoryConfigurations
from hindsight.testing.models.registry import InMemoryRegistry
from hindsight.testing.models.trigger_store import InMemoryTriggers
from hindsight.validation.timestamps import ClientTimestamps

MODEL = "bike-demand"
START = datetime(2026, 3, 1, tzinfo=UTC)
ROUNDS = 200
SEED = 1
WAVES = 3
BROKEN = 0.15  # of the artefacts
REJECTED = 0.2  # of the versions
TakeLock = Callable[[int], None]


@dataclass(slots=True)
class World:
    """A model's versions, of which some were rejected and some cannot be loaded, and what is done to its pointer."""

    rng: random.Random
    registry: Registry
    take_lock: TakeLock
    versions: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    overridden: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Let the first version serve."""
        self.take_lock(1)
        self._register(rejected=False)
        deploy(self.registry, _run(1), _name(1), Deployment(), self.require_loadable)

    def actors(self, registry: Registry) -> list[Callable[[], None]]:
        """Draw a few actions to be done at once, on versions old and new; one of the runs holds the lock."""
        runs = [self._register(rejected=self.rng.random() < REJECTED) for _ in range(3)]
        self.take_lock(self.rng.choice(runs))
        chosen = [self._deploy(registry, number) for number in runs]
        others = [self._roll_back, self._override, self._end_rollout, self._end_probation]
        chosen += [self.rng.choice(others)(registry) for _ in range(self.rng.randint(1, 4))]
        self.rng.shuffle(chosen)
        return chosen

    def _register(self, *, rejected: bool) -> int:
        """Put a new version into the registry, judged against what serves now; return its run's number."""
        pointer = self.registry.pointer(MODEL)
        number = len(self.versions) + 1
        self.versions.append(_name(number))
        if number > 1 and self.rng.random() < BROKEN:
            self.broken.add(_name(number))
        self.registry.put_version(MODEL, _record(number, pointer.sequence if pointer else 0, rejected=rejected))
        return number

    def require_loadable(self, record: VersionRecord) -> None:
        """Raise UnusableArtifact for a version that cannot be loaded."""
        if record.version in self.broken:
            raise UnusableArtifact(f"{record.version} is damaged")

    def _deploy(self, registry: Registry, number: int) -> Callable[[], None]:
        deployment = Deployment(strategy=self.rng.choice(list(Strategy)))

        def act() -> None:
            deploy(registry, _run(number), _name(number), deployment, self.require_loadable)

        return act

    def _roll_back(self, registry: Registry) -> Callable[[], None]:
        to = self.rng.choice([None, self.rng.choice(self.versions)])
        rollbacks = Rollbacks(
            registry=registry,
            configurations=InMemoryConfigurations(configuration()),
            triggers=InMemoryTriggers(),
            announcements=InMemoryAnnouncements(),
            trust=ClientTimestamps.BOUNDED,
            require_loadable=self.require_loadable,
        )
        body = {"reason": "complaints"} | ({} if to is None else {"to": to})
        return lambda: _ignore(rollbacks.take(MODEL, body, now=START, actor="key:operator"))

    def _override(self, registry: Registry) -> Callable[[], None]:
        version = self.rng.choice(self.versions)
        overrides = Overrides(registry, InMemoryAnnouncements(), self.require_loadable)
        answer = Answer(approved=True, actor="key:operator", at=START, reason="I know better")
        self.overridden.add(version)
        return lambda: _ignore(overrides.take(MODEL, version, answer))

    def _end_rollout(self, registry: Registry) -> Callable[[], None]:
        end = self.rng.choice([promote_rollout, abort_rollout])
        return lambda: self._move(registry, end)

    def _end_probation(self, registry: Registry) -> Callable[[], None]:
        return lambda: self._move(registry, pass_probation)

    def _move(self, registry: Registry, end: Callable[[Pointer, AuditInfo], PointerStep]) -> None:
        pointer = registry.pointer(MODEL)
        if pointer is not None:
            registry.move_pointer(MODEL, end(pointer, AuditInfo(reason="the labels say so", actor="watch", at=START)))


def play(seed: int, registry: Registry, take_lock: TakeLock) -> str | None:
    """Play one interleaving; return what is wrong with its outcome, None if nothing is."""
    rng = random.Random(seed)
    world = World(rng, registry, take_lock)
    world.begin()
    stepwise = StepwiseRegistry(registry, Turns(rng, lethal=False))
    for _ in range(WAVES):
        actors = world.actors(_as_registry(stepwise))
        stepwise.turns = Turns(rng, lethal=True)
        killed = stepwise.turns.run(actors)
        stepwise.turns = Turns(rng, lethal=False)
        stepwise.turns.run(killed)
    return wrong_with(registry, world)


def wrong_with(registry: Registry, world: World) -> str | None:
    """Find what is wrong with a pointer and its history, None if nothing is."""
    pointer = registry.pointer(MODEL)
    if pointer is None:
        return "nothing serves"
    moves = sorted(registry.deployments(MODEL, 1000), key=lambda move: move.sequence)
    if [move.sequence for move in moves] != list(range(1, pointer.sequence + 1)):
        return "the history has gaps"
    champion, rollout, complaint = replayed(moves)
    if complaint is None and (champion, rollout) != (pointer.champion, pointer.rollout and pointer.rollout.version):
        complaint = f"the history leads to {champion} and {rollout}, the pointer names {pointer.champion}"
    named = (_unfit(registry.version(MODEL, version), world) for version in (champion, rollout) if version)
    return complaint or next(filter(None, named), None) or _other_artefact(registry, pointer) or _stale(registry, moves)


def _unfit(record: VersionRecord, world: World) -> str | None:
    if record.version in world.broken:
        return f"{record.version} serves and cannot be loaded"
    if record.verdict is not Verdict.PROMOTE and record.version not in world.overridden:
        return f"{record.version} serves though the gate rejected it and no override followed"
    return None


def _other_artefact(registry: Registry, pointer: Pointer) -> str | None:
    record = registry.version(MODEL, pointer.champion)
    same = (record.artifact_key, record.artifact_digest) == (pointer.artifact_key, pointer.artifact_digest)
    return None if same else "the pointer names another artefact than its version's"


def _stale(registry: Registry, moves: Sequence[DeploymentRecord]) -> str | None:
    """Find a run that was deployed twice, or beside another champion than the gate had compared its version with."""
    starts = [move for move in moves if move.decision_id and move.change is not Change.ROLLOUT_ABORTED]
    if len({move.decision_id for move in starts}) != len(starts):
        return "a run was deployed twice"
    champions = {0: None} | {move.sequence: move.to_version for move in moves}
    for move in starts:
        version = move.to_version if move.change is Change.PROMOTED else move.challenger
        record = registry.version(MODEL, str(version))
        if champions[record.pointer_sequence] != move.from_version:
            return f"{version} was compared with another champion than {move.from_version}"
    return None


def measure(rounds: int = ROUNDS) -> dict[str, Any]:
    """Count the interleavings in which the pointer was right, in memory and on the table's adapter."""
    in_memory = [_in_memory(SEED + number) for number in range(rounds)]
    on_table = _on_table(rounds)
    wrong = [complaint for complaint in [*in_memory, *on_table] if complaint is not None]
    return {
        "pointer_interleavings_correct": min(in_memory.count(None), on_table.count(None)),
        "interleavings": rounds,
        "on": ["a registry in memory", "the DynamoDB adapter on moto"],
        "wrong": wrong[:10],
        "waves": WAVES,
        "actors_a_wave": "4 to 7: three runs, one with the lock; rollbacks, overrides, ends of rollouts and probations",
        "killed_share_of_steps": KILLED,
        "seed": SEED,
    }


def _in_memory(seed: int) -> str | None:
    registry = InMemoryRegistry()
    return play(seed, registry, lambda token: registry.lock_holders.update({MODEL: token}))


def _on_table(rounds: int) -> list[str | None]:
    import boto3  # noqa: PLC0415  moto must be there first
    from moto import mock_aws  # noqa: PLC0415

    from hindsight.adapters.models_table.registry_table import DynamoRegistry  # noqa: PLC0415

    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")

        def played(seed: int) -> str | None:
            table = f"models-{seed}"
            client.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            )

            def take_lock(token: int) -> None:
                run: Any = {"M": {"fencing_token": {"N": str(token)}}}
                client.put_item(TableName=table, Item={"pk": {"S": MODEL}, "sk": {"S": "triggers"}, "open_run": run})

            return play(seed, DynamoRegistry(table, client), take_lock)

        return [played(SEED + number) for number in range(rounds)]


def _record(number: int, judged_at: int, *, rejected: bool) -> VersionRecord:
    return VersionRecord(
        version=_name(number),
        created_at=START,
        candidate="a",
        decision_id=_run(number).decision_id,
        dataset_id="d1",
        configuration_revision=1,
        code_version="bench",
        artifact_key=f"key of {_name(number)}",
        artifact_digest=f"digest of {_name(number)}",
        verdict=Verdict.REJECT if rejected else Verdict.PROMOTE,
        pointer_sequence=judged_at,
    )


def _name(number: int) -> str:
    return f"v{number:02d}"


def _run(number: int) -> RetrainingRun:
    return RetrainingRun(
        model=MODEL,
        decision_id=f"decision-{number}",
        fencing_token=number,
        as_of=START + timedelta(days=number),
        reason="drift",
    )


def _as_registry(stepwise: Any) -> Registry:
    registry: Registry = stepwise
    return registry


def _ignore(_: object) -> None:
    return None


if __name__ == "__main__":
    import json

    print(json.dumps(measure(), indent=2))
