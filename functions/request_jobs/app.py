"""Take operators' requests for jobs: relabelling, replay, erasure, verification (POST and DELETE)."""

from datetime import datetime

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import jobs
from hindsight.labels.relabelling.requests import accepted
from hindsight.privacy.requests import shown
from hindsight.runtime.handler import http_handler
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import (
    identifier,
    model_name,
    quarantine_name,
    read_json,
    read_optional_json,
    requested_at,
)
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

api = create_api()


@api.post("/models/<model>/relabel")
def relabel(model: str) -> Response[str]:
    """Begin the relabelling that the body asks for."""
    body = read_json(api.current_event, max_bytes=MAX_REQUEST_BYTES)
    job = jobs.relabel_requests().take(model_name(model), body, now=_now(), request_id=_request_id())
    return answer(202, accepted(job))


@api.post("/models/<model>/relabel/<relabel_id>/resume")
def resume(model: str, relabel_id: str) -> Response[str]:
    """Resume a relabelling that failed or was stopped."""
    job = jobs.relabel_requests().resume(model_name(model), identifier(relabel_id, "relabelling"))
    return answer(202, accepted(job))


@api.post("/models/<model>/quarantine/replay")
def replay(model: str) -> Response[str]:
    """Begin the replay that the body asks for."""
    body = read_json(api.current_event, max_bytes=MAX_REQUEST_BYTES)
    job = jobs.replay_requests().take(quarantine_name(model), body, now=_now(), request_id=_request_id())
    return answer(202, {"replay_id": job.job_id, "status": job.status.value})


@api.delete("/models/<model>/entities/<entity_id>")
def erase(model: str, entity_id: str) -> Response[str]:
    """Begin to erase what is kept of an entity."""
    entity, body = identifier(entity_id, "entity"), read_optional_json(api.current_event, max_bytes=MAX_REQUEST_BYTES)
    job = jobs.erasure_requests().take(model_name(model), entity, body, now=_now(), request_id=_request_id())
    return answer(202, shown(job))


@api.post("/models/<model>/datasets/<dataset_id>/verify")
def verify(model: str, dataset_id: str) -> Response[str]:
    """Begin to verify a dataset."""
    return answer(202, jobs.verification_requests().take(model_name(model), identifier(dataset_id, "dataset"), _now()))


handler = http_handler(api)


def _now() -> datetime:
    return requested_at(api.current_event)


def _request_id() -> str:
    return api.current_event.request_context.request_id or ""
