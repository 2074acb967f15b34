from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.core.errors import Conflict
from hindsight.core.times import moment_name
from hindsight.registry.external_version import external_version
from hindsight.registry.moves import AuditInfo, PointerStep, Servable, abort_rollout, promote, roll_back, start_rollout
from hindsight.registry.pointer import Pointer, RolloutMode
from hindsight.registry.version import DatasetRecord, VersionRecord
from hindsight.registry.version_retention import Keep, expired_versions, protected_versions
from hindsight.retention.version_expiry import VersionExpiry
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.pointers import promoted
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.members import InMemoryMembers
from hindsight.testing.models.registry import InMemoryRegistry

MODEL = "bike"
START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
KEEP = Keep(newest=2, age=100 * DAY)
OBJECTS = ("model.skops", "reference.profile", "card.json", "card.html")


def name(day: int) -> str:
    return f"v{moment_name(START + day * DAY)}-aaaaaaaa-linear"


def dataset_name(day: int) -> str:
    return f"d{moment_name(START + day * DAY)}-bbbb"


def version(day: int) -> VersionRecord:
    return version_record(name(day), START + day * DAY, decision_id=f"decision-{day}", dataset_id=dataset_name(day))


class World:
    """A model with a version and a dataset every ten days, none of which serves."""

    def __init__(self, days: range = range(0, 100, 10)) -> None:
        self.registry, self.lake = InMemoryRegistry(), InMemoryLake()
        self.members = InMemoryMembers()
        self.expiry = VersionExpiry(self.registry, self.lake, KEEP, self.members)
        for day in days:
            self.registry.put_version(MODEL, version(day))
            record = DatasetRecord(
                dataset_id=dataset_name(day),
                manifest_key="m",
                digest="d",
                as_of=START + day * DAY,
                configuration_revision=1,
                counts={},
            )
            self.registry.put_dataset(MODEL, record)
            self.write(name(day))
            for file in ("manifest.json", "train.npz"):
                self.lake.write_bytes(f"datasets/model={MODEL}/{dataset_name(day)}/{file}", b"x", "x")
            self.members.replace(MODEL, dataset_name(day), {0: b"x"})

    def write(self, version_name: str) -> None:
        for file in OBJECTS:
            self.lake.write_bytes(f"models/model={MODEL}/version={version_name}/{file}", b"x", "x")

    def serve(self, *days: int) -> None:
        for day in days:
            step = promoted(name(day), START + day * DAY, self.registry.pointer(MODEL))
            self.registry.move_pointer(MODEL, step)

    def move(self, step: PointerStep) -> None:
        self.registry.move_pointer(MODEL, step)

    def pointer(self) -> Pointer:
        pointer = self.registry.pointer(MODEL)
        assert pointer is not None
        return pointer

    def sweep(self, day: int) -> None:
        assert self.expiry.sweep(MODEL, START + day * DAY, lambda: True).is_complete

    def kept(self) -> set[int]:
        return {
            day
            for day in range(0, 1000, 10)
            if f"models/model={MODEL}/version={name(day)}/model.skops" in self.lake.objects
        }


@pytest.fixture
def world() -> World:
    return World()


def audit(day: int) -> AuditInfo:
    return AuditInfo(reason="a test", actor="key:operator", at=START + day * DAY)


def test_version_younger_than_the_policy_stays(world: World) -> None:
    world.sweep(100)
    assert world.kept() == set(range(0, 100, 10))
    world.sweep(121)
    assert world.kept() == set(range(30, 100, 10))


def test_the_newest_stay_however_old(world: World) -> None:
    world.sweep(10_000)
    assert world.kept() == {80, 90}
    assert {record.version for record in world.registry.versions(MODEL, 99) if record.expired_at is None} == {
        name(80),
        name(90),
    }


def test_champions_and_rollback_targets_stay(world: World) -> None:
    world.serve(0, 10, 20, 30)
    world.sweep(10_000)
    # The champion, and the last two before it.
    assert world.kept() == {30, 20, 10, 80, 90}


def test_version_on_rollout_stays_and_an_aborted_one_goes(world: World) -> None:
    world.serve(0)
    for day in (10, 20):
        tried = Servable(version=name(day), artifact_key="k", artifact_digest="d")
        world.move(start_rollout(world.pointer(), tried, RolloutMode.CANARY, 0.1, audit(day)))
        if day == 10:
            world.move(abort_rollout(world.pointer(), audit(day)))
    world.sweep(10_000)
    assert world.kept() == {0, 20, 80, 90}


def test_the_fallback_of_a_rollback_far_back_stays(world: World) -> None:
    world.serve(0, 10, 20, 30, 40)
    back = Servable(version=name(0), artifact_key="k", artifact_digest="d")
    step = roll_back(world.pointer(), back, audit(50))
    world.move(step._replace(pointer=step.pointer.replace(previous=name(10))))
    world.sweep(10_000)
    assert {0, 10, 40} <= world.kept()


def test_records_stay_with_the_moment_and_so_do_cards_and_manifests(world: World) -> None:
    world.sweep(10_000)
    record = world.registry.version(MODEL, name(0))
    assert record == version(0).replace(expired_at=START + 10_000 * DAY)
    left = {key.rpartition("/")[2] for key in world.lake.keys("") if name(0) in key or dataset_name(0) in key}
    assert left == {"card.json", "card.html", "manifest.json"}


