"""Explanations of a prediction: the sources of its label, and the datasets and versions that used it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hindsight.datasets.building.snapshot import take_snapshot
from hindsight.datasets.dataset import Manifest
from hindsight.datasets.members import Member, index_rows, spread
from hindsight.entities.label import Label, LabelRecord, LabelStatus
from hindsight.entities.label_collection import Collection
from hindsight.registry.version import DatasetRecord
from hindsight.reporting.explain import explain_labels
from hindsight.reporting.lineage import MAX_DATASETS, Uses, uses_of, versions_trained_on
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.builders.versions import version_record
from hindsight.testing.models.members import InMemoryMembers
from hindsight.testing.models.registry import InMemoryRegistry
from tests.unit.labels.builders import DEMAND, at, configuration, event, key, prediction
from tests.unit.training import world
from tests.unit.training.world import START, learnable, revision, store

AS_OF = START + timedelta(days=30)


def record(seq: int, value: int | None, status: LabelStatus = LabelStatus.FINAL) -> LabelRecord:
    label = Label(value=value, status=status, kind="outcome", event="demand")
    return LabelRecord(seq=seq, label=label, rules_revision=1, known_at=at(seq))


def explained(*feedback: Any, labels: tuple[LabelRecord, ...] = (), **changes: Any) -> dict[str, Any]:
    collection = Collection(key=key(), head=None, feedback=feedback, labels=labels)
    return explain_labels(prediction(**changes), collection, configuration(DEMAND))


def test_feedback_is_shown_in_the_order_of_its_receipt_with_its_disposition() -> None:
    late = event("demand", 5, hours=40, received=60, feedback_id="late")
    outside = event("demand", 5, hours=90, feedback_id="outside")
    first = event("exposed", hours=0.5, feedback_id="first")
    shown = explained(outside, late, first)["feedback"]
    assert [(row["feedback_id"], row["disposition"]) for row in shown] == [
        ("first", "exposure"),
        ("late", "late"),
        ("outside", "out_of_window"),
    ]


def test_retracted_feedback_is_marked_and_stays() -> None:
    shown = explained(
        event("demand", 150, hours=1, feedback_id="f-1"),
        event("demand", 50, hours=2, feedback_id="f-2"),
        event("retracted", "f-1", hours=3, feedback_id="f-3"),
    )["feedback"]
    assert [row["retracted"] for row in shown] == [True, False, False]


def test_labels_are_shown_as_they_followed_each_other() -> None:
    shown = explained(labels=(record(2, 0), record(1, 1, LabelStatus.PROVISIONAL)))["labels"]
    assert [(row["seq"], row["value"], row["status"]) for row in shown] == [(1, 1, "provisional"), (2, 0, "final")]
    assert {row["rules_revision"] for row in shown} == {1}


def test_missing_fields_of_a_prediction_are_left_out() -> None:
    assert not {"entity_id", "propensity", "probabilities"} & explained()["prediction"].keys()
    shown = explained(entity_id="s", propensity=0.5, probabilities={"a": 1.0})["prediction"]
    assert (shown["entity_id"], shown["propensity"], shown["probabilities"]) == ("s", 0.5, {"a": 1.0})


class Trained:
    """Two datasets, ten days apart, the newer one of the last twenty days; a version of each."""

    def __init__(self) -> None:
        self.lake, self.registry, self.members = InMemoryLake(), InMemoryRegistry(), InMemoryMembers()
        store(self.lake, learnable(900))
        configured = revision(training={"window": "P20D"})
        self.datasets = [self.add(configured, number) for number in (0, 1)]

    def add(self, configured: Any, number: int) -> str:
        taken = take_snapshot(self.lake, configured, START + timedelta(days=20 + 10 * number))
        assert isinstance(taken, Manifest), taken
        self.registry.put_dataset(world.MODEL, index_rows(self.lake, self.members, taken))
        name = taken.dataset_id
        version = version_record(f"v{number}", AS_OF, decision_id=f"decision-{number}", dataset_id=name)
        self.registry.put_version(world.MODEL, version)
        return name

    def uses(self, hour: int) -> list[tuple[str, str, int]]:
        occurred = START + timedelta(hours=hour)
        asked = prediction(
            f"p{hour:05d}", model=world.MODEL, occurred_at=occurred, outcome_due_at=occurred + world.DELAY
        )
        found = uses_of(asked, self.registry, self.members)
        assert found.is_complete
        return [(use.dataset_id, use.part, use.seq) for use in found.found]


def test_a_prediction_names_every_dataset_that_holds_it_and_in_which_part() -> None:
    trained = Trained()
    first, second = trained.datasets
    assert trained.uses(hour=24 * 18) == [(second, "train", 1), (first, "holdout", 1)]
    assert trained.uses(hour=24 * 5) == [(first, "train", 1)]
    assert trained.uses(hour=24 * 28) == [(second, "holdout", 1)]


def test_a_prediction_in_no_dataset_names_none() -> None:
    trained = Trained()
    assert trained.uses(hour=24 * 36) == []
    unlike = prediction("p0001", model=world.MODEL).replace(occurred_at=START + timedelta(days=5))
    assert uses_of(unlike, trained.registry, trained.members) == Uses((), is_complete=True)


def test_versions_follow_from_datasets_newest_first() -> None:
    trained = Trained()
    first, second = trained.datasets
    found = [versions_trained_on(names, world.MODEL, trained.registry) for names in ([first], [first, second], [])]
    assert found == [["v0"], ["v1", "v0"], []]


def test_every_row_of_a_dataset_is_found_with_its_part_and_seq() -> None:
    trained = Trained()
    used = [use for hour in range(36 * 24) for use in trained.uses(hour)]
    for record in trained.registry.datasets(world.MODEL, 2):
        for part in ("train", "holdout"):
            rows = [use for use in used if use[:2] == (record.dataset_id, part)]
            assert len(rows) == record.counts[part]["rows"]


class CountingMembers(InMemoryMembers):
    """An index that notes how often it is asked, and of how many datasets."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def buckets(self, model: str, wanted: Mapping[str, int]) -> dict[str, bytes]:
        self.asked.append(len(wanted))
        return super().buckets(model, wanted)


