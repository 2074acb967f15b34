"""Every route of the API, by who may call it: what it takes and what it answers."""

from hindsight.config.model import ModelConfiguration
from hindsight.ingestion.feedback_capture import FeedbackItem
from hindsight.ingestion.instance import InstanceItem
from hindsight.ingestion.prediction_log import PredictionItem
from hindsight.registry.version import Verdict
from hindsight.retention.retirement import RetirementRequest
from hindsight.rollout.approval.body import AnswerBody
from hindsight.rollout.approval.promotion import PromotionRequest
from hindsight.rollout.external.registration import RegistrationRequest
from hindsight.rollout.rollback import RollbackRequest
from hindsight.runtime.http.audiences import Audience
from hindsight.runtime.http.requests import DOCUMENT_TYPES
from hindsight.triggers.evaluation.request import RetrainingRequest
from local.openapi.answers import (
    ANSWERED,
    CONFIGURED,
    DEPLOYMENT,
    EXPLANATION,
    PREDICTED,
    SERVING,
    STATUS,
)
from local.openapi.job_routes import JOBS
from local.openapi.read_answers import VERSION
from local.openapi.reads import READS
from local.openapi.review_routes import REVIEW_REQUESTS, REVIEWERS
from local.openapi.route import MAX_ITEMS, Parameter, Route, flag, page, text, whole
from local.openapi.schemas import (
    BLOCKED_BY,
    DECISION,
    TEXT,
    YES_OR_NO,
    either,
    listed,
    record,
    ref,
)

APPS = [
    Route(
        name="predict_instances",
        method="post",
        path="/models/{model}/predict",
        does="Score instances with the serving version, and keep the predictions",
        audiences=(Audience.APP,),
        body=record({"instances": listed(ref(InstanceItem), MAX_ITEMS)}),
        answer=whole("predictions", PREDICTED),
        conflicts=True,
    ),
    Route(
        name="log_predictions",
        method="post",
        path="/models/{model}/predictions",
        does="Log predictions made elsewhere",
        audiences=(Audience.APP,),
        body=record({"predictions": listed(ref(PredictionItem), MAX_ITEMS)}),
        answer=ref("Receipt"),
        status=202,
        conflicts=True,
    ),
    Route(
        name="get_serving",
        method="get",
        path="/models/{model}/serving",
        does="Name the versions that serve, and the one that is to answer an entity",
        audiences=(Audience.APP,),
        answer=SERVING,
        conflicts=True,
        query=(Parameter(name="entity_id", schema={"type": "string", "minLength": 1, "maxLength": 128}),),
    ),
    Route(
        name="capture_feedback",
        method="post",
        path="/models/{model}/feedback",
        does="Capture feedback",
        audiences=(Audience.APP,),
        body=record({"events": listed(ref(FeedbackItem), MAX_ITEMS)}),
        answer=ref("Receipt"),
        status=202,
        conflicts=True,
    ),
]
OPERATORS = [
    Route(
        name="configure_model",
        method="put",
        path="/models/{model}",
        does="Store the model's configuration as a new revision",
        body=ref(ModelConfiguration),
        types=DOCUMENT_TYPES,
        query=(flag("dry_run"), flag("force"), text("reason", 500)),
        answer=CONFIGURED,
        conflicts=True,
    ),
    Route(
        name="retire_model",
        method="delete",
        path="/models/{model}",
        does="Retire a model; its data stays until its retention ends, or is erased",
        body=ref(RetirementRequest),
        needs_body=False,
        query=(flag("erase"),),
        starts_job=True,
        answer=record({"model": TEXT, "state": TEXT, "reason": TEXT, "actor": TEXT, "at": TEXT}, {"job_id": TEXT}),
    ),
    Route(
        name="get_model",
        method="get",
        path="/models/{model}",
        does="Report a model's state",
        answer=STATUS,
    ),
    Route(
        name="explain_prediction",
        method="get",
        path="/models/{model}/predictions/{id}",
        does="Explain one prediction",
        answer=EXPLANATION,
    ),
    Route(
        name="request_retraining",
        method="post",
        path="/models/{model}/retrain",
        does="Request a run",
        body=ref(RetrainingRequest),
        answer=record({"decision_id": TEXT, "triggered": YES_OR_NO, "blocked_by": BLOCKED_BY, "explanation": TEXT}),
        status=202,
        conflicts=True,
    ),
    Route(
        name="list_decisions",
        method="get",
        path="/models/{model}/decisions",
        does="List trigger decisions, newest first",
        answer=page("decisions", DECISION, last_evaluation=either(DECISION)),
        most=1000,
        paged=True,
    ),
    Route(
        name="get_decision",
        method="get",
        path="/models/{model}/decisions/{id}",
        does="Read one trigger decision",
        answer=DECISION,
    ),
    Route(
        name="list_versions",
        method="get",
        path="/models/{model}/versions",
        does="List versions with their metrics and gate verdicts",
        answer=page("versions", VERSION),
        most=1000,
        paged=True,
    ),
    Route(
        name="list_deployments",
        method="get",
        path="/models/{model}/deployments",
        does="List the changes of the serving pointer",
        answer=page("deployments", DEPLOYMENT),
        most=1000,
        paged=True,
    ),
    Route(
        name="roll_back_champion",
        method="post",
        path="/models/{model}/rollback",
        does="Roll back to an earlier version",
        body=ref(RollbackRequest),
        answer=DEPLOYMENT,
        conflicts=True,
    ),
    Route(
        name="register_version",
        method="post",
        path="/models/{model}/versions",
        does="Register a version that was made elsewhere, judged if it has scores of a holdout",
        body=ref(RegistrationRequest),
        answer=record(
            {"version": TEXT, "created_at": TEXT, "verdict": {"enum": [verdict.value for verdict in Verdict]}},
            {"decision_id": TEXT},
        ),
        conflicts=True,
    ),
    Route(
        name="sign_upload",
        method="post",
        path="/models/{model}/uploads",
        does="Sign a link for a file of scores or of a baseline's rows",
        answer=record({"key": TEXT, "url": TEXT, "expires_at": TEXT}),
        conflicts=True,
    ),
    Route(
        name="approve_version",
        method="post",
        path="/models/{model}/versions/{version}/approve",
        does="Let a run that waits deploy its version, or override the gate",
        body=ref(AnswerBody),
        needs_body=False,
        answer=ANSWERED,
        conflicts=True,
    ),
    Route(
        name="reject_version",
        method="post",
        path="/models/{model}/versions/{version}/reject",
        does="End a run that waits; the champion stays",
        body=ref(AnswerBody),
        needs_body=False,
        answer=ANSWERED,
        conflicts=True,
    ),
    Route(
        name="promote_version",
        method="post",
        path="/models/{model}/versions/{version}/promote",
        does="Make a version the champion by hand, or start a canary or a shadow of it",
        body=ref(PromotionRequest),
        answer=DEPLOYMENT,
        conflicts=True,
    ),
]
ALL_AUDIENCES = [
    Route(
        name="get_openapi",
        method="get",
        path="/openapi.json",
        does="Read this document",
        audiences=tuple(Audience),
        answer=record({"openapi": TEXT, "paths": {"type": "object"}}),
    ),
    Route(
        name="get_caller",
        method="get",
        path="/caller",
        does="Name the audience of the key, and the actor of audit records",
        audiences=tuple(Audience),
        answer=record({"audience": {"type": "string", "enum": [one.value for one in Audience]}, "actor": TEXT}),
    ),
]
ROUTES = [*APPS, *REVIEWERS, *OPERATORS, *REVIEW_REQUESTS, *JOBS, *READS, *ALL_AUDIENCES]
