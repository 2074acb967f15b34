from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import Any

import pytest

from hindsight.core.times import microseconds, moment_text
from hindsight.datasets.building.snapshot import take_snapshot
from hindsight.datasets.dataset import Manifest
from hindsight.datasets.dataset_check import DatasetCheckFailure, check_dataset
from hindsight.entities.label_row import LabelRow
from hindsight.testing.aws.lake import InMemoryLake
from tests.unit.training.world import DELAY, START, learnable, revision, store

AS_OF = START + timedelta(days=30)


def taken(
    rows: list[LabelRow], as_of: Any = AS_OF, previous: Any = None, **sections: Any
) -> Manifest | DatasetCheckFailure:
    lake = InMemoryLake()
    store(lake, rows)
    return take_snapshot(lake, revision(**sections), as_of, previous)


def snapshot(rows: list[LabelRow], as_of: Any = AS_OF) -> Manifest:
    found = taken(rows, as_of)
    assert isinstance(found, Manifest), found
    return found


def refusal(rows: list[LabelRow], **sections: Any) -> DatasetCheckFailure:
    found = taken(rows, **sections)
    assert isinstance(found, DatasetCheckFailure), found.counts
    return found


def with_feature(rows: list[LabelRow], name: str, values: Any) -> list[LabelRow]:
    return [replace(row, features={**row.features, name: values(place)}) for place, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "too_few_rows"),
        (learnable(80), "too_few_rows"),
        ([replace(row, value=1) for row in learnable(600)], "one_class"),
        ([replace(row, features=dict.fromkeys(row.features)) for row in learnable(600)], "no_features"),
        ([replace(row, value=position % 3 == 0) for position, row in enumerate(learnable(600))], None),
        ([replace(row, value=True if position % 2 else 1) for position, row in enumerate(learnable(600))], "one_class"),
    ],
)
def test_dataset_without_enough_to_learn_from_is_refused(rows: list[LabelRow], reason: str | None) -> None:
    lake = InMemoryLake()
    store(lake, rows)
    found = take_snapshot(lake, revision(training={"holdout": 0.3}), AS_OF)
    assert (found.reason if isinstance(found, DatasetCheckFailure) else None) == reason
    assert isinstance(found, Manifest) == any(key.startswith("datasets/") for key in lake.objects)


def test_a_regression_s_labels_that_are_all_the_same_are_one_class() -> None:
    rows = [replace(row, value=2.5) for row in learnable(600)]
    assert refusal(rows, task="regression").reason == "one_class"


def test_a_window_that_only_slid_on_has_nothing_new() -> None:
    first = snapshot(learnable(600))
    later = snapshot(learnable(600)[48:], AS_OF + timedelta(days=2))
    assert later.digest != first.digest
    found = check_dataset(later, first.record)
    assert found is not None
    assert found.reason == "no_new_information"


def test_one_amended_label_is_new_information() -> None:
    rows = learnable(600)
    amended = replace(rows[300], seq=2, value=1 - int(rows[300].value or 0), known_at=AS_OF + timedelta(hours=1))
    later = snapshot([*rows, amended], AS_OF + timedelta(days=2))
    assert check_dataset(later, snapshot(rows).record) is None


def test_a_label_known_before_but_matured_since_is_new_information() -> None:
    rows = learnable(600)
    rows[550] = replace(rows[550], outcome_due_at=AS_OF + DELAY)
    assert check_dataset(snapshot(rows, AS_OF + DELAY), snapshot(rows).record) is None


def test_another_configuration_is_new_information() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    first = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(first, Manifest)
    assert isinstance(take_snapshot(lake, revision(), AS_OF, first.record), DatasetCheckFailure)
    assert isinstance(take_snapshot(lake, revision(number=2), AS_OF, first.record), Manifest)


def test_split_that_leaves_nothing_to_train_on_says_why_and_remedy() -> None:
    rows = learnable(600)
    at_once = refusal([replace(row, occurred_at=rows[0].occurred_at) for row in rows])
    late = refusal([replace(row, outcome_due_at=row.occurred_at + (AS_OF - rows[0].occurred_at) * 0.6) for row in rows])

    assert at_once.detail.startswith("0 rows to train, at least 50 are needed: all 600 labelled predictions are of one")
    assert "occurred_at" in at_once.detail
    assert late.detail.startswith("0 rows to train, at least 50 are needed: ")
    assert "were not due by then" in late.detail


def test_history_that_shows_the_quick_outcomes_alone_is_too_short_and_says_how_long() -> None:
    rows = learnable(600)
    ages = [AS_OF - row.occurred_at for row in rows]
    booked = [
        replace(row, outcome_due_at=row.occurred_at + ages[0] * (number % 10) / 10) for number, row in enumerate(rows)
    ]
    due = [row for row in booked if row.outcome_due_at <= AS_OF]

    found = refusal(due)

    assert found.reason == "short_history"
    days = ages[0] / timedelta(days=1)
    assert f"the oldest of the window is only {days:.0f} days old" in found.detail
    assert f"training.window to P{ceil(3 * 0.7 * days)}D" in found.detail


