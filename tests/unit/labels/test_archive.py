from hindsight.core.codec import from_plain
from hindsight.entities.label import Label, LabelRecord, LabelStatus
from hindsight.entities.label_row import LabelRow
from hindsight.entities.prediction import ShadowAnswer
from hindsight.labels.archiving.archive import Archive, LabelChange
from hindsight.labels.archiving.new_labels import NewLabels
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.testing.predictions.label_store import InMemoryLabels
from hindsight.testing.predictions.new_labels import InMemoryNewLabels
from tests.unit.labels.builders import MODEL, RETENTION, at, key, prediction


def change(prediction_id: str, known_hours: float) -> LabelChange:
    label = Label(value=1, status=LabelStatus.FINAL, kind="outcome", event="demand")
    return LabelChange(
        key(prediction_id), LabelRecord(seq=1, label=label, rules_revision=2, known_at=at(known_hours)), at(known_hours)
    )


def test_label_rows_lie_under_the_day_they_were_known_and_due() -> None:
    lake, store = InMemoryLake(), InMemoryLabels()
    for name in ("p-1", "p-2"):
        store.save(prediction(name, propensity=0.25, outcome_due_at=at(2)), RETENTION)

    assert (
        Archive(lake).write_labels(
            "000123", [change("p-1", 1), change("p-2", 24)], store, NewLabels(InMemoryNewLabels())
        )
        == 2
    )

    assert list(lake.objects) == [
        f"labels/model={MODEL}/date=2026-03-01/000123.jsonl.gz",
        f"labels/model={MODEL}/date=2026-03-02/000123.jsonl.gz",
    ]
    (row,) = lake.read_lines(f"labels/model={MODEL}/date=2026-03-02/000123.jsonl.gz")
    found = from_plain(LabelRow, row)
    assert (found.prediction_id, found.value, found.known_at, found.propensity) == ("p-2", 1, at(24), 0.25)
    assert found.features == prediction().features


def test_label_row_of_a_reviewed_prediction_has_its_selection_probability_and_others_no_such_field() -> None:
    lake, store = InMemoryLake(), InMemoryLabels()
    store.save(prediction("picked", selection_probability=0.02), RETENTION)
    store.save(prediction("p-2"), RETENTION)

    Archive(lake).write_labels("1", [change("picked", 60), change("p-2", 60)], store, NewLabels(InMemoryNewLabels()))

    [found] = lake.objects
    picked, other = lake.read_lines(found)
    assert from_plain(LabelRow, picked).selection_probability == 0.02
    assert "selection_probability" not in other
    assert from_plain(LabelRow, other).to_row() == other


def test_label_row_has_the_probabilities_of_all_classes_where_the_prediction_has_them() -> None:
    lake, store = InMemoryLake(), InMemoryLabels()
    store.save(prediction("multiclass", probabilities={"low": 0.25, "high": 0.75}), RETENTION)
    store.save(prediction("p-2"), RETENTION)

    Archive(lake).write_labels(
        "1", [change("multiclass", 60), change("p-2", 60)], store, NewLabels(InMemoryNewLabels())
    )

    [found] = lake.objects
    multiclass, other = lake.read_lines(found)
    assert from_plain(LabelRow, multiclass).probabilities == {"low": 0.25, "high": 0.75}
    assert "probabilities" not in other
    assert from_plain(LabelRow, other).to_row() == other


def test_a_shadow_answer_reaches_label_rows_and_predictions() -> None:
    lake, store = InMemoryLake(), InMemoryLabels()
    said = ShadowAnswer(version="v2", score=0.4, decision=0)
    store.save(prediction("shadowed", shadow=said), RETENTION)
    store.save(prediction("p-2"), RETENTION)

    Archive(lake).write_labels("1", [change("shadowed", 60), change("p-2", 60)], store, NewLabels(InMemoryNewLabels()))
    Archive(lake).write_predictions("2", [prediction("shadowed", shadow=said), prediction("p-2")])

    (shadowed, other), predicted = (list(lake.read_lines(name)) for name in lake.objects)
    assert from_plain(LabelRow, shadowed).shadow == said
    assert from_plain(LabelRow, shadowed).to_row() == shadowed
    assert "shadow" not in other
    assert [row.get("shadow") for row in predicted] == [{"version": "v2", "score": 0.4, "decision": 0}, None]


def test_a_batch_delivered_again_replaces_its_object() -> None:
    lake, store = InMemoryLake(), InMemoryLabels()
    store.save(prediction(), RETENTION)
    Archive(lake).write_labels("1", [change("p-1", 1)], store, NewLabels(InMemoryNewLabels()))
    before = dict(lake.objects)

    Archive(lake).write_labels("1", [change("p-1", 1)], store, NewLabels(InMemoryNewLabels()))

    assert lake.objects == before


def test_a_label_whose_prediction_is_gone_is_passed_over() -> None:
    lake = InMemoryLake()

    assert Archive(lake).write_labels("1", [change("p-1", 1)], InMemoryLabels(), NewLabels(InMemoryNewLabels())) == 0
    assert lake.objects == {}


def test_predictions_lie_under_the_day_they_were_made() -> None:
    lake = InMemoryLake()

    assert Archive(lake).write_predictions("7", [prediction(), prediction("p-2", entity_id="e-1")]) == 2

    first, second = lake.read_lines(f"predictions/model={MODEL}/date=2026-03-01/7.jsonl.gz")
    assert (first["prediction_id"], first["score"], first["occurred_at"]) == ("p-1", 0.7, "2026-03-01T12:00:00.000000Z")
    assert "entity_id" not in first
    assert second["entity_id"] == "e-1"
