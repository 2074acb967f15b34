"""Schemas of what the API takes and gives: of bodies as the code reads them, of answers what a client may rely on."""

from typing import Any

from pydantic import BaseModel

from hindsight.config.model import ModelConfiguration
from hindsight.ingestion.feedback_capture import FeedbackItem
from hindsight.ingestion.instance import InstanceItem
from hindsight.ingestion.prediction_log import PredictionItem
from hindsight.privacy.requests import ErasureRequest
from hindsight.quarantine.replay_request import ReplayRequest
from hindsight.retention.retirement import RetirementRequest
from hindsight.review.requests.body import ReviewOperation
from hindsight.review.tasks.answers import AnswerItem
from hindsight.review.tasks.leasing import LeaseRequest
from hindsight.rollout.approval.body import AnswerBody
from hindsight.rollout.approval.promotion import PromotionRequest
from hindsight.rollout.external.registration import RegistrationRequest
from hindsight.rollout.rollback import RollbackRequest
from hindsight.triggers.evaluation.request import RetrainingRequest
from hindsight.validation.operator_request import DaysRequest
from local.reference.schemas import schemas_of

Schema = dict[str, Any]

MODELS: tuple[type[BaseModel], ...] = (
    AnswerBody,
    AnswerItem,
    LeaseRequest,
    ReviewOperation,
    FeedbackItem,
    InstanceItem,
    PredictionItem,
    PromotionRequest,
    RegistrationRequest,
    ModelConfiguration,
    DaysRequest,
    ErasureRequest,
    ReplayRequest,
    RetrainingRequest,
    RetirementRequest,
    RollbackRequest,
)
TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
ANYTHING: Schema = {}
NUMBER: Schema = {"type": "number"}
OBJECT: Schema = {"type": "object"}
YES_OR_NO: Schema = {"type": "boolean"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}


def components() -> dict[str, Schema]:
    """List the schemas by the names that others refer to them with."""
    found: dict[str, Schema] = {"Error": ERROR, "Receipt": RECEIPT}
    for model in MODELS:
        found |= schemas_of(model, "#/components/schemas/{model}")
    return dict(sorted(found.items()))


def ref(model: type[BaseModel] | str) -> Schema:
    """Build a reference to a schema by its name."""
    return {"$ref": f"#/components/schemas/{model if isinstance(model, str) else model.__name__}"}


def record(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """Build the schema of an object that has some fields, perhaps others; more may come."""
    return {"type": "object", "required": sorted(required), "properties": {**required, **(optional or {})}}


def mapping(schema: Schema) -> Schema:
    """Build the schema of an object whose names are of the caller's, with values of one schema."""
    return {"type": "object", "additionalProperties": schema}


def listed(schema: Schema, most: int | None = None) -> Schema:
    """Build the schema of a list, of at least one item where it is taken."""
    bounds = {} if most is None else {"minItems": 1, "maxItems": most}
    return {"type": "array", "items": schema, **bounds}


def either(schema: Schema) -> Schema:
    """Build a schema that allows null besides."""
    return {"anyOf": [schema, {"type": "null"}]}


BLOCKED_BY = listed(record({"code": TEXT, "reason": TEXT, "details": {"type": "object"}}))
SIGNAL = record(
    {"kind": TEXT, "active": YES_OR_NO, "reason": TEXT, "details": {"type": "object"}, "role": TEXT}, {"since": TEXT}
)
DECISION = record(
    {
        "decision_id": TEXT,
        "model": TEXT,
        "at": TEXT,
        "cause": TEXT,
        "reason": TEXT,
        "triggered": YES_OR_NO,
        "signals": listed(SIGNAL),
        "blocked_by": BLOCKED_BY,
        "explanation": TEXT,
    },
    {
        "new_labels": WHOLE,
        "policy": OBJECT,
        "state": OBJECT,
        "forced": YES_OR_NO,
        "actor": TEXT,
        "fencing_token": WHOLE,
        "outcome": TEXT,
        "outcome_reason": TEXT,
        "outcome_version": TEXT,
        "finished_at": TEXT,
    },
)
ERROR = record(
    {
        "error": record(
            {
                "code": TEXT,
                "message": TEXT,
                "details": listed(record({"path": TEXT, "message": TEXT}, {"line": WHOLE})),
            },
        )
    }
)
_REPORTED = listed(record({"index": WHOLE, "code": TEXT, "message": TEXT}, {"path": TEXT}))
RECEIPT = record({"accepted": listed(TEXT), "rejected": _REPORTED}, {"warnings": _REPORTED})