def test_the_dataset_of_a_version_that_is_kept_is_kept(world: World) -> None:
    world.serve(0)
    world.sweep(10_000)
    kept = {record.dataset_id for record in world.registry.datasets(MODEL, 99) if record.expired_at is None}
    assert kept == {dataset_name(day) for day in (0, 80, 90)}
    assert f"datasets/model={MODEL}/{dataset_name(0)}/train.npz" in world.lake.objects


def test_unrecorded_candidates_go_after_a_week(world: World) -> None:
    world.write(name(95))
    world.lake.write_bytes(f"datasets/model={MODEL}/{dataset_name(95)}/train.npz", b"x", "x")
    world.sweep(101)
    assert name(95) in "".join(world.lake.objects)
    world.sweep(103)
    assert name(95) not in "".join(world.lake.objects)
    assert dataset_name(95) not in "".join(world.lake.objects)


def test_object_without_a_version_s_name_stays(world: World) -> None:
    foreign = [
        f"models/model={MODEL}/version=by-hand/model.skops",
        f"models/model={MODEL}/version=v99999999T999999Z-by-hand/model.skops",
        f"datasets/model={MODEL}/notes.txt",
    ]
    for key in foreign:
        world.lake.write_bytes(key, b"x", "x")
    world.sweep(10_000)
    assert set(foreign) <= set(world.lake.objects)


def test_a_sweep_that_was_cut_off_is_finished_by_the_next(world: World) -> None:
    allowed = iter([True] * 3 + [False] * 100)
    report = world.expiry.sweep(MODEL, START + 10_000 * DAY, lambda: next(allowed))
    assert (report.is_complete, report.objects, report.versions) == (False, 3, 8)
    world.sweep(10_001)
    assert world.kept() == {80, 90}


def test_a_version_that_goes_into_service_during_the_sweep_is_spared(world: World) -> None:
    look = world.registry.versions
    world.serve(90)

    def meanwhile(model: str, limit: int) -> list[VersionRecord]:
        found = look(model, limit)
        if world.pointer().champion == name(90):
            world.move(
                promote(world.pointer(), Servable(version=name(0), artifact_key="k", artifact_digest="d"), audit(99))
            )
        return found

    world.registry.versions = meanwhile  # type: ignore[method-assign]
    world.sweep(10_000)

    assert 0 in world.kept()


def test_an_expired_version_cannot_serve_again(world: World) -> None:
    world.serve(90)
    world.sweep(10_000)
    back = Servable(version=name(0), artifact_key="k", artifact_digest="d")
    with pytest.raises(Conflict, match="expired"):
        world.move(roll_back(world.pointer(), back, audit(10_001)))


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 4), st.integers(0, 20_000))
def test_no_policy_removes_a_serving_version_or_a_rollback_target(served: list[int], newest: int, day: int) -> None:
    world = World()
    world.serve(*(10 * number for number in served))
    pointer, moves = world.registry.pointer(MODEL), world.registry.deployments(MODEL, 99)
    protected = protected_versions(pointer, moves, newest)
    records = world.registry.versions(MODEL, 99)
    gone = {
        record.version
        for record in expired_versions(records, protected, Keep(newest=newest, age=DAY), START + day * DAY)
    }
    if pointer is not None:
        assert not gone & {pointer.champion, pointer.previous}
    assert len(records) - len(gone) >= min(newest, len(records))


def test_the_index_of_a_dataset_goes_with_its_rows(world: World) -> None:
    world.sweep(10_000)
    left = {key.split("/")[2] for key in world.lake.objects if key.endswith("train.npz")}
    assert {dataset_id for _, dataset_id in world.members.held} == left == {dataset_name(80), dataset_name(90)}


def test_index_of_an_unrecorded_dataset_goes_with_its_rows(world: World) -> None:
    world.lake.write_bytes(f"datasets/model={MODEL}/{dataset_name(55)}/train.npz", b"x", "x")
    world.members.replace(MODEL, dataset_name(55), {0: b"x"})
    world.sweep(60)
    assert (MODEL, dataset_name(55)) in world.members.held
    world.sweep(70)
    assert (MODEL, dataset_name(55)) not in world.members.held


def test_baseline_of_a_version_made_elsewhere_goes_with_the_version(world: World) -> None:
    prefix = f"models/model={MODEL}/version=ours/3"
    world.registry.put_version(MODEL, external_version("ours/3", 1, START))
    for file in ("baseline.json", "reference.profile"):
        world.lake.write_bytes(f"{prefix}/{file}", b"x", "x")
    world.sweep(90)
    assert f"{prefix}/baseline.json" in world.lake.objects
    world.sweep(110)
    assert not [key for key in world.lake.objects if key.startswith(prefix)]


def test_old_baseline_of_a_version_that_was_never_registered_goes(world: World) -> None:
    key = f"models/model={MODEL}/version=ours-4/baseline.profile"
    world.lake.write_bytes(key, b"x", "x")
    written = (world.lake.written[key] - START) // DAY
    world.sweep(written + 99)
    assert key in world.lake.objects
    world.sweep(written + 102)
    assert key not in world.lake.objects
