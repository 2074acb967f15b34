"""The building of profiles: from rows as the lake has them, or faster from columns."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from hindsight.config.features import Feature, FeatureType
from hindsight.config.metrics import Task
from hindsight.profiles.categories import storable_text
from hindsight.profiles.column import ColumnProfile
from hindsight.profiles.numbers import SCORE_K, NumberSketch, Weights
from hindsight.profiles.profile import MAX_DECISIONS, Profile
from hindsight.profiles.reading import (
    Values,
    as_numbers,
    group_texts,
    heaviest_of,
    profile_column,
    profile_numbers,
    profile_texts,
)
from hindsight.profiles.sample import HOUR_CAPACITY, RowSample, SampledRow, hash_ids

_LARGEST_WHOLE = 2**63  # that MessagePack holds
_hour = itemgetter(slice(len("2026-03-01T05")))  # of an RFC 3339 text


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Predictions by column, each of the same length; ``due`` may be empty where it is not needed.

    ``decisions`` are the version's own; ``weights`` are whole numbers, None where each prediction counts once.
    """

    prediction_ids: Sequence[str]
    features: Mapping[str, Values]
    scores: Values
    decisions: Values
    due: Sequence[str] = ()
    weights: Weights | None = None


def profile_rows(
    rows: Iterable[Mapping[str, Any]],
    declared: Mapping[str, Feature],
    task: Task,
    *,
    sample_capacity: int = HOUR_CAPACITY,
) -> Profile:
    """Profile rows of ``predictions/``, each prediction counted once, with any values."""
    once = list({row["prediction_id"]: row for row in rows}.values())
    features = [found if isinstance(found := row.get("features"), Mapping) else {} for row in once]
    columns = Columns(
        prediction_ids=[row["prediction_id"] for row in once],
        features={name: _column(features, name) for name in declared},
        scores=_column(once, "score"),
        decisions=[row.get("decision") if (own := row.get("model_decision")) is None else own for row in once],
        weights=whole_weights(once),
        due=[due for row in once if isinstance(due := row.get("outcome_due_at"), str)],
    )
    return profile_columns(columns, declared, task, sample_capacity=sample_capacity)


def profile_columns(
    columns: Columns, declared: Mapping[str, Feature], task: Task, *, sample_capacity: int = HOUR_CAPACITY
) -> Profile:
    """Profile predictions by column, no prediction twice among them.

    A declared feature without a column is missing in every row; a column that is not declared is left out.
    """
    decides, weights = task is not Task.REGRESSION, columns.weights
    rows = len(columns.prediction_ids)
    total = rows if weights is None else int(weights.sum())
    return Profile(
        rows=rows,
        features={
            name: profile_column(columns.features[name], feature, weights)
            if name in columns.features
            else replace(ColumnProfile.empty(feature.type), rows=total, missing=total, heaviest=heaviest_of(weights))
            for name, feature in declared.items()
        },
        score=profile_numbers(columns.scores, k=SCORE_K, weights=weights),
        decision=profile_texts(columns.decisions, weights=weights) if decides else None,
        score_by_decision=_scores_by_decision(columns) if decides else {},
        due=Counter(map(_hour, columns.due)),
        sample=_sample(columns, declared, sample_capacity),
        weighed=None if weights is None else total,
    )


def whole_weights(rows: Sequence[Mapping[str, Any]]) -> Weights | None:
    """Round the weights of predictions to whole numbers, None where each stands for itself.

    A weight of 2.25 becomes 3 for a quarter of the ids, by their hash, and 2 for the others: right on average.

    >>> rows = [{"prediction_id": str(place), "weight": 2.25} for place in range(10_000)]
    >>> round(float(whole_weights(rows).mean()), 2), whole_weights([{"prediction_id": "a"}])
    (2.25, None)
    """
    weights = np.nan_to_num(as_numbers([row.get("weight") for row in rows])[0], nan=1.0)
    if not (weights > 1).any():
        return None
    below = np.floor(weights)
    draws = hash_ids([f"weight {row['prediction_id']}" for row in rows]) / 2.0**64
    whole: Weights = np.maximum(1, below + (draws < weights - below)).astype(np.int64)
    return whole


def _scores_by_decision(columns: Columns) -> dict[str, NumberSketch]:
    scores, _ = as_numbers(columns.scores)
    texts, places = group_texts(columns.decisions)
    counts = np.bincount(places[places >= 0], minlength=len(texts))
    commonest = sorted(range(len(texts)), key=lambda place: (-counts[place], texts[place]))[:MAX_DECISIONS]
    usable, weights = np.isfinite(scores), columns.weights
    chosen = {storable_text(texts[place]): usable & (places == place) for place in commonest}
    return {
        text: NumberSketch.of(scores[rows], SCORE_K, None if weights is None else weights[rows])
        for text, rows in chosen.items()
    }


def choose_rows(ids: Sequence[str], capacity: int) -> npt.NDArray[np.intp]:
    """Choose the indices of the rows that a sample takes, and of the next one, whose hash is its threshold."""
    hashes = hash_ids(ids)
    return np.arange(len(ids)) if len(ids) <= capacity + 1 else np.argpartition(hashes, capacity)[: capacity + 1]


def _sample(columns: Columns, declared: Mapping[str, Feature], capacity: int) -> RowSample:
    places = choose_rows(columns.prediction_ids, capacity).tolist()
    hashes = hash_ids([columns.prediction_ids[place] for place in places]).tolist()
    rows = (SampledRow.of(value, _row(columns, declared, place)) for value, place in zip(hashes, places, strict=True))
    return RowSample.of(rows, capacity=capacity)


def _row(columns: Columns, declared: Mapping[str, Feature], place: int) -> dict[str, Any]:
    weight = {} if columns.weights is None else {"weight": int(columns.weights[place])}
    return {
        **weight,
        "prediction_id": columns.prediction_ids[place],
        "features": {
            name: _plain(columns.features[name][place], feature.type) if name in columns.features else None
            for name, feature in declared.items()
        },
        "score": _plain(columns.scores[place]),
        "decision": _plain(columns.decisions[place]),
    }


def _plain(value: Any, kind: FeatureType | None = None) -> bool | int | float | str | None:
    """Convert a value to its form in a sample; values of another type, NaN and infinities are left out."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, str):
        return storable_text(plain)
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        return plain if isinstance(plain, bool) else None
    try:
        number = float(plain)
    except OverflowError:
        return None
    if not isfinite(number):
        return None
    if plain is not value and kind is FeatureType.BOOLEAN:
        return bool(plain)  # booleans of a frame are 0 and 1
    return plain if isinstance(plain, float) or abs(plain) < _LARGEST_WHOLE else number


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    try:
        return [row[name] for row in rows]
    except KeyError:
        return [row.get(name) for row in rows]
