"""The specification of a replay: which column is what, and when outcomes were known."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hindsight.config.documents.strict_yaml import parse_yaml
from hindsight.config.model import ModelConfiguration
from hindsight.config.parse import faults_of, parse_configuration
from hindsight.config.types import PositiveDuration, require_consistent, rivals
from hindsight.core.errors import Fault, HindsightError, InvalidInput


class Part(BaseModel):
    """A part of a specification; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Time(Part):
    """The times of predictions: a column, or a number of rows a simulated day from a start on."""

    column: str | None = None
    start: str | None = None
    rows_per_day: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        require_consistent(rivals(self, ("column", "rows_per_day"), required=True))
        if self.start is None and self.rows_per_day is not None:
            require_consistent([Fault("start", "is required with rows_per_day")])
        if self.start is not None and self.rows_per_day is None:
            require_consistent([Fault("start", "is for rows_per_day, not for a column of times")])
        return self


class Outcome(Part):
    """The outcome of a row: its column, its event's name, and when it was known."""

    column: str
    event: str
    known_after: PositiveDuration | None = None
    known_at: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        require_consistent(rivals(self, ("known_after", "known_at"), required=True))
        return self


class Bootstrap(Part):
    """The beginning that trains the first version: days or rows."""

    days: Annotated[int, Field(ge=1)] | None = None
    rows: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        require_consistent(rivals(self, ("days", "rows"), required=True))
        return self


class ReplaySpec(Part):
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
    features: dict[str, str] = {}
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
        spec = ReplaySpec.model_validate(parse_yaml(path.read_text(encoding="utf-8")))
        text = (path.parent / spec.configuration).read_text(encoding="utf-8")
    except ValidationError as error:
        faults = "; ".join(f"{fault.path}: {fault.message}" for fault in faults_of(error))
        raise InvalidSpec(f"{path}: {faults}") from error
    except (OSError, UnicodeError, InvalidInput) as error:
        raise InvalidSpec(f"{path}: {error}") from error
    try:
        document = parse_yaml(text)
        if isinstance(document, dict):
            document = {"model": spec.configuration.stem, **document, **({} if model is None else {"model": model})}
        configuration = parse_configuration(document)
    except InvalidInput as error:
        faults = "; ".join(f"{fault.path}: {fault.message}" for fault in error.faults) or error.message
        raise InvalidSpec(f"{path.parent / spec.configuration}: {faults}") from error
    if spec.outcome.event not in {rule.event for rule in configuration.labels.rules}:
        raise InvalidSpec(f"{path}: outcome.event: no rule of the configuration reads {spec.outcome.event!r}")
    return spec, configuration
