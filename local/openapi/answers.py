"""Schemas of what routes answer: every field that a client may meet."""

from local.openapi.schemas import (
    ANYTHING,
    BLOCKED_BY,
    NUMBER,
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

DEPLOYMENT = record(
    {"sequence": WHOLE, "change": TEXT, "to": TEXT, "reason": TEXT, "actor": TEXT, "at": TEXT},
    {"from": TEXT, "challenger": TEXT, "decision_id": TEXT},
)
ANSWERED = record(
    {"version": TEXT},
    {"approved": YES_OR_NO, "actor": TEXT, "reason": TEXT, "at": TEXT, "override": YES_OR_NO, "deployment": DEPLOYMENT},
)
ACCEPTED_RELABELLING = record(
    {"relabel_id": TEXT, "model": TEXT, "rules_revision": WHOLE, "status": TEXT, "attempt": WHOLE}
)
RELABELLING = record(
    {
        "relabel_id": TEXT,
        "model": TEXT,
        "status": TEXT,
        "reason": TEXT,
        "from": TEXT_OR_NULL,
        "to": TEXT_OR_NULL,
        "rules_revision": WHOLE,
        "known_at": TEXT,
        "started_at": TEXT,
        "finished_at": TEXT_OR_NULL,
        "attempt": WHOLE,
        "files": record({"done": WHOLE, "total": {"type": ["integer", "null"]}}),
        "predictions": WHOLE,
        "events": WHOLE,
        "events_recovered": WHOLE,
        "labels_changed": WHOLE,
        "failure": TEXT_OR_NULL,
    }
)
_ERASURE: dict[str, Schema] = {
    "erasure_id": TEXT,
    "status": TEXT,
    "requested_at": TEXT,
    "subject": TEXT,
    "counts": mapping(WHOLE),
    "datasets": listed(TEXT),
    "unreadable": listed(TEXT),
}
ERASURE = record(_ERASURE, {"reason": TEXT})
ERASURE_WITH_VERSIONS = record(
    {**_ERASURE, "versions": listed(record({"version": TEXT, "dataset_id": TEXT, "serves": YES_OR_NO}))},
    {"reason": TEXT},
)
VERIFICATION = record(
    {"dataset_id": TEXT, "status": TEXT, "requested_at": TEXT},
    {
        "is_reproducible": YES_OR_NO,
        "problems": listed(TEXT),
        "digest": TEXT,
        "rows": mapping(WHOLE),
        "sources": WHOLE,
    },
)
REPLAY = record(
    {
        "replay_id": TEXT,
        "status": TEXT,
        "requested_at": TEXT,
        "reason": TEXT,
        "counts": record({"replayed": WHOLE, "settled": WHOLE, "kept": mapping(WHOLE)}),
    },
    {"codes": listed(TEXT), "from": TEXT, "to": TEXT},
)
IMPORT = record(
    {
        "import_id": TEXT,
        "file": TEXT,
        "kind": TEXT,
        "uploaded_at": TEXT,
        "status": TEXT,
        "lines": WHOLE,
        "accepted": WHOLE,
        "rejected": WHOLE,
    },
    {"fault": TEXT},
)
QUARANTINE = record(
    {
        "counts": mapping(WHOLE),
        "capped": YES_OR_NO,
        "rows": listed(
            record(
                {"code": TEXT, "reason": TEXT, "kind": TEXT, "day": TEXT},
                {
                    "path": TEXT,
                    "model": TEXT,
                    "received_at": TEXT,
                    "event": ANYTHING,
                    "file": TEXT,
                    "line": WHOLE,
                    "text": TEXT,
                    "truncated": YES_OR_NO,
                    "replay_id": TEXT,
                },
            )
        ),
    }
)
PREDICTED = record(
    {"prediction_id": TEXT, "decision": ANYTHING, "score": NUMBER, "model_version": TEXT},
    {"probabilities": mapping(NUMBER), "feedback_token": TEXT},
)
CONFIGURED = record(
    {"model": TEXT, "revision": WHOLE, "effects": listed(record({"code": TEXT, "message": TEXT}))},
    {"dry_run": YES_OR_NO, "diff": listed(record({"path": TEXT, "before": ANYTHING, "after": ANYTHING}))},
)
_ROLLOUT = record(
    {"version": TEXT, "mode": TEXT, "artifact_key": TEXT, "artifact_digest": TEXT, "since": TEXT},
    {"share": NUMBER, "decision_id": TEXT, "evaluation": OBJECT},
)
_ASKED = {"version": TEXT, "decision_id": TEXT, "requested_at": TEXT, "expires_at": TEXT}
_CHECK: dict[str, Schema] = {"model": TEXT, "kind": TEXT, "at": TEXT, "verdict": TEXT, "reason": TEXT}
CHECK = record({**_CHECK, "summary": OBJECT, "report_url": TEXT}, {"model_version": TEXT, "page_url": TEXT})
STATUS = record(
    {
        "model": TEXT,
        "configuration_revision": WHOLE,
        "task": TEXT,
        "champion": TEXT_OR_NULL,
        "challenger": TEXT_OR_NULL,
        "previous": TEXT_OR_NULL,
        "serving_since": TEXT_OR_NULL,
        "rollout": either(_ROLLOUT),
        "probation": either(record({"against": TEXT, "since": TEXT}, {"evaluation": OBJECT})),
        "open_run": either(record({"decision_id": TEXT, "reason": TEXT, "started_at": TEXT, "lease_expires_at": TEXT})),
        "waiting_for_approval": either(record(_ASKED)),
        "pending_signals": listed(TEXT),
        "last_evaluation": either(
            record({"at": TEXT, "triggered": YES_OR_NO, "blocked_by": BLOCKED_BY, "explanation": TEXT})
        ),
        "last_outcome": TEXT_OR_NULL,
        "last_run_finished_at": TEXT_OR_NULL,
        "checks": mapping(
            record(
                {**_CHECK, "summary": OBJECT},
                {"model_version": TEXT, "report_key": TEXT, "page_key": TEXT, "page_url": TEXT},
            )
        ),
        "join_health": either(OBJECT),
        "label_backlog": record({"overdue": WHOLE, "capped": YES_OR_NO}),
        "review_queue": record(
            {
                "open": WHOLE,
                "free": WHOLE,
                "leased": WHOLE,
                "adjudication": WHOLE,
                "capped": YES_OR_NO,
                "agreement": either(OBJECT),
            }
        ),
        "state": TEXT,
        "retired": either(record({"reason": TEXT, "actor": TEXT, "at": TEXT}, {"job_id": TEXT})),
    }
)
EXPLANATION = record(
    {
        "prediction": record(
            {
                "prediction_id": TEXT,
                "model": TEXT,
                "features": OBJECT,
                "occurred_at": TEXT,
                "received_at": TEXT,
                "outcome_due_at": TEXT,
            },
            {
                "score": NUMBER,
                "decision": ANYTHING,
                "probabilities": mapping(NUMBER),
                "model_version": TEXT,
                "entity_id": TEXT,
                "propensity": NUMBER,
                "shadow": OBJECT,
            },
        ),
        "feedback": listed(
            record(
                {
                    "feedback_id": TEXT,
                    "name": TEXT,
                    "value": ANYTHING,
                    "source": TEXT_OR_NULL,
                    "occurred_at": TEXT,
                    "received_at": TEXT,
                    "disposition": TEXT,
                    "retracted": YES_OR_NO,
                }
            )
        ),
        "labels": listed(
            record(
                {
                    "seq": WHOLE,
                    "value": ANYTHING,
                    "status": TEXT,
                    "kind": TEXT_OR_NULL,
                    "event": TEXT_OR_NULL,
                    "disagreeing": listed(TEXT),
                    "rules_revision": WHOLE,
                    "known_at": TEXT,
                }
            )
        ),
        "review": either(
            record(
                {
                    "reason": TEXT,
                    "selection_probability": {"type": ["number", "null"]},
                    "state": TEXT,
                    "created_at": TEXT,
                    "closes_at": TEXT,
                    "overlap": WHOLE,
                    "adjudication": YES_OR_NO,
                    "answers": listed(record({"reviewer": TEXT, "value": ANYTHING, "label": ANYTHING, "at": TEXT})),
                    "skipped_by": listed(TEXT),
                    "resolved": either(
                        record(
                            {"value": ANYTHING, "label": ANYTHING, "event": TEXT_OR_NULL, "at": TEXT, "sent": YES_OR_NO}
                        )
                    ),
                }
            )
        ),
        "datasets": listed(record({"dataset_id": TEXT, "part": TEXT, "seq": WHOLE})),
        "all_datasets_searched": YES_OR_NO,
        "versions": listed(TEXT),
    }
)
