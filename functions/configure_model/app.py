"""Store a model's configuration as a new revision, or preview what that does (PUT /v1/models/{model})."""

from dataclasses import replace
from typing import Any

from aws_lambda_powertools.event_handler import Response

from hindsight.bootstrap import models
from hindsight.config.parse import MAX_CONFIGURATION_BYTES, parse_configuration
from hindsight.core.codec import to_plain
from hindsight.registry.configuration_change import ConfigurationChange
from hindsight.runtime.handler import http_handler
from hindsight.runtime.http.api import answer, create_api
from hindsight.runtime.http.requests import actor_of, flag, query_text, read_document, requested_at, unquoted

MAX_REASON = 500

api = create_api()


@api.put("/models/<model>")
def configure_model(model: str) -> Response[str]:
    """Check and store the configuration in the body; with ``dry_run`` nothing is stored."""
    event = api.current_event
    document, sent = read_document(event, max_bytes=MAX_CONFIGURATION_BYTES)
    reason = query_text(event, "reason", MAX_REASON)
    configuration = parse_configuration(document, model=unquoted(model))
    changes = models.configuration_changes()
    if flag(event, "dry_run"):
        change = changes.preview(configuration)
        return answer(200, shown(change) | {"dry_run": True, "diff": to_plain(change.differences)})
    audited = replace(sent, actor=actor_of(event), reason=reason)
    return answer(200, shown(changes.store(configuration, audited, requested_at(event), force=flag(event, "force"))))


def shown(change: ConfigurationChange) -> dict[str, Any]:
    """Show what storing a configuration does."""
    return {"model": change.model, "revision": change.revision, "effects": to_plain(change.effects)}


handler = http_handler(api)
