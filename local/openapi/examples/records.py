"""The records that examples are made of."""

from typing import Any

from hindsight.runtime.http.audiences import Audience, refusal_of

AT = "2026-03-01T12:00:00.000000Z"
EARLIER = "2026-02-28T12:00:00.000000Z"
MODEL = "bike-demand"
VERSION = "v20260301T120000Z-18ac3e73-logistic_regression"
BEFORE = "v20260201T120000Z-0c51d6aa-logistic_regression"
DATASET_ID = "d20260301T120000Z-5b0d7c1e9a42"
DECISION_ID = "retrain-20260301T120000Z-18ac3e73"
JOB_ID = "relabelling-20260301T120000.000000Z-19f1064b619d"
SIGNED = "?X-Amz-Signature=…"
LAKE = "https://lake.s3.eu-west-1.amazonaws.com/"
BLOCKED = [{"code": "cooldown", "reason": "the cooldown lasts until 2026-03-02", "details": {"cooldown": "P1D"}}]
EXPLAINED = "Did not retrain because the cooldown lasts until 2026-03-02."


def _refusal(code: str, message: str, path: str | None = None) -> dict[str, Any]:
    details = [] if path is None else [{"path": path, "message": message}]
    return {"error": {"code": code, "message": message if path is None else f"{path} {message}", "details": details}}


