"""Why a prediction has its label, and what has used it since."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.datasets.snapshot import Dataset, take_snapshot
from shared.labels.collection import Collection
from shared.labels.label import Label, LabelRecord, LabelStatus
from shared.reporting.explain import explain_labels
from shared.reporting.lineage import uses_of, versions_trained_on
from tests.fakes.lake import InMemoryLake
from tests.fakes.registry import InMemoryRegistry
from tests.unit.labels.builders import DEMAND, at, configuration, event, key, prediction
from tests.unit.training import world
from tests.unit.training.world import START, learnable, revision, store
from tests.versions import version_record

AS_OF = START + timedelta(days=30)


def record(seq: int, value: int | None, status: LabelStatus = LabelStatus.FINAL) -> LabelRecord:
    label = Label(value=value, status=status, source="outcome", event="demand")
    return LabelRecord(seq=seq, label=label, rules_revision=1, known_at=at(seq))


def explained(*feedback: Any, labels: tuple[LabelRecord, ...] = (), **changes: Any) -> dict[str, Any]:
    collection = Collection(key=key(), head=None, feedback=feedback, labels=labels)
    return explain_labels(prediction(**changes), collection, configuration(DEMAND))


def test_feedback_is_shown_in_the_order_of_its_receipt_with_what_each_meant() -> None:
    late = event("demand", 5, hours=40, received=60, feedback_id="late")
    outside = event("demand", 5, hours=90, feedback_id="outside")
    first = event("exposed", hours=0.5, feedback_id="first")
    shown = explained(outside, late, first)["feedback"]
    assert [(row["feedback_id"], row["disposition"]) for row in shown] == [
        ("first", "exposure"),
        ("late", "late"),
        ("outside", "out_of_window"),
    ]


def test_what_was_withdrawn_is_marked_and_stays() -> None:
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


def test_what_a_prediction_does_not_have_is_left_out() -> None:
    assert not {"entity_id", "propensity", "probabilities"} & explained()["prediction"].keys()
    shown = explained(entity_id="s", propensity=0.5, probabilities={"a": 1.0})["prediction"]
    assert (shown["entity_id"], shown["propensity"], shown["probabilities"]) == ("s", 0.5, {"a": 1.0})


class Trained:
    """Two datasets, ten days apart, the newer one of the last twenty days; a version of each."""

    def __init__(self) -> None:
        self.lake, self.registry = InMemoryLake(), InMemoryRegistry()
        store(self.lake, learnable(900))
        configured = revision(training={"window": "P20D"})
        self.datasets = [self.add(configured, number) for number in (0, 1)]

    def add(self, configured: Any, number: int) -> str:
        taken = take_snapshot(self.lake, configured, START + timedelta(days=20 + 10 * number))
        assert isinstance(taken, Dataset), taken
        self.registry.put_dataset(world.MODEL, taken.record)
        name = taken.manifest.dataset_id
        version = version_record(f"v{number}", AS_OF, decision_id=f"decision-{number}", dataset_id=name)
        self.registry.put_version(world.MODEL, version)
        return name

    def uses(self, hour: int) -> list[tuple[str, str, int]]:
        occurred = START + timedelta(hours=hour)
        asked = prediction(
            f"p{hour:05d}", model=world.MODEL, occurred_at=occurred, outcome_due_at=occurred + world.DELAY
        )
        return [(use.dataset_id, use.part, use.seq) for use in uses_of(asked, self.registry, self.lake)]


def test_a_prediction_names_every_dataset_that_holds_it_and_in_which_part() -> None:
    trained = Trained()
    first, second = trained.datasets
    assert trained.uses(hour=24 * 18) == [(second, "train", 1), (first, "holdout", 1)]
    assert trained.uses(hour=24 * 5) == [(first, "train", 1)]
    assert trained.uses(hour=24 * 28) == [(second, "holdout", 1)]


def test_a_prediction_in_no_dataset_names_none() -> None:
    trained = Trained()
    assert trained.uses(hour=24 * 36) == []
    unlike = replace(prediction("p0001", model=world.MODEL), occurred_at=START + timedelta(days=5))
    assert uses_of(unlike, trained.registry, trained.lake) == []


def test_versions_follow_from_datasets_newest_first() -> None:
    trained = Trained()
    first, second = trained.datasets
    found = [versions_trained_on(names, world.MODEL, trained.registry) for names in ([first], [first, second], [])]
    assert found == [["v0"], ["v1", "v0"], []]
