"""An example of the body of each operation that takes one."""

from typing import Any

from local.openapi.examples.records import BEFORE, EARLIER, MODEL, VERSION

BODY_EXAMPLES: dict[str, Any] = {
    "predict_instances": {
        "instances": [
            {
                "features": {"hour": "17", "temperature": 0.3, "holiday": False},
                "prediction_id": "p-1",
                "entity_id": "station-12",
            }
        ]
    },
    "log_predictions": {
        "predictions": [
            {
                "prediction_id": "p-1",
                "entity_id": "station-12",
                "features": {"hour": "17", "temperature": 0.3, "holiday": False},
                "score": 0.83,
                "decision": 1,
                "model_version": "in-house-7",
                "occurred_at": EARLIER,
            }
        ]
    },
    "capture_feedback": {
        "events": [
            {"feedback_id": "f-1", "prediction_id": "p-1", "name": "demand", "value": 150, "occurred_at": EARLIER},
            {"feedback_id": "f-2", "prediction_id": "p-1", "name": "exposed"},
            {"feedback_id": "f-3", "prediction_id": "p-1", "name": "retracted", "value": "f-0"},
        ]
    },
    "register_version": {
        "version": "in-house-7",
        "description": "trained on the new prices",
        "expected": {"accuracy": 0.91},
        "dataset_id": "d20260301T120000Z-3f9a1c77d2b0",
        "holdout_scores_key": "uploads/model=bike-demand/20260301T120000Z-3f9a1c",
    },
    "lease_reviews": {"limit": 10, "reviewer": "ana"},
    "answer_reviews": {
        "answers": [
            {"task_id": "p-1", "reviewer": "ana", "value": 1, "comment": "a concert nearby"},
            {"task_id": "p-2", "reviewer": "ana", "skip": True},
        ]
    },
    "request_reviews": {"prediction_ids": ["p-1", "p-9"], "reason": "the customer disputes these two"},
    "reopen_review": {"reason": "the guidelines changed"},
    "configure_model": {
        "model": MODEL,
        "task": "binary",
        "features": {
            "hour": {"type": "categorical"},
            "temperature": {"type": "numeric", "min": 0, "max": 1},
            "holiday": {"type": "boolean"},
        },
        "labels": {
            "rules": [
                {"event": "annotation", "kind": "manual"},
                {"event": "demand", "kind": "outcome", "window": "P2D", "positive": {"greater_than": 100}},
                {"event": "thumb", "kind": "explicit", "window": "P7D", "map": {"up": 1, "down": 0}},
            ],
            "default": {"value": 0, "after": "P7D", "requires_exposure": True},
        },
        "review": {"random_rate": 0.02, "uncertain_per_day": 200},
        "monitoring": {"performance": {"metric": "accuracy", "min": 0.85}, "slices": ["holiday"]},
        "triggers": {"schedule": "P30D", "volume": 5000},
        "gate": {"floor": 0.7},
        "deployment": {"strategy": "canary", "canary": {"share": 0.1}},
    },
    "retire_model": {"reason": "replaced by another model"},
    "request_retraining": {"reason": "a new product line", "force": False},
    "roll_back_champion": {"reason": "customers complain", "from": VERSION, "to": BEFORE},
    "approve_version": {"reason": "the slices were checked"},
    "reject_version": {"reason": "worse on holidays"},
    "promote_version": {"reason": "the season is over", "strategy": "canary"},
    "start_relabelling": {"reason": "the window is two days now", "from": "2026-01-01", "to": "2026-02-28"},
    "start_replay": {"reason": "the rule was corrected", "codes": ["invalid"], "from": "2026-02-01"},
    "erase_entity": {"reason": "asked for by letter"},
}
