"""A file as a stream of rows in event time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from hindsight.config.features import FeatureType
from hindsight.config.labels import canonical_text
from hindsight.config.model import ModelConfiguration
from hindsight.core.times import format_time, parse_time
from hindsight.entities.prediction import FeatureValue
from local.spec import InvalidSpec, ReplaySpec

_TRUE, _FALSE = frozenset({"1", "true", "t", "yes"}), frozenset({"0", "false", "f", "no"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: an instance, and what came of it (None: nothing was ever heard)."""

    prediction_id: str
    features: dict[str, FeatureValue]
    occurred_at: datetime
    outcome: bool | int | float | str | None
    known_at: datetime
    outcome_due_at: datetime | None
    entity_id: str | None

    def instance(self) -> dict[str, Any]:
        """Build the instance of the predict call."""
        body: dict[str, Any] = {
            "prediction_id": self.prediction_id,
            "features": self.features,
            "occurred_at": format_time(self.occurred_at),
        }
        if self.entity_id is not None:
            body["entity_id"] = self.entity_id
        if self.outcome_due_at is not None:
            body["outcome_due_at"] = format_time(self.outcome_due_at)
        return body

    def feedback(self, event: str) -> dict[str, Any]:
        """Build the event of the feedback call."""
        return {
            "feedback_id": f"{self.prediction_id}-outcome",
            "prediction_id": self.prediction_id,
            "name": event,
            "value": self.outcome,
            "occurred_at": format_time(self.known_at),
        }


def read_rows(path: Path, spec: ReplaySpec, configuration: ModelConfiguration) -> list[Row]:
    """Read a file's rows in order of time. Raises InvalidSpec for columns that are missing or cannot be read."""
    try:
        table = pd.read_csv(path, low_memory=False)
    except (OSError, ValueError) as error:
        raise InvalidSpec(f"{path}: {error}") from error
    if unknown := sorted(spec.features.keys() - configuration.features.keys()):
        raise InvalidSpec(f"features.{unknown[0]}: the configuration declares no such feature")
    if table.empty:
        raise InvalidSpec(f"{path} has no rows")
    columns = {name: spec.features.get(name, name) for name in configuration.features}
    _require_columns(table, spec, columns, path)
    occurred = _times(table, spec)
    known = _known(table, spec, occurred)
    due = _column_times(table[spec.outcome_due_at]) if spec.outcome_due_at else [None] * len(table)
    features = {
        name: [_feature(value, feature.type) for value in table[columns[name]].tolist()]
        for name, feature in configuration.features.items()
    }
    outcomes = table[spec.outcome.column].tolist()
    entities = [_plain(value) for value in table[spec.entity].tolist()] if spec.entity else [None] * len(table)
    rows = [
        Row(
            prediction_id=f"row-{position}",
            features={name: values[position] for name, values in features.items()},
            occurred_at=_required(occurred[position], position),
            outcome=_plain(outcomes[position]),
            known_at=known[position] or _required(occurred[position], position),
            outcome_due_at=due[position],
            entity_id=None if entities[position] is None else canonical_text(entities[position]),
        )
        for position in range(len(table))
    ]
    return sorted(rows, key=lambda row: row.occurred_at)


def _require_columns(table: pd.DataFrame, spec: ReplaySpec, features: dict[str, str], path: Path) -> None:
    wanted = [spec.outcome.column, spec.time.column, spec.outcome.known_at, spec.outcome_due_at, spec.entity]
    missing = sorted({name for name in [*wanted, *features.values()] if name is not None} - set(table.columns))
    if missing:
        raise InvalidSpec(f"{path} has no column {', '.join(missing)}")


def _times(table: pd.DataFrame, spec: ReplaySpec) -> Sequence[datetime | None]:
    if spec.time.column is not None:
        return _column_times(table[spec.time.column])
    start, step = parse_time(spec.time.start), timedelta(days=1) / (spec.time.rows_per_day or 1)
    return [start + position * step for position in range(len(table))]


def _known(table: pd.DataFrame, spec: ReplaySpec, occurred: Sequence[datetime | None]) -> Sequence[datetime | None]:
    if spec.outcome.known_at is not None:
        return _column_times(table[spec.outcome.known_at])
    delay = spec.outcome.known_after or timedelta(0)
    return [None if moment is None else moment + delay for moment in occurred]


def _column_times(column: "pd.Series[Any]") -> list[datetime | None]:
    try:
        moments = pd.to_datetime(column, utc=True)
    except (ValueError, TypeError) as error:
        raise InvalidSpec(f"the column {column.name} does not hold times: {error}") from error
    return [None if pd.isna(moment) else moment.to_pydatetime().astimezone(UTC) for moment in moments]


def _required(moment: datetime | None, position: int) -> datetime:
    if moment is None:
        raise InvalidSpec(f"row {position} has no time")
    return moment


def _feature(value: Any, kind: FeatureType) -> FeatureValue:
    plain = _plain(value)
    if plain is None:
        return None
    text = canonical_text(plain)
    if kind is FeatureType.BOOLEAN:
        if text.lower() not in _TRUE | _FALSE:
            raise InvalidSpec(f"{text!r} is not a boolean")
        return text.lower() in _TRUE
    if kind is FeatureType.CATEGORICAL:
        return text
    try:
        return float(text)
    except ValueError as error:
        raise InvalidSpec(f"{text!r} is not a number") from error


def _plain(value: Any) -> bool | int | float | str | None:
    """Convert a cell into a Python value; missing ones and NaN are None."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    plain: bool | int | float | str = value.item() if hasattr(value, "item") else value
    return plain