def searched(datasets: int, **changes: Any) -> tuple[CountingMembers, Uses]:
    """Search daily datasets, all of which hold the prediction."""
    members, registry = CountingMembers(), InMemoryRegistry()
    for number in range(datasets):
        as_of = START + timedelta(days=number + 1)
        record = DatasetRecord(
            dataset_id=f"d{number:04d}",
            manifest_key="m",
            digest="d",
            as_of=as_of,
            configuration_revision=1,
            counts={},
            buckets=4,
        )
        registry.put_dataset(world.MODEL, record.replace(**changes))
        rows = [Member(name, "train", 1) for name in ("p-1", "p-2")]
        members.replace(world.MODEL, record.dataset_id, spread(rows, 4))
    asked = prediction("p-1", model=world.MODEL, occurred_at=START, outcome_due_at=START)
    return members, uses_of(asked, registry, members)


def test_ninety_datasets_are_asked_at_once() -> None:
    members, uses = searched(90)
    assert members.asked == [90]
    assert (len(uses.found), uses.is_complete) == (90, True)


def test_of_very_many_datasets_the_newest_are_asked_and_the_answer_says_so() -> None:
    members, uses = searched(MAX_DATASETS + 1)
    assert members.asked == [MAX_DATASETS]
    assert uses.found[0].dataset_id == f"d{MAX_DATASETS:04d}"
    assert not uses.is_complete


def test_a_dataset_without_an_index_makes_the_answer_incomplete() -> None:
    members, uses = searched(3, buckets=None)
    assert members.asked == []
    assert uses == Uses((), is_complete=False)


def test_a_dataset_that_has_expired_is_not_asked() -> None:
    members, uses = searched(3, expired_at=AS_OF)
    assert members.asked == []
    assert uses == Uses((), is_complete=True)
