"""An example of what each operation answers."""

from typing import Any

from local.openapi.example_records import (
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
    JOB_ID,
    LAKE,
    MODEL,
    PREDICTION,
    RECEIPT,
    RELABELLING,
    REVIEW_TASK,
    SIGNED,
    VERIFICATION,
    VERSION,
    VERSION_SHOWN,
)

EXAMPLES: dict[str, Any] = {
    "predict_instances": {
        "predictions": [{"prediction_id": "p-1", "decision": 1, "score": 0.83, "model_version": VERSION}]
    },
    "log_predictions": {"accepted": ["p-1"], "rejected": []},
    "capture_feedback": RECEIPT,
    "get_reviews": {
        "reviewer": "ana",
        "guidelines": "Count a day as busy from 100 rides on.",
        "counts": {"open": 12, "free": 10, "leased": 2, "adjudication": 0, "capped": False},
        "tasks": [REVIEW_TASK],
        "progress": {"held": 1, "done": 40, "since": EARLIER},
    },
    "lease_reviews": [REVIEW_TASK],
    "answer_reviews": {"accepted": ["p-1"], "rejected": []},
    "configure_model": {
        "model": MODEL,
        "revision": 3,
        "effects": [{"code": "history_not_relabelled", "message": "windows changed; history is not relabelled"}],
    },
    "retire_model": {"model": MODEL, "state": "retired", "reason": "replaced", "actor": "key:operator", "at": AT},
    "get_model": {
        "model": MODEL,
        "configuration_revision": 3,
        "task": "binary",
        "champion": VERSION,
        "challenger": None,
        "previous": BEFORE,
        "serving_since": AT,
        "rollout": None,
        "probation": {"against": BEFORE, "since": AT},
        "open_run": None,
        "waiting_for_approval": None,
        "pending_signals": [],
        "last_evaluation": {"at": AT, "triggered": False, "blocked_by": BLOCKED, "explanation": EXPLAINED},
        "last_outcome": "promoted",
        "last_run_finished_at": AT,
        "checks": {"drift": {**CHECK, "page_url": f"{LAKE}checks/drift.html{SIGNED}"}},
        "join_health": None,
        "label_backlog": {"overdue": 0, "capped": False},
        "review_queue": {
            "open": 12,
            "free": 10,
            "leased": 2,
            "adjudication": 0,
            "capped": False,
            "agreement": None,
        },
        "state": "probation",
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
    "list_versions": {"versions": [VERSION_SHOWN], "next_token": "djIwMjYwMzAx"},
    "get_version": VERSION_SHOWN,
    "list_deployments": {"deployments": [DEPLOYMENT]},
    "roll_back_champion": {
        **DEPLOYMENT,
        "sequence": 3,
        "change": "rolled_back",
        "from": VERSION,
        "to": BEFORE,
        "actor": "operator",
    },
    "approve_version": {"version": VERSION, "approved": True, "actor": "operator", "reason": "seen", "at": AT},
    "reject_version": {"version": VERSION, "approved": False, "actor": "operator", "reason": "slice", "at": AT},
    "verify_dataset": VERIFICATION,
    "get_verification": {
        **VERIFICATION,
        "status": "finished",
        "is_reproducible": True,
        "problems": [],
        "digest": "5b0d7c1e9a42",
        "rows": {"train": 4000, "holdout": 1000},
        "sources": 412,
    },
    "start_relabelling": ACCEPTED,
    "resume_relabelling": {**ACCEPTED, "attempt": 2},
    "list_relabellings": {"relabellings": [RELABELLING]},
    "get_relabelling": RELABELLING,
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
    "start_replay": {"replay_id": JOB_ID, "status": "running"},
    "get_replay": {
        "replay_id": JOB_ID,
        "status": "done",
        "requested_at": AT,
        "reason": "the feature is declared now",
        "codes": ["invalid"],
        "counts": {"replayed": 40, "settled": 2, "kept": {"invalid": 1}},
    },
    "erase_entity": {**ERASURE, "status": "running", "counts": {}, "datasets": []},
    "list_erasures": {"erasures": [ERASURE]},
    "get_erasure": {**ERASURE, "versions": [{"version": VERSION, "dataset_id": DATASET_ID, "serves": True}]},
    "list_imports": {
        "imports": [
            {
                "import_id": JOB_ID,
                "file": f"imports/model={MODEL}/predictions/2025.jsonl.gz",
                "kind": "predictions",
                "uploaded_at": AT,
                "status": "running",
                "lines": 2000,
                "accepted": 1990,
                "rejected": 10,
            }
        ]
    },
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
            "train": {"format": "npz", "url": f"{LAKE}datasets/train.npz{SIGNED}"},
            "holdout": {"format": "npz"},
        },
    },
    "get_openapi": {"openapi": "3.1.0", "paths": {}},
}
