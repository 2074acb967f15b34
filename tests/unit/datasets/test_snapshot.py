from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from hindsight.config.features import FeatureType
from hindsight.core.errors import UnusableDataset
from hindsight.core.times import microseconds, moment_text
from hindsight.datasets.building.snapshot import rebuild, take_snapshot
from hindsight.datasets.dataset import Manifest, read_manifest
from hindsight.datasets.part import read_arrays
from hindsight.entities.label import LabelStatus
from hindsight.entities.label_row import LabelRow
from hindsight.evaluation.weights import label_weights
from hindsight.lake.object_store import Lake
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.training.fitting.labelled_frame import LabelledFrame, load_part
from hindsight.training.models.frame import to_frame
from tests.unit.datasets.builders import build, built_of
from tests.unit.training.world import START, example, learnable, revision, store

AS_OF = START + timedelta(days=30)
ALL_HOLDOUT = {"holdout": 0.999}
FEATURES = {name: feature.type for name, feature in revision().configuration.features.items()}
HOURS = st.integers(0, 24 * 10)


def snapshot(examples: Sequence[LabelRow], as_of: datetime = AS_OF) -> Manifest:
    lake = InMemoryLake()
    store(lake, examples)
    return taken_of(lake, as_of)


def taken_of(lake: Lake, as_of: datetime = AS_OF, **sections: object) -> Manifest:
    taken = take_snapshot(lake, revision(**sections), as_of)  # type: ignore[arg-type]
    assert isinstance(taken, Manifest), taken
    return taken


def frames(lake: Lake, manifest: Manifest) -> tuple[LabelledFrame, LabelledFrame]:
    configuration, features = revision().configuration, dict(manifest.columns)
    train, holdout = (load_part(lake, manifest, part, features, configuration) for part in ("train", "holdout"))  # type: ignore[arg-type]
    return train, holdout


@st.composite
def histories(draw: st.DrawFn) -> list[LabelRow]:
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
def test_snapshot_shows_each_matured_prediction_once_as_it_was_known_then(
    rows: list[LabelRow], hours: int, shuffle: Random
) -> None:
    as_of = START + timedelta(hours=hours)
    expected: dict[str, LabelRow] = {}
    for row in rows:
        known = row.known_at <= as_of and row.outcome_due_at <= as_of and row.occurred_at < as_of
        if known and row.seq >= expected.get(row.prediction_id, row).seq:
            expected[row.prediction_id] = row
    again = [*rows, *rows]
    shuffle.shuffle(again)
    seen = built_of(again, as_of, training=ALL_HOLDOUT)
    assert {row["prediction_id"]: (row["seq"], row["label"]) for row in seen.rows} == {
        name: (row.seq, row.value) for name, row in expected.items() if row.value is not None
    }
    assert seen.manifest.counts["dropped"]["unlabelled"] == sum(row.value is None for row in expected.values())


@given(histories(), HOURS)
@settings(max_examples=25, deadline=None)
def test_later_knowledge_changes_no_earlier_snapshot(rows: list[LabelRow], hours: int) -> None:
    as_of = START + timedelta(hours=hours)
    known = [row for row in rows if row.known_at <= as_of]
    lake = InMemoryLake()
    store(lake, known)
    before = build(lake, as_of)
    store(lake, [row for row in rows if row.known_at > as_of])
    assert build(lake, as_of) == before


def test_a_snapshot_is_written_with_its_manifest_and_reads_back() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    taken = take_snapshot(lake, revision(), AS_OF)
    assert isinstance(taken, Manifest)
    manifest = read_manifest(lake, "demand", taken.dataset_id)
    assert manifest == taken
    train, holdout = frames(lake, manifest)
    assert len(train.labels) == manifest.counts["train"]["rows"] == sum(manifest.counts["train"]["classes"].values())
    assert len(holdout.labels) == manifest.counts["holdout"]["rows"] == 120
    assert moment_text(int(holdout.moments.occurred.min())) >= manifest.boundary
    assert moment_text(int(train.moments.due.max())) <= manifest.boundary
    assert manifest.counts["dropped"]["gap"] == 600 - 120 - len(train.labels) == 23


