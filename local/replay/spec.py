"""The specification of a replay: which column is what, and when outcomes were known."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from hindsight.config.documents.strict_yaml import parse_yaml
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import faults_of, parse_configuration
from hindsight.config.types import Moment, PositiveDuration, Section, require_consistent, rivals
from hindsight.core.errors import Fault, HindsightError, InvalidInput


class Time(Section):
    """The times of predictions: a column, or a number of rows a simulated day from a start on."""

    column: str | None = None
    start: Moment | None = None
    rows_per_day: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        require_consistent(rivals(self, ("column", "rows_per_day"), required=True))
        if self.start is None and self.rows_per_day is not None:
            require_consistent([Fault("start", "is required with rows_per_day")])
        if self.start is not None and self.rows_per_day is None:
            require_consistent([Fault("start", "is for rows_per_day, not for a column of times")])
        return self


class Outcome(Section):
    """The outcome of a row: its column, its event's name, and when it was known."""

    column: str
    event: str
    known_after: PositiveDuration | None = None
    known_at: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        require_consistent(rivals(self, ("known_after", "known_at"), required=True))
        return self


class Bootstrap(Section):
    """The beginning that trains the first version: days or rows."""

    days: Annotated[int, Field(ge=1, le=3660)] | None = None
    rows: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        require_consistent(rivals(self, ("days", "rows"), required=True))
        return self


class ReplaySpec(Section):
    """A replay's specification; paths in it are relative to its file.

    ``features`` maps a declared feature to its column; a feature it leaves out is the column of the same name. Cells
    of one of the texts in ``missing`` are missing; by default empty ones are, and NA is a text like any other.
    """

    configuration: Path
    time: Time
    outcome: Outcome
    bootstrap: Bootstrap
    entity: str | None = None
    outcome_due_at: str | None = None
    features: dict[str, str] = Field(default={})
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    missing: tuple[str, ...] = ("",)
    check_every: PositiveDuration = timedelta(days=1)


class InvalidSpec(HindsightError):
    """The specification of a replay, or the configuration it names, cannot be used."""

    code = "invalid_spec"


def load_spec(path: Path, model: str | None = None) -> tuple[ReplaySpec, ModelConfiguration]:
    """Read a specification and the configuration it names.

    ``model`` is the name to replay under instead of the configuration's; without either it is the name of the
    configuration's file. Raises InvalidSpec.
    """
    try:
        spec = ReplaySpec.model_validate_json(json.dumps(parse_yaml(path.read_text(encoding="utf-8"))))
        text = (path.parent / spec.configuration).read_text(encoding="utf-8")
    except ValidationError as error:
        raise InvalidSpec(f"{path}: {_listed(faults_of(error, ReplaySpec))}") from error
    except OSError as error:
        raise InvalidSpec(f"{error.filename}: {error.strerror}") from error
    except UnicodeError as error:
        raise InvalidSpec(f"{path}, or the configuration it names, is not UTF-8") from error
    except InvalidInput as error:
        raise InvalidSpec(f"{path}: {error.message}") from error
    try:
        document = parse_yaml(text)
        if isinstance(document, dict):
            document = {"model": spec.configuration.stem, **document, **({} if model is None else {"model": model})}
        configuration = parse_configuration(document)
    except InvalidInput as error:
        raise InvalidSpec(f"{path.parent / spec.configuration}: {_listed(error.faults) or error.message}") from error
    if spec.outcome.event not in {rule.event for rule in configuration.labels.rules}:
        raise InvalidSpec(f"{path}: outcome.event: no rule of the configuration reads {spec.outcome.event!r}")
    return spec, configuration


def _listed(faults: Sequence[Fault]) -> str:
    return "; ".join(f"{fault.path}: {fault.message}" if fault.path else fault.message for fault in faults)
