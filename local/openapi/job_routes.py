"""The routes of operators' jobs: verification, relabelling, quarantine and replay, erasure, imports."""

from hindsight.privacy.requests import ErasureRequest
from hindsight.quarantine.replay_request import ReplayRequest
from hindsight.validation.operator_request import DaysRequest
from local.openapi.answers import (
    ACCEPTED_RELABELLING,
    ERASURE,
    ERASURE_WITH_VERSIONS,
    IMPORT,
    QUARANTINE,
    RELABELLING,
    REPLAY,
    VERIFICATION,
)
from local.openapi.route import Route, whole
from local.openapi.schemas import TEXT, record, ref

JOBS = [
    Route(
        name="verify_dataset",
        method="post",
        path="/models/{model}/datasets/{id}/verify",
        does="Begin to build a dataset again",
        answer=VERIFICATION,
        status=202,
        conflicts=True,
    ),
    Route(
        name="get_verification",
        method="get",
        path="/models/{model}/datasets/{id}/verify",
        does="Read whether it was built again bit for bit",
        answer=VERIFICATION,
    ),
    Route(
        name="start_relabelling",
        method="post",
        path="/models/{model}/relabel",
        does="Begin a relabelling",
        body=ref(DaysRequest),
        answer=ACCEPTED_RELABELLING,
        status=202,
        conflicts=True,
    ),
    Route(
        name="resume_relabelling",
        method="post",
        path="/models/{model}/relabel/{id}/resume",
        does="Go on with a relabelling that failed",
        answer=ACCEPTED_RELABELLING,
        status=202,
        conflicts=True,
    ),
    Route(
        name="list_relabellings",
        method="get",
        path="/models/{model}/relabel",
        does="List relabellings",
        answer=whole("relabellings", RELABELLING),
        most=200,
    ),
    Route(
        name="get_relabelling",
        method="get",
        path="/models/{model}/relabel/{id}",
        does="Report the progress of a relabelling",
        answer=RELABELLING,
    ),
    Route(
        name="get_quarantine",
        method="get",
        path="/models/{model}/quarantine",
        does="Count and show rejected items",
        answer=QUARANTINE,
        most=300,
        paged=True,
    ),
    Route(
        name="start_replay",
        method="post",
        path="/models/{model}/quarantine/replay",
        does="Begin to replay rejected items",
        body=ref(ReplayRequest),
        answer=record({"replay_id": TEXT, "status": TEXT}),
        status=202,
        conflicts=True,
    ),
    Route(
        name="get_replay",
        method="get",
        path="/models/{model}/quarantine/replays/{id}",
        does="Report the progress of a replay",
        answer=REPLAY,
    ),
    Route(
        name="erase_entity",
        method="delete",
        path="/models/{model}/entities/{id}",
        does="Begin to erase all that is kept of an entity",
        body=ref(ErasureRequest),
        needs_body=False,
        answer=ERASURE,
        status=202,
    ),
    Route(
        name="list_erasures",
        method="get",
        path="/models/{model}/erasures",
        does="List erasures, the newest first",
        answer=whole("erasures", ERASURE),
        most=100,
    ),
    Route(
        name="get_erasure",
        method="get",
        path="/models/{model}/erasures/{id}",
        does="Report the progress of an erasure, and the versions trained on what it erased",
        answer=ERASURE_WITH_VERSIONS,
    ),
    Route(
        name="list_imports",
        method="get",
        path="/models/{model}/imports",
        does="List imports",
        answer=whole("imports", IMPORT),
        most=300,
    ),
]
