"""Schemas of the lists and records that operators read: models, configurations, versions, datasets."""

from local.openapi.schemas import (
    OBJECT,
    TEXT,
    TEXT_OR_NULL,
    WHOLE,
    YES_OR_NO,
    Schema,
    either,
    listed,
    mapping,
    record,
)

_NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
MODEL_ENTRY = record(
    {
        "model": TEXT,
        "task": TEXT,
        "revision": WHOLE,
        "serving": TEXT,
        "champion": TEXT_OR_NULL,
        "state": TEXT,
        "attention": listed(TEXT),
    }
)
CONFIGURATION = record(
    {
        "model": TEXT,
        "revision": WHOLE,
        "at": TEXT,
        "actor": TEXT_OR_NULL,
        "reason": TEXT_OR_NULL,
        "content_type": TEXT,
        "document": TEXT,
        "configuration": OBJECT,
    }
)
_DATASET: dict[str, Schema] = {
    "dataset_id": TEXT,
    "manifest_key": TEXT,
    "digest": TEXT,
    "as_of": TEXT,
    "configuration_revision": WHOLE,
    "counts": OBJECT,
}
_DATASET_MAY: dict[str, Schema] = {"buckets": WHOLE, "expired_at": TEXT}
DATASET = record(_DATASET, _DATASET_MAY)
_PART = record({"format": TEXT, "labels": YES_OR_NO}, {"url": TEXT})
DATASET_WITH_PARTS = record(
    {
        **_DATASET,
        "manifest": OBJECT,
        "manifest_url": TEXT,
        "sources_total": WHOLE,
        "parts": record({"train": _PART, "holdout": _PART}),
    },
    _DATASET_MAY,
)
_GATE_CHECK = record(
    {"name": TEXT, "passed": YES_OR_NO, "value": _NUMBER_OR_NULL, "limit": _NUMBER_OR_NULL, "detail": TEXT}
)
_ANSWER = record({"approved": YES_OR_NO, "actor": TEXT, "reason": TEXT, "at": TEXT})
VERSION = record(
    {
        "version": TEXT,
        "created_at": TEXT,
        "artifact_key": TEXT,
        "artifact_digest": TEXT,
        "metrics": mapping(_NUMBER_OR_NULL),
        "gate": record(
            {"verdict": TEXT, "checks": listed(_GATE_CHECK), "notes": listed(TEXT), "pointer_sequence": WHOLE},
            {"compared_with": TEXT, "champion_metrics": mapping(_NUMBER_OR_NULL)},
        ),
        "lineage": record(
            {
                "dataset_id": TEXT,
                "configuration_revision": WHOLE,
                "code_version": TEXT,
                "decision_id": TEXT,
                "candidate": TEXT,
                "candidates": listed(OBJECT),
            },
            {"rows": mapping(WHOLE)},
        ),
    },
    {
        "card_key": TEXT,
        "card_url": TEXT,
        "artifact_url": TEXT,
        "registration": OBJECT,
        "expired_at": TEXT,
        "approval": record({"requested_at": TEXT, "expires_at": TEXT, "answer": either(_ANSWER)}),
    },
)
