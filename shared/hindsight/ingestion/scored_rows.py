"""Uploaded rows with a score: predictions by id, or features, each with what a version answers to them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hindsight.config.features import FeatureType
from hindsight.config.model import ModelConfiguration
from hindsight.config.types import Number
from hindsight.core import compact_json
from hindsight.core.errors import InvalidInput
from hindsight.entities.prediction import Features
from hindsight.ingestion.instance import ScoredInstance
from hindsight.ingestion.prediction_log import (
    DecisionField,
    ProbabilitiesField,
    require_probabilities,
    scored_elsewhere,
)
from hindsight.lake.object_store import Lake
from hindsight.lake.uploads import UploadedRow, uploaded_rows
from hindsight.validation.features import check_features
from hindsight.validation.items import Identifier, RequestItem, parse_item

FEATURE_COLUMN = "feature."
_FLAGS = {"true": True, "false": False}


class ScoredItem(RequestItem):
    """One row as it is sent."""

    prediction_id: Identifier | None = None
    features: dict[str, Any] | None = None
    score: Number
    decision: DecisionField = None
    probabilities: ProbabilitiesField = None


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """One row that was read, ``path`` names it in errors; ``features`` is None where the row has none."""

    path: str
    line: int
    prediction_id: str | None
    features: Features | None
    scored: ScoredInstance


def scored_rows(lake: Lake, key: str, configuration: ModelConfiguration, path: str) -> Iterator[ScoredRow]:
    """Read the rows of an upload. Raises InvalidInput; ``{path}[17].score`` is the score in the file's line 17."""
    for row in uploaded_rows(lake, key, path):
        yield _read(row, configuration, f"{path}[{row.line}]")


def _read(row: UploadedRow, configuration: ModelConfiguration, path: str) -> ScoredRow:
    item = parse_item(ScoredItem, _typed(row.values, configuration) if row.is_text else row.values, path)
    scored = scored_elsewhere(item, configuration.task, path)
    if item.probabilities is not None:
        require_probabilities(item.probabilities, scored, configuration.task, path)
    features = None
    if item.features is not None:
        features, faults = check_features(item.features, configuration.features, f"{path}.features")
        if faults:
            raise InvalidInput(f"{faults[0].path} {faults[0].message}", tuple(faults))
    answer = ScoredInstance(scored.score, scored.decision, item.probabilities)
    return ScoredRow(path, row.line, item.prediction_id, features, answer)


def _typed(values: Mapping[str, str], configuration: ModelConfiguration) -> dict[str, Any]:
    """Read the texts of a CSV row by the types of their columns; an empty one is none."""
    item, features = dict[str, Any](), dict[str, Any]()
    for name, text in values.items():
        if name.startswith(FEATURE_COLUMN):
            feature = name.removeprefix(FEATURE_COLUMN)
            declared = configuration.features.get(feature)
            read = _READ[declared.type] if declared else str
            features[feature] = read(text) if text else None
        elif text:
            item[name] = _FIELDS.get(name, str)(text)
    return item | ({"features": features} if features else {})


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text  # refused by its type, with its path


def _json(text: str) -> Any:
    try:
        return compact_json.parse(text)
    except InvalidInput:
        return text


def _flag(text: str) -> bool | str:
    return _FLAGS.get(text.lower(), text)


_READ: Mapping[FeatureType, Callable[[str], Any]] = {
    FeatureType.NUMERIC: _number,
    FeatureType.BOOLEAN: _flag,
    FeatureType.CATEGORICAL: str,
}
_FIELDS: Mapping[str, Callable[[str], Any]] = {"score": _number, "probabilities": _json}
