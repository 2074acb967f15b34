import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.configuration.metrics import Task
from shared.datasets.dataset import read_manifest, read_part
from shared.datasets.examples import Examples, read_examples
from shared.datasets.snapshot import Dataset, Refusal, assemble, rebuild, refuse, take_snapshot
from shared.errors import UnusableDataset
from shared.labels.example import Example
from shared.labels.label import LabelStatus
from shared.monitoring.weights import review_weight
from shared.times import format_time
from tests.fakes.lake import InMemoryLake
from tests.unit.training.world import DELAY, START, example, learnable, revision, store

AS_OF = START + timedelta(days=30)
HOURS = st.integers(0, 24 * 10)


def snapshot(examples: Sequence[Example], as_of: datetime = AS_OF) -> Dataset:
    lake = InMemoryLake()
    store(lake, examples)
    taken = take_snapshot(lake, revision(), as_of)
    assert isinstance(taken, Dataset), taken
    return taken


def found(examples: Sequence[Example], as_of: datetime) -> Examples:
    lake = InMemoryLake()
    store(lake, examples)
    return read_examples(lake, lake.keys("examples/"), START, as_of)


@st.composite
def histories(draw: st.DrawFn) -> list[Example]:
    """Predictions with several label records each, some known late, some of them early."""
    rows = []
    for position in range(draw(st.integers(1, 12))):
        occurred = START + timedelta(hours=draw(HOURS))
        due = occurred + timedelta(hours=draw(HOURS))
        known = occurred
        for seq in range(1, draw(st.integers(1, 3)) + 1):
            known += timedelta(hours=draw(HOURS))
            value = draw(st.sampled_from([0, 1, None]))
            rows.append(
                example(position, occurred_at=occurred, outcome_due_at=due, known_at=known, seq=seq, value=value)
            )
    return rows


@given(histories(), HOURS, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_a_snapshot_sees_what_was_known_then_once_a_prediction_and_matured_only(
    rows: list[Example], hours: int, shuffle: Random
) -> None:
    as_of = START + timedelta(hours=hours)
    expected: dict[str, Example] = {}
    for row in rows:
        known = row.known_at <= as_of and row.outcome_due_at <= as_of and row.occurred_at < as_of
        if known and row.seq >= expected.get(row.prediction_id, row).seq:
            expected[row.prediction_id] = row
    again = [*rows, *rows]
    shuffle.shuffle(again)
    seen = found(again, as_of).rows
    assert {name: (row.seq, row.value) for name, row in seen.items()} == {
        name: (row.seq, row.value) for name, row in expected.items()
    }


@given(histories(), HOURS)
@settings(max_examples=25, deadline=None)
def test_what_is_learnt_later_changes_no_earlier_snapshot(rows: list[Example], hours: int) -> None:
    as_of = START + timedelta(hours=hours)
    known = [row for row in rows if row.known_at <= as_of]
    lake = InMemoryLake()
    store(lake, known)
    before = assemble(read_examples(lake, lake.keys("examples/"), START, as_of), revision(), as_of)
    store(lake, [row for row in rows if row.known_at > as_of])
    after = assemble(read_examples(lake, lake.keys("examples/"), START, as_of), revision(), as_of)
    assert before.manifest == after.manifest


def test_a_snapshot_is_written_with_its_manifest_and_reads_back() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Dataset)
    manifest = read_manifest(lake, "demand", taken.manifest.dataset_id)
    assert manifest == taken.manifest
    rows = {part: list(read_part(lake, manifest, part)) for part in ("train", "holdout")}
    assert len(rows["train"]) == manifest.counts["train"]["rows"] == sum(manifest.counts["train"]["classes"].values())
    assert len(rows["holdout"]) == manifest.counts["holdout"]["rows"] == 120
    assert {row["occurred_at"] >= manifest.boundary for row in rows["holdout"]} == {True}
    assert {row["outcome_due_at"] <= manifest.boundary for row in rows["train"]} == {True}
    assert manifest.counts["dropped"]["gap"] == 600 - 120 - len(rows["train"]) == 23


def test_a_dataset_is_rebuilt_bit_for_bit_whatever_arrived_since() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Dataset)
    changed = [replace(row, seq=2, value=0, known_at=AS_OF + timedelta(hours=1)) for row in learnable(600)]
    store(lake, changed)
    manifest = read_manifest(lake, "demand", taken.manifest.dataset_id)
    assert rebuild(lake, manifest, revision()) == taken
    objects = dict(lake.objects)
    assert take_snapshot(lake, revision(), AS_OF) == taken
    assert lake.objects == objects


def test_a_source_that_was_altered_is_noticed_when_rebuilding() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Dataset)
    source = taken.manifest.sources[0].key
    lake.objects[source] = lake.objects[source].replace(b'"value":1', b'"value":0')
    with pytest.raises(UnusableDataset):
        rebuild(lake, taken.manifest, revision())


