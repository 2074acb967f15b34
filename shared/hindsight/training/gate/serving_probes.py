"""Rows that serving may bring and training may lack, which a version must answer before it serves."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hindsight.config.features import FeatureType
from hindsight.config.metrics import Task
from hindsight.config.types import MAX_NUMBER
from hindsight.core.errors import UnusableArtifact
from hindsight.training.models.frame import to_frame
from hindsight.training.models.scoring import LoadedVersion, RowPrediction

# As many as a call may have.
MAX_ROWS = 500
MAX_ALONE = 100
_TOLERANCE = 1e-9
_SUM_TOLERANCE = 1e-6
_UNUSUAL: Mapping[FeatureType, Sequence[tuple[str, Any]]] = {
    FeatureType.NUMERIC: (("the largest number", MAX_NUMBER), ("zero", 0.0), ("the least number", -MAX_NUMBER)),
    FeatureType.CATEGORICAL: (("a category never seen", "☃ never seen ☃"), ("an empty text", "")),
    FeatureType.BOOLEAN: (("true", True), ("false", False)),
}

Row = Mapping[str, Any]
Probe = tuple[str, Row]


def unserved_input(loaded: LoadedVersion, golden: Sequence[Row]) -> str | None:
    """Find an input that serving may be given and the version cannot answer; None if it answers all.

    Asked are, from one of the golden rows: each feature null, and all of them; categories never seen; numbers at the
    ends of what is taken; the row alone, among others and repeated. Each row must get one finite prediction, with
    probabilities from 0 to 1 whose sum is 1, and the same alone as among others; the first hundred are asked alone too.
    """
    if not golden:
        return None
    probes = list(probe_rows(golden[0], loaded.schema.features))
    for start in range(0, len(probes), MAX_ROWS):
        if (fault := _first_fault(loaded, probes[start : start + MAX_ROWS])) is not None:
            return fault
    for probe in probes[:MAX_ALONE]:
        if (fault := _first_fault(loaded, [probe])) is not None:
            return f"{fault} in a call of one row"
    alone = loaded.score(golden[:1])
    among = loaded.score([golden[place % len(golden)] for place in range(MAX_ROWS)])
    if len(alone) != 1 or len(among) != MAX_ROWS:
        return "a row more or less than was asked"
    is_same = all(abs(alone[0].score - among[place].score) <= _TOLERANCE for place in range(0, MAX_ROWS, len(golden)))
    return None if is_same else "a row among others, which is answered otherwise than alone"


def probe_rows(row: Row, features: Mapping[str, FeatureType]) -> Iterator[Probe]:
    """Build rows with one unusual value each, by the name of the case.

    >>> [name for name, _ in probe_rows({"x": 1.0}, {"x": FeatureType.BOOLEAN})]
    ['all features null', 'null in x', 'true in x', 'false in x', 'all features at once unusual']
    """
    yield "all features null", dict.fromkeys(features)
    for name, kind in features.items():
        yield f"null in {name}", {**row, name: None}
        for what, value in _UNUSUAL[kind]:
            yield f"{what} in {name}", {**row, name: value}
    yield "all features at once unusual", {name: _UNUSUAL[kind][0][1] for name, kind in features.items()}


def _first_fault(loaded: LoadedVersion, probes: Sequence[Probe]) -> str | None:
    """Find the first probe that is not answered, by halves where a call fails whole."""
    try:
        answers = loaded.score([row for _, row in probes])
    except UnusableArtifact as error:
        if len(probes) == 1:
            return f"{probes[0][0]}: {error.message}"
        middle = len(probes) // 2
        found = _first_fault(loaded, probes[:middle]) or _first_fault(loaded, probes[middle:])
        return found or f"{len(probes)} rows in one call: {error.message}"
    if len(answers) != len(probes):
        return f"{len(probes)} rows in one call: {len(answers)} answers"
    faults = [_fault_of(answer, loaded.schema.task) for answer in answers]
    if not any(faults) and loaded.schema.task is not Task.REGRESSION:
        totals = loaded.raw_chances(to_frame([row for _, row in probes], loaded.schema.features)).sum(axis=1)
        faults = [
            None if abs(total - 1) <= _SUM_TOLERANCE else f"the probabilities add up to {total:g}" for total in totals
        ]
    return next((f"{name}: {fault}" for (name, _), fault in zip(probes, faults, strict=True) if fault), None)


def _fault_of(answer: RowPrediction, task: Task) -> str | None:
    if not math.isfinite(answer.score):
        return f"the score is {answer.score}"
    if task is not Task.REGRESSION and not -_TOLERANCE <= answer.score <= 1 + _TOLERANCE:
        return f"the score {answer.score:g} is no probability"
    if answer.probabilities is None:
        return None
    chances = list(answer.probabilities.values())
    are_sound = all(math.isfinite(chance) and -_TOLERANCE <= chance <= 1 + _TOLERANCE for chance in chances)
    return None if are_sound else "a probability does not lie from 0 to 1"