REFUSAL_EXAMPLES: dict[int, dict[str, Any]] = {
    400: _refusal("invalid", "must be a whole number from 1 to 1000", "limit"),
    401: _refusal("unauthorized", "the header x-api-key is missing"),
    403: _refusal("forbidden", refusal_of(Audience.APP)["message"]),
    404: _refusal("not_found", "there is no model 'churn'"),
    405: _refusal("method_not_allowed", "this address has no such method"),
    409: _refusal("conflict", "another writer changed it meanwhile; send it again"),
    413: _refusal("too_large", "has 501 items, more than the 500 allowed", "events"),
    415: _refusal("unsupported_type", "the body has a type that is not read here"),
    429: _refusal("throttled", "too many calls; try again later"),
    500: _refusal("error", "something went wrong on our side; try again"),
    502: _refusal("error", "something went wrong on our side; try again"),
    503: _refusal("unavailable", "could not be done in time; send it again"),
    504: _refusal("error", "something went wrong on our side; try again"),
}
REJECTED = {"index": 1, "code": "invalid", "message": "is not a known field", "path": "events[1].colour"}
RECEIPT = {"accepted": ["f-1"], "rejected": [REJECTED]}
DEPLOYMENT = {
    "sequence": 2,
    "change": "promoted",
    "from": BEFORE,
    "to": VERSION,
    "reason": "drift",
    "actor": "pipeline",
    "at": AT,
    "decision_id": DECISION_ID,
}
DECISION = {
    "decision_id": DECISION_ID,
    "model": MODEL,
    "at": AT,
    "cause": "schedule",
    "reason": "drift",
    "triggered": False,
    "signals": [
        {
            "kind": "drift",
            "active": True,
            "reason": "drift of 2 features",
            "details": {"features": 2},
            "role": "counted",
        }
    ],
    "blocked_by": BLOCKED,
    "explanation": EXPLAINED,
    "forced": False,
    "policy": {"combine": "any"},
    "state": {"version": 7},
}
CONFIGURATION = {
    "model": MODEL,
    "revision": 3,
    "at": AT,
    "actor": "key:operator",
    "reason": "a longer window",
    "content_type": "application/yaml",
    "document": "model: bike-demand\ntask: binary\n",
    "configuration": {"model": MODEL, "task": "binary"},
}
VERSION_SHOWN = {
    "version": VERSION,
    "created_at": AT,
    "artifact_key": f"models/model={MODEL}/version={VERSION}/model.skops",
    "artifact_digest": "9f86d081884c7d65",
    "artifact_url": f"{LAKE}models/model.skops{SIGNED}",
    "card_key": f"models/model={MODEL}/version={VERSION}/card.html",
    "card_url": f"{LAKE}models/card.html{SIGNED}",
    "metrics": {"roc_auc": 0.91, "brier": 0.11},
    "gate": {
        "verdict": "promote",
        "checks": [{"name": "floor", "passed": True, "value": 0.91, "limit": 0.7, "detail": "roc_auc is 0.91"}],
        "notes": [],
        "pointer_sequence": 1,
        "compared_with": BEFORE,
        "champion_metrics": {"roc_auc": 0.88},
    },
    "lineage": {
        "rows": {"train": 1611, "holdout": 420, "gap": 69},
        "dataset_id": DATASET_ID,
        "configuration_revision": 3,
        "code_version": "1.0.0",
        "decision_id": DECISION_ID,
        "candidate": "logistic_regression",
        "candidates": [{"candidate": "logistic_regression", "validation_score": 0.9}],
    },
}
CHECK = {
    "model": MODEL,
    "kind": "drift",
    "at": AT,
    "model_version": VERSION,
    "verdict": "suspect",
    "reason": "`plan` is missing in 9.5 % of rows, never before (large, not yet significant); 0 of 12 features drift",
    "summary": {"rows": 5120, "drifting": 0},
}
DATASET = {
    "dataset_id": DATASET_ID,
    "manifest_key": f"datasets/model={MODEL}/{DATASET_ID}/manifest.json",
    "digest": "5b0d7c1e9a42",
    "as_of": AT,
    "configuration_revision": 3,
    "counts": {"train": {"rows": 4000}, "holdout": {"rows": 1000}},
    "buckets": 8,
}
ACCEPTED = {"job_id": JOB_ID}
RELABELLING = {
    **ACCEPTED,
    "kind": "relabelling",
    "status": "running",
    "started_at": AT,
    "progress": {"done": 10, "total": 40},
    "actor": "key:operator",
    "reason": "the window is two days now",
    "request": {
        "from": "2026-01-01",
        "rules_revision": 3,
        "known_at": AT,
        "attempt": 1,
    },
    "result": {"predictions": 12000, "events": 9000, "events_recovered": 0, "labels_changed": 310},
}
ERASURE = {
    "job_id": "erasure-20260228T120000.000000Z-5c1d9be20a47",
    "kind": "erasure",
    "status": "completed",
    "started_at": EARLIER,
    "finished_at": AT,
    "progress": {"done": 30, "total": 30},
    "actor": "key:operator",
    "reason": "asked for by letter",
    "request": {"subject": "5f2c1e"},
    "result": {"counts": {"predictions": 12}, "datasets": [DATASET_ID], "unreadable": []},
}
PREDICTION = {
    "prediction_id": "p-1",
    "model": MODEL,
    "features": {"hour": "17", "temperature": 0.3},
    "score": 0.83,
    "decision": 1,
    "model_version": VERSION,
    "occurred_at": EARLIER,
    "received_at": EARLIER,
    "outcome_due_at": AT,
}
REVIEW_TASK = {
    "task_id": "p-1",
    "prediction_id": "p-1",
    "features": {"hour": "17", "temperature": 0.3},
    "model_version": VERSION,
    "occurred_at": EARLIER,
    "reason": "uncertain",
    "lease_expires_at": AT,
}
REOPENED = {
    "task_id": "p-1",
    "reason": "uncertain",
    "selection_probability": 0.25,
    "state": "open",
    "created_at": EARLIER,
    "closes_at": AT,
    "overlap": 1,
    "adjudication": False,
    "answers": [],
    "skips": [],
    "resolved": None,
    "request": None,
    "reopenings": [
        {
            "actor": "key:operator",
            "reason": "the guidelines changed",
            "at": AT,
            "answers": [{"reviewer": "ana", "value": 1, "label": 1, "at": EARLIER, "comment": None}],
            "resolved": {"value": 1, "label": 1, "event": "annotation", "at": EARLIER},
            "retraction_sent": True,
        }
    ],
}
