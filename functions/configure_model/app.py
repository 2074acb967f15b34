"""Store or preview a model's configuration, and retire a model (PUT and DELETE /v1/models/{model})."""

from dataclasses import replace
from time import sleep
from typing import Any

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import models
from hindsight.config.documents.lines import with_lines
from hindsight.config.parse import MAX_CONFIGURATION_BYTES, parse_configuration
from hindsight.config.store import shown_retirement
from hindsight.core import recent_reads
from hindsight.core.codec import to_plain
from hindsight.core.errors import InvalidInput
from hindsight.registry.configuration_change import ConfigurationChange
from hindsight.reporting.model_list import ModelState
from hindsight.runtime.handler import http_handler, logger
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import (
    actor_of,
    flag,
    model_name,
    query_text,
    read_document,
    read_optional_json,
    requested_at,
    unquoted,
)
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

MAX_REASON = 500

api = create_api()


@api.put("/models/<model>")
def configure_model(model: str) -> Response[str]:
    """Check and store the configuration in the body; with ``dry_run`` nothing is stored."""
    event = api.current_event
    document, sent = read_document(event, max_bytes=MAX_CONFIGURATION_BYTES)
    reason = query_text(event, "reason", MAX_REASON)
    try:
        configuration = parse_configuration(document, model=unquoted(model))
    except InvalidInput as error:
        raise with_lines(error, sent.text) from error
    changes = models.configuration_changes()
    if flag(event, "dry_run"):
        change = changes.preview(configuration)
        return answer(200, shown(change) | {"dry_run": True, "diff": to_plain(change.differences)})
    audited = replace(sent, actor=actor_of(event), reason=reason)
    change = changes.store(configuration, audited, requested_at(event), force=flag(event, "force"))
    if change.differences:
        # Busy processes know the revision before for that long, and would refuse what only the new one declares.
        sleep(recent_reads.EVERY_SECONDS)
    return answer(200, shown(change))


@api.delete("/models/<model>")
def retire_model(model: str) -> Response[str]:
    """Take a model out of service; what is kept of it stays until its retention ends, or is erased by a job."""
    event, name = api.current_event, model_name(model)
    body = read_optional_json(event, max_bytes=MAX_REQUEST_BYTES)
    retirements, now, actor = models.retirements(), requested_at(event), actor_of(event)
    if flag(event, "erase"):
        request_id = event.request_context.request_id or ""
        job = retirements.erase(name, body, now=now, actor=actor, request_id=request_id)
        logger.info("model_erasure_started", extra={"model": name, "job_id": job.job_id})
        return answer(202, {"job_id": job.job_id})
    retirement = retirements.take(name, body, now=now, actor=actor)
    logger.info("model_retired", extra={"model": name})
    return answer(200, {"model": name, "state": ModelState.RETIRED.value, **shown_retirement(retirement)})


def shown(change: ConfigurationChange) -> dict[str, Any]:
    """Show what storing a configuration does."""
    return {"model": change.model, "revision": change.revision, "effects": to_plain(change.effects)}


handler = http_handler(api)