def test_dataset_is_rebuilt_bit_for_bit_after_later_arrivals() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    taken = taken_of(lake)
    changed = [replace(row, seq=2, value=0, known_at=AS_OF + timedelta(hours=1)) for row in learnable(600)]
    store(lake, changed)
    manifest = read_manifest(lake, "demand", taken.dataset_id)
    with rebuild(lake, manifest, revision()) as again:
        assert again.manifest == manifest
        for part, path in again.files.items():
            assert path.read_bytes() == lake.objects[manifest.part_key(part)]
    objects = dict(lake.objects)
    assert taken_of(lake) == taken
    assert lake.objects == objects


def test_a_source_that_was_altered_is_noticed_when_rebuilding() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    taken = taken_of(lake)
    source = taken.sources[0].key
    lake.objects[source] = lake.objects[source].replace(b'"value":1', b'"value":0')
    with pytest.raises(UnusableDataset, match=source), rebuild(lake, taken, revision()):
        pass


@pytest.mark.parametrize("alter", [bytes.upper, lambda content: content[:-100], lambda content: content[:2000], bytes])
def test_a_part_that_was_altered_is_not_trained_on(alter: object) -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    manifest = taken_of(lake)
    key = manifest.part_key("train")
    whole = lake.objects[key]
    lake.objects[key] = alter(whole)  # type: ignore[operator]
    if lake.objects[key] == whole:
        read_arrays(lake, manifest, "train")
        return
    with pytest.raises(UnusableDataset):
        read_arrays(lake, manifest, "train")


def test_one_flipped_bit_of_a_part_is_noticed() -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    manifest = taken_of(lake)
    key = manifest.part_key("holdout")
    content = bytearray(lake.objects[key])
    place = content.index(b"numeric.temperature") + 300
    content[place] ^= 1
    lake.objects[key] = bytes(content)
    with pytest.raises(UnusableDataset):
        read_arrays(lake, manifest, "holdout")


def test_an_outcome_not_due_yet_is_left_out_though_its_label_is_there() -> None:
    rows = learnable(600)
    early = [replace(row, outcome_due_at=AS_OF + timedelta(days=1)) for row in rows[:100]]
    assert built_of([*early, *rows[100:]], AS_OF).ids.isdisjoint(row.prediction_id for row in early)


def test_a_censored_label_takes_an_earlier_value_out() -> None:
    rows = learnable(600)
    censored = replace(rows[10], seq=2, value=None, status=LabelStatus.CENSORED)
    built = built_of([*rows, censored], AS_OF)
    assert rows[10].prediction_id not in built.ids
    assert built.manifest.counts["dropped"]["unlabelled"] == 1


def test_a_value_the_task_cannot_have_is_left_out_and_counted() -> None:
    rows = learnable(600)
    taken = snapshot([replace(rows[0], value="perhaps"), *rows[1:]])
    assert taken.counts["dropped"]["unusable_value"] == 1


@pytest.mark.parametrize(
    ("task", "given", "held"),
    [
        ("binary", [True, 0, 1.0, "1", "maybe"], [1.0, 0.0, 1.0, 1.0]),
        ("regression", [1, -0.5, 1e-7, 2**53, True, "3"], [1.0, -0.5, 1e-7, 2.0**53]),
        ("multiclass", ["up", 1, 1.0, True, "", "ü"], ["up", "1", "1", "true", "", "ü"]),
    ],
)
def test_labels_are_held_as_the_task_takes_them(task: str, given: list[object], held: list[object]) -> None:
    rows = [example(position, value=value) for position, value in enumerate(given)]
    built = built_of(rows, AS_OF, task=task, training=ALL_HOLDOUT)
    assert [row["label"] for row in sorted(built.rows, key=lambda row: row["prediction_id"])] == held
    assert built.manifest.counts["dropped"]["unusable_value"] == len(given) - len(held)


def test_only_the_newest_rows_are_kept_when_there_are_too_many() -> None:
    built = built_of(learnable(600), AS_OF, training={"max_rows": 200})
    assert built.manifest.counts["dropped"]["beyond_max_rows"] == 400
    assert min(built.ids) == "p00400"


def test_rows_of_one_moment_are_in_the_order_of_their_ids() -> None:
    rows = [example(position, occurred_at=START + timedelta(hours=position % 2)) for position in range(40)]
    random = Random(3)
    random.shuffle(rows)
    built = built_of(rows, AS_OF, training={"holdout": 0.01})
    assert [row["prediction_id"] for row in built.parts["holdout"]] == [f"p{place:05d}" for place in range(1, 40, 2)]


