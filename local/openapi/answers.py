"""Schemas of what routes answer: every field that a client may meet."""

from hindsight.core.jobs import JobKind, JobStatus
from hindsight.monitoring.results.check import Verdict
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
SERVING = record(
    {"champion": record({"version": TEXT, "external": YES_OR_NO}), "sequence": WHOLE},
    {
        "rollout": record({"version": TEXT, "mode": TEXT, "share": either(NUMBER)}),
        "answer": TEXT,
    },
)
ACCEPTED_JOB = record({"job_id": TEXT})
_RESULTS: dict[str, Schema] = {
    "relabelling": record({"predictions": WHOLE, "events": WHOLE, "events_recovered": WHOLE, "labels_changed": WHOLE}),
    "import": record({"accepted": WHOLE, "rejected": WHOLE}),
    "replay": record({"replayed": WHOLE, "joined": WHOLE, "kept": mapping(WHOLE)}),
    "erasure": record(
        {"counts": mapping(WHOLE), "datasets": listed(TEXT), "unreadable": listed(TEXT)},
        {"versions": listed(record({"version": TEXT, "dataset_id": TEXT, "serves": YES_OR_NO}))},
    ),
    "verification": record(
        {
            "is_reproducible": YES_OR_NO,
            "problems": listed(TEXT),
            "digest": TEXT,
            "rows": mapping(WHOLE),
            "sources": WHOLE,
        }
    ),
    "export": record({"rows": WHOLE, "dropped": mapping(WHOLE), "bytes": WHOLE}, {"url": TEXT}),
}
JOB = record(
    {
        "job_id": TEXT,
        "kind": {"type": "string", "enum": [kind.value for kind in JobKind]},
        "status": {"type": "string", "enum": [status.value for status in JobStatus]},
        "started_at": TEXT,
        "progress": record({"done": WHOLE}, {"total": WHOLE}),
    },
    {
        "finished_at": TEXT,
        "actor": TEXT,
        "reason": TEXT,
        "request": OBJECT,
        "result": {"anyOf": [_RESULTS[kind] for kind in JobKind]},
        "failure": TEXT,
    },
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
                    "job_id": TEXT,
                },
            )
        ),
    },
    {"next_token": TEXT},
)
PREDICTED = record(
    {"prediction_id": TEXT, "decision": ANYTHING, "score": NUMBER, "model_version": TEXT},
    {"probabilities": mapping(NUMBER), "explored": YES_OR_NO, "feedback_token": TEXT},
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
_VERDICT: Schema = {"enum": [verdict.value for verdict in Verdict]}
_CHECK: dict[str, Schema] = {"model": TEXT, "kind": TEXT, "at": TEXT, "verdict": _VERDICT, "reason": TEXT}
_OF_VERSION: dict[str, Schema] = {"model_version": TEXT, "champion": TEXT}
CHECK = record({**_CHECK, "summary": OBJECT, "report_url": TEXT}, {**_OF_VERSION, "page_url": TEXT})
_CHECKS = mapping(record({**_CHECK, "summary": OBJECT}, {**_OF_VERSION, "report_url": TEXT, "page_url": TEXT}))
_RETIRED = record({"reason": TEXT, "actor": TEXT, "at": TEXT}, {"job_id": TEXT})
_STATUS = record(
    {
        "model": TEXT,
        "revision": WHOLE,
        "task": TEXT,
        "champion": TEXT_OR_NULL,
        "challenger": TEXT_OR_NULL,
        "previous": TEXT_OR_NULL,
        "serving_since": TEXT_OR_NULL,
        "rollout": either(_ROLLOUT),
        "probation": either(record({"against": TEXT, "since": TEXT}, {"evaluation": OBJECT})),
        "first_version": either(
            record(
                {"labels_due": WHOLE, "labels_needed": WHOLE, "labels_not_due": WHOLE},
                {"next_due_at": TEXT_OR_NULL},
            )
        ),
        "open_run": either(record({"decision_id": TEXT, "reason": TEXT, "started_at": TEXT, "lease_expires_at": TEXT})),
        "waiting_for_approval": either(record(_ASKED)),
        "waiting_for_version": either(
            record({"dataset_id": TEXT, "decision_id": TEXT, "requested_at": TEXT, "expires_at": TEXT})
        ),
        "pending_signals": listed(TEXT),
        "last_evaluation": either(
            record({"at": TEXT, "triggered": YES_OR_NO, "blocked_by": BLOCKED_BY, "explanation": TEXT})
        ),
        "last_outcome": TEXT_OR_NULL,
        "last_run_finished_at": TEXT_OR_NULL,
        "checks": _CHECKS,
        "logged_versions": listed(record({"version": TEXT, "checks": _CHECKS})),
        "join_health": record(
            {
                "awaiting": WHOLE,
                "awaiting_capped": YES_OR_NO,
                "next_due_at": TEXT_OR_NULL,
                "overdue": WHOLE,
                "overdue_capped": YES_OR_NO,
                "feedback": either(
                    record({"since": TEXT, "events": WHOLE, "without_effect": WHOLE, "by_cause": mapping(WHOLE)})
                ),
                "window": either(OBJECT),
            }
        ),
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
        "kept_features": mapping(TEXT),
        "retired": either(_RETIRED),
    }
)
# Of a model that is erased, or being erased, there is no more than this.
STATUS: Schema = {"anyOf": [_STATUS, record({"model": TEXT, "state": TEXT, "retired": _RETIRED})]}
_ANSWERS = listed(record({"reviewer": TEXT, "value": ANYTHING, "label": ANYTHING, "at": TEXT, "comment": TEXT_OR_NULL}))
_OUTCOME: dict[str, Schema] = {"value": ANYTHING, "label": ANYTHING, "event": TEXT_OR_NULL, "at": TEXT}
_AUDIT: dict[str, Schema] = {"actor": TEXT, "reason": TEXT_OR_NULL, "at": TEXT}
REVIEW_FIELDS: dict[str, Schema] = {
    "reason": TEXT,
    "selection_probability": {"type": ["number", "null"]},
    "state": TEXT,
    "created_at": TEXT,
    "closes_at": TEXT,
    "overlap": WHOLE,
    "adjudication": YES_OR_NO,
    "answers": _ANSWERS,
    "skips": listed(record({"reviewer": TEXT, "at": TEXT, "comment": TEXT_OR_NULL})),
    "resolved": either(record({**_OUTCOME, "sent": YES_OR_NO})),
    "request": either(record(_AUDIT)),
    "reopenings": listed(
        record({**_AUDIT, "answers": _ANSWERS, "resolved": record(_OUTCOME), "retraction_sent": YES_OR_NO})
    ),
}
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
                "reference": TEXT,
                "propensity": NUMBER,
                "version_share": NUMBER,
                "model_decision": ANYTHING,
                "explored": YES_OR_NO,
                "weight": NUMBER,
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
                },
                {"entity_id": TEXT, "reference": TEXT, "until": TEXT_OR_NULL},
            )
        ),
        "feedback_total": WHOLE,
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
        "labels_total": WHOLE,
        "review": either(record(REVIEW_FIELDS)),
        "datasets": listed(record({"dataset_id": TEXT, "part": TEXT, "seq": WHOLE})),
        "all_datasets_searched": YES_OR_NO,
        "versions": listed(TEXT),
    }
)