def test_a_part_that_was_altered_is_not_trained_on() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Dataset)
    key = taken.manifest.key("train.jsonl.gz")
    lake.objects[key] = b"".join(row.line + b"\n" for row in taken.parts["train"][1:])
    with pytest.raises(UnusableDataset):
        read_part(lake, taken.manifest, "train")


def test_an_outcome_not_due_yet_is_left_out_though_its_label_is_there() -> None:
    rows = learnable(600)
    early = [replace(row, outcome_due_at=AS_OF + timedelta(days=1)) for row in rows[:100]]
    taken = snapshot([*early, *rows[100:]])
    kept = {row.prediction_id for part in taken.parts.values() for row in part}
    assert kept.isdisjoint(row.prediction_id for row in early)


def test_a_censored_label_takes_an_earlier_value_out() -> None:
    rows = learnable(600)
    censored = replace(rows[10], seq=2, value=None, status=LabelStatus.CENSORED)
    taken = snapshot([*rows, censored])
    assert rows[10].prediction_id not in {row.prediction_id for row in taken.parts["train"]}
    assert taken.manifest.counts["dropped"]["unlabelled"] == 1


def test_a_value_the_task_cannot_have_is_left_out_and_counted() -> None:
    rows = learnable(600)
    taken = snapshot([replace(rows[0], value="perhaps"), *rows[1:]])
    assert taken.manifest.counts["dropped"]["unusable_value"] == 1


def test_only_the_newest_rows_are_kept_when_there_are_too_many() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    taken = take_snapshot(lake, revision(training={"max_rows": 200}), AS_OF)
    assert isinstance(taken, Dataset)
    assert taken.manifest.counts["dropped"]["beyond_max_rows"] == 400
    assert min(row.prediction_id for row in taken.parts["train"]) == "p00400"


def test_a_row_keeps_the_probability_of_its_review_and_others_have_no_such_field() -> None:
    rows = found([example(1, selection_probability=0.02), example(2)], AS_OF).rows
    assert json.loads(rows["p00001"].line)["selection_probability"] == 0.02
    assert "selection_probability" not in json.loads(rows["p00002"].line)


@pytest.mark.parametrize("first", ["outcome", "manual"])
def test_a_reviewed_row_tells_whether_it_had_a_value_without_the_review(first: str) -> None:
    reviewed = example(1, source="manual", selection_probability=0.02, seq=2)
    record = json.loads(found([example(1, source=first), reviewed], AS_OF).rows["p00001"].line)
    assert review_weight(record, labelled_anyway=False) == (1.0 if first == "outcome" else 50.0)


def test_predictions_before_the_window_are_left_out() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    taken = take_snapshot(lake, revision(training={"window": "P20D"}), AS_OF)
    assert isinstance(taken, Dataset)
    first = min(row.occurred_at for row in taken.parts["train"])
    assert first == format_time(AS_OF - timedelta(days=20))


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "too_few_rows"),
        (learnable(80), "too_few_rows"),
        ([replace(row, value=1) for row in learnable(600)], "one_class"),
        ([replace(row, value=position % 3 == 0) for position, row in enumerate(learnable(600))], None),
        ([replace(row, value=True if position % 2 else 1) for position, row in enumerate(learnable(600))], "one_class"),
    ],
)
def test_a_dataset_nobody_could_learn_from_is_refused(rows: list[Example], reason: str | None) -> None:
    lake = InMemoryLake()
    store(lake, rows)
    taken = take_snapshot(lake, revision(training={"holdout": 0.3}), AS_OF)
    assert (taken.reason if isinstance(taken, Refusal) else None) == reason
    assert isinstance(taken, Dataset) == any(key.startswith("datasets/") for key in lake.objects)


def test_a_window_that_only_slid_on_has_nothing_new() -> None:
    first = snapshot(learnable(600))
    later = snapshot(learnable(600)[48:], AS_OF + timedelta(days=2))
    assert later.manifest.digest != first.manifest.digest
    refusal = refuse(later, Task.BINARY, first.record)
    assert refusal is not None
    assert refusal.reason == "no_new_information"


def test_one_amended_label_is_new_information() -> None:
    rows = learnable(600)
    amended = replace(rows[300], seq=2, value=1 - int(rows[300].value or 0), known_at=AS_OF + timedelta(hours=1))
    first = snapshot(rows)
    later = snapshot([*rows, amended], AS_OF + timedelta(days=2))
    assert refuse(later, Task.BINARY, first.record) is None


def test_a_label_known_before_but_matured_since_is_new_information() -> None:
    rows = learnable(600)
    rows[550] = replace(rows[550], outcome_due_at=AS_OF + DELAY)
    first, later = snapshot(rows), snapshot(rows, AS_OF + DELAY)
    assert refuse(later, Task.BINARY, first.record) is None


def test_another_configuration_is_new_information() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    first = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(first, Dataset)
    assert isinstance(take_snapshot(lake, revision(), AS_OF, first.record), Refusal)
    assert isinstance(take_snapshot(lake, revision(number=2), AS_OF, first.record), Dataset)
