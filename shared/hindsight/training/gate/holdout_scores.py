"""The scores of a holdout that another trainer sends: read strictly, in the order of the holdout's rows."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hindsight.config.metrics import Task
from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import InvalidInput
from hindsight.ingestion.instance import ScoredInstance
from hindsight.ingestion.scored_rows import ScoredRow, scored_rows
from hindsight.lake.object_store import Lake
from hindsight.training.models.scoring import Predictions


@dataclass(frozen=True, slots=True)
class HoldoutScores:
    """The predictions for a holdout and their digest, the same in any order of the file's rows."""

    predictions: Predictions
    digest: str


def read_holdout_scores(
    lake: Lake, key: str, prediction_ids: Sequence[str], configuration: ModelConfiguration, path: str
) -> HoldoutScores:
    """Read the scores of exactly these predictions.

    Raises InvalidInput for a row that is missing, repeated, of another prediction, or wrong in itself, with the path.
    """
    places = {name: place for place, name in enumerate(prediction_ids)}
    found = list[ScoredRow | None]([None] * len(places))
    for row in scored_rows(lake, key, configuration, path):
        if row.prediction_id is None:
            raise InvalidInput.at(f"{row.path}.prediction_id", "is required")
        place = places.get(row.prediction_id)
        if place is None:
            raise InvalidInput.at(f"{row.path}.prediction_id", f"{row.prediction_id!r} is not in the holdout")
        if (first := found[place]) is not None:
            raise InvalidInput.at(f"{row.path}.prediction_id", f"is that of line {first.line} again")
        found[place] = row
    missing = [name for name, row in zip(prediction_ids, found, strict=True) if row is None]
    if missing:
        raise InvalidInput.at(
            path, f"has no row for {len(missing):,} of the holdout's {len(found):,} predictions, {missing[0]!r} first"
        )
    return _aligned([row for row in found if row is not None], configuration.task)


def _aligned(rows: Sequence[ScoredRow], task: Task) -> HoldoutScores:
    answers = [row.scored for row in rows]
    scores = np.array([answer.score for answer in answers], dtype=np.float64)
    if task is not Task.MULTICLASS:
        decisions = np.array([float(answer.decision) for answer in answers], dtype=np.float64)
        return _digested(Predictions(task, decisions, scores))
    texts = np.array([str(answer.decision) for answer in answers], dtype=np.str_)
    given = [row for row in rows if row.scored.probabilities is not None]
    if not given:
        return _digested(Predictions(task, texts, scores))
    if len(given) < len(rows):
        lacking = next(row for row in rows if row.scored.probabilities is None)
        raise InvalidInput.at(f"{lacking.path}.probabilities", f"is required: line {given[0].line} has them")
    classes = tuple(sorted({name for answer in answers for name in answer.probabilities or {}}))
    return _digested(Predictions(task, texts, scores, _table(answers, classes), classes))


def _table(
    answers: Sequence[ScoredInstance], classes: Sequence[str]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([[(answer.probabilities or {}).get(name, 0.0) for name in classes] for answer in answers])


def _digested(predictions: Predictions) -> HoldoutScores:
    running = hashlib.sha256(repr(predictions.classes).encode())
    for array in (predictions.scores, predictions.decisions, predictions.probabilities):
        running.update(b"" if array is None else array.tobytes())
    return HoldoutScores(predictions, running.hexdigest())
