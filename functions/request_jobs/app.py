"""Take requests for operators' jobs: relabelling, replay, erasure, verification, export; resume one."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import jobs
from hindsight.datasets.exports.export_requests import FIRST, LAST
from hindsight.runtime.handler import http_handler
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import (
    actor_of,
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
    job = jobs.relabel_requests().take(model_name(model), body, **_origin())
    return _accepted(job.job_id)


@api.post("/models/<model>/quarantine/replay")
def replay(model: str) -> Response[str]:
    """Begin the replay that the body asks for."""
    body = read_json(api.current_event, max_bytes=MAX_REQUEST_BYTES)
    job = jobs.replay_requests().take(quarantine_name(model), body, **_origin())
    return _accepted(job.job_id)


@api.delete("/models/<model>/entities/<entity_id>")
def erase(model: str, entity_id: str) -> Response[str]:
    """Begin to erase what is kept of an entity."""
    entity, body = identifier(entity_id, "entity"), read_optional_json(api.current_event, max_bytes=MAX_REQUEST_BYTES)
    job = jobs.erasure_requests().take(model_name(model), entity, body, **_origin())
    return _accepted(job.job_id)


@api.post("/models/<model>/datasets/<dataset_id>/verify")
def verify(model: str, dataset_id: str) -> Response[str]:
    """Begin to verify a dataset."""
    dataset = identifier(dataset_id, "dataset")
    return _accepted(jobs.verification_requests().take(model_name(model), dataset, **_origin()).job_id)


@api.get("/models/<model>/labels")
def export(model: str) -> Response[str]:
    """Begin to export the labels that the query asks for."""
    query = api.current_event.query_string_parameters or {}
    first, last = query.get(FIRST), query.get(LAST)
    job = jobs.export_requests().take(model_name(model), first, last, **_origin())
    return _accepted(job.job_id)


@api.post("/models/<model>/jobs/<job_id>/resume")
def resume(model: str, job_id: str) -> Response[str]:
    """Resume a job whose work ended before it was done."""
    name = identifier(job_id, "job")
    jobs.resumptions().resume(quarantine_name(model), name)
    return _accepted(name)


handler = http_handler(api)


def _accepted(job_id: str) -> Response[str]:
    return answer(202, {"job_id": job_id})


def _origin() -> dict[str, Any]:
    """Read when, by which request and by whom a job is asked for."""
    event = api.current_event
    return {
        "now": requested_at(event),
        "request_id": event.request_context.request_id or "",
        "actor": actor_of(event),
    }
