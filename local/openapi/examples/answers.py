"""An example of what each operation answers."""

from typing import Any

from local.openapi.examples.records import (
    ACCEPTED,
    AT,
    BEFORE,
    BLOCKED,
    CHECK,
    CONFIGURATION,
    DATASET,
    DATASET_ID,
    DECISION,
    DECISION_ID,
    DEPLOYMENT,
    EARLIER,
    ERASURE,
    EXPLAINED,
    LAKE,
    MODEL,
    PREDICTION,
    RECEIPT,
    RELABELLING,
    REOPENED,
    REVIEW_TASK,
    SIGNED,
    VERSION,
    VERSION_SHOWN,
)

NEXT_PAGE = "djIwMjYwMzAx"
EXAMPLES: dict[str, Any] = {
    "predict_instances": {
        "predictions": [{"prediction_id": "p-1", "decision": 1, "score": 0.83, "model_version": VERSION}]
    },
    "log_predictions": {"accepted": ["p-1"], "rejected": []},
    "capture_feedback": RECEIPT,
    "register_version": {"version": "in-house-7", "created_at": AT, "verdict": "promote", "decision_id": DECISION_ID},
    "sign_upload": {
        "key": "uploads/model=bike-demand/20260301T120000Z-3f9a1c",
        "url": f"{LAKE}uploads/model=bike-demand/20260301T120000Z-3f9a1c{SIGNED}",
        "expires_at": AT,
    },
    "get_serving": {
        "champion": {"version": BEFORE, "external": False},
        "rollout": {"version": VERSION, "mode": "canary", "share": 0.1},
        "sequence": 7,
        "answer": VERSION,
    },
    "list_reviews": {
        "models": [
            {
                "model": MODEL,
                "task": "binary",
                "counts": {"open": 12, "free": 10, "leased": 2, "adjudication": 0, "capped": False},
            }
        ]
    },
    "get_reviews": {
        "reviewer": "ana",
        "task": "binary",
        "features": [{"name": "hour", "type": "categorical"}, {"name": "temperature", "type": "numeric"}],
        "guidelines": "Count a day as busy from 100 rides on.",
        "counts": {"open": 12, "free": 10, "leased": 2, "adjudication": 0, "capped": False},
        "tasks": [REVIEW_TASK],
        "progress": {
            "held": 1,
            "done": 40,
            "since": EARLIER,
            "agreement": {"tasks": 12, "observed": 0.92},
        },
    },
    "lease_reviews": [REVIEW_TASK],
    "answer_reviews": {"accepted": ["p-1"], "rejected": []},
    "request_reviews": {
        "accepted": ["p-1"],
        "rejected": [
            {"index": 1, "code": "not_found", "message": "is no prediction of this model", "path": "prediction_ids[1]"}
        ],
    },
    "reopen_review": REOPENED,
    "configure_model": {
        "model": MODEL,
        "revision": 3,
        "effects": [{"code": "history_not_relabelled", "message": "windows changed; history is not relabelled"}],
    },
    "retire_model": {"model": MODEL, "state": "retired", "reason": "replaced", "actor": "key:operator", "at": AT},
    "get_model": {
        "model": MODEL,
        "revision": 3,
        "task": "binary",
        "champion": VERSION,
        "challenger": None,
        "previous": BEFORE,
        "serving_since": AT,
        "rollout": None,
        "probation": {"against": BEFORE, "since": AT},
        "first_version": None,
        "open_run": None,
        "waiting_for_approval": None,
        "waiting_for_version": None,
        "pending_signals": [],
        "last_evaluation": {"at": AT, "triggered": False, "blocked_by": BLOCKED, "explanation": EXPLAINED},
        "last_outcome": "promoted",
        "last_run_finished_at": AT,
        "checks": {"drift": {**CHECK, "page_url": f"{LAKE}checks/drift.html{SIGNED}"}},
        "logged_versions": [],
        "join_health": {
            "awaiting": 340,
            "awaiting_capped": False,
            "next_due_at": AT,
            "overdue": 0,
            "overdue_capped": False,
            "feedback": {
                "since": EARLIER,
                "events": 5050,
                "without_effect": 30,
                "by_cause": {"unknown_prediction": 25, "out_of_window": 5},
            },
            "window": {"at": EARLIER, "predictions": 5120, "by_status": {"final": 4700, "pending": 80}},
        },
        "review_queue": {
            "open": 12,
            "free": 10,
            "leased": 2,
            "adjudication": 0,
            "capped": False,
            "agreement": None,
        },
        "state": "probation",
        "kept_features": {},
        "retired": None,
    },
    "explain_prediction": {
        "prediction": PREDICTION,
        "feedback": [
            {
                "feedback_id": "f-1",
                "name": "demand",
                "value": 150,
                "source": None,
                "occurred_at": AT,
                "received_at": AT,
                "disposition": "in_window",
                "retracted": False,
            }
        ],
        "feedback_total": 1,
        "labels": [
            {
                "seq": 1,
                "value": 1,
                "status": "final",
                "kind": "outcome",
                "event": "demand",
                "disagreeing": [],
                "rules_revision": 3,
                "known_at": AT,
            }
        ],
        "labels_total": 1,
        "review": None,
        "datasets": [{"dataset_id": DATASET_ID, "part": "train", "seq": 1}],
        "all_datasets_searched": True,
        "versions": [VERSION],
    },
    "request_retraining": {
        "decision_id": DECISION_ID,
        "triggered": False,
        "blocked_by": BLOCKED,
        "explanation": EXPLAINED,
    },
    "list_decisions": {"decisions": [DECISION], "last_evaluation": None},
    "get_decision": DECISION,
    "list_versions": {"versions": [VERSION_SHOWN], "next_token": NEXT_PAGE},
    "get_version": VERSION_SHOWN,
    "list_deployments": {"deployments": [DEPLOYMENT]},
    "roll_back_champion": {
        **DEPLOYMENT,
        "sequence": 3,
        "change": "rolled_back",
        "from": VERSION,
        "to": BEFORE,
        "actor": "key:operator",
    },
    "approve_version": {"version": VERSION, "approved": True, "actor": "key:operator", "reason": "seen", "at": AT},
    "reject_version": {"version": VERSION, "approved": False, "actor": "key:operator", "reason": "slice", "at": AT},
    "promote_version": {
        **DEPLOYMENT,
        "sequence": 3,
        "from": VERSION,
        "to": BEFORE,
        "reason": "the season is over",
        "actor": "key:operator",
    },
    "verify_dataset": ACCEPTED,
    "export_labels": {"job_id": "export-20260301T120000.000000Z-19f1064b619d"},
    "start_relabelling": ACCEPTED,
    "get_quarantine": {
        "counts": {"invalid": 1},
        "capped": False,
        "rows": [
            {
                "code": "invalid",
                "reason": "is not a known field",
                "path": "colour",
                "kind": "feedback",
                "model": MODEL,
                "received_at": AT,
                "event": {"feedback_id": "f-2", "colour": "red"},
                "day": "2026-03-01",
            }
        ],
    },
    "start_replay": ACCEPTED,
    "erase_entity": ACCEPTED,
    "list_jobs": {"jobs": [RELABELLING, ERASURE]},
    "get_job": RELABELLING,
    "resume_job": ACCEPTED,
    "list_models": {
        "models": [
            {
                "model": MODEL,
                "task": "binary",
                "revision": 3,
                "serving": "hindsight",
                "champion": VERSION,
                "state": "serving",
                "attention": ["drift"],
            }
        ]
    },
    "get_configuration": CONFIGURATION,
    "list_configurations": {"configurations": [CONFIGURATION]},
    "list_checks": {
        "checks": [
            {
                **CHECK,
                "report_url": f"{LAKE}checks/drift.json{SIGNED}",
                "page_url": f"{LAKE}checks/drift.html{SIGNED}",
            }
        ]
    },
    "list_datasets": {"datasets": [DATASET]},
    "get_dataset": {
        **DATASET,
        "manifest": {"dataset_id": DATASET_ID, "task": "binary", "sources": []},
        "manifest_url": f"{LAKE}datasets/manifest.json{SIGNED}",
        "sources_total": 412,
        "parts": {
            "train": {"format": "parquet", "labels": True, "url": f"{LAKE}datasets/train.parquet{SIGNED}"},
            "holdout": {
                "format": "parquet",
                "labels": False,
                "url": f"{LAKE}datasets/holdout-unlabelled.parquet{SIGNED}",
            },
        },
    },
    "get_caller": {"audience": "operator", "actor": "key:operator"},
    "get_openapi": {"openapi": "3.1.0", "paths": {}},
}
