"""Every route of the API, by who may call it: what it takes and what it answers."""

from hindsight.config.model import ModelConfiguration
from hindsight.ingestion.feedback_capture import FeedbackItem
from hindsight.ingestion.instance import InstanceItem
from hindsight.ingestion.prediction_log import PredictionItem
from hindsight.privacy.requests import ErasureRequest
from hindsight.quarantine.replay_request import ReplayRequest
from hindsight.rollout.approval.body import AnswerBody, ApproveBody
from hindsight.rollout.rollback import RollbackRequest
from hindsight.runtime.http.audiences import Audience
from hindsight.triggers.evaluation.request import RetrainingRequest
from hindsight.validation.operator_request import DaysRequest
from local.openapi.reads import READS, VERSION
from local.openapi.review_routes import REVIEWERS
from local.openapi.route import DEPLOYMENT, ERASURE, MAX_ITEMS, RELABELLING, VERIFICATION, Route, page
from local.openapi.schemas import (
    ANYTHING,
    BLOCKED_BY,
    DECISION,
    TEXT,
    WHOLE,
    YES_OR_NO,
    either,
    listed,
    record,
    ref,
)

APPS = [
    Route(
        method="post",
        path="/models/{model}/predict",
        does="Score instances with the serving version, and keep what was predicted",
        audiences=(Audience.APP,),
        body=record({"instances": listed(ref(InstanceItem), MAX_ITEMS)}),
        answer=page(
            "predictions",
            record(
                {"prediction_id": TEXT, "decision": ANYTHING, "score": {"type": "number"}, "model_version": TEXT},
                {"probabilities": {"type": "object"}},
            ),
        ),
        conflicts=True,
    ),
    Route(
        method="post",
        path="/models/{model}/predictions",
        does="Log predictions made elsewhere",
        audiences=(Audience.APP,),
        body=record({"predictions": listed(ref(PredictionItem), MAX_ITEMS)}),
        answer=ref("Receipt"),
        status=202,
    ),
    Route(
        method="post",
        path="/models/{model}/feedback",
        does="Capture feedback",
        audiences=(Audience.APP,),
        body=record({"events": listed(ref(FeedbackItem), MAX_ITEMS)}),
        answer=ref("Receipt"),
        status=202,
    ),
]
OPERATORS = [
    Route(
        method="put",
        path="/models/{model}",
        does="Store the model's configuration as a new revision",
        body=ref(ModelConfiguration),
        types=("application/json", "application/yaml"),
        query={"dry_run": False, "force": False},
        answer=record(
            {"model": TEXT, "revision": WHOLE, "effects": listed(record({"code": TEXT, "message": TEXT}))},
            {
                "dry_run": {"type": "boolean"},
                "diff": listed(record({"path": TEXT, "before": ANYTHING, "after": ANYTHING})),
            },
        ),
        conflicts=True,
    ),
    Route(method="get", path="/models/{model}", does="Report how a model is doing", answer=record({"model": TEXT})),
    Route(
        method="get",
        path="/models/{model}/predictions/{id}",
        does="Explain one prediction",
        answer=record(
            {
                "prediction": ANYTHING,
                "feedback": listed(ANYTHING),
                "labels": listed(ANYTHING),
                "datasets": listed(record({"dataset_id": TEXT, "part": TEXT, "seq": WHOLE})),
                "all_datasets_searched": {"type": "boolean"},
                "versions": listed(TEXT),
            }
        ),
    ),
    Route(
        method="post",
        path="/models/{model}/retrain",
        does="Ask for a run",
        body=ref(RetrainingRequest),
        answer=record({"decision_id": TEXT, "triggered": YES_OR_NO, "blocked_by": BLOCKED_BY, "explanation": TEXT}),
        status=202,
        conflicts=True,
    ),
    Route(
        method="get",
        path="/models/{model}/decisions",
        does="List trigger decisions, newest first",
        answer=record({"decisions": listed(DECISION), "last_evaluation": either(DECISION)}),
        most=1000,
    ),
    Route(
        method="get",
        path="/models/{model}/versions",
        does="List versions with what they proved",
        answer=page("versions", VERSION),
        most=1000,
    ),
    Route(
        method="get",
        path="/models/{model}/deployments",
        does="List the changes of the serving pointer",
        answer=page("deployments", DEPLOYMENT),
        most=1000,
    ),
    Route(
        method="post",
        path="/models/{model}/rollback",
        does="Go back to an earlier version",
        body=ref(RollbackRequest),
        answer=DEPLOYMENT,
        conflicts=True,
    ),
    Route(
        method="post",
        path="/models/{model}/versions/{version}/approve",
        does="Let a run that waits deploy its version, or override the gate",
        body=ref(ApproveBody),
        needs_body=False,
        answer=record({"version": TEXT}),
        conflicts=True,
    ),
    Route(
        method="post",
        path="/models/{model}/versions/{version}/reject",
        does="End a run that waits; what serves stays",
        body=ref(AnswerBody),
        needs_body=False,
        answer=record({"version": TEXT}),
        conflicts=True,
    ),
    Route(
        method="post",
        path="/models/{model}/datasets/{id}/verify",
        does="Begin to build a dataset again",
        answer=VERIFICATION,
        status=202,
        conflicts=True,
    ),
    Route(
        method="get",
        path="/models/{model}/datasets/{id}/verify",
        does="Read whether it was built again bit for bit",
        answer=VERIFICATION,
    ),
    Route(
        method="post",
        path="/models/{model}/relabel",
        does="Begin a relabelling",
        body=ref(DaysRequest),
        answer=RELABELLING,
        status=202,
        conflicts=True,
    ),
    Route(
        method="post",
        path="/models/{model}/relabel/{id}/resume",
        does="Go on with a relabelling that failed",
        answer=RELABELLING,
        status=202,
        conflicts=True,
    ),
    Route(
        method="get",
        path="/models/{model}/relabel",
        does="List relabellings",
        answer=page("relabellings", RELABELLING),
        most=200,
    ),
    Route(
        method="get",
        path="/models/{model}/relabel/{id}",
        does="Report the progress of a relabelling",
        answer=RELABELLING,
    ),
    Route(
        method="get",
        path="/models/{model}/quarantine",
        does="Count and show rejected items",
        answer=record({"counts": {"type": "object"}, "rows": listed(ANYTHING)}),
        most=300,
    ),
    Route(
        method="post",
        path="/models/{model}/quarantine/replay",
        does="Begin to replay rejected items",
        body=ref(ReplayRequest),
        answer=record({"replay_id": TEXT, "status": TEXT}),
        status=202,
        conflicts=True,
    ),
    Route(
        method="get",
        path="/models/{model}/quarantine/replays/{id}",
        does="Report the progress of a replay",
        answer=record({"replay_id": TEXT, "status": TEXT}),
    ),
    Route(
        method="delete",
        path="/models/{model}/entities/{id}",
        does="Begin to erase all that is kept of an entity",
        body=ref(ErasureRequest),
        needs_body=False,
        answer=ERASURE,
        status=202,
    ),
    Route(
        method="get",
        path="/models/{model}/erasures",
        does="List erasures, the newest first",
        answer=page("erasures", ERASURE),
        most=100,
    ),
    Route(
        method="get",
        path="/models/{model}/erasures/{id}",
        does="Report the progress of an erasure, and the versions trained on what it erased",
        answer=ERASURE,
    ),
    Route(
        method="get",
        path="/models/{model}/imports",
        does="List imports",
        answer=page("imports", record({"status": TEXT})),
        most=300,
    ),
]
EVERYBODY = [
    Route(
        method="get",
        path="/openapi.json",
        does="Read this document",
        audiences=tuple(Audience),
        answer=record({"openapi": TEXT, "paths": {"type": "object"}}),
    )
]
ROUTES = [*APPS, *REVIEWERS, *OPERATORS, *READS, *EVERYBODY]
