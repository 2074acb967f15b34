"""A route of the API."""

from dataclasses import dataclass

from hindsight.config.types import IDENTIFIER
from hindsight.runtime.http.audiences import Audience
from hindsight.runtime.http.requests import JSON_TYPE
from local.openapi.schemas import TEXT, YES_OR_NO, Schema, listed, record

MAX_ITEMS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A query parameter."""

    name: str
    schema: Schema
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method at a path; ``name`` is its operation's, a verb and a noun.

    ``conflicts`` says that it may answer 409, ``starts_job`` that it may answer 202 with a job instead, ``most`` is the
    highest ``limit``, ``paged`` that it takes ``next_token``.
    """

    name: str
    method: str
    path: str
    does: str
    answer: Schema
    status: int = 200
    audiences: tuple[Audience, ...] = (Audience.OPERATOR,)
    body: Schema | None = None
    needs_body: bool = True
    types: tuple[str, ...] = (JSON_TYPE,)
    conflicts: bool = False
    starts_job: bool = False
    most: int | None = None
    paged: bool = False
    query: tuple[Parameter, ...] = ()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All query parameters, those of pages behind the route's own."""
        limit = {"type": "integer", "minimum": 1, "maximum": self.most}
        token = {"type": "string", "minLength": 1, "maxLength": 1_000}
        return (
            *self.query,
            *([Parameter(name="limit", schema=limit)] if self.most else []),
            *([Parameter(name="next_token", schema=token)] if self.paged else []),
        )


def flag(name: str) -> Parameter:
    """Build a query parameter that is true or false."""
    return Parameter(name=name, schema=YES_OR_NO)


def text(name: str, most: int) -> Parameter:
    """Build a query parameter that is text of some length."""
    return Parameter(name=name, schema={**TEXT, "minLength": 1, "maxLength": most})


def identifier(name: str) -> Parameter:
    """Build a query parameter that is an id."""
    return Parameter(name=name, schema={"type": "string", "pattern": IDENTIFIER})


def page(name: str, of: Schema, **beside: Schema) -> Schema:
    """Build the schema of a page of records under a name."""
    return record({name: listed(of), **beside}, {"next_token": TEXT})


def whole(name: str, of: Schema) -> Schema:
    """Build the schema of a list that is not paged."""
    return record({name: listed(of)})
