"""The reviewers' routes of the API: what each takes and what it answers."""

from hindsight.config.features import FeatureType
from hindsight.review.requests.body import ReviewOperation
from hindsight.review.tasks.answers import AnswerItem
from hindsight.review.tasks.leasing import LeaseRequest
from hindsight.runtime.http.audiences import Audience
from local.openapi.answers import REVIEW_FIELDS
from local.openapi.route import MAX_ITEMS, Route, identifier, page
from local.openapi.schemas import ANYTHING, NUMBER, TEXT, WHOLE, YES_OR_NO, either, listed, record, ref

REVIEW_TASK = record(
    {
        "task_id": TEXT,
        "prediction_id": TEXT,
        "features": {"type": "object"},
        "model_version": TEXT,
        "occurred_at": TEXT,
        "reason": TEXT,
        "lease_expires_at": TEXT,
    },
    {
        "score": {"type": "number"},
        "decision": ANYTHING,
        "probabilities": {"type": "object"},
        "values": listed(ANYTHING),
        "answers": listed(ANYTHING),
    },
)
COUNTS = record({"open": WHOLE, "free": WHOLE, "leased": WHOLE, "adjudication": WHOLE, "capped": YES_OR_NO})
_AGREEMENT = record({"tasks": WHOLE, "observed": NUMBER})
_FEATURE = record({"name": TEXT, "type": {"type": "string", "enum": [kind.value for kind in FeatureType]}})
REVIEWERS = [
    Route(
        name="list_reviews",
        method="get",
        path="/review",
        does="List the models that people review, with the counts of their queues",
        audiences=(Audience.REVIEWER,),
        answer=page("models", record({"model": TEXT, "task": TEXT, "counts": COUNTS})),
        most=50,
        paged=True,
    ),
    Route(
        name="get_reviews",
        method="get",
        path="/models/{model}/review",
        does="Show the review queue, and the caller's own tasks and progress",
        audiences=(Audience.REVIEWER,),
        answer=record(
            {
                "reviewer": TEXT,
                "guidelines": TEXT,
                "task": TEXT,
                "features": listed(_FEATURE),
                "counts": COUNTS,
                "tasks": listed(REVIEW_TASK),
                "progress": record({"held": WHOLE, "done": WHOLE, "since": TEXT, "agreement": either(_AGREEMENT)}),
            }
        ),
        query=(identifier("reviewer"),),
    ),
    Route(
        name="lease_reviews",
        method="post",
        path="/models/{model}/review/leases",
        does="Lease review tasks",
        audiences=(Audience.REVIEWER,),
        body=ref(LeaseRequest),
        needs_body=False,
        answer=listed(REVIEW_TASK),
    ),
    Route(
        name="answer_reviews",
        method="post",
        path="/models/{model}/review/answers",
        does="Answer review tasks",
        audiences=(Audience.REVIEWER,),
        body=record({"answers": listed(ref(AnswerItem), MAX_ITEMS)}),
        answer=ref("Receipt"),
        status=202,
        conflicts=True,
    ),
]
REVIEW_REQUESTS = [
    Route(
        name="request_reviews",
        method="post",
        path="/models/{model}/review/tasks",
        does="Request reviews of named predictions",
        body=record({"prediction_ids": listed(TEXT, MAX_ITEMS)}, {"reason": TEXT, "occurred_at": TEXT}),
        answer=ref("Receipt"),
        status=202,
        conflicts=True,
    ),
    Route(
        name="reopen_review",
        method="post",
        path="/models/{model}/review/tasks/{id}/reopen",
        does="Open a resolved task again, and retract its annotation",
        body=ref(ReviewOperation),
        needs_body=False,
        answer=record({"task_id": TEXT, **REVIEW_FIELDS}),
        conflicts=True,
    ),
]