def test_history_twice_as_long_as_the_delays_is_long_enough() -> None:
    rows = learnable(600)
    longest = (AS_OF - rows[0].occurred_at) / 2.5
    booked = [
        replace(row, outcome_due_at=row.occurred_at + longest * (number % 10) / 10) for number, row in enumerate(rows)
    ]
    taken = snapshot([row for row in booked if row.outcome_due_at <= AS_OF])

    assert taken.rows["immature"] > 0
    assert taken.boundary <= moment_text(microseconds(AS_OF - longest * 0.7))
    assert check_dataset(taken) is None


def test_labels_of_another_task_are_a_schema_change_and_not_too_few_rows() -> None:
    found = refusal([replace(row, value="high") for row in learnable(600)])
    assert found == DatasetCheckFailure(
        reason="schema_change", detail="600 of 600 labels of the window cannot be those of a binary task"
    )


def test_a_feature_captured_as_another_type_is_a_schema_change_with_its_numbers() -> None:
    found = refusal(with_feature(learnable(600), "temperature", lambda place: "warm" if place % 3 else 0.1))
    assert found.reason == "schema_change"
    assert found.detail.startswith("'temperature' is declared numeric, and ")
    assert "of 577 rows have a value of another type" in found.detail


def test_a_few_values_of_another_type_are_missing_values_and_counted() -> None:
    found = snapshot(with_feature(learnable(600), "temperature", lambda place: "warm" if place % 10 == 0 else 0.1))
    assert found.unfit == {"temperature": found.counts["train"]["rows"] // 10 + 1 + 12}


def test_a_feature_that_only_the_holdout_has_is_a_schema_change() -> None:
    found = refusal(with_feature(learnable(600), "temperature", lambda place: 0.5 if place >= 480 else None))
    assert found == DatasetCheckFailure(
        reason="schema_change",
        detail="'temperature' has a value in 0 of 457 rows to train on, in 120 of 120 of the holdout",
    )


def test_a_rare_feature_that_the_holdout_lacks_by_chance_is_none() -> None:
    found = snapshot(with_feature(learnable(600), "temperature", lambda place: 0.5 if place == 10 else None))
    assert [found.present[part]["temperature"] for part in ("train", "holdout")] == [1, 0]


def test_a_feature_that_the_last_run_had_and_that_is_gone_is_a_schema_change() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    configured = revision(training={"window": "P20D"})
    first = take_snapshot(lake, configured, AS_OF)
    assert isinstance(first, Manifest)
    moved = []
    for row in with_feature(learnable(600), "hour", lambda _: None):
        occurred = row.occurred_at + timedelta(days=50)
        times = {"occurred_at": occurred, "outcome_due_at": occurred + DELAY, "known_at": occurred + DELAY}
        moved.append(replace(row, prediction_id=f"later-{row.prediction_id}", **times))
    store(lake, moved)
    found = take_snapshot(lake, configured, AS_OF + timedelta(days=48), first.record)
    assert isinstance(found, DatasetCheckFailure)
    assert found.reason == "schema_change"
    assert "'hour' has no value in any of" in found.detail
    assert f"in {first.dataset_id} it had one in" in found.detail


def test_newest_labels_that_are_another_kind_are_refused_where_that_is_asked_for() -> None:
    rows = learnable(600)
    flooded = [replace(row, value=1) if place >= 480 and place % 10 else row for place, row in enumerate(rows)]
    found = refusal(flooded, training={"max_label_shift": 0.2})
    assert found.reason == "label_shift"
    assert "of the newest" in found.detail
    assert isinstance(taken(flooded), Manifest)
    assert isinstance(taken(rows, training={"max_label_shift": 0.2}), Manifest)


def test_few_labels_raise_no_alarm_about_their_shares() -> None:
    rows = [replace(row, value=int(place % 3 == 0)) for place, row in enumerate(learnable(600))]
    few = [replace(row, value=1) if place >= 575 and place % 2 else row for place, row in enumerate(rows)]
    assert isinstance(taken(few, training={"max_label_shift": 0.2, "holdout": 0.05}), Manifest)


def test_a_regression_s_newest_labels_are_held_against_those_before_too() -> None:
    rows = learnable(600, task="regression")
    flooded = [replace(row, value=9.5) if place >= 480 and place % 10 else row for place, row in enumerate(rows)]
    found = refusal(flooded, task="regression", training={"max_label_shift": 0.4})
    assert found.reason == "label_shift"
    assert "of the newest 120 labels are at most " in found.detail
    assert isinstance(taken(rows, task="regression", training={"max_label_shift": 0.05}), Manifest)
    few = [replace(row, value=9.5) if place >= 585 else row for place, row in enumerate(rows)]
    assert isinstance(taken(few, task="regression", training={"max_label_shift": 0.2, "holdout": 0.05}), Manifest)
