"""A replay logs predictions that were rejected, of imports and of calls, by the checks of their door."""

import json
from typing import Any

import pytest

from hindsight.config.parse import parse_configuration
from hindsight.core import compact_json
from hindsight.quarantine.rejects import RejectCode, RowKind
from hindsight.quarantine.store import QuarantinedRow
from tests.unit.labels.builders import DEMAND, MODEL, at
from tests.unit.replay.replaying import ASKED_AT, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def prediction_row(number: int, received: float = 1, **item: Any) -> QuarantinedRow:
    body = {"features": {"hour": "7"}, "score": 0.5, "model_version": "v1", **item}
    return QuarantinedRow(
        code=RejectCode.INVALID,
        reason="score must be a number",
        day=at(received).date(),
        model=MODEL,
        kind=RowKind.PREDICTION,
        received_at=at(received),
        file="imports/model=bike-demand/predictions/a.jsonl",
        line=number,
        text=json.dumps(body),
    )


def test_predictions_are_replayed_as_known_from_now_on(bench: Bench) -> None:
    bench.quarantine.put([prediction_row(1), prediction_row(2), prediction_row(3, score=7), prediction_row(4, x=1)])

    counts = bench.replay()

    assert counts == {"replayed": 2, "joined": 0, "kept": {"invalid": 2}}
    kept = list(bench.predictions.kept.values())
    assert {(found.occurred_at, found.received_at) for found in kept} == {(at(1), ASKED_AT)}
    assert len({found.prediction_id for found in kept}) == 2
    assert sorted(row["path"] for row in bench.quarantined()) == ["score", "x"]


def test_a_conflicting_prediction_stays_as_a_conflict(bench: Bench) -> None:
    bench.quarantine.put([prediction_row(1, prediction_id="p"), prediction_row(2, prediction_id="p", score=0.9)])

    assert bench.replay() == {"replayed": 1, "joined": 0, "kept": {"conflict": 1}}
    assert [(row["code"], row["kind"]) for row in bench.quarantined()] == [("conflict", "prediction")]


def sent(**changes: Any) -> dict[str, Any]:
    return {"features": {"hour": "7", "colour": "red"}, "score": 0.5, "model_version": "v1", **changes}


def declare_colour(bench: Bench) -> None:
    features = {name: {"type": "categorical"} for name in ("hour", "colour")}
    declared = {"model": MODEL, "task": "binary", "features": features, "labels": {"rules": [DEMAND]}}
    bench.configurations.put(parse_configuration(declared), at(100))


def test_predictions_rejected_at_the_door_are_logged_once_their_feature_is_declared(bench: Bench) -> None:
    bench.log(sent(prediction_id="p-7", entity_id="station"), sent(prediction_id="p-8", score=2))
    assert [(row["kind"], row["path"]) for row in bench.quarantined()] == [
        ("prediction", "features.colour"),
        ("prediction", "score"),
    ]
    declare_colour(bench)

    counts = bench.replay()

    assert counts == {"replayed": 1, "joined": 0, "kept": {"invalid": 1}}
    (kept,) = bench.predictions.kept.values()
    assert (kept.prediction_id, kept.entity_id, dict(kept.features)) == (
        "p-7",
        "station",
        {"hour": "7", "colour": "red"},
    )
    # It occurred when it was sent, and was not known before the replay.
    assert (kept.occurred_at, kept.received_at) == (at(1), ASKED_AT)
    assert [row["path"] for row in bench.quarantined()] == ["score"]
    assert [(row["outcome"], row["kind"]) for row in bench.replayed()] == [("replayed", "prediction")]


def test_a_client_that_sends_its_prediction_again_after_the_replay_changes_nothing(bench: Bench) -> None:
    bench.log(sent(prediction_id="p-7"))
    declare_colour(bench)
    bench.replay()
    kept = dict(bench.predictions.kept)

    bench.log(sent(prediction_id="p-7"), hours=201)

    assert bench.predictions.kept == kept
    assert bench.quarantined() == []


def test_rejected_predictions_without_an_id_get_one_that_a_second_replay_gives_them_again(bench: Bench) -> None:
    bench.log(sent(), sent())
    rows = bench.quarantined()
    declare_colour(bench)
    assert bench.replay()["replayed"] == 2
    names = {key.prediction_id for key in bench.predictions.kept}
    assert len(names) == 2
    assert all(name.startswith("replay-") for name in names)

    # A replay that died before it took them from the quarantine.
    bench.quarantine.put(QuarantinedRow.from_json(row, at(1).date()) for row in rows)
    assert bench.replay("request-2")["replayed"] == 2
    assert {key.prediction_id for key in bench.predictions.kept} == names


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"received_at": "2026-03-01T12:00:00Z"}, "received_at"),
        ({"occurred_at": "2027-03-01T12:00:00Z"}, "occurred_at"),
        ({"propensity": 7}, "propensity"),
    ],
)
def test_a_replay_checks_predictions_as_the_door_does(bench: Bench, change: dict[str, Any], path: str) -> None:
    bench.log(sent(prediction_id="p-7", **change))
    declare_colour(bench)

    assert bench.replay() == {"replayed": 0, "joined": 0, "kept": {"invalid": 1}}
    assert [row["path"] for row in bench.quarantined()] == [path]
    assert not bench.predictions.kept


def test_value_that_is_no_json_is_no_category_after_a_replay(bench: Bench) -> None:
    bench.log(compact_json.parse('{"features": {"hour": NaN}, "score": 0.5, "model_version": "v1"}'))
    before = bench.quarantined()

    assert bench.replay() == {"replayed": 0, "joined": 0, "kept": {"invalid": 1}}
    assert bench.quarantined() == before
    assert not bench.predictions.kept


def test_a_conflict_of_the_door_and_a_prediction_that_was_cut_stay(bench: Bench) -> None:
    declare_colour(bench)
    bench.log(sent(prediction_id="p-7"), sent(prediction_id="p-7", score=0.9), sent(note="x" * 10_000))
    kept = dict(bench.predictions.kept)

    assert bench.replay() == {"replayed": 0, "joined": 0, "kept": {"conflict": 1, "invalid": 1}}
    assert bench.predictions.kept == kept


def test_a_rejected_prediction_that_an_older_join_could_not_read_is_one_by_its_second_replay(bench: Bench) -> None:
    bench.log(sent(prediction_id="p-7"))
    (line,) = bench.lake.read_bytes(bench.stream.files[0]).splitlines()
    for name in list(bench.lake.keys("quarantine/")):
        bench.lake.delete(name)
    row = QuarantinedRow(
        code=RejectCode.MALFORMED,
        reason="an older reader could not",
        day=at(0).date(),
        model=MODEL,
        file=bench.stream.files[0],
        line=1,
        text=line.decode(),
    )
    bench.quarantine.put([row])
    declare_colour(bench)

    assert bench.replay()["kept"] == {"invalid": 1}
    assert [row["kind"] for row in bench.quarantined()] == ["prediction"]
    assert bench.replay("request-2")["replayed"] == 1
