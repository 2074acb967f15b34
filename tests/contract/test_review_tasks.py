"""The contract of stores of review tasks, for the fake and DynamoDB alike."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hindsight.adapters.predictions_table.label_store import DynamoLabels
from hindsight.adapters.predictions_table.prediction_store import DynamoPredictions
from hindsight.adapters.predictions_table.review_table import DynamoReviews
from hindsight.entities.prediction import PredictionKey
from hindsight.labels.plan import plan_join
from hindsight.labels.store import LabelStore
from hindsight.review.selection.sample import SampleReason
from hindsight.review.tasks.store import QueueSize, TaskStore
from hindsight.review.tasks.task import Resolution, ReviewTask, TaskState
from hindsight.review.tasks.transitions import answered, leased, resolved, sent, skipped
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.review_tasks import InMemoryReviews
from tests.unit.labels import builders as labels_builders
from tests.unit.labels.builders import MODEL, RETENTION, event, key, prediction, revision
from tests.unit.review.builders import LEASE, configuration, minutes, said, sample, skip

CONFIGURATION = configuration(overlap=2, expires="PT1H")
Save = Callable[..., None]


class Stored:
    """A store of tasks, the labels beside it, and a way to keep predictions."""

    def __init__(self, tasks: TaskStore, labels: LabelStore, save: Save) -> None:
        self.tasks, self.labels, self.save = tasks, labels, save

    def add(self, *names: str, overlap: int = 2) -> None:
        for number, name in enumerate(names):
            self.save(prediction(name))
            configured = configuration(overlap=overlap, expires="PT1H")
            assert self.tasks.add([sample(name, number / 60)], configured) == 1

    def task(self, name: str = "p-1") -> ReviewTask:
        return self.tasks.load([key(name)])[key(name)]

    def write(self, task: ReviewTask | None) -> ReviewTask:
        assert task is not None
        return self.tasks.save([task])[task.key]

    def lease(self, reviewer: str, name: str = "p-1", at: float = 1) -> ReviewTask:
        return self.write(leased(self.task(name), reviewer, minutes(at), LEASE))


@pytest.fixture(params=["in_memory", "dynamodb"])
def stored(request: pytest.FixtureRequest) -> Stored:
    if request.param == "in_memory":
        labels = InMemoryLabels()
        return Stored(InMemoryReviews(labels), labels, lambda made: labels.save(made, RETENTION))
    client = request.getfixturevalue("dynamodb")
    predictions = DynamoPredictions("predictions", client)

    def save(made: Any) -> None:
        predictions.save([made], RETENTION)

    return Stored(DynamoReviews("predictions", client), DynamoLabels("predictions", client), save)


def flat(pages: Iterator[list[PredictionKey]]) -> list[str]:
    return [found.prediction_id for page in pages for found in page]


def available(stored: Stored, reviewer: str = "dot", at: float = 1, *, open_at: float | None = None) -> list[str]:
    closing = None if open_at is None else minutes(open_at)
    return flat(stored.tasks.available(MODEL, reviewer, minutes(at), open_at=closing))


def test_a_sample_becomes_a_task_and_marks_its_prediction(stored: Stored) -> None:
    stored.save(prediction())

    assert stored.tasks.add([sample(reason=SampleReason.UNCERTAIN)], CONFIGURATION) == 1

    assert stored.task() == ReviewTask(
        key=key(),
        reason=SampleReason.UNCERTAIN,
        selection_probability=0.25,
        created_at=minutes(0),
        closes_at=minutes(60),
        overlap=2,
        expires_at=int((minutes(0) + RETENTION).timestamp()),
    )
    assert stored.labels.predictions([key()]) == {key(): prediction(selection_probability=0.25)}


def test_the_same_sampled_again_change_nothing(stored: Stored) -> None:
    stored.add("p-1", "p-2")
    held = stored.lease("ann")
    again = [replace(sample("p-1"), selection_probability=0.9), sample("p-2")]

    assert stored.tasks.add(again, CONFIGURATION) == 0

    assert (stored.task(), stored.labels.predictions([key()])[key()].selection_probability) == (held, 0.25)


def test_among_many_sampled_only_those_of_a_prediction_that_is_there_become_tasks(stored: Stored) -> None:
    names = [f"p-{number}" for number in range(120)]
    for name in names:
        if name not in {"p-7", "p-70"}:
            stored.save(prediction(name))
    stored.labels.commit(
        [plan_join(stored.labels.load([key("p-70")])[0], [event("demand", 150, prediction_id="p-70")], revision())]
    )
    stored.tasks.add([sample("p-3")], CONFIGURATION)

    assert stored.tasks.add([sample(name) for name in names], CONFIGURATION) == 117

    found = stored.tasks.load([key(name) for name in names])
    assert list(found) == [key(name) for name in names if name not in {"p-7", "p-70"}]
    assert stored.labels.predictions([key("p-70")]) == {}


def test_a_probability_comes_back_exactly(stored: Stored) -> None:
    stored.save(prediction())
    stored.tasks.add([replace(sample(), selection_probability=0.1 + 0.2)], CONFIGURATION)
    assert stored.task().selection_probability == 0.1 + 0.2


def test_a_task_comes_back_as_it_was_written(stored: Stored) -> None:
    stored.add("p-1")
    stored.lease("ann")
    stored.lease("a.b:c@d+e=f~g-h", at=2)
    written = stored.write(answered(stored.task(), replace(said("ann", 0.5, 3, "half"), comment="half of it: ½")))
    assert stored.task() == written
    written = stored.write(skipped(written, skip("a.b:c@d+e=f~g-h", 4, "no picture")))
    assert stored.task() == written
    resolution = Resolution(value=False, label=0, event="annotation", occurred_at=minutes(3), at=minutes(4))
    written = stored.write(resolved(written, resolution))
    assert stored.task() == written
    assert stored.write(sent(written)).revision == 6


def test_only_one_of_two_readers_of_a_task_writes_it(stored: Stored) -> None:
    stored.add("p-1", overlap=1)
    read = stored.task()
    first, second = (leased(read, name, minutes(1), LEASE) for name in ("ann", "bob"))
    assert first is not None
    assert second is not None

    assert set(stored.tasks.save([first])) == {key()}
    assert stored.tasks.save([second]) == {}

    assert set(stored.task().leases) == {"ann"}


def test_one_lost_race_does_not_hold_up_the_others(stored: Stored) -> None:
    names = [f"p-{number}" for number in range(30)]
    stored.add(*names, overlap=1)
    read = stored.tasks.load([key(name) for name in names])
    stored.lease("bob", "p-7")
    mine = [found for task in read.values() if (found := leased(task, "ann", minutes(1), LEASE))]

    written = stored.tasks.save(mine)

    assert set(written) == {key(name) for name in names} - {key("p-7")}
    assert {task.revision for task in written.values()} == {1}


def test_a_task_that_is_gone_is_not_written_anew(stored: Stored) -> None:
    stored.add("p-1")
    task = replace(stored.task(), key=key("gone"))
    assert stored.tasks.save([task]) == {}
    assert stored.tasks.load([key("gone")]) == {}


def test_free_tasks_are_available_oldest_first_until_they_are_leased_out(stored: Stored) -> None:
    stored.add("p-1", "p-2", "p-3")
    assert available(stored) == ["p-1", "p-2", "p-3"]
    stored.lease("ann", "p-1")
    assert available(stored) == ["p-1", "p-2", "p-3"]
    stored.lease("bob", "p-1", at=2)
    assert available(stored, at=15.9) == ["p-2", "p-3"]
    assert available(stored, at=16) == ["p-1", "p-2", "p-3"]


def test_disputed_tasks_come_first_then_lapsed_ones(stored: Stored) -> None:
    stored.add("free", "lapsed", "disputed")
    for reviewer, label in (("ann", 0), ("bob", 1)):
        stored.lease(reviewer, "lapsed")
        stored.lease(reviewer, "disputed")
        stored.write(answered(stored.task("disputed"), said(reviewer, label, 2)))
    assert available(stored, at=20) == ["disputed", "lapsed", "free"]


def test_reviewer_who_is_done_with_a_task_does_not_see_it(stored: Stored) -> None:
    stored.add("p-1", "p-2", "p-3")
    for name in ("p-1", "p-2"):
        stored.lease("ann", name)
    stored.write(answered(stored.task("p-1"), said("ann", 1, 2)))
    stored.write(skipped(stored.task("p-2"), skip("ann", 2)))
    assert available(stored, "ann") == ["p-3"]
    assert available(stored, "an") == ["p-1", "p-2", "p-3"]


def test_tasks_that_close_by_a_moment_are_left_out_on_request(stored: Stored) -> None:
    stored.add("p-1", "p-2")
    assert available(stored, at=60, open_at=60) == ["p-2"]
    assert available(stored, at=60) == ["p-1", "p-2"]
    assert flat(stored.tasks.overdue(MODEL, minutes(60))) == ["p-1"]
    assert flat(stored.tasks.overdue(MODEL, minutes(59))) == []


def test_a_resolved_task_lies_unsent_until_it_is_sent(stored: Stored) -> None:
    stored.add("p-1", "p-2")
    resolution = Resolution(value=1, label=1, event="annotation", occurred_at=minutes(3), at=minutes(4))
    for number, reviewer in enumerate(("ann", "bob")):
        stored.lease(reviewer, at=number)
        stored.write(answered(stored.task(), said(reviewer, number, 2)))
    written = stored.write(resolved(stored.task(), resolution))
    assert (flat(stored.tasks.unsent(MODEL)), available(stored)) == (["p-1"], ["p-2"])
    assert stored.tasks.ratings(MODEL, 10) == []

    stored.write(sent(written))

    assert flat(stored.tasks.unsent(MODEL)) == []
    assert stored.tasks.ratings(MODEL, 10) == [{"ann": 0, "bob": 1}]


def test_newest_ratings_are_announced_first_up_to_the_limit(stored: Stored) -> None:
    names = [f"p-{number}" for number in range(5)]
    stored.add(*names)
    for number, name in enumerate(names):
        at = minutes(number)
        both = (said("ann", number, number), said("bob", "b", number))
        resolution = Resolution(value=1, label=1, event="annotation", occurred_at=at, at=at)
        closed = replace(stored.task(name), answers=both, state=TaskState.RESOLVED, resolution=resolution, is_sent=True)
        stored.write(closed)
    assert [found["ann"] for found in stored.tasks.ratings(MODEL, 3)] == [4, 3, 2]


def test_held_tasks_are_those_last_leased_to_the_reviewer(stored: Stored) -> None:
    stored.add("p-1", "p-2", "p-3")
    stored.lease("ann", "p-1")
    stored.lease("ann", "p-2")
    stored.lease("bob", "p-2", at=2)
    held = [sorted(flat(stored.tasks.held(MODEL, reviewer))) for reviewer in ("ann", "bob", "an")]
    assert held == [["p-1", "p-2"], ["p-2"], []]


def test_done_tasks_are_open_ones_and_those_resolved_of_late(stored: Stored) -> None:
    stored.add("old", "new", "unsent", overlap=1)
    for at, name in enumerate(("old", "new", "unsent")):
        answers = (said("ann", 1, at),)
        resolution = Resolution(value=1, label=1, event="annotation", occurred_at=minutes(at), at=minutes(at))
        closed = replace(stored.task(name), answers=answers, state=TaskState.RESOLVED, resolution=resolution)
        stored.write(replace(closed, is_sent=name != "unsent"))
    stored.add("open")
    stored.write(skipped(stored.lease("ann", "open"), skip("ann", 2)))

    counts = [stored.tasks.done(MODEL, *asked) for asked in (("ann", minutes(1), 10), ("ann", minutes(0), 2))]
    assert (counts, stored.tasks.done(MODEL, "bob", minutes(0), 10)) == ([3, 2], 0)


def test_the_queue_is_counted_by_how_its_tasks_lie(stored: Stored) -> None:
    stored.add("free", "leased", "disputed", "closed")
    for reviewer, label in (("ann", 0), ("bob", 1)):
        stored.lease(reviewer, "leased")
        stored.lease(reviewer, "disputed")
        stored.write(answered(stored.task("disputed"), said(reviewer, label, 2)))
    stored.write(replace(stored.task("closed"), state=TaskState.EXPIRED))

    size = stored.tasks.size(MODEL, open_at=None, most=10)

    assert (size, size.open) == (QueueSize(free=1, adjudication=1, leased=1, capped=False), 3)
    assert stored.tasks.size(MODEL, open_at=minutes(60), most=10).open == 2
    assert stored.tasks.size(MODEL, open_at=None, most=1).capped
    assert stored.tasks.size("other", open_at=None, most=10).open == 0


def test_a_task_is_no_part_of_its_prediction_s_label(stored: Stored) -> None:
    stored.add("p-1")
    rules = labels_builders.revision(labels_builders.DEMAND)
    [collection] = stored.labels.load([key()])
    stored.labels.commit([plan_join(collection, [event("demand", 150)], rules)])

    [collection] = stored.labels.load([key()])

    assert (len(collection.feedback), len(collection.labels)) == (1, 1)
    assert stored.task().revision == 0
    assert stored.labels.predictions([key()])[key()].selection_probability == 0.25


def test_a_task_goes_with_its_prediction(dynamodb: Any) -> None:
    predictions, tasks = DynamoPredictions("predictions", dynamodb), DynamoReviews("predictions", dynamodb)
    predictions.save([prediction()], timedelta(days=400))
    tasks.add([sample()], CONFIGURATION)

    items = [
        dynamodb.get_item(TableName="predictions", Key={"pk": {"S": f"{MODEL}#p-1"}, "sk": {"S": kind}})["Item"]
        for kind in ("prediction", "review")
    ]

    assert items[0]["expires_at"] == items[1]["expires_at"]