def test_a_row_keeps_the_probability_of_its_review_and_its_entity() -> None:
    rows = [example(1, selection_probability=0.02, entity_id="customer-1"), example(2)]
    picked, other = built_of(rows, AS_OF, training=ALL_HOLDOUT).rows
    assert (picked["selection_probability"], picked["entity_id"]) == (0.02, "customer-1")
    assert (other["selection_probability"] != other["selection_probability"], other["entity_id"]) == (True, "")


@pytest.mark.parametrize("first", ["outcome", "manual"])
def test_reviewed_row_shows_if_it_had_a_value_without_the_review(first: str) -> None:
    reviewed = example(1, kind="manual", selection_probability=0.02, seq=2)
    (row,) = built_of([example(1, kind=first), reviewed], AS_OF).rows
    record = {name: row[name] for name in ("kind", "selection_probability", "labelled_without_review")}
    assert label_weights([record], revision().configuration).tolist() == [1.0 if first == "outcome" else 50.0]


def test_frames_carry_entities_weights_and_the_first_rows_as_logged() -> None:
    lake = InMemoryLake()
    rows = learnable(600)
    rows[3] = replace(rows[3], kind="manual", selection_probability=0.1, entity_id="customer-1")
    store(lake, rows)
    train, holdout = frames(lake, taken_of(lake))
    assert (train.weights[3], train.weights[4]) == (10.0, 1.0)
    assert train.entity_ids[2:5] == [None, "customer-1", None]
    assert train.prediction_ids[:2] == ["p00000", "p00001"]
    assert train.first_features == [dict(row.features) for row in rows[:10]]
    assert holdout.first_features == [dict(row.features) for row in rows[480:490]]
    expected = to_frame([row.features for row in rows[:457]], dict(FEATURES))
    assert_frame_equal(train.frame, expected)


def test_predictions_before_the_window_are_left_out() -> None:
    built = built_of(learnable(600), AS_OF, training={"window": "P20D"})
    assert min(row["occurred_at"] for row in built.rows) == microseconds(AS_OF - timedelta(days=20))


def test_dataset_holds_features_of_the_champion_that_changed_type_or_are_no_longer_declared() -> None:
    lake = InMemoryLake()
    store(lake, [replace(row, features={**row.features, "gone": 1.5}) for row in learnable(600)])
    champion = {"hour": FeatureType.NUMERIC, "holiday": FeatureType.BOOLEAN, "gone": FeatureType.NUMERIC}
    taken = take_snapshot(lake, revision(), AS_OF, champion_features=champion)
    assert isinstance(taken, Manifest)
    assert taken.columns[3:] == (("hour", FeatureType.NUMERIC), ("gone", FeatureType.NUMERIC))
    configuration = revision().configuration
    asked = {**champion, "never": FeatureType.CATEGORICAL, "temperature": FeatureType.CATEGORICAL}
    train = load_part(lake, taken, "train", asked, configuration)
    assert train.frame["hour"].tolist()[:3] == [0.0, 1.0, 2.0]
    assert train.frame["gone"].tolist()[:1] == [1.5]
    assert train.frame[["never", "temperature"]].isna().all().all()
    with rebuild(lake, taken, revision()) as again:
        assert again.manifest == taken


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_without_a_row_a_dataset_is_whole_and_empty(task: str) -> None:
    built = built_of([], AS_OF, task=task)
    assert built.rows == []
    assert (built.manifest.boundary, built.manifest.newest, built.manifest.sources) == ("", "", ())


@pytest.mark.parametrize("broken", [b'{"prediction_id":"p"}\n', b"not json", b"\x1f\x8bdamaged", b"[]"])
def test_an_object_that_holds_no_label_records_fails_the_snapshot_by_name(broken: bytes) -> None:
    lake = InMemoryLake()
    store(lake, learnable(600))
    key = "labels/model=demand/date=2026-03-05/broken.jsonl.gz"
    lake.objects[key] = broken
    with pytest.raises(UnusableDataset, match=key):
        take_snapshot(lake, revision(), AS_OF)
