"""Store or preview a model's configuration, and retire a model (PUT and DELETE /v1/models/{model})."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import models
from hindsight.config.parse import MAX_CONFIGURATION_BYTES, parse_configuration
from hindsight.config.store import shown_retirement
from hindsight.core.codec import to_plain
from hindsight.registry.configuration_change import ConfigurationChange
from hindsight.reporting.model_list import ModelState
from hindsight.runtime.handler import http_handler, logger
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import (
    flag,
    model_name,
    read_document,
    read_optional_json,
    requested_at,
    unquoted,
)
from hindsight.validation.operator_request import MAX_REQUEST_BYTES

RETIRED_BY = "key:operator"

api = create_api()


@api.put("/models/<model>")
def configure_model(model: str) -> Response[str]:
    """Check and store the configuration in the body; with ``dry_run`` nothing is stored."""
    event = api.current_event
    document, sent = read_document(event, max_bytes=MAX_CONFIGURATION_BYTES)
    configuration = parse_configuration(document, model=unquoted(model))
    changes = models.configuration_changes()
    if flag(event, "dry_run"):
        change = changes.preview(configuration)
        return answer(200, shown(change) | {"dry_run": True, "diff": to_plain(change.differences)})
    return answer(200, shown(changes.store(configuration, sent, requested_at(event), force=flag(event, "force"))))


@api.delete("/models/<model>")
def retire_model(model: str) -> Response[str]:
    """Take a model out of service; what is kept of it stays until its retention ends."""
    event, name = api.current_event, model_name(model)
    body = read_optional_json(event, max_bytes=MAX_REQUEST_BYTES)
    retirement = models.retirements().take(name, body, now=requested_at(event), actor=RETIRED_BY)
    logger.info("model_retired", extra={"model": name})
    return answer(200, {"model": name, "state": ModelState.RETIRED.value, **shown_retirement(retirement)})


def shown(change: ConfigurationChange) -> dict[str, Any]:
    """Show what storing a configuration does."""
    return {"model": change.model, "revision": change.revision, "effects": to_plain(change.effects)}


handler = http_handler(api)
