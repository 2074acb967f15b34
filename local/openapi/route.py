"""A route of the API, and the records that routes answer with."""

from dataclasses import dataclass, field

from hindsight.runtime.http.audiences import Audience
from local.openapi.schemas import (
    TEXT,
    WHOLE,
    Schema,
    listed,
    record,
)

MAX_ITEMS = 500
DEPLOYMENT = record(
    {"sequence": WHOLE, "change": TEXT, "to": TEXT, "reason": TEXT, "actor": TEXT, "at": TEXT},
    {"from": TEXT, "challenger": TEXT, "decision_id": TEXT},
)
RELABELLING = record({"relabel_id": TEXT, "status": TEXT})
ERASURE = record(
    {"erasure_id": TEXT, "status": TEXT, "requested_at": TEXT, "subject": TEXT, "counts": {"type": "object"}}
)
VERIFICATION = record({"dataset_id": TEXT}, {"status": TEXT, "is_reproducible": {"type": ["boolean", "null"]}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method at a path; ``conflicts`` says that it may answer 409, ``most`` is the highest ``limit``."""

    method: str
    path: str
    does: str
    answer: Schema
    status: int = 200
    audiences: tuple[Audience, ...] = (Audience.OPERATOR,)
    body: Schema | None = None
    needs_body: bool = True
    types: tuple[str, ...] = ("application/json",)
    conflicts: bool = False
    most: int | None = None
    query: dict[str, bool] = field(default_factory=dict)


def page(name: str, of: Schema) -> Schema:
    """Build the schema of a page of records under a name."""
    return record({name: listed(of)})
