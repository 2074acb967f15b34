"""Scores of a holdout from a file: exactly its rows, in any order and format, every fault with its line."""

import gzip
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hindsight.core.errors import InvalidInput
from hindsight.testing.aws.lake import InMemoryLake
from hindsight.training.gate.holdout_scores import HoldoutScores, read_holdout_scores
from tests.unit.training.world import revision

KEY, PATH = "uploads/model=demand/scores", "holdout_scores_key"
IDS = st.lists(
    st.text("abcdefgh é\"',{}-_/", min_size=1, max_size=8).filter(lambda text: text == text.strip()),
    min_size=1,
    max_size=30,
    unique=True,
)


def read(content: bytes | str, ids: Sequence[str], task: str = "binary") -> HoldoutScores:
    lake = InMemoryLake()
    lake.objects[KEY] = content.encode() if isinstance(content, str) else content
    return read_holdout_scores(lake, KEY, ids, revision(task).configuration, PATH)


def lines(rows: Sequence[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(row) for row in rows)


def table(rows: Sequence[dict[str, Any]]) -> str:
    import csv

    file = io.StringIO()
    writer = csv.DictWriter(file, ["prediction_id", "score"])
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


@given(ids=IDS, data=st.data())
def test_any_order_and_format_of_the_rows_gives_the_same_predictions(ids: list[str], data: st.DataObject) -> None:
    scores = data.draw(st.lists(st.floats(0, 1), min_size=len(ids), max_size=len(ids)))
    rows = [{"prediction_id": name, "score": score} for name, score in zip(ids, scores, strict=True)]
    shuffled = data.draw(st.permutations(rows))
    first = read(lines(rows), ids)
    assert first.predictions.scores.tolist() == scores
    assert first.predictions.decisions.tolist() == [float(score >= 0.5) for score in scores]
    for content in (lines(shuffled), table(shuffled), "\ufeff" + table(shuffled), gzip.compress(lines(rows).encode())):
        found = read(content, ids)
        assert found.digest == first.digest
        assert found.predictions.scores.tolist() == scores


@given(ids=IDS, data=st.data())
def test_row_too_few_or_too_many_is_refused_in_any_place(ids: list[str], data: st.DataObject) -> None:
    rows = [{"prediction_id": name, "score": 0.5} for name in ids]
    place = data.draw(st.integers(0, len(rows) - 1))
    fewer = [row for position, row in enumerate(rows) if position != place]
    with pytest.raises(InvalidInput) as found:
        read(lines(fewer), ids)
    assert found.value.faults[0].path == PATH
    for extra in (rows[place], {"prediction_id": "unknown-of-all", "score": 0.5}):
        with pytest.raises(InvalidInput) as refused:
            read(lines([*rows, extra]), ids)
        assert refused.value.faults[0].path == f"{PATH}[{len(rows) + 1}].prediction_id"


@pytest.mark.parametrize(
    ("content", "path", "message"),
    [
        ("", PATH, "without rows"),
        ("PAR1\x15", PATH, "is Parquet"),
        ('{"prediction_id": "a", "score": NaN}', f"{PATH}[1].score", "NaN"),
        ('{"prediction_id": "a", "score": 1e999}', f"{PATH}[1].score", "too large"),
        ('{"prediction_id": "a", "score": 1.01}', f"{PATH}[1].score", "probability"),
        ('{"prediction_id": "a", "score": 0.5, "class": 1}', f"{PATH}[1].class", "not"),
        ('{"prediction_id": "a", "score": 0.5, "decision": 2}', f"{PATH}[1].decision", "0 or 1"),
        ('{"prediction_id": "a", "score": 0.5', f"{PATH}[1]", "not valid JSON"),
        ('[{"prediction_id": "a", "score": 0.5}]', PATH, "is a JSON array"),
        ("prediction_id,score\na,high", f"{PATH}[2].score", "number"),
        ("prediction_id,score\na,nan", f"{PATH}[2].score", "finite"),
        ("prediction_id,score\na", f"{PATH}[2]", "1 values"),
        ("score,score\n0.5,0.5", f"{PATH}[1]", "twice"),
    ],
)
def test_file_that_cannot_be_read_names_its_line(content: str, path: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(content, ["a"])
    [fault] = refused.value.faults
    assert fault.path == path
    assert message in fault.message


def test_classes_come_with_the_probabilities_of_all_or_of_no_rows() -> None:
    row = {"prediction_id": "a", "score": 0.7, "decision": "up", "probabilities": {"up": 0.7, "down": 0.3}}
    found = read(lines([row, row | {"prediction_id": "b"}]), ["a", "b"], "multiclass").predictions
    assert (found.classes, found.decisions.tolist()) == (("down", "up"), ["up", "up"])
    assert found.probabilities is not None
    assert found.probabilities.tolist() == [[0.3, 0.7]] * 2
    bare = {"prediction_id": "b", "score": 0.7, "decision": "up"}
    assert read(lines([bare]), ["b"], "multiclass").predictions.probabilities is None
    with pytest.raises(InvalidInput, match=r"\[2\]\.probabilities is required: line 1 has them"):
        read(lines([row, bare]), ["a", "b"], "multiclass")
    in_csv = 'prediction_id,score,decision,probabilities\na,0.7,up,"{""up"": 0.7, ""down"": 0.3}"'
    assert read(in_csv, ["a"], "multiclass").predictions.probabilities is not None


def test_regression_s_decision_is_its_value() -> None:
    found = read("prediction_id,score\na,-12.5", ["a"], "regression").predictions
    assert (found.scores.tolist(), found.decisions.tolist()) == ([-12.5], [-12.5])
