"""A file as a stream of rows in event time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from hindsight.config.model import ModelConfiguration
from hindsight.core.errors import InvalidInput
from hindsight.core.times import format_time, in_calendar
from hindsight.entities.feedback import FeedbackValue
from hindsight.entities.prediction import FeatureValue
from hindsight.ingestion.feedback_capture import FeedbackReader
from hindsight.ingestion.instance import InstanceItem, InstanceReader
from hindsight.validation.items import parse_item
from hindsight.validation.timestamps import ClientTimestamps
from local.replay.cells import UnreadableCell, feature_of, moment_of, outcome_of
from local.replay.spec import InvalidSpec, ReplaySpec
from local.replay.table import Line, read_table

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file: an instance, and what came of it (None: nothing was ever heard); ``line`` is its first."""

    prediction_id: str
    features: dict[str, FeatureValue]
    occurred_at: datetime
    outcome: FeedbackValue
    known_at: datetime
    outcome_due_at: datetime | None
    entity_id: str | None
    line: int = 0

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


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of the file that makes no row, and why."""

    number: int
    reason: str

    def __str__(self) -> str:
        """Name the line and the reason."""
        return f"line {self.number}: {self.reason}"


@dataclass(slots=True)
class Stream:
    """The rows of a file in order of time, and the lines that make none.

    ``without_known_at`` counts outcomes without the time when they were known: they are never heard. A replay that
    took them for known at once would learn from the future.
    """

    rows: list[Row] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    without_known_at: int = 0


def read_stream(path: Path, spec: ReplaySpec, configuration: ModelConfiguration) -> Stream:
    """Read a file, each row checked as the API will check it.

    Raises InvalidSpec for columns that are missing, and for a file that cannot be read or has no usable row.
    """
    if unknown := sorted(spec.features.keys() - configuration.features.keys()):
        raise InvalidSpec(f"features.{unknown[0]}: the configuration declares no such feature")
    header, lines = read_table(path, spec.separator)
    _require_columns(header, spec, configuration, path)
    reader, stream = _RowReader(spec, configuration), Stream()
    for position, line in enumerate(lines):
        try:
            row = reader.read(line, position)
        except UnreadableCell as error:
            stream.bad.append(BadLine(line.number, str(error)))
        else:
            stream.rows.append(row)
            stream.without_known_at += row.outcome is None and reader.says_outcome(line)
    if not stream.rows:
        raise InvalidSpec(f"{path} has no row that can be used; {stream.bad[0]}")
    stream.rows.sort(key=lambda row: row.occurred_at)
    return stream


def bootstrap_end(spec: ReplaySpec, rows: Sequence[Row]) -> datetime:
    """Find the moment before which rows train the first version. Raises InvalidSpec if that is none of them, or all."""
    if spec.bootstrap.rows is not None:
        if spec.bootstrap.rows >= len(rows):
            raise InvalidSpec(f"bootstrap.rows: the file has only {len(rows)} rows that can be used")
        end = rows[spec.bootstrap.rows].occurred_at
        if end == rows[0].occurred_at:
            raise InvalidSpec(f"bootstrap.rows: the first {spec.bootstrap.rows} rows, and the next, have one time")
        return end
    midnight = rows[0].occurred_at.replace(hour=0, minute=0, second=0, microsecond=0)
    end = midnight + timedelta(days=spec.bootstrap.days or 0)
    if end > rows[-1].occurred_at:
        raise InvalidSpec(f"bootstrap.days: the file ends on {rows[-1].occurred_at:%Y-%m-%d}, before that")
    return end


def _require_columns(header: Sequence[str], spec: ReplaySpec, configuration: ModelConfiguration, path: Path) -> None:
    features = (spec.features.get(name, name) for name in configuration.features)
    wanted = [spec.outcome.column, spec.time.column, spec.outcome.known_at, spec.outcome_due_at, spec.entity]
    missing = sorted({name for name in [*wanted, *features] if name is not None} - set(header))
    if missing:
        raise InvalidSpec(f"{path} has no column {', '.join(missing)}; its columns are {', '.join(header)}")


class _RowReader:
    def __init__(self, spec: ReplaySpec, configuration: ModelConfiguration) -> None:
        self._spec, self._configuration = spec, configuration
        self._missing = frozenset(spec.missing)
        self._start = spec.time.start
        # The doors of the API: a row that they would refuse is named by its line before anything is sent.
        ends = datetime.max.replace(tzinfo=UTC)
        self._instances = InstanceReader(configuration, ends, ClientTimestamps.TRUSTED, new_id=str)
        self._feedback = FeedbackReader(configuration, ends, ClientTimestamps.TRUSTED)

    def read(self, line: Line, position: int) -> Row:
        """Read a row. Raises UnreadableCell, which names the column."""
        if line.fault is not None:
            raise UnreadableCell(line.fault)
        occurred_at = self._occurred_at(line, position)
        outcome, known_at = self._outcome(line, occurred_at)
        row = Row(
            prediction_id=f"row-{position}",
            features={
                name: self._cell(line, self._spec.features.get(name, name), partial(feature_of, kind=feature.type))
                for name, feature in self._configuration.features.items()
            },
            occurred_at=occurred_at,
            outcome=outcome,
            known_at=known_at,
            outcome_due_at=self._cell(line, self._spec.outcome_due_at, moment_of),
            entity_id=self._cell(line, self._spec.entity, str),
            line=line.number,
        )
        self._ask_the_doors(row)
        return row

    def says_outcome(self, line: Line) -> bool:
        """Check whether a row's outcome is given."""
        return line.cells[self._spec.outcome.column] not in self._missing

    def _cell(self, line: Line, column: str | None, read: Callable[[str], T]) -> T | None:
        if column is None or line.cells[column] in self._missing:
            return None
        try:
            return read(line.cells[column])
        except UnreadableCell as error:
            raise UnreadableCell(f"column {column}: {error}") from error

    def _occurred_at(self, line: Line, position: int) -> datetime:
        if self._start is not None:
            try:
                return in_calendar(self._start + position * timedelta(days=1) / (self._spec.time.rows_per_day or 1))
            except (InvalidInput, OverflowError) as error:
                raise UnreadableCell("its time, from time.start on, is beyond the year 9900") from error
        moment = self._cell(line, self._spec.time.column, moment_of)
        if moment is None:
            raise UnreadableCell(f"column {self._spec.time.column}: the row has no time")
        return moment

    def _outcome(self, line: Line, occurred_at: datetime) -> tuple[FeedbackValue, datetime]:
        """Read what came of a row and when it was known; without that time it is never heard."""
        declared = self._spec.outcome
        outcome = self._cell(line, declared.column, lambda text: outcome_of(text, declared.event, self._configuration))
        if declared.known_at is None:
            return outcome, occurred_at + (declared.known_after or timedelta(0))
        known_at = self._cell(line, declared.known_at, moment_of)
        if known_at is None:
            return None, occurred_at
        if known_at < occurred_at - self._configuration.labels.clock_skew:
            raise UnreadableCell(f"column {declared.known_at}: the outcome is known before the prediction is made")
        return outcome, known_at

    def _ask_the_doors(self, row: Row) -> None:
        try:
            self._instances.read(parse_item(InstanceItem, row.instance(), ""), "")
            if row.outcome is not None:
                self._feedback.read(row.feedback(self._spec.outcome.event), "")
        except InvalidInput as error:
            raise UnreadableCell(
                "; ".join(f"{fault.path.lstrip('.')} {fault.message}" for fault in error.faults)
            ) from error
